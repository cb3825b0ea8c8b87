"""Certifying platforms, and suspending, reinstating and revoking what was certified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.parties import Certification, Platform
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.reapply_lock import lock_organisation, refuse_locked
from voucher.operations.regions import paths_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import CertificationState, Certifier, VoucherKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyRequest:
    """A platform is certified by the authority of a region, for kinds and services, until before `to_on`."""

    platform_id: int
    certifier: Certifier
    region_code: str
    kinds: tuple[VoucherKind, ...]
    services: tuple[str, ...]
    document_no: str
    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change of a certification's state, with its reason."""

    certification_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Certified:
    """A certification and the state that it is in now."""

    certification_id: int
    platform_id: int
    state: CertificationState


def certify(
    session: Session, requests: Sequence[CertifyRequest], *, actor: Actor, at: datetime
) -> list[Certified | Refused]:
    """Certify platforms. The same certification again is the same answer.

    Refused one by one: a platform that is not there, a region that is not the actor's (`not_found`), the
    document for this platform with other contents (`already_registered`), a new one within the years of a lock
    (`reapply_locked`). Raises ValueError for an empty list
    of kinds or services, and for dates the wrong way round.
    """
    paths = paths_of(session, (request.region_code for request in requests))
    answers: list[Certified | Refused] = []
    for request in requests:
        if not request.kinds or not request.services or (request.to_on and request.to_on <= request.from_on):
            raise ValueError("a certification names kinds, services and a time")
        try:
            if not covers_region(actor, paths.get(request.region_code, "")):
                raise Refusal(Code.NOT_FOUND, region=request.region_code)
            path = paths[request.region_code]
            answers.append(_certify(session, request, path, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _certify(
    session: Session, request: CertifyRequest, path: str, *, actor: Actor, at: datetime
) -> Certified:
    if _platforms(session, {request.platform_id}) != {request.platform_id}:
        raise Refusal(Code.NOT_FOUND, platform=request.platform_id)
    given = {
        "region_code": request.region_code,
        "kinds": [kind.value for kind in request.kinds],
        "services": list(request.services),
        "from_on": request.from_on,
        "to_on": request.to_on,
    }
    query = select(Certification).where(
        Certification.platform_id == request.platform_id,
        Certification.authority == request.certifier.value,
        Certification.document_no == request.document_no,
    )
    row = session.scalars(query).first()
    if row is None:
        host = session.get_one(Platform, request.platform_id).organisation_id
        refuse_locked(session, lock_organisation(session, host) or "", path, on=business_date(at))
        row = Certification(
            platform_id=request.platform_id,
            authority=request.certifier.value,
            document_no=request.document_no,
            state=CertificationState.CERTIFIED.value,
            **given,
        )
        session.add(row)
        session.flush()
        facts: dict[str, Fact] = {"certification": row.id, "document_no": row.document_no}
        record(session, actor, "platform.certify", [(f"platform:{row.platform_id}", facts)], at=at)
    elif any(getattr(row, name) != value for name, value in given.items()):
        raise Refusal(Code.ALREADY_REGISTERED, subject=request.document_no)
    return _answer(row)


def suspend(
    session: Session, requests: Sequence[ChangeRequest], *, actor: Actor, at: datetime
) -> list[Certified | Refused]:
    """Suspend: no order is placed, held or captured at the platform under this certification any more.

    Waits for captures under way, which hold the certification FOR SHARE. Refused one by one: not there or not
    in the actor's regions (`not_found`), not in force (`state_changed`).
    """
    return _change(session, requests, event=Event.SUSPEND, actor=actor, at=at)


def reinstate(
    session: Session, requests: Sequence[ChangeRequest], *, actor: Actor, at: datetime
) -> list[Certified | Refused]:
    """End a suspension. Refused like `suspend`; what is revoked stays revoked (`state_changed`)."""
    return _change(session, requests, event=Event.RESTORE, actor=actor, at=at)


def revoke(
    session: Session, requests: Sequence[ChangeRequest], *, actor: Actor, at: datetime
) -> list[Certified | Refused]:
    """Take a certification away for good. Refused like `suspend`."""
    return _change(session, requests, event=Event.REVOKE, actor=actor, at=at)


def _change(
    session: Session, requests: Sequence[ChangeRequest], *, event: Event, actor: Actor, at: datetime
) -> list[Certified | Refused]:
    """Move certifications on. Locks platforms, then certifications, FOR UPDATE in the order of their ids."""
    ids = {request.certification_id for request in requests}
    owners = select(Certification.platform_id).where(Certification.id.in_(ids))
    _platforms(session, set(session.scalars(owners)))
    query = (
        select(Certification)
        .where(Certification.id.in_(ids))
        .order_by(Certification.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    rows = {row.id: row for row in session.scalars(query)}
    paths = paths_of(session, (row.region_code for row in rows.values()))
    answers: list[Certified | Refused] = []
    for request in requests:
        row = rows.get(request.certification_id)
        if row is None or not covers_region(actor, paths[row.region_code]):
            answers.append(Refused(Code.NOT_FOUND, {"certification": request.certification_id}))
            continue
        try:
            row.state = next_state(CertificationState(row.state), event).value
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        row.state_reason = request.reason
        facts: dict[str, Fact] = {"certification": row.id, "state": row.state, "reason": request.reason}
        record(session, actor, f"platform.{event.value}", [(f"platform:{row.platform_id}", facts)], at=at)
        answers.append(_answer(row))
    session.flush()
    return answers


def _platforms(session: Session, ids: set[int]) -> set[int]:
    """Those of these platforms that exist, locked against a change of their certifications."""
    query = select(Platform.id).where(Platform.id.in_(ids)).order_by(Platform.id)
    return set(session.scalars(query.with_for_update(of=Platform)))


def _answer(row: Certification) -> Certified:
    return Certified(row.id, row.platform_id, CertificationState(row.state))
