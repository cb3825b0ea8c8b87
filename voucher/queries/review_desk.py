"""The reviewers' desk: what waits for us, what waits for the firm, who has which case, and every case's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date, day_bounds
from voucher.models.applications import Appeal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.people import Person
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.models.review import CaseTaking, ClaimReturn, Recusal, Review
from voucher.queries.duty import stands_in_for
from voucher.queries.holidays import calendar
from voucher.queries.housed import housed
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.queries.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.rules.review_clock import Clock, Pause, clock
from voucher.terms import AppealState, ClaimState

US: tuple[ClaimState, ...] = (ClaimState.SUBMITTED,)
FIRM: tuple[ClaimState, ...] = (ClaimState.RETURNED, ClaimState.AWAITING)
_STANDS_FOR = aliased(Person)
_Platform = Platform.__table__


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFilter:
    """Which cases: in these states, in whose hand (`mine`, `free`, empty: anybody's), overdue ones only, and more."""

    states: tuple[ClaimState, ...] = ()
    whose: str = ""
    overdue: bool = False
    text: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class DeskRow:
    """A case in a list. Amounts in fen; `stands_for`: whom its reviewer stands in for."""

    claim_id: int
    number: str
    state: ClaimState
    queued_at: datetime
    order_number: str
    holder_name: str
    holder_ref: str
    region_name: str
    platform_name: str | None
    programme_name: str
    claimed_fen: int
    approved_fen: int | None
    taken_by: int | None
    reviewer: str | None
    stands_for: str | None
    taken_at: datetime | None
    round: int


@dataclass(frozen=True, slots=True)
class DeskLine:
    """A case with its clock, and the last day that its firm has where it is there."""

    case: DeskRow
    clock: Clock
    firm_due_on: date | None
    firm_overdue: bool


@dataclass(frozen=True, slots=True)
class DeskTotals:
    """How many open cases wait for whom."""

    us: int
    firm: int
    mine: int
    free: int
    overdue: int
    firm_overdue: int


@dataclass(frozen=True, slots=True)
class _Standing:
    claim_id: int
    state: ClaimState
    taken_by: int | None
    clock: Clock
    firm_due_on: date | None
    firm_overdue: bool


def desk(
    session: Session, actor: Actor, wanted: DeskFilter, *, at: datetime, page: int = 1
) -> Page[DeskLine]:
    """The cases that the actor may work on, by their place in the queue: no case of an organisation that bars them."""
    conditions = _visible(session, actor) + _conditions(session, actor, wanted, at)
    if wanted.overdue:
        late = [row.claim_id for row in _standings(session, conditions, at) if _late(row)]
        conditions.append(Claim.id.in_(late))
    found = paged(session, _rows(conditions), DeskRow, page=page)
    standings = {
        row.claim_id: row
        for row in _standings(session, [Claim.id.in_([each.claim_id for each in found.rows])], at)
    }
    lines = [_line(row, standings[row.claim_id]) for row in found.rows]
    return Page(lines, found.page, found.pages, found.total)


def desk_totals(session: Session, actor: Actor, *, at: datetime) -> DeskTotals:
    """The counts above the lists; a stand-in's own count holds the cases of those stood in for."""
    open_states = Claim.state.in_([state.value for state in US + FIRM])
    rows = _standings(session, [*_visible(session, actor), open_states], at)
    mine = _mine(session, actor, business_date(at))
    counted = Counter[str]()
    for row in rows:
        ours = row.state in US
        counted["us" if ours else "firm"] += 1
        counted["mine"] += row.taken_by in mine
        counted["free"] += ours and row.taken_by is None
        counted["overdue"] += ours and row.clock.overdue
        counted["firm_overdue"] += row.firm_overdue
    return DeskTotals(*(counted[name] for name in DeskTotals.__slots__))


def next_case(session: Session, actor: Actor, *, after: str, at: datetime) -> str | None:
    """The number of the case to go on with: the first that waits for us and is the actor's or nobody's."""
    mine = _mine(session, actor, business_date(at))
    query = (
        _joined(Claim.number)
        .where(
            *_visible(session, actor),
            Claim.state.in_([state.value for state in US]),
            Claim.number != after,
            or_(CaseTaking.person_id.is_(None), CaseTaking.person_id.in_(mine)),
        )
        .order_by(Claim.queued_at, Claim.id)
    )
    return session.scalars(query.limit(1)).first()


def clock_of(session: Session, claim: Claim, *, at: datetime) -> Clock:
    """The clock of one case."""
    return _standings(session, [Claim.id == claim.id], at)[0].clock


def recused_from(session: Session, person_id: int) -> frozenset[int]:
    """The organisations in which somebody has a declared interest."""
    query = select(Recusal.organisation_id).where(Recusal.person_id == person_id, Recusal.ended_at.is_(None))
    return frozenset(session.scalars(query))


def _visible(session: Session, actor: Actor) -> list[ColumnElement[bool]]:
    """In the actor's regions, and not of an organisation of theirs or in which they have an interest."""
    barred = recused_from(session, actor.person_id) | actor.organisation_ids
    found: list[ColumnElement[bool]] = [in_regions(actor)]
    if barred:
        found.append(func.coalesce(Holder.organisation_id, 0).not_in(barred))
        found.append(func.coalesce(_Platform.c.organisation_id, 0).not_in(barred))
    return found


def _conditions(
    session: Session, actor: Actor, wanted: DeskFilter, at: datetime
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(Claim.state.in_([state.value for state in wanted.states]))
    if wanted.whose == "mine":
        found.append(CaseTaking.person_id.in_(_mine(session, actor, business_date(at))))
    if wanted.whose == "free":
        found.append(CaseTaking.person_id.is_(None))
    if wanted.text:
        columns = (Claim.number, Order.number, Holder.name, Holder.ref, Platform.name)
        found.append(holding(wanted.text, *columns))
    if wanted.from_on is not None:
        found.append(Claim.queued_at >= day_bounds(wanted.from_on)[0])
    if wanted.to_on is not None:
        found.append(Claim.queued_at < day_bounds(wanted.to_on)[1])
    return found


def _mine(session: Session, actor: Actor, on: date) -> frozenset[int]:
    """The actor and everybody for whom they stand in today."""
    return stands_in_for(session, actor, on=on) | {actor.person_id}


def _joined(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Claim)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .join(Programme, Programme.code == Order.programme_code)
        .outerjoin(_Platform, _Platform.c.id == Order.platform_id)
        .outerjoin(CaseTaking, CaseTaking.claim_id == Claim.id)
    )


def _rows(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    query = _joined(
        Claim.id, Claim.number, as_term(Claim.state, ClaimState), Claim.queued_at, Order.number, Holder.name, Holder.ref, Region.name,
        housed(), Programme.name, Claim.claimed_fen, Claim.approved_fen, CaseTaking.person_id, Person.name,
        _STANDS_FOR.name, CaseTaking.taken_at, Claim.round,
    )  # fmt: skip
    query = query.outerjoin(Person, Person.id == CaseTaking.person_id)
    query = query.outerjoin(_STANDS_FOR, _STANDS_FOR.id == CaseTaking.for_id)
    return query.where(*conditions).order_by(Claim.queued_at, Claim.id)


def _standings(session: Session, conditions: Sequence[ColumnElement[bool]], at: datetime) -> list[_Standing]:
    """Every such case with its clock, computed from its rounds and the holiday table."""
    rows = session.execute(
        _joined(
            Claim.id,
            Claim.state,
            Claim.queued_at,
            Claim.confirmed_at,
            Claim.decided_at,
            Claim.hearing,
            Order.policy_code,
        )
        .add_columns(CaseTaking.person_id)
        .where(*conditions)
    ).all()
    if not rows:
        return []
    rounds = _rounds(session, [row.id for row in rows])
    appealed = _appealed(session, [row.id for row in rows if row.hearing > 1])
    days = {code: policy_of(session, code).review_days for code in {row.policy_code for row in rows}}
    first = min(business_date(row.confirmed_at or row.queued_at) for row in rows)
    table = calendar(session, first.year, business_date(at).year + 1)
    found = []
    for row in rows:
        today = business_date(row.decided_at or at)
        pauses = [each for each, _ in rounds.get(row.id, ())] + appealed.get(row.id, [])
        began_on = business_date(row.confirmed_at or row.queued_at)
        measured = clock(table, began_on, pauses, days=days[row.policy_code], today=today)
        due = next((due_on for pause, due_on in rounds.get(row.id, ()) if pause.to_on is None), None)
        state = ClaimState(row.state)
        due = due if state is ClaimState.RETURNED else None
        late = due is not None and due < today
        found.append(_Standing(row.id, state, row.person_id, measured, due, late))
    return found


def _appealed(session: Session, claim_ids: Sequence[int]) -> dict[int, list[Pause]]:
    """The time from each rejection of these claims to the appeal that overturned it: nobody's to review."""
    if not claim_ids:
        return {}
    query = (
        select(Review.claim_id, Review.reviewed_at, Appeal.decided_at)
        .join(Appeal, (Appeal.claim_id == Review.claim_id) & (Appeal.round == Review.hearing))
        .where(Review.claim_id.in_(claim_ids), Appeal.state == AppealState.UPHELD.value)
    )
    found: dict[int, list[Pause]] = {}
    for claim_id, rejected_at, upheld_at in session.execute(query):
        back = business_date(upheld_at or rejected_at)
        found.setdefault(claim_id, []).append(Pause(business_date(rejected_at), back))
    return found


def _rounds(
    session: Session, claim_ids: Collection[int]
) -> Mapping[int, Sequence[tuple[Pause, date | None]]]:
    query = select(
        ClaimReturn.claim_id, ClaimReturn.returned_at, ClaimReturn.answered_at, ClaimReturn.due_on
    ).where(ClaimReturn.claim_id.in_(claim_ids))
    found: dict[int, list[tuple[Pause, date | None]]] = {}
    for claim_id, returned_at, answered_at, due_on in session.execute(query.order_by(ClaimReturn.round)):
        back = business_date(answered_at) if answered_at is not None else None
        found.setdefault(claim_id, []).append((Pause(business_date(returned_at), back), due_on))
    return found


def _late(row: _Standing) -> bool:
    return row.firm_overdue or (row.state in US and row.clock.overdue)


def _line(row: DeskRow, standing: _Standing) -> DeskLine:
    return DeskLine(row, standing.clock, standing.firm_due_on, standing.firm_overdue)
