"""Calling an order off before it is captured: what it held comes back at once (取消订单)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.capture import release
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState

_WITH_HOLD = frozenset({OrderState.HELD.value, OrderState.DELIVERED.value})


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """An order to be called off by its holder or its platform, and why."""

    order_number: str
    reason: str = ""


def cancel_order(
    session: Session, requests: Sequence[CancelRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """PLACED or ACCEPTED → CANCELLED; HELD or DELIVERED → RELEASED with every reserved fen given back.

    Orders of one book. Refused, alone: `not_found`, `state_changed` for an order that is captured or closed, or
    that a counter session made (end the session instead).
    """
    orders = find.either_sides_orders(session, [request.order_number for request in requests], actor=actor)
    results: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.remote_one(orders, request.order_number, Event.CANCEL)
            event = Event.RELEASE if order.state in _WITH_HOLD else Event.CANCEL
            order.state = next_state(OrderState(order.state), event).value
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.close_reason = request.reason
        order.closed_at = at
        results.append(order)
    cancelled = [order for order in results if isinstance(order, Order)]
    _release(session, [order for order in cancelled if order.hold_posting], actor=actor, at=at)
    facts = [(order.number, {"state": order.state}) for order in cancelled]
    journal.record(session, actor, "order.cancel", facts, at=at)
    session.flush()
    notes = [
        Note(
            MessageEvent.ORDER_CANCELLED,
            order.number,
            {"reason": order.close_reason or None},
            holder_id=order.holder_id,
            platform_id=order.platform_id,
        )
        for order in cancelled
    ]
    tell(session, notes, at=at)
    return results


def _release(session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> None:
    """Give back all holds at once. A closed period, or a hold that is gone, refuses the whole sequence."""
    if not orders:
        return
    for answer in release(session, orders, state=OrderState.RELEASED, actor=actor, at=at):
        if isinstance(answer, Refused):
            raise Refusal(answer.code, **answer.facts)
