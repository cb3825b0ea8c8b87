"""Objecting to a line of a public notice (异议): by anybody on the page, or recorded by an official."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.notices import Notice, NoticeLine, Objection, ObjectionLookup
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.outcome import Refused
from voucher.operations.publicise import own_notice
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.publicity import is_over
from voucher.terms import (
    ClaimState,
    MessageEvent,
    NoticeOutcome,
    ObjectionChannel,
    ObjectionState,
    Role,
)

WINDOW: Final = timedelta(hours=1)
MOST_PER_SOURCE: Final = 5
MOST_PER_NOTICE: Final = 60
MOST_WRONG_WORDS: Final = 10
MOST_OPEN: Final = 3
"""Objections to one line by page that wait for a decision: more of them would say nothing new, and only stall it."""
MOST_OF_NOTICE: Final = 200
"""Objections by page to one notice in all; whoever comes later is heard by telephone or at the counter."""


@dataclass(frozen=True, slots=True)
class ObjectionRequest:
    """An objection to the claim of one line, who makes it, how they can be reached, and why."""

    notice_number: str
    subject: str
    objector: str
    contact: str
    body: str


def object_publicly(session: Session, request: ObjectionRequest, *, source: str, at: datetime) -> Objection:
    """Somebody objects on the page; the claim is OBJECTED until the bureau decides, and its officers are told.

    Refused: no such notice or line (`not_found`), a notice that is over (`notice_over`), too many from one address
    or to one notice within an hour, one more to a line that three wait on already, or to a notice that has had 200
    (`objection_limited`, then without minutes): a payout cannot be stalled without bound by nobody in particular.
    """
    visitor = Actor(person_id=0, ref="public", name="公众", roles=frozenset(), source=source)
    claim = _locked_claim(session, request)
    notice = _locked_notice(session, request.notice_number)
    _limit(session, Objection.source == source, MOST_PER_SOURCE, at)
    by_page = (Objection.notice_id == notice.id) & (Objection.via == ObjectionChannel.PAGE.value)
    _limit(session, by_page, MOST_PER_NOTICE, at)
    _bar_flood(session, by_page, claim)
    return _object(session, request, (notice, claim, ObjectionChannel.PAGE), actor=visitor, at=at)


def record_objection(
    session: Session,
    requests: Sequence[ObjectionRequest],
    *,
    via: ObjectionChannel,
    actor: Actor,
    at: datetime,
) -> list[Objection | Refused]:
    """An official writes down objections made by telephone or at the counter. Refused, alone: `not_found`, `notice_over`."""

    def record(request: ObjectionRequest) -> Objection:
        own_notice(session, request.notice_number, actor=actor)
        claim = _locked_claim(session, request)
        notice = _locked_notice(session, request.notice_number)
        return _object(session, request, (notice, claim, via), actor=actor, at=at)

    return alone(session, requests, record)


def look_up(
    session: Session, number: str, *, right_word: bool, source: str, at: datetime
) -> Objection | Refused:
    """An objection by its number, for whoever knows its word. To be committed in any case: wrong words count.

    Returned: `not_found` for a wrong number or word, `objection_limited` after ten of them from one address
    within an hour.
    """
    failures = select(func.count(), func.min(ObjectionLookup.failed_at)).where(
        ObjectionLookup.source == source, ObjectionLookup.failed_at > at - WINDOW
    )
    count, first = session.execute(failures).one()
    if count >= MOST_WRONG_WORDS:
        return Refused(Code.OBJECTION_LIMITED, {"minutes": -((at - first - WINDOW) // timedelta(minutes=1))})
    found = session.scalars(select(Objection).where(Objection.number == number)).one_or_none()
    if found is None or not right_word:
        session.add(ObjectionLookup(source=source, failed_at=at))
        return Refused(Code.NOT_FOUND)
    return found


def _locked_claim(session: Session, request: ObjectionRequest) -> Claim:
    """The claim of the line that is named, locked before its notice (docs/locking.md); refused `not_found`."""
    query = (
        select(Claim)
        .join(NoticeLine, NoticeLine.claim_id == Claim.id)
        .join(Notice, Notice.id == NoticeLine.notice_id)
        .where(Notice.number == request.notice_number, NoticeLine.subject == request.subject)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    claim = session.scalars(query).one_or_none()
    if claim is None:
        raise Refusal(Code.NOT_FOUND, notice=request.notice_number, claim=request.subject)
    return claim


def _locked_notice(session: Session, number: str) -> Notice:
    query = select(Notice).where(Notice.number == number).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _limit(session: Session, condition: ColumnElement[bool], most: int, at: datetime) -> None:
    query = select(func.count(), func.min(Objection.made_at)).where(
        condition, Objection.made_at > at - WINDOW
    )
    count, first = session.execute(query).one()
    if count >= most:
        raise Refusal(Code.OBJECTION_LIMITED, minutes=-((at - first - WINDOW) // timedelta(minutes=1)))


def _bar_flood(session: Session, by_page: ColumnElement[bool], claim: Claim) -> None:
    """Refuse (`objection_limited`) what would only add to objections that wait, or to very many."""
    query = select(func.count()).select_from(Objection).join(NoticeLine, NoticeLine.id == Objection.line_id)
    lodged = Objection.state == ObjectionState.LODGED.value
    waiting = session.scalars(query.where(by_page, lodged, NoticeLine.claim_id == claim.id)).one()
    if waiting >= MOST_OPEN:
        raise Refusal(Code.OBJECTION_LIMITED, waiting=waiting)
    if session.scalars(query.where(by_page)).one() >= MOST_OF_NOTICE:
        raise Refusal(Code.OBJECTION_LIMITED)


def _object(
    session: Session,
    request: ObjectionRequest,
    subject: tuple[Notice, Claim, ObjectionChannel],
    *,
    actor: Actor,
    at: datetime,
) -> Objection:
    notice, claim, via = subject
    state = ClaimState(claim.state)
    open_ = state in (ClaimState.IN_NOTICE, ClaimState.OBJECTED)
    if not open_ or is_over(notice.to_on, business_date(at)):
        raise Refusal(Code.NOTICE_OVER, to_on=notice.to_on.isoformat())
    if state is ClaimState.IN_NOTICE:
        claim.state = next_state(state, Event.OBJECT).value
    line = session.scalars(select(NoticeLine).where(NoticeLine.claim_id == claim.id)).one()
    line.outcome = NoticeOutcome.OBJECTED.value
    highest = select(func.coalesce(func.max(Objection.seq), 0)).where(Objection.notice_id == notice.id)
    seq = int(session.execute(highest).scalar_one()) + 1
    row = Objection(
        number=f"{notice.number}-{seq:03d}",
        notice_id=notice.id,
        line_id=line.id,
        seq=seq,
        via=via.value,
        objector=request.objector,
        contact=request.contact,
        body=request.body,
        state=ObjectionState.LODGED.value,
        made_at=at,
        source=actor.source[:64],
        recorded_by=actor.person_id or None,
    )
    session.add(row)
    session.flush()
    facts = {"claim": claim.number, "via": via.value}
    journal.record(session, actor, "objection.make", [(row.number, facts)], at=at)
    told = {"notice": notice.number, "claim": claim.number}
    officers = Note(
        MessageEvent.OBJECTION_MADE,
        row.number,
        told,
        region_code=notice.region_code,
        region_roles=(Role.PROGRAMME_OFFICER,),
    )
    tell(session, [officers], at=at)
    return row
