"""The end of public notices: what nobody objected to is cleared once the last day is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.models.claims import Claim
from voucher.models.notices import Notice, NoticeLine
from voucher.models.orders import Order
from voucher.operations import journal
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent, NoticeOutcome, NoticeState

_UNDECIDED = (NoticeOutcome.OPEN.value, NoticeOutcome.OBJECTED.value)


def close_notices(session: Session, *, actor: Actor, at: datetime, limit: int = 500) -> int:
    """IN_NOTICE → CLEARED for claims whose notice is over, and the notice CLOSED when no line is undecided.

    A claim with an open objection waits for the decision, and so does its notice. Claims that somebody works on are
    passed over. Returns how many claims were cleared; below `limit`, that was all.
    """
    over = (Notice.state == NoticeState.OPEN.value) & (Notice.to_on < business_date(at))
    query = (
        select(Claim)
        .join(NoticeLine, NoticeLine.claim_id == Claim.id)
        .join(Notice, Notice.id == NoticeLine.notice_id)
        .where(over, Claim.state == ClaimState.IN_NOTICE.value)
        .order_by(Claim.id)
        .limit(limit)
        .with_for_update(of=Claim, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    claims = list(session.scalars(query))
    for claim in claims:
        claim.state = next_state(ClaimState(claim.state), Event.CLEAR).value
    session.flush()
    _set_outcomes(session, [claim.id for claim in claims])
    undecided = exists().where(NoticeLine.notice_id == Notice.id, NoticeLine.outcome.in_(_UNDECIDED))
    ended = (
        update(Notice)
        .where(over, ~undecided)
        .values(state=next_state(NoticeState.OPEN, Event.CLEAR).value, closed_at=at)
        .returning(Notice.number)
        .execution_options(synchronize_session=False)
    )
    numbers = session.scalars(ended).all()
    journal.record(session, actor, "notice.close", [(number, {}) for number in sorted(numbers)], at=at)
    journal.record(session, actor, "claim.clear", [(claim.number, {}) for claim in claims], at=at)
    holders = select(Order.id, Order.holder_id).where(Order.id.in_([claim.order_id for claim in claims]))
    of_order = {row.id: row.holder_id for row in session.execute(holders)}
    notes = [
        Note(MessageEvent.CLAIM_CLEARED, claim.number, holder_id=of_order[claim.order_id]) for claim in claims
    ]
    tell(session, notes, at=at)
    session.flush()
    return len(claims)


def _set_outcomes(session: Session, cleared: list[int]) -> None:
    """The lines of cleared claims, and of those that left by another way (a reversed order)."""
    lines = update(NoticeLine).execution_options(synchronize_session=False)
    session.execute(lines.where(NoticeLine.claim_id.in_(cleared)).values(outcome=NoticeOutcome.CLEARED.value))
    gone = select(Claim.id).where(Claim.state == ClaimState.REJECTED.value)
    session.execute(
        lines.where(NoticeLine.outcome.in_(_UNDECIDED), NoticeLine.claim_id.in_(gone)).values(
            outcome=NoticeOutcome.WITHDRAWN.value
        )
    )
