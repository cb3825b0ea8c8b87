"""The holder's answer at the counter: confirm (核销), or reject; and calling a session off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session, lazyload

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.capture import Captured, CaptureRequest, capture, release
from voucher.operations.confirm_order import CaptureChecks, captured_facts
from voucher.operations.outcome import Refused, only, refused
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, SessionState

_Proposed = tuple[RedemptionSession, Voucher, Order]
_MINE = select(Holder.id).where(Holder.organisation_id.in_(bindparam("organisations", expanding=True)))
_PROPOSED = (
    select(RedemptionSession, Voucher, Order)
    .join(Voucher, Voucher.id == RedemptionSession.voucher_id)
    .join(Order, Order.id == RedemptionSession.order_id)
    .options(lazyload(Voucher.holder))
    .where(
        RedemptionSession.number.in_(bindparam("numbers", expanding=True)),
        RedemptionSession.holder_id.in_(_MINE),
    )
    .order_by(RedemptionSession.id)
    .with_for_update(of=RedemptionSession)
    .suffix_with(find.VOUCHER_FOR_SHARE, find.ORDER_FOR_UPDATE, dialect="postgresql")
    .execution_options(populate_existing=True)
)


def confirm_session(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """PROPOSED → CONFIRMED: the held amount is captured. A session confirmed already answers as it did.

    Sessions of one book. Refused, alone: `not_found`, `session_closed` (also when the ten minutes are over),
    `state_changed` for one without a proposal, `voucher_revoked`, `provider_suspended`, and what `capture` refuses.
    """
    found = _proposed(session, numbers, actor)
    bare = _holders_sessions(session, [number for number in numbers if number not in found], actor)
    open_orders = [order for row, _, order in found.values() if row.state == SessionState.PROPOSED.value]
    checks = CaptureChecks(session, open_orders, at)
    plans: list[CaptureRequest | Captured | Refused] = []
    for number in numbers:
        try:
            plans.append(_plan(number, found.get(number), bare.get(number), checks, at=at))
        except Refusal as refusal:
            plans.append(refused(refusal))
    ready = [plan for plan in plans if isinstance(plan, CaptureRequest)]
    captured = capture(session, ready, actor=actor, at=at) if ready else []
    done = {answer.order.id for answer in captured if isinstance(answer, Captured)}
    for row, _, order in found.values():
        if order.id in done:
            _close(row, SessionState.CONFIRMED, at)
    journal.record(session, actor, "session.confirm", captured_facts(captured), at=at)
    session.flush()
    answers = iter(captured)
    return [next(answers) if isinstance(plan, CaptureRequest) else plan for plan in plans]


def _plan(
    number: str,
    found: _Proposed | None,
    bare: RedemptionSession | None,
    checks: CaptureChecks,
    *,
    at: datetime,
) -> CaptureRequest | Captured:
    if found is None:
        if bare is None:
            raise Refusal(Code.NOT_FOUND, session=number)
        next_state(SessionState(bare.state), Event.CONFIRM)
        raise ValueError(f"session {number} is proposed without an order")
    row, voucher, order = found
    if row.state == SessionState.CONFIRMED.value:
        return Captured(order, Fen(order.captured_fen))
    next_state(SessionState(row.state), Event.CONFIRM)
    if row.confirm_by is None or at >= row.confirm_by:
        raise Refusal(Code.SESSION_CLOSED, state=SessionState.EXPIRED.value, event=Event.CONFIRM.value)
    checks.check(order, voucher)
    return CaptureRequest(order, Fen(order.held_fen))


def reject_session(
    session: Session, number: str, *, reason: str, actor: Actor, at: datetime
) -> RedemptionSession:
    """The holder says no: SCANNED or PROPOSED → REJECTED, and what was held is given back.

    Refused: `not_found`, `session_closed`.
    """
    row = _holders_sessions(session, [number], actor).get(number)
    if row is None:
        raise Refusal(Code.NOT_FOUND, session=number)
    return _end(session, row, (Event.REJECT, reason), actor=actor, at=at)


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
        locking = query.with_for_update(of=RedemptionSession).execution_options(populate_existing=True)
        row = session.scalars(locking).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, session=number)
    return _end(session, row, (Event.CANCEL, reason), actor=actor, at=at)


def _end(
    session: Session, row: RedemptionSession, cause: tuple[Event, str], *, actor: Actor, at: datetime
) -> RedemptionSession:
    event, reason = cause
    following = next_state(SessionState(row.state), event)
    order = _orders(session, {row.number: row}).get(row.order_id or 0)
    if order is not None:
        only(release(session, [order], state=OrderState.RELEASED, actor=actor, at=at))
        order.close_reason = reason
    _close(row, following, at)
    row.close_reason = reason
    journal.record(session, actor, f"session.{event.value}", [(row.number, {})], at=at)
    session.flush()
    return row


def _close(row: RedemptionSession, state: SessionState, at: datetime) -> None:
    row.state = state.value
    row.closed_at = at


def _proposed(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, _Proposed]:
    """The holder's sessions that have an order, session and order locked, the voucher FOR SHARE."""
    given = {"numbers": list(set(numbers)), "organisations": list(actor.organisation_ids)}
    return {row.number: (row, voucher, order) for row, voucher, order in session.execute(_PROPOSED, given)}


def _holders(actor: Actor) -> Select[int]:
    return select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))


def _holders_sessions(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, RedemptionSession]:
    if not numbers:
        return {}
    query = (
        select(RedemptionSession)
        .where(RedemptionSession.number.in_(set(numbers)), RedemptionSession.holder_id.in_(_holders(actor)))
        .order_by(RedemptionSession.id)
        .with_for_update(of=RedemptionSession)
        .execution_options(populate_existing=True)
    )
    return {row.number: row for row in session.scalars(query)}


def _orders(session: Session, rows: dict[str, RedemptionSession]) -> dict[int, Order]:
    query = (
        select(Order)
        .where(Order.id.in_({row.order_id for row in rows.values() if row.order_id}))
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in session.scalars(query)}
