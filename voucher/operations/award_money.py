"""The one posting of a post-subsidy that is approved: budget → order, cap → cap_used; and its way back (后补助核定)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import Locked
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import BudgetLine
from voucher.money import Fen
from voucher.operations.charges import Limited, Room, allowance_of, charge_legs, limit_refs, post_all
from voucher.operations.funders import Basis, Funding, by_book, funding_of_policy
from voucher.operations.group_caps import caps_of
from voucher.operations.hold_plan import Pledges
from voucher.operations.policies import policy_of
from voucher.operations.share_money import new_rows, share_posting
from voucher.operations.together import Joint, lock_books, post_together
from voucher.rules.clamp import Clamped, clamp
from voucher.rules.cofunding import exact
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, PostingKind, Rounding


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be awarded and what it is counted on, in fen, and the code of the budget line that is to pay it.

    `charged_on`: the day whose year is charged, where that is not the day of the application (an invoice's).
    """

    amount_fen: Fen
    line_code: str
    base_fen: Fen
    origin_region: str
    charged_on: date | None = None


@dataclass(frozen=True, slots=True)
class Awarded:
    """What was awarded, in fen, and what the yearly cap took away from what was to be approved."""

    amount_fen: Fen
    reductions: tuple[dict[str, Any], ...]


def is_award(order: Order) -> bool:
    """Whether an order is a post-subsidy: without voucher, paid from a budget line."""
    return order.channel == OrderChannel.POST_SUBSIDY.value


def award(session: Session, order: Order, wanted: Wanted, *, actor: Actor, at: datetime) -> Awarded:
    """Post one approved post-subsidy, its order locked: at most what is left of the yearly cap.

    Raises Refusal: a line that is not of the programme, is closed or of another year (`not_found`), too little money
    on it (`budget_exceeded`), nothing left of the cap (`cap_exceeded`), too little pledged by a co-funder
    (`pledge_exceeded`), a closed day (`period_closed`). Where a cap cut, what is left keeps to the funders' parts.
    """
    line = session.scalars(select(BudgetLine).where(BudgetLine.code == wanted.line_code)).one_or_none()
    if line is None or line.programme_code != order.programme_code or line.closed_on is not None:
        raise Refusal(Code.NOT_FOUND, budget_line=wanted.line_code)
    funding = _funding(session, order, wanted)
    caps = award_caps(session, order, wanted.charged_on)
    money = accounts.budget(line.code, line.year)
    refs = {order.book_id: [money, accounts.order(order.number)]}
    refs[order.book_id] += [ref for each in caps for ref in limit_refs(each)]
    for book_id, pledge in (funding.pledges if funding else {}).items():
        refs[book_id] = [pledge, accounts.share(order.number)]
    locks = lock_books(session, refs)
    room = Room(session, locks[order.book_id], caps)
    given = _given(session, order, wanted, room=room, caps=caps)
    _bar_budget(locks[order.book_id], line, given.granted_fen)
    event = Event(
        id=posting_id("award", order.number),
        kind=PostingKind.AWARD,
        legs=(
            Leg(money, accounts.order(order.number), given.granted_fen),
            *(leg for each in caps for leg in charge_legs(each, given.granted_fen)),
        ),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )
    post_all(session, locks[order.book_id], room.adjustments(actor, business_date(at)), at=at)
    joint = _shared(session, order, funding, event, locks=locks)
    (answer,) = post_together(session, locks, [joint], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    order.budget_line_id, order.capture_posting = line.id, event.id
    order.captured_fen, order.captured_at = given.granted_fen, at
    order.reductions = [
        {
            "limit": cut.name,
            "by_fen": cut.by_fen,
            "opened_fen": cut.limit.opened_fen if cut.limit else None,
            "left_fen": cut.limit.available_fen if cut.limit else None,
        }
        for cut in given.reductions
    ]
    return Awarded(given.granted_fen, tuple(order.reductions))


def _given(
    session: Session, order: Order, wanted: Wanted, *, room: Room, caps: tuple[Limited, ...]
) -> Clamped:
    """What the yearly caps leave; refused `cap_exceeded`."""
    rounding = policy_of(session, order.policy_code).rounding or Rounding.FEN
    given = clamp(wanted.amount_fen, [room.limit(each) for each in caps], rounding=rounding)
    if given.refusal is not None:
        year = next((each.period for each in caps if each.period), order.fiscal_year)
        raise Refusal(given.refusal, **(given.facts or {}), year=year)
    return given


def _funding(session: Session, order: Order, wanted: Wanted) -> Funding | None:
    """Who pays, where several do; a post-subsidy's provider is where what was bought comes from."""
    holder = session.get_one(Holder, order.holder_id)
    basis = Basis(holder.region_code, wanted.origin_region, wanted.base_fen)
    return funding_of_policy(session, policy_of(session, order.policy_code), order, basis)


def _shared(
    session: Session, order: Order, funding: Funding | None, lead: Event, *, locks: Mapping[int, Locked]
) -> Joint:
    """The award in the lead book, and pledge → share of every co-funder's exact part; their rows are written."""
    events = {order.book_id: lead}
    if funding is None:
        return Joint(order.book_id, events)
    amount = Fen(lead.legs[0].amount)
    parts = exact(funding.shares, amount, funding.base_fen)
    of_book = by_book(funding.shares, parts)
    others = {book_id: part for book_id, part in of_book.items() if book_id != order.book_id and part}
    stopped = Pledges(session, locks).refusal(funding, others)
    if stopped is not None and stopped.refusal is not None:
        raise Refusal(stopped.refusal, **(stopped.facts or {}))
    for book_id, part in others.items():
        leg = Leg(funding.pledges[book_id], accounts.share(order.number), part)
        events[book_id] = replace(lead, id=share_posting(lead.id, book_id), legs=(leg,))
    rows = new_rows(order, funding, Fen(0), {})
    for row in rows:
        row.share_fen = of_book[row.book_id]
    session.add_all(rows)
    return Joint(order.book_id, events)


def award_caps(session: Session, order: Order, on: date | None) -> tuple[Limited, ...]:
    """The caps that a post-subsidy is charged to, its group's too: of the day on which it was applied for, or `on`."""
    holder = session.get_one(Holder, order.holder_id)
    allowance = allowance_of(
        policy_of(session, order.policy_code),
        holder_ref=holder.cap_owner,
        holder_class=order.holder_class or "",
        on=on or business_date(order.placed_at),
    )
    return caps_of(session, allowance, holder, order.programme_code)


def _bar_budget(locked: Locked, line: BudgetLine, amount_fen: int) -> None:
    left = locked.available(accounts.budget(line.code, line.year))
    if left < amount_fen:
        raise Refusal(Code.BUDGET_EXCEEDED, left_fen=left, wanted_fen=amount_fen)
