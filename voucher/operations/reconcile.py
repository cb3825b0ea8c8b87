"""Reconciling a batch with the bank's answer, line by line: paid, or returned (对账, 退汇; domain 3.3 step 16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import MOST_EVENTS, post
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Organisation, Platform
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.operations import journal
from voucher.operations.charges import refs_of
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.tell import Note, tell
from voucher.rules import lifecycle
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor
from voucher.terms import BatchState, ClaimState, LineState, MessageEvent, OrderState, PostingKind

Row = TypeVar("Row", Order, Claim, SettlementBatch, SettlementLine)


@dataclass(frozen=True, slots=True)
class BankResult:
    """One line of the bank's answer: which line and attempt, paid or returned, its serial, the reason."""

    batch_number: str
    seq: int
    attempt: int
    paid: bool
    serial: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The line after the bank's answer, and whether all of its batch is paid now."""

    batch_number: str
    seq: int
    attempt: int
    state: LineState
    batch_state: BatchState


@dataclass(frozen=True, slots=True)
class _Line:
    batch: SettlementBatch
    line: SettlementLine
    claim: Claim
    order: Order

    def event(self, kind: PostingKind, *, actor: Actor, at: datetime) -> Event:
        """The posting of this attempt: payable → paid, or for a bank return the other way, reversing it."""
        payable, paid = accounts.payable(self.line.payee_ref), accounts.paid()
        returned = kind is PostingKind.BANK_RETURN
        payment = posting_id(self.line.id, "pay", self.line.attempt)
        return Event(
            id=posting_id(self.line.id, "return", self.line.attempt) if returned else payment,
            kind=kind,
            legs=(Leg(*((paid, payable) if returned else (payable, paid)), self.line.amount_fen),),
            fiscal_year=fiscal_year(at),
            event_on=business_date(at),
            rule_version=self.order.policy_code,
            actor_ref=actor.ref,
            reverses=payment if returned else None,
        )


def reconcile(
    session: Session, results: Sequence[BankResult], *, actor: Actor, at: datetime
) -> list[Reconciled | Refused]:
    """Book the bank's answers. Paid: payable → paid, order and claim PAID. Returned: that payment is reversed.

    A line that is returned before it was booked as paid is booked both ways, so the ledger shows every attempt
    that the bank shows. The same answer again changes nothing. When all lines are paid the batch is RECONCILED.
    Refused, alone: not there (`not_found`), a batch without payment file, another attempt than the open one, or an
    answer that contradicts the one booked (`state_changed`). A closed period refuses the whole sequence.
    """
    known = _locked(session, results, actor)
    events: list[Event] = []
    taken: list[_Line | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    for result in results:
        found = known.get((result.batch_number, result.seq))
        try:
            before = len(events)
            taken.append(_take(found, result, events, actor=actor, at=at))
        except Refusal as refusal:
            taken.append(refused(refusal))
            continue
        if len(events) > before:
            facts: dict[str, Fact] = {"line": result.seq, "attempt": result.attempt, "paid": result.paid}
            notes.append((result.batch_number, facts))
    _post(session, list(known.values()), events, at=at)
    session.flush()
    _close(session, {each.batch.id: each.batch for each in known.values()}, at=at)
    journal.record(session, actor, "line.reconcile", notes, at=at)
    session.flush()
    _tell(session, [each for each in taken if isinstance(each, _Line)], at=at)
    return [each if isinstance(each, Refused) else _answer(each) for each in taken]


def _take(
    known: _Line | None, result: BankResult, events: list[Event], *, actor: Actor, at: datetime
) -> _Line:
    """Move line, claim and order to what the bank says, and add the postings that say so."""
    if known is None:
        raise Refusal(Code.NOT_FOUND, batch=result.batch_number, line=result.seq)
    line, claim, order = known.line, known.claim, known.order
    happened = lifecycle.Event.PAY if result.paid else lifecycle.Event.BOUNCE
    booked = LineState(line.state)
    if result.attempt != line.attempt or known.batch.exported_at is None:
        raise Refusal(Code.STATE_CHANGED, state=line.state, event=happened.value)
    wanted = LineState.PAID if result.paid else LineState.BOUNCED
    if booked is wanted and result.serial == line.bank_serial:
        return known
    following = next_state(booked, happened)
    if result.paid or booked is LineState.PAID:
        claim_state = next_state(ClaimState(claim.state), happened)
        order.state = next_state(OrderState(order.state), happened).value
        claim.state = claim_state.value
    line.state = following.value
    if booked is not LineState.PAID:
        events.append(known.event(PostingKind.PAY, actor=actor, at=at))
    if not result.paid:
        events.append(known.event(PostingKind.BANK_RETURN, actor=actor, at=at))
    line.bank_serial, line.state_reason = result.serial, result.reason[:200]
    line.paid_at = order.closed_at = at if result.paid else None
    line.bounced_by = None if result.paid else actor.person_id
    return known


def _locked(session: Session, results: Sequence[BankResult], actor: Actor) -> dict[tuple[str, int], _Line]:
    """The lines that are named, in the actor's books; orders, claims and batches locked in this order."""
    named = (
        select(SettlementLine.id, SettlementLine.order_id, SettlementBatch.id, SettlementBatch.number)
        .join(SettlementBatch, SettlementBatch.id == SettlementLine.batch_id)
        .where(
            SettlementBatch.number.in_({result.batch_number for result in results}),
            SettlementBatch.book_id.in_(actor.book_ids),
            SettlementLine.seq.in_({result.seq for result in results}),
        )
    )
    rows = session.execute(named).all()
    order_ids = [row[1] for row in rows]
    orders = {order.id: order for order in _rows(session, Order, Order.id.in_(order_ids))}
    standing = and_(Claim.order_id.in_(order_ids), Claim.state != ClaimState.WITHDRAWN.value)
    claims = {claim.order_id: claim for claim in _rows(session, Claim, standing)}
    batch_ids = SettlementBatch.id.in_({row[2] for row in rows})
    batches = {batch.id: batch for batch in _rows(session, SettlementBatch, batch_ids)}
    lines = _rows(session, SettlementLine, SettlementLine.id.in_([row[0] for row in rows]))
    return {
        (batches[line.batch_id].number, line.seq): _Line(
            batches[line.batch_id], line, claims[line.order_id], orders[line.order_id]
        )
        for line in lines
    }


def _rows(session: Session, table: type[Row], condition: ColumnElement[bool]) -> Sequence[Row]:
    query = select(table).where(condition).order_by(table.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def _post(session: Session, lines: Sequence[_Line], events: Sequence[Event], *, at: datetime) -> None:
    if not events:
        return
    book_id = one_book(each.batch.book_id for each in lines)
    locked = lock(session, book_id, [ref for event in events for ref in refs_of(event.legs)])
    for start in range(0, len(events), MOST_EVENTS):
        for answer in post(session, locked, events[start : start + MOST_EVENTS], at=at):
            if isinstance(answer, Rejected):
                raise Refusal(answer.code, **answer.facts)


def _close(session: Session, batches: dict[int, SettlementBatch], *, at: datetime) -> None:
    """A batch is RECONCILED while all its lines are paid, and back at EXPORTED when one bounces after that."""
    unpaid = set(
        session.scalars(
            select(SettlementLine.batch_id)
            .where(SettlementLine.batch_id.in_(batches), SettlementLine.state != LineState.PAID.value)
            .distinct()
        )
    )
    for batch_id, batch in batches.items():
        state = BatchState(batch.state)
        if state is BatchState.EXPORTED and batch_id not in unpaid:
            batch.state, batch.reconciled_at = next_state(state, lifecycle.Event.RECONCILE).value, at
        elif state is BatchState.RECONCILED and batch_id in unpaid:
            batch.state, batch.reconciled_at = next_state(state, lifecycle.Event.BOUNCE).value, None


def _tell(session: Session, lines: Sequence[_Line], *, at: datetime) -> None:
    """The holder of each order is told once of each attempt, and so is the platform where its host is paid."""
    hosts = select(Organisation.uscc, Platform.id).join(Platform, Platform.organisation_id == Organisation.id)
    paid = {
        (uscc, platform_id)
        for uscc, platform_id in session.execute(
            hosts.where(Platform.id.in_({each.order.platform_id for each in lines}))
        )
    }
    notes = []
    for each in lines:
        line, bounced = each.line, each.line.state == LineState.BOUNCED.value
        facts: dict[str, Fact] = {"amount_fen": line.amount_fen, "reason": line.state_reason or None}
        hosted = (line.payee_ref, each.order.platform_id) in paid
        notes.append(
            Note(
                MessageEvent.PAYMENT_BOUNCED if bounced else MessageEvent.CLAIM_PAID,
                each.claim.number,
                facts,
                holder_id=each.order.holder_id,
                platform_id=each.order.platform_id if hosted else None,
                once=str(line.attempt),
            )
        )
    tell(session, notes, at=at)


def _answer(known: _Line) -> Reconciled:
    line, batch = known.line, known.batch
    state = LineState(line.state)
    return Reconciled(batch.number, line.seq, line.attempt, state, BatchState(batch.state))
