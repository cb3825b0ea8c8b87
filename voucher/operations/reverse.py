"""Reversing a captured order before it is in a batch (冲正): money and allowance go back where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.ledger.events import Rejected, posting_id
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.operations import find, invoices, journal
from voucher.operations.give_back import Back, post_backs
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OrderState, PostingKind


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
    to the year that was charged. Orders of one book. An open claim ends, its invoices are free again. Refused, alone: `not_found`,
    `already_settled` for an order in a batch or beyond, `state_changed` for one that is not captured.
    """
    numbers = [request.order_number for request in requests]
    find.vouchers_of_orders(session, numbers, actor=actor)
    orders = find.platforms_orders(session, numbers, actor=actor)
    claims = _claims(session, [order.id for order in orders.values()])
    backs: list[Order | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            next_state(OrderState(order.state), Event.REVERSE)
            backs.append(order)
        except Refusal as refusal:
            backs.append(refused(refusal))
    valid = [back for back in backs if isinstance(back, Order)]
    answers = iter(_post(session, valid, actor=actor, at=at) if valid else [])
    results = [back if isinstance(back, Refused) else next(answers) for back in backs]
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, Order):
            _close(session, result, claims.get(result.id), request.reason, at=at)
    reversed_ = [
        (order.number, {"captured_fen": order.captured_fen}) for order in results if isinstance(order, Order)
    ]
    journal.record(session, actor, "order.reverse", reversed_, at=at)
    session.flush()
    return results


def _post(session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> list[Order | Refused]:
    """Post the reversals of orders of one book; an order whose money is gone is refused by its balance."""
    policies = policies_of(session, {order.policy_code for order in orders})
    backs = [
        Back(order, policies[order.policy_code], PostingKind.REVERSE, posting_id("reverse", order.number))
        for order in orders
    ]
    return [
        refused(answer) if isinstance(answer, Rejected) else order
        for order, answer in zip(orders, post_backs(session, backs, actor=actor, at=at), strict=True)
    ]


def _claims(session: Session, order_ids: Sequence[int]) -> dict[int, Claim]:
    open_claim = Claim.order_id.in_(order_ids), Claim.state != ClaimState.WITHDRAWN.value
    query = select(Claim).where(*open_claim).order_by(Claim.id).with_for_update()
    found = session.scalars(query.execution_options(populate_existing=True))
    return {claim.order_id: claim for claim in found}


def _close(session: Session, order: Order, claim: Claim | None, reason: str, *, at: datetime) -> None:
    order.state = next_state(OrderState(order.state), Event.REVERSE).value
    order.approved_fen = 0
    order.close_reason = reason
    order.closed_at = at
    if claim is None:
        return
    claim.state = ClaimState.REJECTED.value
    claim.decided_at = at
    invoices.release(session, [claim.id], at=at)
