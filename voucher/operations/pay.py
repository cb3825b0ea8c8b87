"""Paying a settled batch: the payment file, and paying a bounced line again (国库集中支付, domain 3.3 step 15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Organisation
from voucher.models.programmes import Programme
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.bar_claim import bars_of_claims
from voucher.operations.batch import locked_batch
from voucher.operations.outcome import Refused
from voucher.operations.payees import accounts_in_use, payable_to
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import BatchState, LineState


@dataclass(frozen=True, slots=True)
class Instruction:
    """One payment that the bank is to make. `reference` names line and attempt, and comes back in its answer."""

    reference: str
    seq: int
    attempt: int
    payee_name: str
    payee_uscc: str
    bank: str
    account_no: str
    amount_fen: Fen
    claim_number: str
    order_number: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a payment file holds: the batch, and its lines that are still to be paid."""

    batch_number: str
    programme_name: str
    exported_at: datetime
    content_sha256: str
    total_fen: Fen
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class RepayRequest:
    """A bounced line to be paid again, to another confirmed account of the same payee where one is named."""

    batch_number: str
    seq: int
    payee_account_id: int | None = None


@dataclass(frozen=True, slots=True)
class Requeued:
    """The line waits for the next payment file under its new attempt."""

    batch_number: str
    seq: int
    attempt: int


def export(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[PaymentOrder | Refused]:
    """The payments of approved batches; the batch becomes EXPORTED. Exported again, it holds what is still unpaid.

    Payments to, or for a service of, a party that is shut out by now are left out until it is let in again.

    Refused, alone: not there (`not_found`), not approved yet or all paid (`state_changed`), nothing left to pay
    (`batch_empty`).
    """
    return alone(session, numbers, lambda number: _export(session, number, actor=actor, at=at))


def pay_again(
    session: Session, requests: Sequence[RepayRequest], *, actor: Actor, at: datetime
) -> list[Requeued | Refused]:
    """Put bounced lines up for payment again, as attempt + 1; the claim follows a corrected account.

    Refused, alone: not there (`not_found`), a line that did not bounce (`state_changed`), an account that is not
    the payee's, closed, or in another name (`payee_missing`), and another account named by whoever booked the return
    (`self_approval`): nobody alone turns a payment to where they want it.
    """
    return alone(session, requests, lambda request: _pay_again(session, request, actor=actor, at=at))


def reference(batch_number: str, seq: int, attempt: int) -> str:
    """What names one attempt to pay one line, in both directions: `B202600000017-0003-2`."""
    return f"{batch_number}-{seq:04d}-{attempt}"


def _export(session: Session, number: str, *, actor: Actor, at: datetime) -> PaymentOrder:
    batch = locked_batch(session, number, actor)
    batch.state = next_state(BatchState(batch.state), Event.EXPORT).value
    instructions = _instructions(session, batch, at=at)
    if not instructions:
        raise Refusal(Code.BATCH_EMPTY, batch=number)
    batch.exported_at = at
    total = Fen(sum(each.amount_fen for each in instructions))
    facts: dict[str, Fact] = {"lines": len(instructions), "total_fen": total}
    journal.record(session, actor, "batch.export", [(number, facts)], at=at)
    session.flush()
    programme = session.get_one(Programme, batch.programme_code)
    return PaymentOrder(number, programme.name, at, batch.content_sha256 or "", total, instructions)


def _instructions(session: Session, batch: SettlementBatch, *, at: datetime) -> tuple[Instruction, ...]:
    """The payments that are still to be made; those of a party that is shut out by now wait, and stay in the batch."""
    query = (
        select(SettlementLine, Claim.number, Order.number)
        .join(Claim, Claim.id == SettlementLine.claim_id)
        .join(Order, Order.id == SettlementLine.order_id)
        .where(SettlementLine.batch_id == batch.id, SettlementLine.state == LineState.PENDING.value)
        .order_by(SettlementLine.seq)
    )
    rows = session.execute(query).all()
    barred = bars_of_claims(session, [line.claim_id for line, *_ in rows], at=at)
    stopped = {claim_id for claim_id, why in barred.items() if why.code is Code.PARTY_BANNED}
    return tuple(
        Instruction(
            reference=reference(batch.number, line.seq, line.attempt),
            seq=line.seq,
            attempt=line.attempt,
            payee_name=line.payee_name,
            payee_uscc=line.payee_ref,
            bank=line.bank,
            account_no=line.account_no,
            amount_fen=Fen(line.amount_fen),
            claim_number=claim_number,
            order_number=order_number,
        )
        for line, claim_number, order_number in rows
        if line.claim_id not in stopped
    )


def _pay_again(session: Session, request: RepayRequest, *, actor: Actor, at: datetime) -> Requeued:
    claim = _locked_claim(session, request)
    batch = locked_batch(session, request.batch_number, actor)
    line = _locked_line(session, batch, request.seq)
    line.state = next_state(LineState(line.state), Event.EXPORT).value
    line.attempt += 1
    line.bank_serial = line.state_reason = ""
    payee = session.scalars(select(Organisation).where(Organisation.uscc == line.payee_ref)).one()
    account_id = request.payee_account_id or claim.payee_account_id
    account = payable_to(payee, accounts_in_use(session, [account_id]), account_id=account_id)
    if account.account_no != line.account_no and actor.person_id == line.bounced_by:
        raise Refusal(Code.SELF_APPROVAL, batch=batch.number, line=line.seq)
    claim.payee_account_id = account.id
    line.payee_name, line.bank, line.account_no = account.account_name, account.bank, account.account_no
    facts: dict[str, Fact] = {"line": line.seq, "attempt": line.attempt, "payee_account": account.id}
    journal.record(session, actor, "line.pay_again", [(batch.number, facts)], at=at)
    session.flush()
    return Requeued(batch.number, line.seq, line.attempt)


def _locked_claim(session: Session, request: RepayRequest) -> Claim:
    """The claim of a line, locked before its batch (docs/locking.md); refused `not_found`."""
    query = (
        select(Claim)
        .join(SettlementLine, SettlementLine.claim_id == Claim.id)
        .join(SettlementBatch, SettlementBatch.id == SettlementLine.batch_id)
        .where(SettlementBatch.number == request.batch_number, SettlementLine.seq == request.seq)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    claim = session.scalars(query).one_or_none()
    if claim is None:
        raise Refusal(Code.NOT_FOUND, batch=request.batch_number, line=request.seq)
    return claim


def _locked_line(session: Session, batch: SettlementBatch, seq: int) -> SettlementLine:
    """A line of a batch whose row is locked."""
    query = (
        select(SettlementLine)
        .where(SettlementLine.batch_id == batch.id, SettlementLine.seq == seq)
        .execution_options(populate_existing=True)
    )
    return session.scalars(query).one()
