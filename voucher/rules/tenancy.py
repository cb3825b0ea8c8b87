"""Whether a base may use its startup voucher, and whether a startup is inside a centre that this programme pays for.

Two rules of a policy's `eligibility` ask: `certified_base` (Xining 2018, item 13: 經人社部門認定的各類創業孵化基地) and
`tenant_of_centre` (Lhasa 2019, 四（三）: 双创中心内的初创企业). Every refusal names the clause that it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from voucher.errors import Code, Fact
from voucher.rules.eligibility import LIVE, Finding
from voucher.rules.policy import Policy
from voucher.rules.subsidy import clause_of
from voucher.terms import CertificationState, Certifier, EligibilityRule, TenancyState


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A centre as one document certifies it; `region` and its path are of the certifying region, never of its address."""

    name: str
    authority: Certifier
    region: str
    region_path: str
    from_on: date
    to_on: date | None
    state: CertificationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Somebody's time in a centre (half-open), and the certifications of that centre."""

    entered_on: date
    left_on: date | None
    places: tuple[Place, ...]


_STANDING = CertificationState.CERTIFIED
_Condition = tuple[str, Callable[[Place], bool]]


def is_for_tenants(policy: Policy) -> bool:
    """Whether vouchers go to bases and are spent for their tenants alone."""
    return EligibilityRule.CERTIFIED_BASE in policy.eligibility


def asks_for_places(policy: Policy) -> bool:
    """Whether the policy asks for anything that has to do with centres."""
    return is_for_tenants(policy) or EligibilityRule.TENANT_OF_CENTRE in policy.eligibility


def inside(entered_on: date, left_on: date | None, on: date) -> bool:
    """Whether a stay covers the day: the day of entry does, the day of leaving does not."""
    return entered_on <= on and (left_on is None or on < left_on)


def state_of(entered_on: date, graduated_on: date | None, left_on: date | None, on: date) -> TenancyState:
    """Coming, incubating, graduated or left, as of a day (Lhasa 2019 E6; Shanxi 2022, item 2: 毕业管理)."""
    if left_on is not None and left_on <= on:
        return TenancyState.LEFT
    if on < entered_on:
        return TenancyState.COMING
    if graduated_on is not None and graduated_on <= on:
        return TenancyState.GRADUATED
    return TenancyState.INCUBATING


def base(policy: Policy, places: Sequence[Place], *, on: date) -> Finding:
    """`centre_not_certified` unless one centre of the base is certified as the policy asks, and live on this day.

    `reason` is the first condition that none meets: `no_centre`, `certifier`, `centre_region` (certified for a region
    outside the programme's), `period`, `state`.
    """
    if not is_for_tenants(policy):
        return None
    found = _first_unmet(policy, places, on)
    if found is None:
        return None
    reason, left = found
    facts: dict[str, Fact] = {"reason": reason, "clause": _clause(policy)}
    if left:
        facts["centre"] = left[0].name
    if reason == "certifier":
        facts["certifier"] = left[0].authority.value
    if reason == "centre_region":
        facts["region"] = left[0].region
    if reason == "state":
        facts["state"] = left[0].state.value
    return Code.CENTRE_NOT_CERTIFIED, facts


def tenant(policy: Policy, stays: Sequence[Stay], *, on: date, past: bool = False) -> Finding:
    """`not_qualified` unless the startup is inside a live centre of this programme's region on this day.

    `reason`: `not_tenant` (in no centre; with `left_on` where it left), `centre_certifier`, `centre_region` (the
    centre is certified for another region, whose programme pays for its tenants, wherever the centre stands: 飞地),
    `centre_state` (suspended, revoked or out of its period). `past`: an order of that day is judged later, and what
    became of the centre since then does not count.
    """
    if EligibilityRule.TENANT_OF_CENTRE not in policy.eligibility:
        return None
    facts: dict[str, Fact] = {"on": on.isoformat(), "clause": _clause(policy)}
    current = [stay for stay in stays if inside(stay.entered_on, stay.left_on, on)]
    if not current:
        left = max((stay.left_on for stay in stays if stay.left_on and stay.left_on <= on), default=None)
        if left is not None:
            facts["left_on"] = left.isoformat()
        return Code.NOT_QUALIFIED, {"reason": "not_tenant", **facts}
    around = [place for stay in current for place in stay.places]
    found = _first_unmet(policy, [replace(each, state=_STANDING) for each in around] if past else around, on)
    if found is None:
        return None
    reason, places = found
    if places:
        facts["centre"] = places[0].name
    if reason == "centre_region":
        return Code.NOT_QUALIFIED, {"reason": reason, "centre_region": places[0].region, **facts}
    if reason == "certifier":
        return Code.NOT_QUALIFIED, {"reason": "centre_certifier", **facts}
    return Code.NOT_QUALIFIED, {"reason": "centre_state", **facts}


def _first_unmet(policy: Policy, places: Sequence[Place], on: date) -> tuple[str, list[Place]] | None:
    """The first condition that no centre meets, and those that met all before it; None where one meets all."""
    conditions: tuple[_Condition, ...] = (
        ("certifier", lambda each: each.authority in (policy.centre_certifiers or (each.authority,))),
        ("centre_region", lambda each: f"/{policy.owner_region}/" in each.region_path),
        ("period", lambda each: inside(each.from_on, each.to_on, on)),
        ("state", lambda each: each.state in LIVE),
    )
    left = list(places)
    if not left:
        return "no_centre", []
    for reason, holds in conditions:
        kept = [each for each in left if holds(each)]
        if not kept:
            return reason, left
        left = kept
    return None


def _clause(policy: Policy) -> str | None:
    return clause_of(policy, "eligibility", "holder_classes")
