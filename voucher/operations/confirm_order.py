"""The holder confirms a delivered order: the money is captured (验收确认, 核销)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import check_certified
from voucher.operations.capture import Captured, CaptureRequest, capture
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policy_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, VoucherState


@dataclass(frozen=True, slots=True)
class ConfirmRequest:
    """A delivered order, and how much of its hold to take; None: all of it."""

    order_number: str
    amount_fen: Fen | None = None


def confirm_order(
    session: Session, requests: Sequence[ConfirmRequest], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """DELIVERED → CAPTURED; what is not taken goes back to voucher and cap at once.

    Refused, alone: `not_found`, `state_changed`, a revoked voucher (`voucher_revoked`), a platform suspended
    since the hold (`provider_suspended`), and what `capture` refuses.
    """
    orders = find.holders_orders(session, [request.order_number for request in requests], actor=actor)
    vouchers = find.vouchers_for_share(session, [order.voucher_id for order in orders.values()])
    plans: list[CaptureRequest | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            if order.state == OrderState.HELD.value:
                raise Refusal(Code.STATE_CHANGED, state=order.state, event="confirm")
            check_capture(session, order, vouchers[order.voucher_id], at=at)
        except Refusal as refusal:
            plans.append(refused(refusal))
            continue
        plans.append(
            CaptureRequest(order, Fen(order.held_fen) if request.amount_fen is None else request.amount_fen)
        )
    ready = [plan for plan in plans if isinstance(plan, CaptureRequest)]
    answers = iter(capture(session, ready, actor=actor, at=at) if ready else [])
    results = [plan if isinstance(plan, Refused) else next(answers) for plan in plans]
    journal.record(session, actor, "order.confirm", captured_facts(results), at=at)
    session.flush()
    return results


def check_capture(session: Session, order: Order, voucher: Voucher, *, at: datetime) -> None:
    """What must still hold when money is captured: the order's state, the voucher, the platform, the date."""
    next_state(OrderState(order.state), Event.CAPTURE)
    if voucher.state == VoucherState.REVOKED.value:
        raise Refusal(Code.VOUCHER_REVOKED)
    today = business_date(at)
    if order.complete_by is not None and today > order.complete_by:
        raise Refusal(
            Code.STATE_CHANGED, state=order.state, event="complete_by", on=order.complete_by.isoformat()
        )
    policy = policy_of(session, order.policy_code)
    check_certified(session, policy, order.platform_id, service=order.service, on=today)


def captured_facts(
    results: Sequence[Captured | Refused],
) -> list[tuple[str, dict[str, int | str | bool | None]]]:
    """What the journal keeps of captures."""
    return [
        (result.order.number, {"captured_fen": result.captured_fen, "rule_version": result.order.policy_code})
        for result in results
        if isinstance(result, Captured)
    ]
