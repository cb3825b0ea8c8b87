"""Captured orders whose money nobody claimed in time: not paid, and given back (逾期未申请兑付)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from voucher.clock import day_bounds
from voucher.errors import Fact
from voucher.ledger.events import Rejected, posting_id
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.expire import Slice, Step
from voucher.operations.give_back import Back, post_backs
from voucher.operations.outcome import only, refused
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState, PostingKind

REASON = "redeem_by"


def expire_unclaimed(session: Session, part: Slice, *, actor: Actor, at: datetime) -> Step:
    """CAPTURED → DISALLOWED (reason `redeem_by`) for orders whose last day to claim was before `part.on`.

    What was captured goes order → voucher, or on to its budget line, with the allowances that count what is redeemed.
    An order with a claim, at whatever step, is left alone, and so is one whose version sets no `redeem_by_days`. To be
    called like `expire_orders`, and before `expire_vouchers`. Raises `Refusal` (`period_closed`) on a closed day.
    """
    due = _due(session, part.on)
    rows = session.execute(
        select(Order.id, Order.voucher_id)
        .where(due, Order.id > part.after)
        .order_by(Order.id)
        .limit(part.limit)
    ).all()
    find.vouchers_for_share(session, [row.voucher_id for row in rows])
    locking = select(Order).where(due, Order.id.in_([row.id for row in rows])).order_by(Order.id)
    locking = locking.with_for_update(of=Order, skip_locked=True)
    orders = list(session.scalars(locking.execution_options(populate_existing=True)))
    for book_id in sorted({order.book_id for order in orders}):
        _disallow(session, [order for order in orders if order.book_id == book_id], actor=actor, at=at)
    session.flush()
    return Step(len(rows), len(orders), rows[-1].id if len(rows) == part.limit else None)


def unclaimed_due(session: Session, on: date) -> int:
    """How many captured orders had their last day to claim before this day."""
    return session.scalar(select(func.count()).select_from(Order).where(_due(session, on))) or 0


def _due(session: Session, on: date) -> ColumnElement[bool]:
    """Captured, and the last day to claim by the order's own version is over."""
    captured = Order.state == OrderState.CAPTURED.value
    codes = session.scalars(select(Order.policy_code).where(captured).distinct()).all()
    late = [
        (Order.policy_code == code)
        & (Order.captured_at < day_bounds(on - timedelta(days=policy.redeem_by_days))[0])
        for code, policy in sorted(policies_of(session, codes).items())
        if policy.redeem_by_days is not None
    ]
    return captured & or_(False, *late)


def _disallow(session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> None:
    policies = policies_of(session, {order.policy_code for order in orders})
    backs = [
        Back(
            order,
            policies[order.policy_code],
            PostingKind.DISALLOW,
            posting_id(REASON, order.number),
        )
        for order in orders
    ]
    facts: list[tuple[str, dict[str, Fact]]] = []
    notes: list[Note] = []
    for order, answer in zip(orders, post_backs(session, backs, actor=actor, at=at), strict=True):
        only([refused(answer) if isinstance(answer, Rejected) else answer])
        order.state = next_state(OrderState(order.state), Event.DISALLOW).value
        order.closed_at, order.close_reason = at, REASON
        given: dict[str, Fact] = {"captured_fen": order.captured_fen}
        facts.append((order.number, given))
        notes.append(
            Note(
                MessageEvent.ORDER_UNCLAIMED,
                order.number,
                given,
                holder_id=order.holder_id,
                platform_id=order.platform_id,
            )
        )
    journal.record(session, actor, "order.unclaimed", facts, at=at)
    tell(session, notes, at=at)
