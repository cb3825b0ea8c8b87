"""Reversing a captured order before it is in a batch (冲正): money and allowance go back where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event as Posting
from voucher.ledger.events import Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.operations import find, invoices, journal
from voucher.operations.charges import contract_back_legs, give_back_legs, order_allowance, refs_of
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.policies import policies_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import CapBasis, ClaimState, OrderState, PostingKind


@dataclass(frozen=True, slots=True)
class ReverseRequest:
    """A captured order that should not have been, and why."""

    order_number: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Back:
    order: Order
    voucher: Voucher


def reverse(
    session: Session, requests: Sequence[ReverseRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """CAPTURED, CLAIMED or APPROVED → REVERSED, by the platform that captured it.

    order → voucher (no longer live: on to its budget line, a closed line to lapsed); the allowance goes back
    to the year that was charged. Orders of one book. An open claim ends, its invoices are free again. Refused, alone: `not_found`,
    `already_settled` for an order in a batch or beyond, `state_changed` for one that is not captured.
    """
    numbers = [request.order_number for request in requests]
    vouchers = find.vouchers_of_orders(session, numbers, actor=actor)
    orders = find.platforms_orders(session, numbers, actor=actor)
    claims = _claims(session, [order.id for order in orders.values()])
    backs: list[_Back | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            next_state(OrderState(order.state), Event.REVERSE)
            backs.append(_Back(order, vouchers[order.voucher_id]))
        except Refusal as refusal:
            backs.append(refused(refusal))
    valid = [back for back in backs if isinstance(back, _Back)]
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


def _post(session: Session, backs: Sequence[_Back], *, actor: Actor, at: datetime) -> list[Order | Refused]:
    """Post the reversals of orders of one book; an order whose money is gone is refused by its balance."""
    lines = find.budget_lines(session, [back.voucher.budget_line_id for back in backs])
    policies = policies_of(session, {back.order.policy_code for back in backs})
    plans = [
        (
            back.order,
            give_back_legs(back.voucher, lines[back.voucher.budget_line_id], back.order.number, 1),
            order_allowance(policies[back.order.policy_code], back.voucher, back.order),
        )
        for back in backs
    ]
    refs = [ref for _, legs, charged in plans for ref in (*refs_of(legs), *(charged.refs if charged else ()))]
    refs += [ref for order, _, _ in plans for ref in refs_of(contract_back_legs(order, 1))]
    locked = lock(session, one_book(back.order.book_id for back in backs), refs)
    results: list[Order | Refused] = []
    for order, legs, charged in plans:
        left = locked.posted(accounts.order(order.number))
        if left <= 0:
            facts: dict[str, Fact] = {"order": order.number, "left_fen": left}
            results.append(Refused(accounts.order(order.number).overdrawn, facts))
            continue
        moves = [replace(leg, amount=left) for leg in legs]
        if charged is not None:
            amount = left if charged.basis is CapBasis.REDEEMED else order.captured_fen
            moves.append(Leg(charged.used, charged.cap, amount))
        moves += contract_back_legs(order, left)
        (answer,) = post(session, locked, [_event(order, moves, actor, at)], at=at)
        results.append(refused(answer) if isinstance(answer, Rejected) else order)
    return results


def _event(order: Order, legs: Sequence[Leg], actor: Actor, at: datetime) -> Posting:
    return Posting(
        id=posting_id("reverse", order.number),
        kind=PostingKind.REVERSE,
        legs=tuple(legs),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
        reverses=order.capture_posting,
    )


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
