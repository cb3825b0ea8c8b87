"""The one posting of a post-subsidy that is approved: budget → order, cap → cap_used; and its way back (后补助核定)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import Locked, lock
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import BudgetLine
from voucher.money import Fen
from voucher.operations.charges import Allowance, Room, allowance_of, charge_legs, post_all
from voucher.operations.policies import policy_of
from voucher.rules.clamp import clamp
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, PostingKind, Rounding


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be awarded, in fen, and the code of the budget line that is to pay it."""

    amount_fen: Fen
    line_code: str


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
    on it (`budget_exceeded`), nothing left of the cap (`cap_exceeded`), a closed day (`period_closed`).
    """
    line = session.scalars(select(BudgetLine).where(BudgetLine.code == wanted.line_code)).one_or_none()
    if line is None or line.programme_code != order.programme_code or line.closed_on is not None:
        raise Refusal(Code.NOT_FOUND, budget_line=wanted.line_code)
    money = accounts.budget(line.code, line.year)
    allowance = award_allowance(session, order)
    refs = [money, accounts.order(order.number), *(allowance.refs if allowance is not None else ())]
    locked = lock(session, order.book_id, refs)
    room = Room(session, locked, () if allowance is None else (allowance,))
    rounding = policy_of(session, order.policy_code).rounding or Rounding.FEN
    limits = [] if allowance is None else [room.limit(allowance)]
    given = clamp(wanted.amount_fen, limits, rounding=rounding)
    if given.refusal is not None:
        raise Refusal(given.refusal, **(given.facts or {}), year=order.fiscal_year)
    _bar_budget(locked, line, given.granted_fen)
    event = Event(
        id=posting_id("award", order.number),
        kind=PostingKind.AWARD,
        legs=(
            Leg(money, accounts.order(order.number), given.granted_fen),
            *charge_legs(allowance, given.granted_fen),
        ),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )
    for answer in post_all(session, locked, [*room.adjustments(actor, business_date(at)), event], at=at):
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


def award_allowance(session: Session, order: Order) -> Allowance | None:
    """The cap that a post-subsidy is charged to: of the day on which it was applied for."""
    holder = session.get_one(Holder, order.holder_id)
    return allowance_of(
        policy_of(session, order.policy_code),
        holder_ref=holder.cap_owner,
        holder_class=order.holder_class or "",
        on=business_date(order.placed_at),
    )


def _bar_budget(locked: Locked, line: BudgetLine, amount_fen: int) -> None:
    left = locked.available(accounts.budget(line.code, line.year))
    if left < amount_fen:
        raise Refusal(Code.BUDGET_EXCEEDED, left_fen=left, wanted_fen=amount_fen)
