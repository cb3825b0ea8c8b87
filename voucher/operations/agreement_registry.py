"""The registry of platforms of an agreement: entered, taken off, suspended by either region and let in again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.agreements import AgreementListing, AgreementSuspension, RecognitionAgreement
from voucher.models.parties import Platform
from voucher.operations.agreements import published
from voucher.operations.journal import record
from voucher.operations.regions import paths_of
from voucher.rules.permissions import Actor, covers_region

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A platform is put on the registry of an agreement from a day until before another (None: without end)."""

    agreement: str
    platform_id: int
    document_no: str
    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendRequest:
    """One region of an agreement keeps a platform from it, or lets it in again."""

    agreement: str
    platform_id: int
    region_code: str
    reason: str
    document_no: str = ""


def list_platform(session: Session, request: ListRequest, *, actor: Actor, at: datetime) -> int:
    """Put a platform on the registry; gives the id of the entry. The same entry again is the same answer.

    Refused: an agreement that is not there or of none of the actor's regions, a platform that is not there
    (`not_found`). Raises ValueError for dates the wrong way round.
    """
    if request.to_on is not None and request.to_on <= request.from_on:
        raise ValueError("an entry ends after it begins")
    _locked(session, request.agreement, actor)
    if session.get(Platform, request.platform_id) is None:
        raise Refusal(Code.NOT_FOUND, platform=request.platform_id)
    query = select(AgreementListing).where(
        AgreementListing.agreement_code == request.agreement,
        AgreementListing.platform_id == request.platform_id,
        AgreementListing.from_on == request.from_on,
        AgreementListing.removed_at.is_(None),
    )
    row = session.scalars(query).first()
    if row is not None:
        if (row.to_on, row.document_no) != (request.to_on, request.document_no):
            raise Refusal(Code.ALREADY_REGISTERED, subject=row.document_no)
        return row.id
    row = AgreementListing(
        agreement_code=request.agreement,
        platform_id=request.platform_id,
        document_no=request.document_no,
        from_on=request.from_on,
        to_on=request.to_on,
        entered_by=actor.person_id,
        entered_at=at,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"platform": request.platform_id, "document_no": request.document_no}
    record(session, actor, "agreement.list", [(f"agreement:{request.agreement}", facts)], at=at)
    return row.id


def take_off(session: Session, listing_id: int, *, reason: str, actor: Actor, at: datetime) -> int:
    """Take a platform off the registry at once: nothing is ordered, held or captured there under the agreement.

    Refused: not there or of none of the actor's regions (`not_found`), off already (`state_changed`), without a reason
    (`reason_missing`).
    """
    row = session.get(AgreementListing, listing_id)
    if row is None:
        raise Refusal(Code.NOT_FOUND, listing=listing_id)
    _locked(session, row.agreement_code, actor)
    session.refresh(row)
    if row.removed_at is not None:
        raise Refusal(Code.STATE_CHANGED, event="take_off")
    row.removed_by, row.removed_at, row.remove_reason = actor.person_id, at, _reason(reason)
    facts: dict[str, Fact] = {"platform": row.platform_id, "reason": row.remove_reason}
    record(session, actor, "agreement.take_off", [(f"agreement:{row.agreement_code}", facts)], at=at)
    session.flush()
    return row.platform_id


def take_off_platform(
    session: Session, place: tuple[str, int], *, reason: str, actor: Actor, at: datetime
) -> int:
    """Take every entry of a platform (agreement and platform id) off the registry; gives how many. Refused like `take_off`, none: `not_found`."""
    agreement, platform_id = place
    query = select(AgreementListing.id).where(
        AgreementListing.agreement_code == agreement,
        AgreementListing.platform_id == platform_id,
        AgreementListing.removed_at.is_(None),
    )
    entries = list(session.scalars(query.order_by(AgreementListing.id)))
    if not entries:
        raise Refusal(Code.NOT_FOUND, platform=platform_id)
    for entry in entries:
        take_off(session, entry, reason=reason, actor=actor, at=at)
    return len(entries)


def suspend_platform(session: Session, request: SuspendRequest, *, actor: Actor, at: datetime) -> int:
    """A region suspends a platform under the agreement at once; waits for captures under way. Gives the id.

    Refused: an agreement that is not there, a region that is no party of it or not the actor's (`not_found`),
    suspended by this region already (`state_changed`), without a reason (`reason_missing`).
    """
    _locked(session, request.agreement, actor)
    _refuse_foreign(session, request, actor)
    if session.get(Platform, request.platform_id) is None:
        raise Refusal(Code.NOT_FOUND, platform=request.platform_id)
    if _open(session, request) is not None:
        raise Refusal(Code.STATE_CHANGED, event="suspend")
    row = AgreementSuspension(
        agreement_code=request.agreement,
        platform_id=request.platform_id,
        region_code=request.region_code,
        reason=_reason(request.reason),
        document_no=request.document_no,
        suspended_by=actor.person_id,
        suspended_at=at,
    )
    session.add(row)
    session.flush()
    _tell(session, "suspend", request, actor=actor, at=at)
    return row.id


def readmit_platform(session: Session, request: SuspendRequest, *, actor: Actor, at: datetime) -> int:
    """The region lifts its suspension; another region's stays. Refused like `suspend_platform`."""
    _locked(session, request.agreement, actor)
    _refuse_foreign(session, request, actor)
    row = _open(session, request)
    if row is None:
        raise Refusal(Code.STATE_CHANGED, event="readmit")
    _reason(request.reason)
    row.lifted_by, row.lifted_at = actor.person_id, at
    session.flush()
    _tell(session, "readmit", request, actor=actor, at=at)
    return row.id


def _locked(session: Session, agreement: str, actor: Actor) -> None:
    """The agreement, locked; refused `not_found` where no version was published, or none names a region of the actor."""
    query = select(RecognitionAgreement.code).where(RecognitionAgreement.code == agreement)
    session.execute(query.with_for_update()).all()
    if not any(covers_region(actor, path) for path in _paths(session, agreement).values()):
        raise Refusal(Code.NOT_FOUND, agreement=agreement)


def _paths(session: Session, agreement: str) -> dict[str, str]:
    """The paths of the regions that published versions of an agreement name."""
    versions = [each.agreement for each in published(session) if each.agreement.agreement == agreement]
    return paths_of(session, {party.region for version in versions for party in version.parties})


def _refuse_foreign(session: Session, request: SuspendRequest, actor: Actor) -> None:
    path = _paths(session, request.agreement).get(request.region_code, "")
    if not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND, region=request.region_code)


def _open(session: Session, request: SuspendRequest) -> AgreementSuspension | None:
    query = select(AgreementSuspension).where(
        AgreementSuspension.agreement_code == request.agreement,
        AgreementSuspension.platform_id == request.platform_id,
        AgreementSuspension.region_code == request.region_code,
        AgreementSuspension.lifted_at.is_(None),
    )
    return session.scalars(query).first()


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refusal(Code.REASON_MISSING)
    return reason.strip()[:_LONGEST_REASON]


def _tell(session: Session, deed: str, request: SuspendRequest, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {
        "platform": request.platform_id,
        "region": request.region_code,
        "reason": request.reason,
        "document_no": request.document_no,
    }
    record(session, actor, f"agreement.{deed}", [(f"agreement:{request.agreement}", facts)], at=at)
