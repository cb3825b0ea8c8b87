"""Disputes whose sides did not agree in the days that the policy gives them go to the authority (移送裁定)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Fact
from voucher.models.disputes import Dispute
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.operations import journal
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent


def escalate_disputes(session: Session, *, actor: Actor, at: datetime, limit: int = 500) -> int:
    """Note on open disputes whose last day to settle is over that the authority is to decide, and tell all three.

    The sides may still agree until it has. Disputes that somebody works on are passed over. Returns how many; below
    `limit`, that was all.
    """
    query = (
        select(Dispute, Dispute.settle_by, Order, Holder.region_code)
        .join(Order, Order.id == Dispute.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(
            Dispute.outcome.is_(None),
            Dispute.escalated_at.is_(None),
            Dispute.settle_by < business_date(at),
        )
        .order_by(Dispute.id)
        .limit(limit)
        .with_for_update(of=Dispute, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    notes, facts = [], list[tuple[str, dict[str, Fact]]]()
    for row, settle_by, order, region_code in rows:
        row.escalated_at = at
        said: dict[str, Fact] = {"settle_by_on": str(settle_by)}
        facts.append((order.number, said))
        notes.append(
            Note(
                MessageEvent.DISPUTE_ESCALATED,
                order.number,
                said,
                holder_id=order.holder_id,
                platform_id=order.platform_id,
                region_code=region_code,
                once=str(row.id),
            )
        )
    journal.record(session, actor, "dispute.escalate", facts, at=at)
    session.flush()
    tell(session, notes, at=at)
    return len(rows)
