"""Who may do what: one table. Views name a permission; nothing else decides.

A permission is `scope:resource:action`. Whose things it covers is scope too: people see what belongs to their
organisation, platform, region or book; another's does not exist for them (404).
"""

from __future__ import annotations

from dataclasses import dataclass

from voucher.rules.subsidy import within
from voucher.terms import Mandate, Role

_ENTERPRISE = frozenset({Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER})
_APPROVER = frozenset({Role.ENTERPRISE_APPROVER})
_BOOKKEEPER = frozenset({Role.BOOKKEEPER})
_INCUBATOR = frozenset({Role.INCUBATOR_MANAGER})
_PROVIDER = frozenset({Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER})
_MANAGER = frozenset({Role.PROVIDER_MANAGER})
_REVIEWER = frozenset({Role.REVIEWER})
_OFFICER = frozenset({Role.PROGRAMME_OFFICER})
_MAKER = frozenset({Role.FINANCE_MAKER})
_CHECKER = frozenset({Role.FINANCE_CHECKER})
_FINANCE = _MAKER | _CHECKER
_AUDIT = frozenset({Role.AUDITOR})
_COSIGNER = frozenset({Role.COSIGNER})

PERMISSIONS: dict[str, frozenset[Role]] = {
    "own:account:read": frozenset(Role),
    "enterprise:voucher:read": _ENTERPRISE,
    "enterprise:session:open": _ENTERPRISE,
    "enterprise:session:confirm": _ENTERPRISE,
    "enterprise:order:read": _ENTERPRISE | _BOOKKEEPER,
    "enterprise:order:place": _ENTERPRISE,
    "enterprise:order:confirm": _ENTERPRISE,
    "enterprise:order:cancel": _ENTERPRISE,
    "enterprise:claim:submit": _ENTERPRISE,
    "enterprise:claim:confirm": _ENTERPRISE,
    "enterprise:claim:prepare": _ENTERPRISE | _BOOKKEEPER,
    "enterprise:authority:read": _ENTERPRISE,
    "enterprise:authority:grant": _APPROVER,
    "enterprise:application:read": _ENTERPRISE,
    "enterprise:application:submit": _ENTERPRISE,
    "enterprise:voucher:give_back": _ENTERPRISE,
    "enterprise:appeal:lodge": _ENTERPRISE,
    "incubator:tenant:read": _INCUBATOR,
    "incubator:tenant:write": _INCUBATOR,
    "incubator:allotment:write": _INCUBATOR,
    "incubator:order:read": _INCUBATOR,
    "incubator:order:place": _INCUBATOR,
    "incubator:order:confirm": _INCUBATOR,
    "sides:attendance:write": _INCUBATOR | _PROVIDER,
    "tenant:allotment:read": _ENTERPRISE,
    "tenant:attendance:confirm": _ENTERPRISE,
    "tenant:objection:make": _ENTERPRISE,
    "programme:startup:read": _INCUBATOR | _OFFICER | _REVIEWER | _FINANCE | _AUDIT,
    "incubator:centre:read": _INCUBATOR,
    "incubator:report:submit": _INCUBATOR,
    "own:rectification:answer": _INCUBATOR | _MANAGER,
    "provider:session:scan": _PROVIDER,
    "provider:session:propose": _PROVIDER,
    "provider:order:read": _PROVIDER,
    "provider:order:accept": _MANAGER,
    "provider:order:file_contract": _MANAGER,
    "provider:order:deliver": _PROVIDER,
    "provider:order:reverse": _MANAGER,
    "provider:claim:submit": _MANAGER,
    "provider:claim:confirm": _MANAGER,
    "provider:appeal:lodge": _MANAGER,
    "sides:order:read": _ENTERPRISE | _PROVIDER | _REVIEWER | _OFFICER | _FINANCE | _AUDIT,
    "sides:order:dispute": _ENTERPRISE | _MANAGER,
    "provider:catalogue:write": _MANAGER,
    "provider:staff:write": _MANAGER,
    "provider:device:write": _MANAGER,
    "provider:pin:write": _PROVIDER,
    "reviewer:join:issue": _REVIEWER | _OFFICER,
    "reviewer:desk:act": _REVIEWER | _OFFICER,
    "reviewer:team:register": _REVIEWER | _OFFICER | _INCUBATOR,
    "reviewer:authority:read": _REVIEWER | _OFFICER | _AUDIT,
    "reviewer:roster:import": _REVIEWER | _OFFICER,
    "reviewer:holder:qualify": _REVIEWER | _OFFICER,
    "reviewer:platform:certify": _REVIEWER | _OFFICER,
    "reviewer:centre:read": _REVIEWER | _OFFICER | _AUDIT,
    "reviewer:centre:certify": _REVIEWER | _OFFICER,
    "reviewer:centre:evaluate": _REVIEWER | _OFFICER,
    "programme:evaluation:publish": _OFFICER,
    "reviewer:order:read": _REVIEWER | _OFFICER | _FINANCE | _AUDIT,
    "reviewer:dispute:read": _REVIEWER | _OFFICER | _AUDIT,
    "reviewer:dispute:decide": _REVIEWER,
    "reviewer:claim:read": _REVIEWER | _OFFICER | _COSIGNER,
    "reviewer:claim:decide": _REVIEWER,
    "reviewer:ban:write": _REVIEWER | _OFFICER,
    "reviewer:payee:confirm": _REVIEWER | _OFFICER,
    "reviewer:pace:read": _OFFICER | _AUDIT,
    "own:relation:state": _ENTERPRISE | _MANAGER,
    "own:payee:change": _APPROVER | _MANAGER,
    "reviewer:claim:assign": _REVIEWER | _OFFICER,
    "reviewer:claim:cosign": _COSIGNER,
    "reviewer:award:revoke": _OFFICER,
    "reviewer:duty:write": _REVIEWER | _OFFICER,
    "expert:opinion:give": frozenset({Role.EXPERT}),
    "reviewer:application:read": _REVIEWER | _OFFICER,
    "reviewer:application:decide": _REVIEWER | _OFFICER,
    "reviewer:appeal:read": _REVIEWER | _OFFICER,
    "reviewer:appeal:decide": _REVIEWER | _OFFICER,
    "programme:window:publish": _OFFICER,
    "programme:policy:read": _OFFICER | _REVIEWER | _FINANCE | _AUDIT,
    "programme:policy:propose": _OFFICER,
    "programme:policy:publish": _OFFICER,
    "programme:agreement:read": _OFFICER | _REVIEWER | _FINANCE | _AUDIT,
    "programme:agreement:publish": _OFFICER,
    "programme:registry:write": _OFFICER,
    "programme:voucher:read": _OFFICER | _REVIEWER | _FINANCE | _AUDIT,
    "programme:voucher:issue": _OFFICER,
    "programme:voucher:revoke": _OFFICER,
    "programme:holiday:read": _OFFICER | _REVIEWER | frozenset({Role.SYSTEM_ADMIN}),
    "programme:holiday:write": _OFFICER | frozenset({Role.SYSTEM_ADMIN}),
    "programme:notice:read": _OFFICER | _REVIEWER | _AUDIT,
    "programme:notice:publish": _OFFICER,
    "programme:objection:record": _OFFICER | _REVIEWER,
    "programme:objection:decide": _OFFICER,
    "finance:budget:read": _FINANCE | _OFFICER | _AUDIT,
    "finance:budget:fund": _MAKER,
    "finance:batch:read": _FINANCE | _AUDIT,
    "finance:batch:make": _MAKER,
    "finance:batch:approve": _CHECKER,
    "finance:factor:read": _FINANCE | _OFFICER | _AUDIT,
    "finance:factor:propose": _MAKER,
    "finance:factor:approve": _CHECKER,
    "finance:pledge:read": _FINANCE | _OFFICER | _AUDIT,
    "finance:pledge:add": _MAKER,
    "finance:clearing:read": _FINANCE | _AUDIT,
    "finance:clearing:prepare": _MAKER,
    "finance:clearing:approve": _CHECKER,
    "finance:year_end:read": _FINANCE | _OFFICER | _AUDIT,
    "finance:year_end:propose": _MAKER,
    "finance:year_end:approve": _CHECKER,
    "finance:payment:export": _MAKER,
    "finance:payment:reconcile": _MAKER,
    "finance:payment:repay": _FINANCE,
    "finance:period:close": _CHECKER,
    "finance:invoice:read": _FINANCE | _REVIEWER | _OFFICER,
    "finance:invoice:check": _MAKER | _REVIEWER | _OFFICER,
    "ledger:posting:read": _FINANCE | _OFFICER | _AUDIT,
    "admin:message:read": frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}),
    "admin:message:send": frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}),
    "admin:person:write": frozenset({Role.SECURITY_ADMIN}),
}

MANDATES: dict[Mandate, frozenset[str]] = {
    Mandate.APPLY: frozenset(
        {"enterprise:application:submit", "enterprise:appeal:lodge", "enterprise:voucher:give_back"}
    ),
    Mandate.ORDER: frozenset(
        {"enterprise:session:open", "enterprise:order:place", "enterprise:order:cancel"}
    ),
    Mandate.CONFIRM: frozenset(
        {
            "enterprise:session:confirm",
            "enterprise:order:confirm",
            "enterprise:claim:confirm",
            "sides:order:dispute",
            "tenant:attendance:confirm",
            "tenant:objection:make",
        }
    ),
    Mandate.CLAIM: frozenset({"enterprise:claim:submit"}),
    Mandate.UPLOAD: frozenset({"enterprise:claim:prepare"}),
}
"""What an authorised operator may be given, one by one. A permission of no mandate goes with the role."""

MANDATED: frozenset[str] = frozenset().union(*MANDATES.values())

PROVED: frozenset[str] = frozenset(
    {
        "own:payee:change",
        "enterprise:authority:grant",
        "provider:device:write",
        "provider:pin:write",
        "reviewer:desk:act",
        "reviewer:payee:confirm",
        "reviewer:application:decide",
        "programme:voucher:issue",
        "programme:objection:decide",
        "finance:budget:fund",
        "finance:batch:approve",
        "finance:factor:approve",
        "finance:pledge:add",
        "finance:clearing:approve",
        "finance:year_end:approve",
        "finance:payment:export",
        "finance:payment:repay",
        "admin:person:write",
    }
)
"""What is done only by somebody who proved their password a short time ago: pages ask for it, programs sign in again."""

COUNTER_WORK: frozenset[str] = frozenset(
    {"provider:session:scan", "provider:session:propose", "provider:order:read", "provider:order:reverse"}
)
"""All that somebody may do who signed in with a PIN on a counter device; undoing leads to the order's page."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts, as a frozen value read before the work begins.

    `ref` is what ledger and journal keep. The id lists say whose things this person acts for; `region_codes`
    cover the regions below them too. `functions` are the authorities (science, finance, ...) that a cosigner signs for.
    `withheld` are permissions that the roles carry and this person was not given: an operator's authorisation leaves
    them out, or the session is one of a counter device.
    """

    person_id: int
    ref: str
    name: str
    roles: frozenset[Role]
    organisation_ids: frozenset[int] = frozenset()
    platform_ids: frozenset[int] = frozenset()
    region_codes: frozenset[str] = frozenset()
    book_ids: frozenset[int] = frozenset()
    source: str = ""
    withheld: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()


def person_ref(person_id: int) -> str:
    """How ledger and journal name a person."""
    return f"person:{person_id}"


def permitted(actor: Actor, permission: str) -> bool:
    """Whether one of the actor's roles carries the permission, and it is not withheld. KeyError for an unknown one."""
    return bool(PERMISSIONS[permission] & actor.roles) and permission not in actor.withheld


def carries(role: Role, mandates: frozenset[Mandate], permission: str) -> bool:
    """Whether a role, given with these mandates (none: with all), carries the permission."""
    if role not in PERMISSIONS[permission]:
        return False
    if not mandates or permission not in MANDATED:
        return True
    return any(permission in MANDATES[mandate] for mandate in mandates)


def runs(actor: Actor, owner_region: str) -> bool:
    """Whether a programme is carried out by the actor's authority: by that of its owner region, or by one below it.

    Who stands above reads it, and decides nothing: a city guides the vouchers of its counties and parks, and does
    not own them (Lhasa 2019, 四（三）).
    """
    return any(within(code, owner_region) for code in actor.region_codes)


def covers_region(actor: Actor, path: str) -> bool:
    """Whether a region, given by its path from the country down, lies in one of the actor's regions."""
    return any(f"/{code}/" in path for code in actor.region_codes)
