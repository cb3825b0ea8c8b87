"""Telling both sides of captures at the counter, after the fact: the two requests there carry no extra statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from voucher.models.messages import Message
from voucher.models.orders import Order
from voucher.models.sessions import RedemptionSession
from voucher.operations.tell import Note, tell
from voucher.terms import MessageEvent, SessionState

SINCE: Final = timedelta(days=1)


def tell_captures(session: Session, *, at: datetime, after: int = 0, limit: int = 200) -> int | None:
    """Tell holder and platform of sessions confirmed within a day that nobody was told of yet.

    Returns the id to go on after, None where that was all.
    """
    known = exists().where(
        Message.event == MessageEvent.SESSION_CAPTURED.value, Message.subject == Order.number
    )
    query = (
        select(RedemptionSession.id, Order)
        .join(Order, Order.id == RedemptionSession.order_id)
        .where(
            RedemptionSession.state == SessionState.CONFIRMED.value,
            RedemptionSession.closes_at > at - SINCE,
            RedemptionSession.id > after,
            ~known,
        )
        .order_by(RedemptionSession.id)
        .limit(limit)
    )
    rows = session.execute(query).all()
    notes = [
        Note(
            MessageEvent.SESSION_CAPTURED,
            order.number,
            {"captured_fen": order.captured_fen},
            holder_id=order.holder_id,
            platform_id=order.platform_id,
        )
        for _, order in rows
    ]
    tell(session, notes, at=at)
    return rows[-1].id if len(rows) == limit else None
