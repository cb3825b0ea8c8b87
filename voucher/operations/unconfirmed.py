"""Deliveries that the firm does not answer in time: captured, released or disputed, as the policy says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.contracts import Instalment
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.operations import find, journal
from voucher.operations.capture import CaptureRequest, release
from voucher.operations.confirm_order import CaptureChecks, captured_facts, take
from voucher.operations.dispute import begin
from voucher.operations.dispute_end import told
from voucher.operations.expire import Slice, Step
from voucher.operations.instalments import Instalments
from voucher.operations.outcome import only
from voucher.operations.policies import policies_of
from voucher.operations.tell import tell
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderSide, OrderState, Unconfirmed

REASON = "unconfirmed"

_Taking = tuple[CaptureRequest, Instalment | None]


def settle_unconfirmed(session: Session, part: Slice, *, actor: Actor, at: datetime) -> Step:
    """Do what the policy says (`unconfirmed`) with deliveries whose last day for an answer was before `part.on`.

    `capture`: taken as confirmed, also after the complete-by day, for it was delivered in time; where the voucher was
    revoked or the platform suspended meanwhile it becomes a dispute instead. `release`: the hold goes back.
    `dispute`: opened by the system. Where the policy says nothing, nothing is done. To be called like
    `expire_orders`, and before it. Raises `Refusal` (`period_closed`) where the book's day is closed.
    """
    orders, vouchers, seen = _due(session, part)
    policies = policies_of(session, {order.policy_code for order in orders}) if orders else {}
    checks, instalments = CaptureChecks(session, orders, at), Instalments(session, orders)
    takings: list[_Taking] = []
    released: list[Order] = []
    done = 0
    for order in orders:
        wanted = policies[order.policy_code].unconfirmed
        if wanted is Unconfirmed.CAPTURE:
            try:
                checks.check_parties(order, vouchers[order.voucher_id])
                takings.append(instalments.taking(order))
            except Refusal:
                wanted = Unconfirmed.DISPUTE
        if wanted is Unconfirmed.RELEASE:
            released.append(order)
        if wanted is Unconfirmed.DISPUTE:
            begin(session, order, (OrderSide.SYSTEM, REASON), actor=actor, at=at)
        done += wanted is not None
    _take(session, takings, actor=actor, at=at)
    _release(session, released, actor=actor, at=at)
    session.flush()
    return Step(seen[0], done, seen[1])


def unconfirmed_due(session: Session, on: date) -> int:
    """How many deliveries had their last day for an answer before this day."""
    due = (Order.confirm_by < on) & (Order.state == OrderState.DELIVERED.value)
    return session.scalar(select(func.count()).select_from(Order).where(due)) or 0


def _due(session: Session, part: Slice) -> tuple[list[Order], dict[int, Voucher], tuple[int, int | None]]:
    """Overdue deliveries, locked behind their vouchers; how many rows were seen, and where the next part begins."""
    due = (Order.confirm_by < part.on) & (Order.state == OrderState.DELIVERED.value)
    named = select(Order.id, Order.voucher_id).where(due, Order.id > part.after).order_by(Order.id)
    rows = session.execute(named.limit(part.limit)).all()
    vouchers = find.vouchers_for_share(session, [row.voucher_id for row in rows])
    locking = select(Order).where(due, Order.id.in_([row.id for row in rows])).order_by(Order.id)
    locking = locking.with_for_update(of=Order, skip_locked=True)
    orders = list(session.scalars(locking.execution_options(populate_existing=True)))
    return orders, vouchers, (len(rows), rows[-1].id if len(rows) == part.limit else None)


def _take(session: Session, takings: Sequence[_Taking], *, actor: Actor, at: datetime) -> None:
    for book_id in sorted({each.order.book_id for each, _ in takings}):
        of_book = [taking for taking in takings if taking[0].order.book_id == book_id]
        answers = [only([answer]) for answer in take(session, of_book, actor=actor, at=at)]
        journal.record(session, actor, "order.confirm", captured_facts(answers), at=at)
        event = MessageEvent.ORDER_CAPTURED
        notes = [told(event, each.order, {"captured_fen": each.captured_fen}, at=at) for each in answers]
        tell(session, notes, at=at)


def _release(session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> None:
    for book_id in sorted({order.book_id for order in orders}):
        of_book = [order for order in orders if order.book_id == book_id]
        for answer in release(session, of_book, state=OrderState.RELEASED, actor=actor, at=at):
            only([answer]).close_reason = REASON
        facts = [(order.number, {"state": order.state}) for order in of_book]
        journal.record(session, actor, "order.expire", facts, at=at)
        tell(session, [told(MessageEvent.ORDER_EXPIRED, order, {}, at=at) for order in of_book], at=at)
