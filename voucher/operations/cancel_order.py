"""Calling an order off before it is captured: what it held comes back at once (取消订单)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.capture import release
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderSide, OrderState

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

    An order of which instalments were captured becomes CAPTURED with what was taken. Where the policy asks for
    consent (`cancel_consent`), calling off an accepted order is a request first (`cancel_asked_by`), and the other
    side's call is the consent. Orders of one book. Refused, alone: `not_found`, `state_changed` for an order that is
    captured or closed, or that a counter session made (end the session instead); `reason_missing` for a request.
    """
    orders = find.either_sides_orders(session, [request.order_number for request in requests], actor=actor)
    consent = _with_consent(session, list(orders.values()))
    results: list[Order | Refused] = []
    cancelled: list[Order] = []
    for request in requests:
        try:
            order = find.remote_one(orders, request.order_number, Event.CANCEL)
            event = Event.RELEASE if order.state in _WITH_HOLD else Event.CANCEL
            following = next_state(OrderState(order.state), event)
            if order.id in consent and _only_asks(order, request, actor):
                results.append(order)
                continue
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.state = following.value
        order.close_reason = request.reason or order.close_reason
        order.closed_at = at
        order.cancel_asked_by = ""
        results.append(order)
        cancelled.append(order)
    _release(
        session, [each for each in cancelled if each.hold_posting or each.instalments], actor=actor, at=at
    )
    found = [order for order in results if isinstance(order, Order)]
    facts = [(order.number, {"state": order.state, "asked_by": order.cancel_asked_by}) for order in found]
    journal.record(session, actor, "order.cancel", facts, at=at)
    session.flush()
    tell(session, [_note(order, at) for order in found], at=at)
    return results


def side_of(order: Order, actor: Actor) -> OrderSide:
    """On which side of an order the actor stands; the platform's, for somebody of both."""
    return OrderSide.PLATFORM if order.platform_id in actor.platform_ids else OrderSide.HOLDER


def _with_consent(session: Session, orders: Sequence[Order]) -> set[int]:
    """The accepted orders that one side alone may not call off."""
    accepted = [order for order in orders if order.state != OrderState.PLACED.value]
    policies = policies_of(session, {order.policy_code for order in accepted}) if accepted else {}
    return {order.id for order in accepted if policies[order.policy_code].cancel_consent}


def _only_asks(order: Order, request: CancelRequest, actor: Actor) -> bool:
    """Whether this call is a request, for the other side has not made one; it is written on the order."""
    side = side_of(order, actor)
    if order.cancel_asked_by not in ("", side.value):
        return False
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    order.cancel_asked_by, order.close_reason = side.value, request.reason.strip()
    return True


def _note(order: Order, at: datetime) -> Note:
    asked = order.cancel_asked_by
    if not asked:
        return Note(
            MessageEvent.ORDER_CANCELLED,
            order.number,
            {"reason": order.close_reason or None},
            holder_id=order.holder_id,
            platform_id=order.platform_id,
        )
    to_firm = asked == OrderSide.PLATFORM.value
    return Note(
        MessageEvent.CANCEL_ASKED,
        order.number,
        {"reason": order.close_reason},
        holder_id=order.holder_id if to_firm else None,
        platform_id=None if to_firm else order.platform_id,
        once=at.isoformat(),
    )


def _release(session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> None:
    """Give back all holds at once. A closed period, or a hold that is gone, refuses the whole sequence."""
    if not orders:
        return
    for answer in release(session, orders, state=OrderState.RELEASED, actor=actor, at=at):
        if isinstance(answer, Refused):
            raise Refusal(answer.code, **answer.facts)
