"""Time's work at the counter: sessions that nobody ended end, and their holds are given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.models.sessions import RedemptionSession
from voucher.operations import journal
from voucher.operations.capture import release
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, SessionState

SYSTEM = Actor(person_id=0, ref="system", name="系统", roles=frozenset())
_WAITING = (SessionState.OPEN.value, SessionState.SCANNED.value)
_OVERDUE = (
    select(RedemptionSession, Order)
    .join(Order, Order.id == RedemptionSession.order_id)
    .where(
        RedemptionSession.state == SessionState.PROPOSED.value,
        RedemptionSession.confirm_by <= bindparam("at"),
    )
    .order_by(RedemptionSession.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .execution_options(populate_existing=True)
)
_OVERDUE_OF = _OVERDUE.where(RedemptionSession.holder_id.in_(bindparam("holders", expanding=True)))


def sweep_holds(
    session: Session, *, at: datetime, holder_ids: Sequence[int] | None = None, limit: int = 500
) -> int:
    """End PROPOSED sessions whose holder did not confirm in time: EXPIRED, hold released, order EXPIRED.

    Of all holders, or of those given; rows that somebody works on are passed over. Returns how many. Refused as a
    whole (raised) where the book's day is closed.
    """
    given = {"at": at, "most": limit}
    found = (
        session.execute(_OVERDUE, given)
        if holder_ids is None
        else session.execute(_OVERDUE_OF, {**given, "holders": list(holder_ids)})
    )
    overdue = [(row, order) for row, order in found]
    orders = [order for _, order in overdue]
    answers = release(session, orders, state=OrderState.EXPIRED, actor=SYSTEM, at=at) if orders else []
    for (row, order), answer in zip(overdue, answers, strict=True):
        if isinstance(answer, Refused):
            raise Refusal(answer.code, **answer.facts)
        _end(row, at)
        order.close_reason = "confirm_by"
    if overdue:
        journal.record(session, SYSTEM, "session.expire", [(row.number, {}) for row, _ in overdue], at=at)
        session.flush()
    return len(overdue)


def sweep_sessions(session: Session, *, at: datetime, limit: int = 500) -> int:
    """End OPEN and SCANNED sessions past their time. Nothing was held. Returns how many."""
    query = (
        select(RedemptionSession)
        .where(RedemptionSession.state.in_(_WAITING), RedemptionSession.closes_at <= at)
        .order_by(RedemptionSession.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    overdue = list(session.scalars(query))
    for row in overdue:
        _end(row, at)
    session.flush()
    return len(overdue)


def _end(row: RedemptionSession, at: datetime) -> None:
    row.state = SessionState.EXPIRED.value
    row.closed_at = at
