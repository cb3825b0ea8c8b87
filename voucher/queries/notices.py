"""Public notices as the bureau and the public read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, not_, select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim
from voucher.models.notices import Notice, NoticeLine, NoticePlace, Objection
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.queries.paging import Page, as_term, in_regions, paged
from voucher.queries.policies import policy_of
from voucher.queries.unfactored import unfactored
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.publicity import working_days_asked
from voucher.terms import (
    ClaimState,
    NoticeKind,
    NoticeOutcome,
    NoticeState,
    ObjectionChannel,
    ObjectionState,
)


@dataclass(frozen=True, slots=True)
class NoticeSummary:
    """A notice in a list."""

    number: str
    kind: NoticeKind
    title: str
    authority: str
    state: NoticeState
    from_on: date
    to_on: date
    lines: int


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """One line as everybody reads it."""

    seq: int
    subject: str
    enterprise: str
    provider: str
    service: str
    contract_fen: int | None
    subsidy_fen: int | None
    outcome: NoticeOutcome


@dataclass(frozen=True, slots=True)
class PublishedAnswer:
    """An objection as everybody reads it: its number, what it is about, and what came of it; not who, not what."""

    number: str
    subject: str
    made_at: datetime
    state: ObjectionState
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class NoticeFile:
    """A notice with its lines, the answers to objections, and where else it hangs. `open_`: one may object today."""

    notice: Notice
    kind: NoticeKind
    state: NoticeState
    programme_name: str
    region_path: str
    lines: tuple[PublishedLine, ...]
    answers: tuple[PublishedAnswer, ...]
    places: tuple[NoticePlace, ...]
    open_: bool

    @property
    def objections(self) -> int:
        """How many objections were made (R5 counts them)."""
        return len(self.answers)


@dataclass(frozen=True, slots=True)
class PublishableClaim:
    """An approved claim whose policy asks for a notice."""

    number: str
    programme_code: str
    holder_name: str
    approved_fen: int
    decided_at: datetime
    working_days: int


@dataclass(frozen=True, slots=True)
class ObjectionLine:
    """An objection in the bureau's list."""

    number: str
    notice_number: str
    subject: str
    via: ObjectionChannel
    state: ObjectionState
    made_at: datetime


@dataclass(frozen=True, slots=True)
class ObjectionFile:
    """An objection as the bureau works on it, with the line that it is about."""

    objection: Objection
    via: ObjectionChannel
    state: ObjectionState
    notice: Notice
    line: NoticeLine


def notices(
    session: Session, *, state: NoticeState | None = None, page: int = 1, actor: Actor | None = None
) -> Page[NoticeSummary]:
    """Notices, the newest first: all of them for the public (no actor), else those of the actor's regions."""
    count = select(func.count()).where(NoticeLine.notice_id == Notice.id).scalar_subquery()
    query = select(
        Notice.number, as_term(Notice.kind, NoticeKind), Notice.title, Notice.authority
    ).add_columns(as_term(Notice.state, NoticeState), Notice.from_on, Notice.to_on, count)
    if actor is not None:
        query = query.join(Region, Region.code == Notice.region_code).where(in_regions(actor))
    if state is not None:
        query = query.where(Notice.state == state.value)
    return paged(session, query.order_by(Notice.id.desc()), NoticeSummary, page=page)


def notice_file(session: Session, number: str, *, on: date, actor: Actor | None = None) -> NoticeFile | None:
    """A notice as a whole; None where there is none, or for an actor of another region."""
    query = (
        select(Notice, Region.path, Programme.name)
        .join(Region, Region.code == Notice.region_code)
        .outerjoin(Programme, Programme.code == Notice.programme_code)
        .where(Notice.number == number)
    )
    row = session.execute(query).one_or_none()
    if row is None or (actor is not None and not covers_region(actor, row.path)):
        return None
    notice, path, programme_name = row
    places = select(NoticePlace).where(NoticePlace.notice_id == notice.id).order_by(NoticePlace.id)
    state = NoticeState(notice.state)
    return NoticeFile(
        notice=notice,
        kind=NoticeKind(notice.kind),
        state=state,
        programme_name=programme_name or "",
        region_path=path,
        lines=_lines(session, notice.id),
        answers=_answers(session, notice.id),
        places=tuple(session.scalars(places)),
        open_=state is NoticeState.OPEN and on <= notice.to_on,
    )


def publishable_claims(session: Session, actor: Actor, programme_code: str = "") -> list[PublishableClaim]:
    """Approved claims of the programmes of the actor's regions that wait for a notice only, the oldest decision first."""
    query = (
        select(Claim.number, Order.programme_code, Holder.name, Claim.approved_fen, Claim.decided_at)
        .add_columns(Order.policy_code)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Programme, Programme.code == Order.programme_code)
        .join(Region, Region.code == Programme.region_code)
        .where(Claim.state == ClaimState.APPROVED.value, not_(unfactored(session)), in_regions(actor))
        .order_by(Claim.decided_at, Claim.id)
    )
    if programme_code:
        query = query.where(Order.programme_code == programme_code)
    rows = session.execute(query).all()
    days = {code: working_days_asked(policy_of(session, code)) for code in {row.policy_code for row in rows}}
    return [
        PublishableClaim(number, programme, name, approved_fen or 0, decided_at, days[policy])
        for number, programme, name, approved_fen, decided_at, policy in rows
        if days[policy]
    ]


def objections(
    session: Session, actor: Actor, *, state: ObjectionState | None = None, page: int = 1
) -> Page[ObjectionLine]:
    """Objections to the notices of the actor's regions, the newest first."""
    query = (
        select(Objection.number, Notice.number, NoticeLine.subject)
        .add_columns(as_term(Objection.via, ObjectionChannel), as_term(Objection.state, ObjectionState))
        .add_columns(Objection.made_at)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(NoticeLine, NoticeLine.id == Objection.line_id)
        .join(Region, Region.code == Notice.region_code)
        .where(in_regions(actor))
        .order_by(Objection.id.desc())
    )
    if state is not None:
        query = query.where(Objection.state == state.value)
    return paged(session, query, ObjectionLine, page=page)


def objection_file(session: Session, actor: Actor, number: str) -> ObjectionFile | None:
    """An objection to a notice of the actor's regions; None for any other."""
    query = (
        select(Objection, Notice, NoticeLine)
        .join(Notice, Notice.id == Objection.notice_id)
        .join(NoticeLine, NoticeLine.id == Objection.line_id)
        .join(Region, Region.code == Notice.region_code)
        .where(Objection.number == number, in_regions(actor))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    objection, notice, line = row
    return ObjectionFile(
        objection, ObjectionChannel(objection.via), ObjectionState(objection.state), notice, line
    )


def _lines(session: Session, notice_id: int) -> tuple[PublishedLine, ...]:
    query = (
        select(NoticeLine.seq, NoticeLine.subject, NoticeLine.enterprise, NoticeLine.provider)
        .add_columns(NoticeLine.service, NoticeLine.contract_fen, NoticeLine.subsidy_fen)
        .add_columns(as_term(NoticeLine.outcome, NoticeOutcome))
        .where(NoticeLine.notice_id == notice_id)
        .order_by(NoticeLine.seq)
    )
    return tuple(PublishedLine(*row) for row in session.execute(query))


def _answers(session: Session, notice_id: int) -> tuple[PublishedAnswer, ...]:
    query = (
        select(Objection.number, NoticeLine.subject, Objection.made_at)
        .add_columns(as_term(Objection.state, ObjectionState), Objection.decided_at, Objection.reason)
        .join(NoticeLine, NoticeLine.id == Objection.line_id)
        .where(Objection.notice_id == notice_id)
        .order_by(Objection.id)
    )
    return tuple(PublishedAnswer(*row) for row in session.execute(query))
