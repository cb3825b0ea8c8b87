"""How a dispute ends: the order goes on, a part of its hold is captured, or all of it goes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.contracts import Instalment
from voucher.models.disputes import Dispute
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.capture import CaptureRequest, capture, drop_instalments, release
from voucher.operations.deliver import CONFIRMED, Answer, answered
from voucher.operations.outcome import only
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import DeliveryAnswer, DisputeOutcome, InstalmentState, MessageEvent, OrderState


@dataclass(frozen=True, slots=True)
class Outcome:
    """An end of a dispute; `amount_fen` is what is captured, for that outcome. `decided`: by a reviewer."""

    kind: DisputeOutcome
    amount_fen: Fen | None = None
    reason: str = ""
    decided: bool = False


def check_outcome(order: Order, outcome: Outcome) -> None:
    """Refused: `capture_above_hold`. Raises ValueError for a capture without an amount, or an amount without one."""
    if (outcome.kind is DisputeOutcome.CAPTURE) != (outcome.amount_fen is not None):
        raise ValueError("a capture, and nothing else, names an amount")
    if outcome.amount_fen is not None and outcome.amount_fen > order.held_fen:
        raise Refusal(Code.CAPTURE_ABOVE_HOLD, held_fen=order.held_fen, asked_fen=outcome.amount_fen)


def open_dispute_of(session: Session, order: Order) -> Dispute:
    """The open dispute of a locked order, locked; refused `not_found`."""
    query = select(Dispute).where(Dispute.order_id == order.id, Dispute.outcome.is_(None))
    row = session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, order=order.number)
    return row


def end(
    session: Session, case: tuple[Order, Dispute], outcome: Outcome, *, actor: Actor, at: datetime
) -> Dispute:
    """End the dispute of a locked order (its voucher locked FOR SHARE), and move money and state accordingly.

    resume: DISPUTED → HELD, to be delivered again. capture: → CAPTURED, the rest goes back, instalments that were
    not confirmed are dropped. release: → RELEASED, or CAPTURED with what instalments took before. The platform's
    standing is not asked again: the decision is about work that was done. Refused: `capture_above_hold`,
    `already_resolved`, `period_closed`.
    """
    order, row = case
    check_outcome(order, outcome)
    match outcome.kind:
        case DisputeOutcome.RESUME:
            order.state = next_state(OrderState(order.state), Event.RESUME).value
            _plan_again(session, order)
            answered(session, [order], Answer(DeliveryAnswer.SENT_BACK, outcome.reason), actor=actor, at=at)
        case DisputeOutcome.CAPTURE:
            next_state(OrderState(order.state), Event.CAPTURE)
            only(capture(session, [CaptureRequest(order, outcome.amount_fen or Fen(0))], actor=actor, at=at))
            drop_instalments(session, [order.id] if order.instalments else [])
            answered(session, [order], CONFIRMED, actor=actor, at=at)
        case DisputeOutcome.RELEASE:
            next_state(OrderState(order.state), Event.RELEASE)
            only(release(session, [order], state=OrderState.RELEASED, actor=actor, at=at))
            order.close_reason = outcome.reason[:200]
            answered(session, [order], Answer(DeliveryAnswer.SENT_BACK, outcome.reason), actor=actor, at=at)
    row.outcome, row.amount_fen = outcome.kind.value, outcome.amount_fen
    row.agreed, row.decision_reason = not outcome.decided, outcome.reason.strip()
    row.decided_by, row.decided_at = actor.person_id or None, at
    facts: dict[str, Fact] = {"outcome": outcome.kind.value, "amount_fen": outcome.amount_fen}
    facts |= {"agreed": row.agreed, "rule_version": order.policy_code}
    journal.record(session, actor, "dispute.end", [(order.number, facts)], at=at)
    session.flush()
    said: dict[str, Fact] = {"outcome": outcome.kind.label, "amount_fen": outcome.amount_fen}
    said["reason"] = outcome.reason.strip() or None
    tell(session, [told(MessageEvent.DISPUTE_ENDED, order, said, at=at)], at=at)
    return row


def told(event: MessageEvent, order: Order, facts: Mapping[str, Fact], *, at: datetime) -> Note:
    """A note to both sides of an order."""
    return Note(
        event,
        order.number,
        facts,
        holder_id=order.holder_id,
        platform_id=order.platform_id,
        once=at.isoformat(),
    )


def _plan_again(session: Session, order: Order) -> None:
    """The instalment under dispute is to be delivered again."""
    if order.instalments:
        session.execute(
            update(Instalment)
            .where(Instalment.order_id == order.id, Instalment.state == InstalmentState.DELIVERED.value)
            .values(state=InstalmentState.PLANNED.value)
        )
