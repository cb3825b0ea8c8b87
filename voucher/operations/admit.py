"""Whether this voucher may buy this service from this platform now: the verdicts before any amount.

In this order: voucher revoked, platform certified for kind and service by the region or recognised by an agreement,
relation, bans, roster, centre, voucher live.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.parties import Certification, Platform
from voucher.models.vouchers import Voucher
from voucher.operations.outcome import Refused, refused
from voucher.operations.places import Places, places
from voucher.operations.policies import policy_in_force
from voucher.operations.recognise import Recognition
from voucher.operations.relations import Known, known
from voucher.rules import eligibility, tenancy
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.recognition import Recognised
from voucher.terms import VoucherState

_CERTIFIED = (
    select(Certification, Platform)
    .join(Platform, Platform.id == Certification.platform_id)
    .where(Certification.platform_id.in_(bindparam("platforms", expanding=True)))
    .order_by(Certification.id)
    .with_for_update(read=True, of=Certification)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A voucher to be used for a service at a platform; `for_tenants`: by a base, for tenants that it names."""

    voucher: Voucher
    platform_id: int
    service: str
    for_tenants: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """The policy version that rules the order, the platform, and the agreement that recognises it (None: none is needed)."""

    policy: Policy
    platform: Platform
    recognised: Recognised | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    platforms: dict[int, Platform]
    certifications: dict[int, list[Certification]]
    known: Known
    recognition: Recognition
    places: Places = field(default_factory=Places)


def admit(
    session: Session, wishes: Sequence[Wish], *, actor: Actor, at: datetime
) -> list[Admitted | Refused]:
    """Check each wish against the policy version in force now.

    Refused, each alone, in this order: `policy_not_published`, `voucher_revoked`, `not_found` for a platform
    that does not exist, `tenant_needed`, `service_not_certified`, `provider_suspended`, `not_recognised`, `affiliated`,
    `party_banned`, `not_qualified`, `centre_not_certified`, `voucher_expired`, `voucher_not_usable`. Locks the platforms' certifications FOR SHARE,
    then the stays and centres that the policy asks for, and the agreements where one is asked.
    """
    if not wishes:
        return []
    policies = _in_force(session, {wish.voucher.programme_code for wish in wishes}, at)
    live = [policy for policy in policies.values() if isinstance(policy, Policy)]
    facts = _facts(session, wishes, at)
    around = places(session, live, [wish.voucher.holder for wish in wishes], locked=True)
    facts = replace(facts, places=around)
    results: list[Admitted | Refused] = []
    for wish in wishes:
        policy = policies[wish.voucher.programme_code]
        if isinstance(policy, Refused):
            results.append(policy)
            continue
        try:
            results.append(_admit(policy, wish, facts, on=business_date(at)))
        except Refusal as refusal:
            results.append(refused(refusal))
    return results


def _in_force(session: Session, programmes: Collection[str], at: datetime) -> dict[str, Policy | Refused]:
    """The version of each programme that is in force now, or why there is none."""
    found: dict[str, Policy | Refused] = {}
    for programme in sorted(programmes):
        try:
            found[programme] = policy_in_force(session, programme, at)
        except Refusal as refusal:
            found[programme] = refused(refusal)
    return found


def _admit(policy: Policy, wish: Wish, facts: _Facts, *, on: date) -> Admitted:
    voucher = wish.voucher
    live = eligibility.voucher_live(VoucherState(voucher.state), voucher.use_by, on)
    if voucher.state == VoucherState.REVOKED.value:
        _refuse(live)
    platform = facts.platforms.get(wish.platform_id)
    if platform is None:
        raise Refusal(Code.NOT_FOUND, platform=wish.platform_id)
    if tenancy.is_for_tenants(policy) and not wish.for_tenants:
        raise Refusal(Code.TENANT_NEEDED, lines=0)
    if policy.service(wish.service) is None:
        raise Refusal(Code.SERVICE_NOT_CERTIFIED, reason="not_in_policy", service=wish.service)
    recognised = facts.recognition.admit(
        policy,
        facts.certifications.get(platform.id, []),
        platform_id=platform.id,
        service=wish.service,
        on=on,
    )
    owner_id = voucher.holder.organisation_id
    if owner_id is not None and not (wish.for_tenants and policy.own_services):
        facts.known.refuse_related(policy, owner_id, platform.organisation_id)
    facts.known.refuse_banned(owner_id, platform.organisation_id)
    if owner_id is not None:
        facts.known.refuse_off_roster(policy, owner_id, on, held=voucher.holder_class)
    facts.places.refuse(policy, voucher.holder, on)
    _refuse(live)
    return Admitted(policy, platform, recognised)


def _refuse(finding: eligibility.Finding) -> None:
    if finding is not None:
        raise Refusal(finding[0], **finding[1])


def certifications(session: Session, platform_ids: Collection[int]) -> dict[int, list[Certification]]:
    """Every certification of these platforms, locked FOR SHARE in id order, so that none is suspended meanwhile."""
    found: dict[int, list[Certification]] = {}
    for row, _ in _certified(session, platform_ids):
        found.setdefault(row.platform_id, []).append(row)
    return found


def _certified(session: Session, platform_ids: Collection[int]) -> list[tuple[Certification, Platform]]:
    rows = session.execute(_CERTIFIED, {"platforms": list(set(platform_ids))})
    return [(row, platform) for row, platform in rows]


def _facts(session: Session, wishes: Sequence[Wish], at: datetime) -> _Facts:
    ids = {wish.platform_id for wish in wishes}
    platforms: dict[int, Platform] = {}
    certified: dict[int, list[Certification]] = {}
    for row, platform in _certified(session, ids):
        platforms[platform.id] = platform
        certified.setdefault(platform.id, []).append(row)
    if bare := ids - platforms.keys():
        query = select(Platform).where(Platform.id.in_(bare))
        platforms |= {platform.id: platform for platform in session.scalars(query)}
    owners = {wish.voucher.holder.organisation_id for wish in wishes} - {None}
    hosts = {platform.organisation_id for platform in platforms.values()}
    on = business_date(at)
    parties = known(session, {*filter(None, owners)}, hosts, years={on.year}, on=on)
    return _Facts(platforms, certified, parties, Recognition(session, ids))
