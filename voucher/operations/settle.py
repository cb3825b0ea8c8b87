"""Settling a batch: a second person approves exactly what they saw, and the money becomes payable (结算)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.models.cofunding import OrderShare
from voucher.models.orders import Order
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.bar_claim import refuse_barred
from voucher.operations.batch import Batch, content_sha256, locked_batch, standing
from voucher.operations.outcome import Refused
from voucher.operations.share_money import Books, Shared, share_posting
from voucher.operations.together import Joint, lock_books, post_together, refs_by_book
from voucher.rules import lifecycle
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor
from voucher.terms import BatchState, OrderState, PostingKind


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """Approval of a submitted batch, with the sha256 of the content that the checker saw."""

    batch_number: str
    content_sha256: str


def approve(
    session: Session, requests: Sequence[ApprovalRequest], *, actor: Actor, at: datetime
) -> list[Batch | Refused]:
    """Approve batches: order → payable(payee) for every line; orders become SETTLED.

    Of every co-funder's part the lead book has a claim (clearing:B → recovered), and the co-funder's book a debt
    (share → clearing:A), in the same transaction.

    The year is that of `at`. Refused, alone and whole: a batch that is not there (`not_found`), its maker
    (`self_approval`), one that is not submitted (`state_changed`), content other than the checker saw or the maker
    submitted, be it a line, an amount or a payee's account (`batch_changed`), money that is gone from an order
    (`already_settled`), and what bars one of its claims by now (`bars`, as `party_banned`): the batch is sent back.
    """
    return alone(session, requests, lambda request: _approve(session, request, actor=actor, at=at))


def _approve(session: Session, request: ApprovalRequest, *, actor: Actor, at: datetime) -> Batch:
    orders = _locked_orders(session, request.batch_number)
    batch = locked_batch(session, request.batch_number, actor)
    if batch.maker_id == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, batch=batch.number)
    state = next_state(BatchState(batch.state), lifecycle.Event.APPROVE)
    lines = _lines(session, batch)
    now = content_sha256(session, batch)
    if {now, request.content_sha256} != {batch.content_sha256} or not _agree(lines, orders):
        raise Refusal(Code.BATCH_CHANGED, batch=batch.number)
    refuse_barred(session, [line.claim_id for line in lines], at=at)
    _post(session, lines, orders, actor=actor, at=at)
    batch.state = state.value
    batch.checker_id, batch.approved_at = actor.person_id, at
    for line in lines:
        order = orders[line.order_id]
        order.state = next_state(OrderState(order.state), lifecycle.Event.SETTLE).value
        line.settled_at = at
    facts: dict[str, Fact] = {"lines": batch.line_count, "total_fen": batch.total_fen, "content": now}
    journal.record(session, actor, "batch.approve", [(batch.number, facts)], at=at)
    session.flush()
    return standing(batch)


def _locked_orders(session: Session, number: str) -> dict[int, Order]:
    """The orders of a batch, locked before the batch itself (docs/locking.md)."""
    query = (
        select(Order)
        .join(SettlementLine, SettlementLine.order_id == Order.id)
        .join(SettlementBatch, SettlementBatch.id == SettlementLine.batch_id)
        .where(SettlementBatch.number == number)
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    return {order.id: order for order in session.scalars(query)}


def _lines(session: Session, batch: SettlementBatch) -> list[SettlementLine]:
    query = (
        select(SettlementLine)
        .where(SettlementLine.batch_id == batch.id)
        .order_by(SettlementLine.seq)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def _agree(lines: Sequence[SettlementLine], orders: dict[int, Order]) -> bool:
    """Whether every line pays what was approved for its order, and every order was locked."""
    return all(
        line.order_id in orders and line.amount_fen == orders[line.order_id].approved_fen for line in lines
    )


def _post(
    session: Session,
    lines: Sequence[SettlementLine],
    orders: dict[int, Order],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    shared = Shared(session, list(orders.values()))
    book_id = orders[lines[0].order_id].book_id
    books = Books(session, [book_id, *(row.book_id for order in orders.values() for row in shared.of(order))])
    joints = []
    for line in lines:
        order = orders[line.order_id]
        lead = _event(line, order, actor=actor, at=at)
        joints.append(_settled(lead, order, shared.of(order), books))
    locks = lock_books(session, refs_by_book(joints))
    for answer in post_together(session, locks, joints, at=at):
        if isinstance(answer, Rejected):
            raise Refusal(answer.code, **answer.facts)
    for order in orders.values():
        for row in shared.of(order)[1:]:
            row.settled_fen = row.share_fen


def _event(line: SettlementLine, order: Order, *, actor: Actor, at: datetime) -> Event:
    """order → payable."""
    legs = (Leg(accounts.order(order.number), accounts.payable(line.payee_ref), line.amount_fen),)
    return Event(
        id=posting_id(line.id, "settle"),
        kind=PostingKind.SETTLE,
        legs=legs,
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )


def _settled(lead: Event, order: Order, rows: Sequence[OrderShare], books: Books) -> Joint:
    """The settlement with clearing:B → recovered for every co-funder, and in its own book share → clearing:A."""
    others = [row for row in rows[1:] if row.share_fen]
    recovered = accounts.recovered(order.programme_code, lead.fiscal_year)
    owed = accounts.clearing(books.code(order.book_id))
    claims = [Leg(accounts.clearing(books.code(row.book_id)), recovered, row.share_fen) for row in others]
    events = {order.book_id: replace(lead, legs=(*lead.legs, *claims))}
    for row in others:
        debt = Leg(accounts.share(order.number), owed, row.share_fen)
        events[row.book_id] = replace(lead, id=share_posting(lead.id, row.book_id), legs=(debt,))
    return Joint(order.book_id, events)
