"""The platform has done the work (机构交付)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState


@dataclass(frozen=True, slots=True)
class DeliverRequest:
    """A held order that was carried out, and the platform's own number for it (委托单号)."""

    order_number: str
    provider_ref: str = ""


def deliver(
    session: Session, requests: Sequence[DeliverRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """HELD → DELIVERED; the holder confirms next.

    Refused, alone: `not_found`, `state_changed`, also for an order of the counter.
    """
    orders = find.platforms_orders(session, [request.order_number for request in requests], actor=actor)
    results: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.remote_one(orders, request.order_number, Event.DELIVER)
            order.state = next_state(OrderState(order.state), Event.DELIVER).value
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.provider_ref = request.provider_ref or order.provider_ref
        order.delivered_at = at
        results.append(order)
    delivered = [
        (order.number, {"held_fen": order.held_fen}) for order in results if isinstance(order, Order)
    ]
    journal.record(session, actor, "order.deliver", delivered, at=at)
    session.flush()
    notes = [
        Note(MessageEvent.ORDER_DELIVERED, order.number, holder_id=order.holder_id, once=at.isoformat())
        for order in results
        if isinstance(order, Order)
    ]
    tell(session, notes, at=at)
    return results
