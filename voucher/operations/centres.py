"""Centres: registered with their certification and titles, and asked for by whoever deals with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.centres import Centre, CentreTitle
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.reapply_lock import lock_organisation, refuse_locked
from voucher.operations.regions import paths_of
from voucher.rules.eligibility import LIVE
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import CentreKind, CertificationState, Certifier, TitleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreRequest:
    """A centre as a document certifies it, until before `to_on`, with the titles that rest on it."""

    organisation_id: int
    name: str
    kind: CentreKind
    authority: Certifier
    certifying_region: str
    location_region: str
    document_no: str
    from_on: date
    to_on: date | None = None
    grade: str = ""
    titles: tuple[tuple[TitleKind, str], ...] = ()
    """Each title with the number of the document that gave it (empty: the centre's own)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The centre that stands now, and the state that it is in."""

    centre_id: int
    state: CertificationState
    is_new: bool


def register_centres(
    session: Session, requests: Sequence[CentreRequest], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Certify centres. The same document for the same centre again is the same answer.

    Refused one by one: an organisation or place that is not there, a certifying region that is not the actor's
    (`not_found`), the document with other contents (`already_registered`), a new one within
    the years of a lock (`reapply_locked`). Raises ValueError for dates the wrong way
    round.
    """
    codes = {code for each in requests for code in (each.certifying_region, each.location_region)}
    paths = paths_of(session, codes)
    answers: list[Registered | Refused] = []
    for request in requests:
        if request.to_on is not None and request.to_on <= request.from_on:
            raise ValueError("a certification ends after it begins")
        try:
            if not covers_region(actor, paths.get(request.certifying_region, "")):
                raise Refusal(Code.NOT_FOUND, region=request.certifying_region)
            if request.location_region not in paths:
                raise Refusal(Code.NOT_FOUND, region=request.location_region)
            path = paths[request.certifying_region]
            answers.append(_register(session, request, path, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _register(
    session: Session, request: CentreRequest, path: str, *, actor: Actor, at: datetime
) -> Registered:
    # Two that register one organisation's centre at once: the second waits and finds the first's row.
    uscc = lock_organisation(session, request.organisation_id)
    if uscc is None:
        raise Refusal(Code.NOT_FOUND, organisation=request.organisation_id)
    same = select(Centre).where(
        Centre.organisation_id == request.organisation_id,
        Centre.kind == request.kind.value,
        Centre.authority == request.authority.value,
        Centre.document_no == request.document_no,
    )
    given = {
        "name": request.name,
        "certifying_region": request.certifying_region,
        "location_region": request.location_region,
        "grade": request.grade,
        "from_on": request.from_on,
        "to_on": request.to_on,
    }
    before = session.scalars(same).one_or_none()
    if before is not None:
        if any(getattr(before, name) != value for name, value in given.items()):
            raise Refusal(Code.ALREADY_REGISTERED, subject=request.document_no)
        return Registered(before.id, CertificationState(before.state), is_new=False)
    refuse_locked(session, uscc, path, on=business_date(at))
    row = Centre(
        organisation_id=request.organisation_id,
        kind=request.kind.value,
        authority=request.authority.value,
        document_no=request.document_no,
        state=CertificationState.CERTIFIED.value,
        created_at=at,
        **given,
    )
    row.titles = [
        CentreTitle(kind=kind.value, document_no=number or request.document_no, from_on=request.from_on)
        for kind, number in request.titles
    ]
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"document_no": row.document_no, "titles": len(row.titles)}
    record(session, actor, "centre.certify", [(f"centre:{row.id}", facts)], at=at)
    return Registered(row.id, CertificationState.CERTIFIED, is_new=True)


def titles_fall(session: Session, centre: Centre, *, at: datetime) -> None:
    """The centre was struck off today; every title that rests on it and stands yet falls, in this transaction."""
    centre.revoked_on = business_date(at)
    standing = select(CentreTitle).where(CentreTitle.centre_id == centre.id, CentreTitle.fell_at.is_(None))
    for title in session.scalars(standing.with_for_update()):
        title.fell_at = at


def certified_base(
    session: Session,
    organisation_ids: Collection[int],
    *,
    on: date,
    authority: Certifier = Certifier.HUMAN_RESOURCES,
    locked: bool = False,
) -> dict[int, list[Centre]]:
    """The centres of these organisations that this authority certified and that are live on the day, by organisation.

    A centre that is to be put right is live, a suspended or revoked one is not. `locked`: FOR SHARE, in id order, so
    that none is suspended while something rests on it. An organisation without any is left out.
    """
    query = (
        select(Centre)
        .where(
            Centre.organisation_id.in_(set(organisation_ids)),
            Centre.authority == authority.value,
            Centre.state.in_(LIVE),
            Centre.from_on <= on,
            or_(Centre.to_on.is_(None), Centre.to_on > on),
        )
        .order_by(Centre.id)
    )
    if locked:
        query = query.with_for_update(read=True, of=Centre).execution_options(populate_existing=True)
    found: dict[int, list[Centre]] = {}
    for row in session.scalars(query):
        found.setdefault(row.organisation_id, []).append(row)
    return found


def refuse_uncertified(
    session: Session, organisation_id: int, *, at: datetime, authority: Certifier = Certifier.HUMAN_RESOURCES
) -> list[Centre]:
    """Its live centres of this authority, locked FOR SHARE.

    Refused as `centre_not_certified`, with the centre's name: `authority` another department certified it (named as
    `certifier`), `state` suspended or revoked, `period` not in force on the day, `no_centre` it has no centre at all.
    """
    on = business_date(at)
    found = certified_base(session, [organisation_id], on=on, authority=authority, locked=True)
    if organisation_id in found:
        return found[organisation_id]
    query = select(Centre).where(Centre.organisation_id == organisation_id).order_by(Centre.id.desc())
    rows = session.scalars(query).all()
    mine = [row for row in rows if row.authority == authority.value]
    asked: dict[str, Fact] = {"authority": authority.value}
    if not rows:
        raise Refusal(Code.CENTRE_NOT_CERTIFIED, reason="no_centre", **asked)
    if not mine:
        facts: dict[str, Fact] = {
            "reason": "authority",
            "centre": rows[0].name,
            "certifier": rows[0].authority,
        }
        raise Refusal(Code.CENTRE_NOT_CERTIFIED, **facts, **asked)
    last = mine[0]
    if last.state in LIVE:
        raise Refusal(Code.CENTRE_NOT_CERTIFIED, reason="period", centre=last.name, **asked)
    raise Refusal(Code.CENTRE_NOT_CERTIFIED, reason="state", centre=last.name, state=last.state, **asked)
