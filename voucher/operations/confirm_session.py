"""The holder's answer at the counter: confirm (核销), or reject; and calling a session off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.sessions import RedemptionSession
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.capture import Captured, CaptureRequest, capture, release
from voucher.operations.confirm_order import captured_facts, check_capture
from voucher.operations.outcome import Refused, only, refused
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, SessionState


def confirm_session(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """PROPOSED → CONFIRMED: the held amount is captured. A session confirmed already answers as it did.

    Refused, alone: `not_found`, `session_closed` (also when the ten minutes are over), `voucher_revoked`,
    `provider_suspended`, and what `capture` refuses.
    """
    rows = _holders_sessions(session, numbers, actor)
    orders = _orders(session, rows)
    vouchers = find.vouchers_for_share(session, [row.voucher_id for row in rows.values()])
    plans: list[CaptureRequest | Captured | Refused] = []
    for number in numbers:
        row = rows.get(number)
        if row is None:
            plans.append(Refused(Code.NOT_FOUND, {"session": number}))
            continue
        order = orders.get(row.order_id or 0)
        if row.state == SessionState.CONFIRMED.value and order is not None:
            plans.append(Captured(order, Fen(order.captured_fen)))
            continue
        try:
            next_state(SessionState(row.state), Event.CONFIRM)
            if order is None or row.confirm_by is None or at >= row.confirm_by:
                raise Refusal(
                    Code.SESSION_CLOSED, state=SessionState.EXPIRED.value, event=Event.CONFIRM.value
                )
            check_capture(session, order, vouchers[row.voucher_id], at=at)
        except Refusal as refusal:
            plans.append(refused(refusal))
            continue
        plans.append(CaptureRequest(order, Fen(order.held_fen)))
    ready = [plan for plan in plans if isinstance(plan, CaptureRequest)]
    answers = iter(capture(session, ready, actor=actor, at=at) if ready else [])
    results = [next(answers) if isinstance(plan, CaptureRequest) else plan for plan in plans]
    for number, plan, result in zip(numbers, plans, results, strict=True):
        if isinstance(plan, CaptureRequest) and isinstance(result, Captured):
            _close(rows[number], SessionState.CONFIRMED, at)
    journal.record(session, actor, "session.confirm", captured_facts(results), at=at)
    session.flush()
    return results


def reject_session(
    session: Session, number: str, *, reason: str, actor: Actor, at: datetime
) -> RedemptionSession:
    """The holder says no: SCANNED or PROPOSED → REJECTED, and what was held is given back.

    Refused: `not_found`, `session_closed`.
    """
    row = _holders_sessions(session, [number], actor).get(number)
    if row is None:
        raise Refusal(Code.NOT_FOUND, session=number)
    row.close_reason = reason
    return _end(session, row, Event.REJECT, actor=actor, at=at)


def cancel_session(
    session: Session, number: str, *, reason: str, actor: Actor, at: datetime
) -> RedemptionSession:
    """Either side calls it off: OPEN, SCANNED or PROPOSED → CANCELLED, and what was held is given back.

    Refused: `not_found`, `session_closed`.
    """
    query = select(RedemptionSession).where(
        RedemptionSession.number == number, RedemptionSession.platform_id.in_(actor.platform_ids)
    )
    row = _holders_sessions(session, [number], actor).get(number)
    if row is None:
        row = session.scalars(query.with_for_update(of=RedemptionSession)).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, session=number)
    row.close_reason = reason
    return _end(session, row, Event.CANCEL, actor=actor, at=at)


def _end(
    session: Session, row: RedemptionSession, event: Event, *, actor: Actor, at: datetime
) -> RedemptionSession:
    following = next_state(SessionState(row.state), event)
    order = _orders(session, {row.number: row}).get(row.order_id or 0)
    if order is not None:
        order.close_reason = row.close_reason
        only(release(session, [order], state=OrderState.RELEASED, actor=actor, at=at))
    _close(row, following, at)
    journal.record(session, actor, f"session.{event.value}", [(row.number, {})], at=at)
    session.flush()
    return row


def _close(row: RedemptionSession, state: SessionState, at: datetime) -> None:
    row.state = state.value
    row.closed_at = at


def _holders_sessions(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, RedemptionSession]:
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    query = (
        select(RedemptionSession)
        .where(RedemptionSession.number.in_(set(numbers)), RedemptionSession.holder_id.in_(mine))
        .order_by(RedemptionSession.id)
        .with_for_update(of=RedemptionSession)
        .execution_options(populate_existing=True)
    )
    return {row.number: row for row in session.scalars(query)}


def _orders(session: Session, rows: dict[str, RedemptionSession]) -> dict[int, Order]:
    query = (
        select(Order)
        .where(Order.id.in_({row.order_id for row in rows.values() if row.order_id}))
        .options(joinedload(Order.holder, innerjoin=True))
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in session.scalars(query)}
