"""Completing an order later: the platform asks, the firm grants (延期)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.deliveries import Extension
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.policies import policy_of
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.validity import complete_by
from voucher.terms import AskState, MessageEvent, OrderState

_OPEN = (OrderState.HELD.value, OrderState.DELIVERED.value)


@dataclass(frozen=True, slots=True)
class ExtensionRequest:
    """Until which day an order is to be completed, and why not in time."""

    order_number: str
    until_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class ExtensionAnswer:
    """The firm's answer to the open request of an order."""

    order_number: str
    granted: bool
    reason: str = ""


def ask_extension(session: Session, request: ExtensionRequest, *, actor: Actor, at: datetime) -> Extension:
    """The platform asks for a later complete-by day; an open request is replaced.

    Refused: `not_found`; `state_changed` for an order that holds nothing or is overdue; `complete_by_invalid`
    (`not_extendable` where the policy sets no `extension_days`, `not_later`, `beyond` them); `reason_missing`.
    """
    order = find.one_of(
        find.platforms_orders(session, [request.order_number], actor=actor), request.order_number
    )
    _check_open(order, at)
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    _check_day(policy_of(session, order.policy_code), order, request.until_on)
    before = _asked(session, order)
    if before is not None:
        before.state, before.answered_at, before.answer_reason = (
            AskState.REFUSED.value,
            at,
            "replaced",
        )
        session.flush()
    row = Extension(
        order_id=order.id,
        until_on=request.until_on,
        reason=request.reason.strip(),
        state=AskState.ASKED.value,
        asked_by=actor.person_id,
        asked_at=at,
    )
    session.add(row)
    facts: dict[str, Fact] = {"until_on": request.until_on.isoformat(), "reason": row.reason}
    journal.record(session, actor, "order.ask_extension", [(order.number, facts)], at=at)
    session.flush()
    event = MessageEvent.EXTENSION_ASKED
    tell(session, [Note(event, order.number, facts, holder_id=order.holder_id, once=at.isoformat())], at=at)
    return row


def answer_extension(session: Session, answer: ExtensionAnswer, *, actor: Actor, at: datetime) -> Extension:
    """The firm grants the later day, which becomes the order's complete-by day, or refuses it.

    Refused: `not_found` (also without an open request), `state_changed`, `complete_by_invalid`, and `reason_missing`
    for a refusal.
    """
    order = find.one_of(find.holders_orders(session, [answer.order_number], actor=actor), answer.order_number)
    row = _asked(session, order)
    if row is None:
        raise Refusal(Code.NOT_FOUND, order=order.number)
    _check_open(order, at)
    if answer.granted:
        _check_day(policy_of(session, order.policy_code), order, row.until_on)
        order.complete_by = row.until_on
    elif not answer.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    row.state = (AskState.GRANTED if answer.granted else AskState.REFUSED).value
    row.answered_by, row.answered_at, row.answer_reason = actor.person_id, at, answer.reason.strip()
    facts: dict[str, Fact] = {"until_on": row.until_on.isoformat(), "granted": answer.granted}
    journal.record(session, actor, "order.answer_extension", [(order.number, facts)], at=at)
    session.flush()
    said: dict[str, Fact] = {"answer": AskState(row.state).label, "reason": row.answer_reason or None}
    said["complete_by_on"] = order.complete_by.isoformat() if order.complete_by else None
    note = Note(
        MessageEvent.EXTENSION_ANSWERED,
        order.number,
        said,
        platform_id=order.platform_id,
        once=at.isoformat(),
    )
    tell(session, [note], at=at)
    return row


def latest_day(policy: Policy, order: Order) -> date | None:
    """The last day to which an order may be put off; None where the policy allows no extension."""
    if policy.extension_days is None or order.held_at is None:
        return None
    return complete_by(policy, business_date(order.held_at)) + timedelta(days=policy.extension_days)


def _check_open(order: Order, at: datetime) -> None:
    overdue = order.complete_by is None or business_date(at) > order.complete_by
    if order.state not in _OPEN or overdue:
        raise Refusal(Code.STATE_CHANGED, state=order.state, event="extend")


def _check_day(policy: Policy, order: Order, until_on: date) -> None:
    latest_on = latest_day(policy, order)
    if latest_on is None:
        raise Refusal(Code.COMPLETE_BY_INVALID, reason="not_extendable")
    if order.complete_by is None or until_on <= order.complete_by:
        raise Refusal(Code.COMPLETE_BY_INVALID, reason="not_later")
    if until_on > latest_on:
        raise Refusal(Code.COMPLETE_BY_INVALID, reason="beyond", latest_on=latest_on.isoformat())


def _asked(session: Session, order: Order) -> Extension | None:
    query = select(Extension).where(Extension.order_id == order.id, Extension.state == AskState.ASKED.value)
    return session.scalars(query.with_for_update()).one_or_none()
