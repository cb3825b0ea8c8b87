"""Reversing a captured order before it is in a batch (冲正): money and allowance go back where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event as Posting
from voucher.ledger.events import Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.claims import Claim, Invoice
from voucher.models.orders import Order
from voucher.operations import find, journal
from voucher.operations.charges import give_back_legs, order_allowance, refs_of
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policy_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import CapBasis, ClaimState, OrderState, PostingKind


@dataclass(frozen=True, slots=True)
class ReverseRequest:
    """A captured order that should not have been, and why."""

    order_number: str
    reason: str


def reverse(
    session: Session, requests: Sequence[ReverseRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """CAPTURED, CLAIMED or APPROVED → REVERSED, by the platform that captured it.

    order → voucher (no longer live: on to its budget line, a closed line to lapsed); the allowance goes back
    to the year that was charged. An open claim ends, its invoices are free again. Refused, alone: `not_found`,
    `already_settled` for an order in a batch or beyond, `state_changed` for one that is not captured.
    """
    orders = find.platforms_orders(session, [request.order_number for request in requests], actor=actor)
    results: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            following = next_state(OrderState(order.state), Event.REVERSE)
            answer = _post(session, order, actor=actor, at=at)
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        if isinstance(answer, Refused):
            results.append(answer)
            continue
        order.state = following.value
        order.approved_fen = 0
        order.close_reason = request.reason
        order.closed_at = at
        _end_claim(session, order, at=at)
        results.append(order)
    reversed_ = [
        (order.number, {"captured_fen": order.captured_fen}) for order in results if isinstance(order, Order)
    ]
    journal.record(session, actor, "order.reverse", reversed_, at=at)
    session.flush()
    return results


def _post(session: Session, order: Order, *, actor: Actor, at: datetime) -> Refused | None:
    voucher = find.vouchers_for_share(session, [order.voucher_id])[order.voucher_id]
    line = find.budget_lines(session, [voucher.budget_line_id])[voucher.budget_line_id]
    charged = order_allowance(policy_of(session, order.policy_code), voucher, order)
    refs = refs_of(give_back_legs(voucher, line, order.number, 1))
    locked = lock(session, order.book_id, [*refs, *(charged.refs if charged else ())])
    left = locked.posted(accounts.order(order.number))
    if left <= 0:
        return Refused(accounts.order(order.number).overdrawn, {"order": order.number, "left_fen": left})
    legs: list[Leg] = list(give_back_legs(voucher, line, order.number, left))
    if charged is not None:
        amount = left if charged.basis is CapBasis.REDEEMED else order.captured_fen
        legs.append(Leg(charged.used, charged.cap, amount))
    event = Posting(
        id=posting_id("reverse", order.number),
        kind=PostingKind.REVERSE,
        legs=tuple(legs),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
        reverses=order.capture_posting,
    )
    (answer,) = post(session, locked, [event], at=at)
    return refused(answer) if isinstance(answer, Rejected) else None


def _end_claim(session: Session, order: Order, *, at: datetime) -> None:
    claim = session.scalars(select(Claim).where(Claim.order_id == order.id).with_for_update()).one_or_none()
    if claim is None:
        return
    claim.state = ClaimState.REJECTED.value
    claim.decided_at = at
    session.execute(
        update(Invoice)
        .where(Invoice.claim_id == claim.id, Invoice.released_at.is_(None))
        .values(released_at=at)
    )
