"""Money between two books (区域清算): what one owes over the clearing accounts is sent, and received, by two persons each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.balances import free_balance
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.cofunding import Remittance
from voucher.models.ledger import Book
from voucher.models.numbers import take_ids
from voucher.money import Fen
from voucher.operations.alone import alone
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind, RemittanceState


@dataclass(frozen=True, slots=True)
class RemitRequest:
    """An amount, in fen, that book `from_code` is to pay book `to_code`, and the document that orders it."""

    from_code: str
    to_code: str
    amount_fen: Fen
    document_no: str


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """A remittance that has arrived, and the number of the bank's receipt."""

    number: str
    receipt_no: str


def prepare(
    session: Session, requests: Sequence[RemitRequest], *, actor: Actor, at: datetime
) -> list[Remittance | Refused]:
    """Prepare remittances from the actor's book: PREPARED, nothing is posted yet.

    Refused, alone: a book that is not the actor's, or no other book of that code (`not_found`), more than is owed
    over the clearing account less what is prepared already (`clearing_exceeded`).
    """
    return alone(session, requests, lambda request: _prepare(session, request, actor=actor, at=at))


def send(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Remittance | Refused]:
    """PREPARED → SENT by another person than prepared it: clearing → paid in the sending book.

    Refused, alone: `not_found`, `state_changed`, `self_approval`, `clearing_exceeded`, `period_closed`.
    """
    return alone(session, numbers, lambda number: _send(session, number, actor=actor, at=at))


def withdraw(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Remittance | Refused]:
    """PREPARED → WITHDRAWN. Refused, alone: `not_found`, `state_changed`."""

    def one(number: str) -> Remittance:
        row = _locked(session, number, actor, sending=True)
        _step(row, RemittanceState.PREPARED, RemittanceState.WITHDRAWN)
        _keep(session, row, "remittance.withdraw", actor=actor, at=at)
        return row

    return alone(session, numbers, one)


def note(
    session: Session, requests: Sequence[NoteRequest], *, actor: Actor, at: datetime
) -> list[Remittance | Refused]:
    """SENT → NOTED: the receiving book has found the money at its bank. Refused, alone: `not_found`, `state_changed`."""

    def one(request: NoteRequest) -> Remittance:
        row = _locked(session, request.number, actor, sending=False)
        _step(row, RemittanceState.SENT, RemittanceState.NOTED)
        row.receipt_no, row.noted_by, row.noted_at = request.receipt_no, actor.person_id, at
        _keep(session, row, "remittance.note", actor=actor, at=at)
        return row

    return alone(session, requests, one)


def receive(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Remittance | Refused]:
    """NOTED → RECEIVED by another person than noted it: source → clearing in the receiving book.

    Refused, alone: `not_found`, `state_changed`, `self_approval`, `period_closed`.
    """

    def one(number: str) -> Remittance:
        row = _locked(session, number, actor, sending=False)
        _step(row, RemittanceState.NOTED, RemittanceState.RECEIVED)
        if row.noted_by == actor.person_id:
            raise Refusal(Code.SELF_APPROVAL, remittance=row.number)
        leg = Leg(accounts.source(), accounts.clearing(_code(session, row.from_book_id)), row.amount_fen)
        _post(session, row, leg, actor=actor, at=at)
        row.received_by, row.received_at = actor.person_id, at
        _keep(session, row, "remittance.receive", actor=actor, at=at)
        return row

    return alone(session, numbers, one)


def _prepare(session: Session, request: RemitRequest, *, actor: Actor, at: datetime) -> Remittance:
    books = {
        book.code: book
        for book in session.scalars(
            select(Book)
            .where(Book.code.in_((request.from_code, request.to_code)))
            .order_by(Book.book_id)
            .with_for_update(key_share=True)
        )
    }
    sender, taker = books.get(request.from_code), books.get(request.to_code)
    if sender is None or sender.book_id not in actor.book_ids:
        raise Refusal(Code.NOT_FOUND, book=request.from_code)
    if taker is None or taker.book_id == sender.book_id:
        raise Refusal(Code.NOT_FOUND, book=request.to_code)
    _bar_more(session, (sender.book_id, taker), request.amount_fen, but=0)
    (row_id,) = take_ids(session, Remittance, 1)
    row = Remittance(
        id=row_id,
        number=numbered("G", fiscal_year(at), row_id),
        from_book_id=sender.book_id,
        to_book_id=taker.book_id,
        amount_fen=request.amount_fen,
        state=RemittanceState.PREPARED.value,
        document_no=request.document_no,
        prepared_by=actor.person_id,
        prepared_at=at,
    )
    session.add(row)
    _keep(session, row, "remittance.prepare", actor=actor, at=at)
    return row


def _send(session: Session, number: str, *, actor: Actor, at: datetime) -> Remittance:
    row = _locked(session, number, actor, sending=True)
    _step(row, RemittanceState.PREPARED, RemittanceState.SENT)
    if row.prepared_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, remittance=row.number)
    taker = session.get_one(Book, row.to_book_id)
    _bar_more(session, (row.from_book_id, taker), Fen(row.amount_fen), but=row.id)
    leg = Leg(accounts.clearing(taker.code), accounts.paid(), row.amount_fen)
    _post(session, row, leg, actor=actor, at=at)
    row.sent_by, row.sent_at = actor.person_id, at
    _keep(session, row, "remittance.send", actor=actor, at=at)
    return row


def _bar_more(session: Session, pair: tuple[int, Book], amount_fen: Fen, *, but: int) -> None:
    """Refuse more than the sending book owes, less what else is prepared. Its book's row is locked."""
    sender, taker = pair
    owed = free_balance(session, sender, accounts.clearing(taker.code))
    waiting = select(func.coalesce(func.sum(Remittance.amount_fen), 0)).where(
        Remittance.from_book_id == sender,
        Remittance.to_book_id == taker.book_id,
        Remittance.state == RemittanceState.PREPARED.value,
        Remittance.id != but,
    )
    prepared = int(session.execute(waiting).scalar_one())
    left = max(owed - prepared, 0)
    if amount_fen > left:
        facts: dict[str, Fact] = {"payable_fen": max(owed, 0), "prepared_fen": prepared}
        raise Refusal(Code.CLEARING_EXCEEDED, **facts, needed_fen=amount_fen, left_fen=left)


def _locked(session: Session, number: str, actor: Actor, *, sending: bool) -> Remittance:
    """A remittance of the actor's side, with its two books' rows locked first; refused `not_found`."""
    named = select(Remittance.from_book_id, Remittance.to_book_id).where(Remittance.number == number)
    ids = session.execute(named).one_or_none()
    side = None if ids is None else ids[0] if sending else ids[1]
    if ids is None or side not in actor.book_ids:
        raise Refusal(Code.NOT_FOUND, remittance=number)
    books = select(Book.book_id).where(Book.book_id.in_(ids)).order_by(Book.book_id)
    session.execute(books.with_for_update(key_share=True)).all()
    query = select(Remittance).where(Remittance.number == number).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _step(row: Remittance, before: RemittanceState, after: RemittanceState) -> None:
    """Move a remittance on; refused `state_changed` where it stands elsewhere."""
    if row.state != before.value:
        raise Refusal(Code.STATE_CHANGED, state=row.state, event=after.value)
    row.state = after.value


def _post(session: Session, row: Remittance, leg: Leg, *, actor: Actor, at: datetime) -> None:
    """Post one side: the receiving book's comes from its source, the sending book's from clearing."""
    book_id = row.to_book_id if leg.debit == accounts.source() else row.from_book_id
    event = Event(
        id=posting_id("remit", row.number, book_id),
        kind=PostingKind.REMIT,
        legs=(leg,),
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version="",
        actor_ref=actor.ref,
    )
    (answer,) = post(session, lock(session, book_id, (leg.debit, leg.credit)), [event], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)


def _code(session: Session, book_id: int) -> str:
    return session.scalars(select(Book.code).where(Book.book_id == book_id)).one()


def _keep(session: Session, row: Remittance, action: str, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {"amount_fen": row.amount_fen, "state": row.state}
    record(session, actor, action, [(row.number, facts)], at=at)
    session.flush()
