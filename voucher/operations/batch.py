"""Settlement batches while they are made: collect approved claims, submit, send back (兑付批次, domain 3.3 step 14)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.parties import PayeeAccount
from voucher.models.programmes import Programme
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.bar_claim import refuse_barred
from voucher.operations.batch_lines import add_lines, remove_lines
from voucher.operations.outcome import Refused
from voucher.operations.policies import policies_of
from voucher.operations.prorata import refuse_unfactored
from voucher.operations.tax_checks import refuse_dead_invoices
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.publicity import working_days_asked
from voucher.terms import BatchState, ClaimState, OrderState


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """A new batch of one programme with these approved claims (none: begin with an empty one)."""

    programme_code: str
    claim_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Claims that join, or leave, a batch that is still collecting."""

    batch_number: str
    claim_numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands; `content_sha256` is empty until it is submitted."""

    batch_id: int
    number: str
    state: BatchState
    line_count: int
    total_fen: Fen
    content_sha256: str = ""


def make(
    session: Session, requests: Sequence[BatchRequest], *, actor: Actor, at: datetime
) -> list[Batch | Refused]:
    """Begin batches; the actor is their maker.

    Refused, alone: a programme of another's book (`not_found`), and what `take_in` refuses.
    """
    return alone(session, requests, lambda request: _make(session, request, actor=actor, at=at))


def take_in(
    session: Session, requests: Sequence[ChangeRequest], *, actor: Actor, at: datetime
) -> list[Batch | Refused]:
    """Add approved claims of the batch's programme; claims and orders become IN_BATCH.

    Refused, alone and whole: what `bars` a claim (domain 4), a batch or claim not there (`not_found`), a batch that is no longer
    collecting or a claim that is not approved (`state_changed`), another's batch (`not_permitted`), a payee account
    that is closed by now (`payee_missing`), an invoice that is red or void (`invoice_void`) or was not looked up
    lately, where the policy asks for that (`invoice_unchecked`).
    """
    return alone(
        session, requests, lambda request: _change(session, request, Event.TAKE_IN, actor=actor, at=at)
    )


def take_out(
    session: Session, requests: Sequence[ChangeRequest], *, actor: Actor, at: datetime
) -> list[Batch | Refused]:
    """Take claims out again; they become what they were, APPROVED or CLEARED. Refused as for `take_in`."""
    return alone(
        session, requests, lambda request: _change(session, request, Event.TAKE_OUT, actor=actor, at=at)
    )


def submit(session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime) -> list[Batch | Refused]:
    """Hand batches to the checker, with the sha256 of their content.

    Refused, alone: not there (`not_found`), nothing in it (`batch_empty`), submitted already (`state_changed`),
    another's batch (`not_permitted`).
    """
    return alone(session, numbers, lambda number: _submit(session, number, actor=actor, at=at))


def send_back(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Batch | Refused]:
    """Give submitted batches back to the maker, to be changed. Refused, alone: `not_found`, `state_changed`."""
    return alone(session, numbers, lambda number: _send_back(session, number, actor=actor, at=at))


def locked_batch(session: Session, number: str, actor: Actor) -> SettlementBatch:
    """A batch of one of the actor's books, locked; refused `not_found`."""
    query = (
        select(SettlementBatch)
        .where(SettlementBatch.number == number, SettlementBatch.book_id.in_(actor.book_ids))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    batch = session.scalars(query).one_or_none()
    if batch is None:
        raise Refusal(Code.NOT_FOUND, batch=number)
    return batch


def content_sha256(session: Session, batch: SettlementBatch) -> str:
    """sha256 of what would be paid now: each line's claim, payee, account and amount, as claims and accounts stand.

    The rows of the claims and payee accounts are read afresh, so a change of either changes the hash.
    """
    query = (
        select(SettlementLine.seq, Claim.number, Claim.approved_fen, SettlementLine.amount_fen)
        .add_columns(SettlementLine.payee_ref, SettlementLine.payee_name, SettlementLine.bank)
        .add_columns(SettlementLine.account_no, PayeeAccount.account_name, PayeeAccount.bank)
        .add_columns(PayeeAccount.account_no, PayeeAccount.active, PayeeAccount.id)
        .join(Claim, Claim.id == SettlementLine.claim_id)
        .join(PayeeAccount, PayeeAccount.id == Claim.payee_account_id)
        .where(SettlementLine.batch_id == batch.id)
        .order_by(SettlementLine.seq)
    )
    rows = [list(row) for row in session.execute(query)]
    text = json.dumps([batch.number, rows], ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def standing(batch: SettlementBatch) -> Batch:
    """The answer to an operation on a batch."""
    return Batch(
        batch.id, batch.number, BatchState(batch.state), batch.line_count, Fen(batch.total_fen),
        batch.content_sha256 or "",
    )  # fmt: skip


def _make(session: Session, request: BatchRequest, *, actor: Actor, at: datetime) -> Batch:
    programme = session.get(Programme, request.programme_code)
    if programme is None or programme.book_id not in actor.book_ids:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    (batch_id,) = take_ids(session, SettlementBatch, 1)
    batch = SettlementBatch(
        id=batch_id,
        number=numbered("B", fiscal_year(at), batch_id),
        book_id=programme.book_id,
        programme_code=programme.code,
        state=BatchState.COLLECTING.value,
        total_fen=0,
        line_count=0,
        maker_id=actor.person_id,
        made_at=at,
    )
    session.add(batch)
    session.flush()
    _note(session, batch, "batch.make", actor=actor, at=at)
    if not request.claim_numbers:
        return standing(batch)
    change = ChangeRequest(batch.number, request.claim_numbers)
    return _change(session, change, Event.TAKE_IN, actor=actor, at=at)


def _change(session: Session, request: ChangeRequest, event: Event, *, actor: Actor, at: datetime) -> Batch:
    pairs = _claims_of(session, request, actor)
    batch = _own_batch(session, request.batch_number, actor)
    if BatchState(batch.state) is not BatchState.COLLECTING:
        raise Refusal(Code.STATE_CHANGED, state=batch.state, event=event.value)
    missing = set(request.claim_numbers) - {
        claim.number for claim, order in pairs if order.programme_code == batch.programme_code
    }
    if missing:
        raise Refusal(Code.NOT_FOUND, claim=min(missing))
    refuse_barred(session, [claim.id for claim, _ in pairs if event is Event.TAKE_IN], at=at)
    refuse_dead_invoices(session, pairs if event is Event.TAKE_IN else (), at=at)
    _move(session, pairs, event)
    if event is Event.TAKE_IN:
        add_lines(session, batch, [claim for claim, _ in pairs])
    else:
        remove_lines(session, batch, [claim.id for claim, _ in pairs])
    session.flush()
    total = select(func.count(), func.coalesce(func.sum(SettlementLine.amount_fen), 0)).where(
        SettlementLine.batch_id == batch.id
    )
    batch.line_count, batch.total_fen = (int(value) for value in session.execute(total).one())
    _note(session, batch, f"batch.{event.value}", actor=actor, at=at)
    return standing(batch)


def _move(session: Session, pairs: Sequence[tuple[Claim, Order]], event: Event) -> None:
    """Claims and orders into the batch or out of it; one that was published goes back to CLEARED.

    Refuses `notice_required` for a claim whose policy asks for a notice and that is not cleared, `factor_required` for
    one whose policy fixes a factor after the window, before it was applied.
    """
    policies = policies_of(session, {order.policy_code for _, order in pairs})
    if event is Event.TAKE_IN:
        refuse_unfactored([(claim, policies[order.policy_code]) for claim, order in pairs])
    for claim, order in pairs:
        days, state = working_days_asked(policies[order.policy_code]), ClaimState(claim.state)
        if event is Event.TAKE_IN and days and state is ClaimState.APPROVED:
            raise Refusal(Code.NOTICE_REQUIRED, claim=claim.number, working_days=days)
        following = next_state(state, event)
        if days and following is ClaimState.APPROVED:
            following = ClaimState.CLEARED
        claim.state = following.value
        order.state = next_state(OrderState(order.state), event).value


def _own_batch(session: Session, number: str, actor: Actor) -> SettlementBatch:
    """A batch has one maker: what a second person put in, that person could approve."""
    batch = locked_batch(session, number, actor)
    if batch.maker_id != actor.person_id:
        raise Refusal(Code.NOT_PERMITTED)
    return batch


def _claims_of(session: Session, request: ChangeRequest, actor: Actor) -> list[tuple[Claim, Order]]:
    """The claims and their orders in the actor's books, locked, in the order they were submitted."""
    query = (
        select(Order)
        .join(Claim, Claim.order_id == Order.id)
        .where(Claim.number.in_(request.claim_numbers), Claim.book_id.in_(actor.book_ids))
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    orders = {order.id: order for order in session.scalars(query)}
    claims = session.scalars(
        select(Claim)
        .where(Claim.order_id.in_(orders))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [(claim, orders[claim.order_id]) for claim in claims]


def _submit(session: Session, number: str, *, actor: Actor, at: datetime) -> Batch:
    batch = _own_batch(session, number, actor)
    if batch.line_count == 0:
        raise Refusal(Code.BATCH_EMPTY, batch=number)
    batch.state = next_state(BatchState(batch.state), Event.SUBMIT).value
    batch.submitted_at = at
    batch.content_sha256 = content_sha256(session, batch)
    _note(session, batch, "batch.submit", actor=actor, at=at)
    return standing(batch)


def _send_back(session: Session, number: str, *, actor: Actor, at: datetime) -> Batch:
    batch = locked_batch(session, number, actor)
    batch.state = next_state(BatchState(batch.state), Event.SEND_BACK).value
    batch.content_sha256 = batch.submitted_at = None
    _note(session, batch, "batch.send_back", actor=actor, at=at)
    return standing(batch)


def _note(session: Session, batch: SettlementBatch, action: str, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {"lines": batch.line_count, "total_fen": batch.total_fen}
    journal.record(session, actor, action, [(batch.number, facts)], at=at)
    session.flush()
