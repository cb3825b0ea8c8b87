"""The platform's answer to a remote order: accept it with a quote, or decline it (接单, 不接单)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState


@dataclass(frozen=True, slots=True)
class AcceptRequest:
    """An order and the full price that the platform quotes for it."""

    order_number: str
    quote_fen: Fen


@dataclass(frozen=True, slots=True)
class DeclineRequest:
    """An order that the platform will not carry out, and why."""

    order_number: str
    reason: str


def accept_order(
    session: Session, requests: Sequence[AcceptRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """PLACED → ACCEPTED with a quote. Refused, alone: `not_found`, `state_changed`."""
    results = _moved(session, [request.order_number for request in requests], Event.ACCEPT, actor=actor)
    for request, order in zip(requests, results, strict=True):
        if isinstance(order, Order):
            order.quote_fen = request.quote_fen
            order.accepted_at = at
    journal.record(session, actor, "order.accept", _facts(results), at=at)
    session.flush()
    tell(session, _notes(MessageEvent.ORDER_ACCEPTED, results), at=at)
    return results


def decline_order(
    session: Session, requests: Sequence[DeclineRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """PLACED → DECLINED. Refused, alone: `not_found`, `state_changed`."""
    results = _moved(session, [request.order_number for request in requests], Event.DECLINE, actor=actor)
    for request, order in zip(requests, results, strict=True):
        if isinstance(order, Order):
            order.close_reason = request.reason
            order.closed_at = at
    journal.record(session, actor, "order.decline", _facts(results), at=at)
    session.flush()
    tell(session, _notes(MessageEvent.ORDER_DECLINED, results), at=at)
    return results


def _moved(session: Session, numbers: Sequence[str], event: Event, *, actor: Actor) -> list[Order | Refused]:
    """The orders of the actor's platforms in the state that follows; those that may not move, refused."""
    orders = find.platforms_orders(session, numbers, actor=actor)
    results: list[Order | Refused] = []
    for number in numbers:
        try:
            order = find.one_of(orders, number)
            order.state = next_state(OrderState(order.state), event).value
            results.append(order)
        except Refusal as refusal:
            results.append(refused(refusal))
    return results


def _facts(results: Sequence[Order | Refused]) -> list[tuple[str, dict[str, int | str | bool | None]]]:
    return [
        (result.number, {"quote_fen": result.quote_fen, "rule_version": result.policy_code})
        for result in results
        if isinstance(result, Order)
    ]


def _notes(event: MessageEvent, results: Sequence[Order | Refused]) -> list[Note]:
    return [
        Note(
            event,
            row.number,
            {"quote_fen": row.quote_fen, "reason": row.close_reason or None},
            holder_id=row.holder_id,
        )
        for row in results
        if isinstance(row, Order)
    ]
