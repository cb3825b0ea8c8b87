"""The platform has done the work, and the firm's answers to it (机构交付, 验收答复)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.deliveries import Delivery
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.instalments import Instalments
from voucher.operations.order_files import Given, Place, attach
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import DeliveryAnswer, InstalmentState, MessageEvent, OrderFileKind, OrderState

_EXTRACT = (OrderFileKind.COVER, OrderFileKind.CONCLUSION)


@dataclass(frozen=True, slots=True)
class DeliverRequest:
    """A held order that was carried out, or its next instalment, with the result.

    `provider_ref` is the platform's own number for it (委托单号). A confidential report may stay with the platform:
    then `report_sha256` is the full report's own hash, and cover and conclusion page are among `files`.
    """

    order_number: str
    provider_ref: str = ""
    note: str = ""
    report_sha256: str | None = None
    files: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class SendBackRequest:
    """A delivery that the firm does not accept, and what is missing."""

    order_number: str
    reason: str


def deliver(
    session: Session, requests: Sequence[DeliverRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """HELD → DELIVERED, of an order with instalments its next one; the holder confirms next.

    Where the policy sets `confirm_days` the answer is due then, at the latest on the complete-by day. Refused, alone:
    `not_found`, `state_changed`, also for an order of the counter; `evidence_missing` for a hash without cover and
    conclusion page.
    """
    orders = find.platforms_orders(session, [request.order_number for request in requests], actor=actor)
    instalments = Instalments(session, list(orders.values()))
    policies = policies_of(session, {order.policy_code for order in orders.values()}) if orders else {}
    results: list[Order | Refused] = []
    deliveries: list[tuple[dict[str, Any], Sequence[Given]]] = []
    for request in requests:
        try:
            order = find.remote_one(orders, request.order_number, Event.DELIVER)
            following = next_state(OrderState(order.state), Event.DELIVER)
            _check_extract(request)
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.state = following.value
        order.provider_ref = request.provider_ref or order.provider_ref
        order.delivered_at = at
        order.confirm_by = _confirm_by(policies[order.policy_code], order, business_date(at))
        row = instalments.first(order, InstalmentState.PLANNED)
        if row is not None:
            row.state = InstalmentState.DELIVERED.value
        delivery = _delivery(order, request, position=row.position if row else 0)
        deliveries.append((delivery, request.files))
        results.append(order)
    _write(session, deliveries, actor=actor, at=at)
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


def send_back(
    session: Session, requests: Sequence[SendBackRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """DELIVERED → HELD: the firm wants the delivery done again (退回重做). The hold stays as it is.

    Refused, alone: `not_found`, `state_changed`, no reason (`reason_missing`).
    """
    orders = find.holders_orders(session, [request.order_number for request in requests], actor=actor)
    instalments = Instalments(session, list(orders.values()))
    results: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.remote_one(orders, request.order_number, Event.SEND_BACK)
            following = next_state(OrderState(order.state), Event.SEND_BACK)
            if not request.reason.strip():
                raise Refusal(Code.REASON_MISSING, order=order.number)
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order.state = following.value
        order.confirm_by = None
        row = instalments.first(order, InstalmentState.DELIVERED)
        if row is not None:
            row.state = InstalmentState.PLANNED.value
        said = Answer(DeliveryAnswer.SENT_BACK, request.reason.strip())
        answered(session, [order], said, actor=actor, at=at)
        results.append(order)
    back = [order for order in results if isinstance(order, Order)]
    reasons = {request.order_number: request.reason.strip() for request in requests}
    journal.record(
        session,
        actor,
        "order.send_back",
        [(each.number, {"reason": reasons[each.number]}) for each in back],
        at=at,
    )
    session.flush()
    notes = [
        Note(
            MessageEvent.ORDER_SENT_BACK,
            order.number,
            {"reason": reasons[order.number]},
            platform_id=order.platform_id,
            once=at.isoformat(),
        )
        for order in back
    ]
    tell(session, notes, at=at)
    return results


@dataclass(frozen=True, slots=True)
class Answer:
    """What the firm, or time in its place, says to a delivery."""

    said: DeliveryAnswer
    reason: str = ""


CONFIRMED = Answer(DeliveryAnswer.CONFIRMED)


def answered(
    session: Session, orders: Sequence[Order], answer: Answer, *, actor: Actor, at: datetime
) -> None:
    """Write the answer on the open deliveries of orders."""
    if not orders:
        return
    session.execute(
        update(Delivery)
        .where(Delivery.order_id.in_([order.id for order in orders]), Delivery.answer.is_(None))
        .values(
            answer=answer.said.value,
            answered_by=actor.person_id or None,
            answered_at=at,
            answer_reason=answer.reason[:200],
        )
        .execution_options(synchronize_session=False)
    )


def _check_extract(request: DeliverRequest) -> None:
    if request.report_sha256 is None:
        return
    given = {each.kind for each in request.files}
    missing = [kind.value for kind in _EXTRACT if kind not in given]
    if missing:
        raise Refusal(Code.EVIDENCE_MISSING, missing=",".join(missing))


def _confirm_by(policy: Policy, order: Order, on: date) -> date | None:
    if policy.confirm_days is None:
        return None
    last = on + timedelta(days=policy.confirm_days)
    return min(last, order.complete_by) if order.complete_by else last


def _delivery(order: Order, request: DeliverRequest, *, position: int) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "position": position,
        "provider_ref": request.provider_ref,
        "note": request.note,
        "report_sha256": request.report_sha256,
        "confirm_by": order.confirm_by,
    }


def _write(
    session: Session, rows: Sequence[tuple[dict[str, Any], Sequence[Given]]], *, actor: Actor, at: datetime
) -> None:
    """The deliveries; those with files each by itself, for the files name it."""
    deed = {"delivered_by": actor.person_id, "delivered_at": at}
    plain = [row | deed for row, files in rows if not files]
    if plain:
        session.connection().execute(insert(Delivery), plain)
    for values, files in rows:
        if files:
            row = Delivery(**values, **deed)
            session.add(row)
            session.flush()
            attach(session, Place(row.order_id, delivery_id=row.id), files, actor=actor, at=at)
