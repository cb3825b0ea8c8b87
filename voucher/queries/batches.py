"""Settlement batches as finance and auditors read them: the list, one batch line by line, what waits, what bounced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, PayeeAccount
from voucher.models.people import Person
from voucher.models.programmes import Programme
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.queries.claims import Deed, history
from voucher.queries.paging import Page, as_term, paged
from voucher.queries.policies import policy_of
from voucher.queries.unfactored import unfactored
from voucher.rules.permissions import Actor
from voucher.rules.publicity import working_days_asked
from voucher.terms import BatchState, ClaimState, LineState


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches: in a state, of a programme (empty: every one)."""

    state: BatchState | None = None
    programme: str = ""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A batch in a list."""

    number: str
    state: BatchState
    programme_name: str
    line_count: int
    total_fen: int
    maker: str
    made_at: datetime
    checker: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment of a batch."""

    seq: int
    state: LineState
    attempt: int
    claim_number: str
    order_number: str
    holder_name: str
    payee_ref: str
    payee_name: str
    bank: str
    account_no: str
    amount_fen: int
    bank_serial: str
    state_reason: str
    paid_at: datetime | None
    bounced_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFile:
    """A batch with all its lines, who made and checked it, and what is done and not done of it."""

    batch: SettlementBatch
    state: BatchState
    programme_name: str
    maker: str
    checker: str
    lines: Sequence[PaymentLine]
    history: Sequence[Deed]

    def total(self, state: LineState) -> tuple[int, int]:
        """Number and sum of the lines in a state."""
        amounts = [line.amount_fen for line in self.lines if line.state is state]
        return len(amounts), sum(amounts)


@dataclass(frozen=True, slots=True)
class ReadyClaim:
    """An approved claim that no batch has taken in yet."""

    number: str
    order_number: str
    programme_code: str
    holder_name: str
    holder_ref: str
    payee_name: str
    approved_fen: int | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class BouncedLine:
    """A payment that the bank returned and that waits to be paid again."""

    batch_number: str
    seq: int
    attempt: int
    payee_name: str
    account_no: str
    amount_fen: int
    state_reason: str


@dataclass(frozen=True, slots=True)
class PayeeOption:
    """An account in use of a payee."""

    id: int
    account_name: str
    bank: str
    account_no: str


def batches(session: Session, actor: Actor, wanted: BatchFilter, *, page: int = 1) -> Page[BatchLine]:
    """The batches of the actor's books, newest first."""
    maker, checker = aliased(Person), aliased(Person)
    conditions: list[ColumnElement[bool]] = [SettlementBatch.book_id.in_(actor.book_ids)]
    if wanted.state is not None:
        conditions.append(SettlementBatch.state == wanted.state.value)
    if wanted.programme:
        conditions.append(SettlementBatch.programme_code == wanted.programme)
    query = (
        select(
            SettlementBatch.number,
            as_term(SettlementBatch.state, BatchState),
            Programme.name,
            SettlementBatch.line_count,
            SettlementBatch.total_fen,
            maker.name,
            SettlementBatch.made_at,
            checker.name,
            SettlementBatch.approved_at,
        )
        .join(Programme, Programme.code == SettlementBatch.programme_code)
        .join(maker, maker.id == SettlementBatch.maker_id)
        .outerjoin(checker, checker.id == SettlementBatch.checker_id)
        .where(*conditions)
        .order_by(SettlementBatch.id.desc())
    )
    return paged(session, query, BatchLine, page=page)


def batch_file(session: Session, actor: Actor, number: str) -> BatchFile | None:
    """A batch of the actor's books with its lines; None for another's."""
    maker, checker = aliased(Person), aliased(Person)
    row = session.execute(
        select(SettlementBatch, Programme.name, maker.name, checker.name)
        .join(Programme, Programme.code == SettlementBatch.programme_code)
        .join(maker, maker.id == SettlementBatch.maker_id)
        .outerjoin(checker, checker.id == SettlementBatch.checker_id)
        .where(SettlementBatch.number == number, SettlementBatch.book_id.in_(actor.book_ids))
    ).one_or_none()
    if row is None:
        return None
    batch, programme_name, made_by, checked_by = row
    return BatchFile(
        batch=batch,
        state=BatchState(batch.state),
        programme_name=programme_name,
        maker=made_by,
        checker=checked_by or "",
        lines=_lines(session, batch.id),
        history=history(session, [batch.number]),
    )


def approved_claims(session: Session, actor: Actor, programme_code: str = "") -> list[ReadyClaim]:
    """Claims of the actor's books that may go into a batch, the longest waiting first.

    They are approved, or cleared where the policy asks for a public notice; none waits for a factor.
    """
    query = (
        select(
            Claim.number,
            Order.number,
            Order.programme_code,
            Holder.name,
            Holder.ref,
            PayeeAccount.account_name,
            Claim.approved_fen,
            Claim.decided_at,
        )
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(PayeeAccount, PayeeAccount.id == Claim.payee_account_id)
        .where(_ready(session), not_(unfactored(session)), Claim.book_id.in_(actor.book_ids))
        .order_by(Claim.decided_at, Claim.id)
    )
    if programme_code:
        query = query.where(Order.programme_code == programme_code)
    return [ReadyClaim(*row) for row in session.execute(query)]


def _ready(session: Session) -> ColumnElement[bool]:
    """Whether a claim, joined with its order, is cleared, or approved under a version that asks for no notice."""
    approved = Claim.state == ClaimState.APPROVED.value
    codes = session.scalars(
        select(Order.policy_code).join(Claim, Claim.order_id == Order.id).where(approved).distinct()
    )
    unasked = [code for code in codes if not working_days_asked(policy_of(session, code))]
    return or_(Claim.state == ClaimState.CLEARED.value, and_(approved, Order.policy_code.in_(unasked)))


def bounced_lines(session: Session, actor: Actor) -> list[BouncedLine]:
    """Every returned payment of the actor's books that is not paid again yet."""
    query = (
        select(
            SettlementBatch.number,
            SettlementLine.seq,
            SettlementLine.attempt,
            SettlementLine.payee_name,
            SettlementLine.account_no,
            SettlementLine.amount_fen,
            SettlementLine.state_reason,
        )
        .join(SettlementBatch, SettlementBatch.id == SettlementLine.batch_id)
        .where(SettlementLine.state == LineState.BOUNCED.value, SettlementBatch.book_id.in_(actor.book_ids))
        .order_by(SettlementBatch.id, SettlementLine.seq)
    )
    return [BouncedLine(*row) for row in session.execute(query)]


def own_bounced(session: Session, actor: Actor) -> list[tuple[str, int, str]]:
    """Returned payments to the actor's own organisations, not paid again yet: (claim number, fen, why)."""
    query = (
        select(Claim.number, SettlementLine.amount_fen, SettlementLine.state_reason)
        .join(Claim, Claim.id == SettlementLine.claim_id)
        .join(Organisation, Organisation.uscc == SettlementLine.payee_ref)
        .where(SettlementLine.state == LineState.BOUNCED.value, Organisation.id.in_(actor.organisation_ids))
        .order_by(SettlementLine.id)
    )
    return [(number, fen, reason) for number, fen, reason in session.execute(query)]


def payee_options(session: Session, payee_ref: str) -> list[PayeeOption]:
    """The accounts in use of a payee, named by USCC."""
    query = (
        select(PayeeAccount.id, PayeeAccount.account_name, PayeeAccount.bank, PayeeAccount.account_no)
        .join(Organisation, Organisation.id == PayeeAccount.organisation_id)
        .where(Organisation.uscc == payee_ref, PayeeAccount.active.is_(True))
        .order_by(PayeeAccount.id.desc())
    )
    return [PayeeOption(*row) for row in session.execute(query)]


def _lines(session: Session, batch_id: int) -> list[PaymentLine]:
    query = (
        select(
            SettlementLine.seq,
            as_term(SettlementLine.state, LineState),
            SettlementLine.attempt,
            Claim.number,
            Order.number,
            Holder.name,
            SettlementLine.payee_ref,
            SettlementLine.payee_name,
            SettlementLine.bank,
            SettlementLine.account_no,
            SettlementLine.amount_fen,
            SettlementLine.bank_serial,
            SettlementLine.state_reason,
            SettlementLine.paid_at,
            SettlementLine.bounced_by,
        )
        .join(Claim, Claim.id == SettlementLine.claim_id)
        .join(Order, Order.id == SettlementLine.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(SettlementLine.batch_id == batch_id)
        .order_by(SettlementLine.seq)
    )
    return [PaymentLine(*row) for row in session.execute(query)]
