"""Whether a platform of another region is recognised, by which agreement, or the one reason why not (domain, 3.5).

What counts is the region that certified the platform, never where it stands. An agreement admits only between two
regions that are both parties of it, so recognition does not pass on: A with B and B with C do not give A with C.

Of several agreements that admit, the nearest rules: the one whose home party is nearest to the home region, then the
one whose other party is nearest to the certifying region, then the one in force later, then by code. Of several that
do not, the one that comes furthest says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from voucher.errors import Fact
from voucher.rules.agreement import Agreement, Party
from voucher.rules.eligibility import LIVE
from voucher.rules.subsidy import within
from voucher.terms import (
    CertificationState,
    PartyRole,
    RecognitionReason,
    RegistryMode,
    VoucherKind,
)

_STEPS = tuple(RecognitionReason)


@dataclass(frozen=True, slots=True)
class Listing:
    """A platform's place on the registry of an agreement: from when until before when."""

    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A published version as it stands for one platform.

    `ended_on` is the first day without orders where it was ended early, `is_revoked` says that it admits nothing any
    more. `listings` are those that were not taken off, `suspended_in` the regions that suspended the platform.
    """

    version_id: int
    agreement: Agreement
    ended_on: date | None = None
    is_revoked: bool = False
    listings: tuple[Listing, ...] = ()
    suspended_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Foreign:
    """A certification by another region that covers the voucher's kind and the service on the day."""

    region: str
    state: CertificationState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be recognised: a voucher of `home`, for a service, on the order's day."""

    home: str
    kind: VoucherKind
    service: str
    on: date


@dataclass(frozen=True, slots=True)
class Recognised:
    """The version that admits, its home party, the party that certified the platform, and the certifying region."""

    version_id: int
    agreement: Agreement
    home: Party
    other: Party
    region: str


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """The one reason why a platform is not recognised, with the agreement (None: there is none) and its clause."""

    reason: RecognitionReason
    region: str
    agreement: Agreement | None = None
    clause: str = ""

    def facts(self, home: str) -> Mapping[str, Fact]:
        """What the refusal tells: reason, regions, and the agreement's document and clause where there is one."""
        return not_recognised(self.reason, self.agreement, self.clause) | {
            "home": home,
            "certifying_region": self.region,
        }


def not_recognised(reason: RecognitionReason, agreement: Agreement | None, clause: str) -> dict[str, Fact]:
    """The facts of `not_recognised`: the reason, and where there is an agreement its code, document and clause."""
    facts: dict[str, Fact] = {"reason": reason.value}
    if agreement is not None:
        facts |= {"agreement": agreement.agreement, "document_no": agreement.document_no}
    return facts | ({"clause": clause} if clause else {})


def recognise(
    wanted: Wanted, certified: Sequence[Foreign], standings: Sequence[Standing]
) -> Recognised | NotRecognised:
    """The agreement version that admits one of these certifications for the voucher, or the reason why none does.

    `certified` is not empty. The ceilings are not asked here: they are balances (`operations/recognise`).
    """
    admitted: list[tuple[tuple[object, ...], Recognised]] = []
    refused: list[tuple[int, NotRecognised]] = []
    for foreign in certified:
        for standing in standings:
            pair = parties_between(standing.agreement, wanted.home, foreign.region)
            if pair is None:
                continue
            found = _judge(wanted, foreign, standing, pair)
            if isinstance(found, Recognised):
                admitted.append((_nearness(found), found))
            else:
                refused.append((_STEPS.index(found.reason), found))
    if admitted:
        return min(admitted, key=lambda each: each[0])[1]
    if refused:
        return max(refused, key=lambda each: each[0])[1]
    return NotRecognised(RecognitionReason.NO_AGREEMENT, certified[0].region)


def still_recognised(standing: Standing, foreign: Sequence[Foreign]) -> NotRecognised | None:
    """Why an order placed under this version may not be held or captured today; None where it may.

    The day of the order decided everything else: a version that has ended since, or a listing that ran out, still
    carries it. What stops it at once: the version revoked, the platform taken off the registry or suspended by either
    region, its certification by the other region no longer in force.
    """
    agreement = standing.agreement
    region = foreign[0].region if foreign else ""
    if standing.is_revoked:
        reason = RecognitionReason.AGREEMENT_EXPIRED
    elif agreement.registry is RegistryMode.LISTED and not standing.listings:
        reason = RecognitionReason.REGISTRY
    elif standing.suspended_in or not any(_in_force(each) for each in foreign):
        reason = RecognitionReason.PROVIDER_STATUS
    else:
        return None
    return NotRecognised(reason, region, agreement, _clause(agreement, reason))


def parties_between(agreement: Agreement, home: str, region: str) -> tuple[Party, Party] | None:
    """The two parties that bind the home region and the certifying one; None where they are not two."""
    ours, theirs = _party(agreement, home), _party(agreement, region)
    return None if ours is None or theirs is None or ours == theirs else (ours, theirs)


def _party(agreement: Agreement, region: str) -> Party | None:
    for party in agreement.parties:
        if party.region == region or (party.binds_children and within(region, party.region)):
            return party
    return None


def _judge(
    wanted: Wanted, foreign: Foreign, standing: Standing, pair: tuple[Party, Party]
) -> Recognised | NotRecognised:
    agreement, (home, other) = standing.agreement, pair
    if not _in_time(standing, wanted.on):
        reason = RecognitionReason.AGREEMENT_EXPIRED
    elif home.part is PartyRole.PROVIDER or other.part is PartyRole.HOME:
        reason = RecognitionReason.DIRECTION
    elif wanted.kind not in agreement.kinds:
        reason = RecognitionReason.KIND
    elif wanted.service not in agreement.services:
        reason = RecognitionReason.SERVICE
    elif agreement.registry is RegistryMode.LISTED and not any(
        each.from_on <= wanted.on and (each.to_on is None or wanted.on < each.to_on)
        for each in standing.listings
    ):
        reason = RecognitionReason.REGISTRY
    elif standing.suspended_in or not _in_force(foreign):
        reason = RecognitionReason.PROVIDER_STATUS
    else:
        return Recognised(standing.version_id, agreement, home, other, foreign.region)
    return NotRecognised(reason, foreign.region, agreement, _clause(agreement, reason))


def _in_time(standing: Standing, on: date) -> bool:
    agreement = standing.agreement
    begun = agreement.effective_from is not None and agreement.effective_from <= on
    ends = [day for day in (agreement.effective_to, standing.ended_on) if day is not None]
    return begun and not standing.is_revoked and all(on < day for day in ends)


def _in_force(foreign: Foreign) -> bool:
    return foreign.state in LIVE


def _clause(agreement: Agreement, reason: RecognitionReason) -> str:
    """The item of the agreement that a reason rests on."""
    keys = {
        RecognitionReason.AGREEMENT_EXPIRED: ("effective_through", "effective_from"),
        RecognitionReason.DIRECTION: ("direction",),
        RecognitionReason.KIND: ("kinds",),
        RecognitionReason.SERVICE: ("services",),
        RecognitionReason.REGISTRY: ("registry",),
        RecognitionReason.PROVIDER_STATUS: ("registry",),
    }
    return agreement.clause(*keys[reason])


def _nearness(found: Recognised) -> tuple[object, ...]:
    """Smaller is nearer: longer stems of codes first, then the later start, then the code."""
    begun = found.agreement.effective_from
    return (
        -_depth(found.home.region),
        -_depth(found.other.region),
        -(begun.toordinal() if begun else 0),
        found.agreement.code,
    )


def _depth(region: str) -> int:
    stem = region
    while len(stem) > 2 and stem.endswith("00"):
        stem = stem[:-2]
    return len(stem)
