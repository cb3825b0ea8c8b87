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
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderState

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

    Refused, alone: `not_found`, `state_changed` for an order that is captured or closed.
    """
    orders = find.either_sides_orders(session, [request.order_number for request in requests], actor=actor)
    results: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            results.append(_cancel(session, order, actor=actor, at=at))
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.close_reason = request.reason
    cancelled = [(order.number, {"state": order.state}) for order in results if isinstance(order, Order)]
    journal.record(session, actor, "order.cancel", cancelled, at=at)
    session.flush()
    return results


def _cancel(session: Session, order: Order, *, actor: Actor, at: datetime) -> Order | Refused:
    if order.state in _WITH_HOLD:
        next_state(OrderState(order.state), Event.RELEASE)
        (answer,) = release(session, [order], state=OrderState.RELEASED, actor=actor, at=at)
        return answer
    order.state = next_state(OrderState(order.state), Event.CANCEL).value
    order.closed_at = at
    return order
