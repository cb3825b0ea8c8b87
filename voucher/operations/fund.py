"""Budget lines: opening them, putting appropriated money on them, and moving it between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.bulk import Rows, insert_missing
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.programmes import BudgetDocument, BudgetLine, Programme
from voucher.money import Fen
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A line of money of a programme for a fiscal year. Codes are unique in the installation."""

    code: str
    programme_code: str
    year: int
    name: str


@dataclass(frozen=True, slots=True)
class FundRequest:
    """An appropriation document puts an amount on a line."""

    line_code: str
    document_no: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class AllotRequest:
    """A document moves an amount from one line to another of the same book."""

    from_code: str
    to_code: str
    document_no: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Funded:
    """The line that the money is on, and whether the document had put it there already."""

    line_id: int
    line_code: str
    replayed: bool


def open_lines(
    session: Session, requests: Sequence[LineRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Open budget lines; gives their ids. The same line again is the same answer.

    Refused one by one: a programme that is not there or not in the actor's books (`not_found`), code or name
    taken by another line (`already_registered`).
    """
    answers: list[int | Refused] = []
    for request in requests:
        programme = session.get(Programme, request.programme_code)
        if programme is None or programme.book_id not in actor.book_ids:
            answers.append(Refused(Code.NOT_FOUND, {"programme": request.programme_code}))
            continue
        row = (request.code, request.programme_code, request.year, request.name)
        query = select(BudgetLine).where(BudgetLine.code == request.code)
        is_new = session.scalars(query).one_or_none() is None
        columns = ("code", "programme_code", "year", "name", "created_at")
        insert_missing(session, Rows(BudgetLine, columns, [(*row, at)]))
        line = session.scalars(query).one_or_none()
        if line is None or (line.code, line.programme_code, line.year, line.name) != row:
            answers.append(Refused(Code.ALREADY_REGISTERED, {"subject": request.code}))
            continue
        if is_new:
            record(session, actor, "budget.open", [(f"budget:{line.code}", {"year": line.year})], at=at)
        answers.append(line.id)
    return answers


def fund(
    session: Session, requests: Sequence[FundRequest], *, actor: Actor, at: datetime
) -> list[Funded | Refused]:
    """Put appropriated money on lines: source → budget, once per document and line.

    Refused one by one: a line that is not there or not in the actor's books (`not_found`), a closed line or
    period (`period_closed`), the document on this line with another amount (`already_registered`).
    """
    lines = _lines(session, {request.line_code for request in requests}, actor)
    answers: list[Funded | Refused] = []
    for request in requests:
        try:
            answers.append(_fund(session, request, lines, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def allot(
    session: Session, requests: Sequence[AllotRequest], *, actor: Actor, at: datetime
) -> list[Funded | Refused]:
    """Move money between lines of one book: budget → budget. The same again on the same day is a replay.

    Refused one by one: a line that is not there, not in the actor's books or in another book (`not_found`), too
    little left (`budget_exceeded`), a closed line or period (`period_closed`), the document between these lines
    with another amount, by another person or on another day (`key_reused`).
    """
    codes = {code for request in requests for code in (request.from_code, request.to_code)}
    lines = _lines(session, codes, actor)
    answers: list[Funded | Refused] = []
    for request in requests:
        try:
            answers.append(_allot(session, request, lines, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


_Lines = dict[str, tuple[BudgetLine, int]]


def _fund(session: Session, request: FundRequest, lines: _Lines, *, actor: Actor, at: datetime) -> Funded:
    line, book_id = _open(lines, request.line_code)
    stands = session.scalars(
        select(BudgetDocument).where(
            BudgetDocument.budget_line_id == line.id, BudgetDocument.document_no == request.document_no
        )
    ).one_or_none()
    if stands is not None:
        if stands.amount_fen != request.amount_fen:
            raise Refusal(Code.ALREADY_REGISTERED, subject=request.document_no)
        return Funded(line.id, line.code, replayed=True)
    name = posting_id("fund", line.code, request.document_no)
    leg = Leg(accounts.source(), accounts.budget(line.code, line.year), request.amount_fen)
    _post(session, book_id, _event(name, PostingKind.FUND, leg, actor=actor, at=at), at=at)
    session.add(
        BudgetDocument(
            budget_line_id=line.id,
            document_no=request.document_no,
            amount_fen=request.amount_fen,
            funded_by=actor.person_id,
            funded_at=at,
        )
    )
    session.flush()
    facts: dict[str, Fact] = {"document_no": request.document_no, "amount_fen": request.amount_fen}
    record(session, actor, "budget.fund", [(f"budget:{line.code}", facts)], at=at)
    return Funded(line.id, line.code, replayed=False)


def _allot(session: Session, request: AllotRequest, lines: _Lines, *, actor: Actor, at: datetime) -> Funded:
    (giver, book_id), (taker, other_book) = _open(lines, request.from_code), _open(lines, request.to_code)
    if book_id != other_book or giver.id == taker.id:
        raise Refusal(Code.NOT_FOUND, budget_line=request.to_code)
    name = posting_id("allot", giver.code, taker.code, request.document_no)
    leg = Leg(
        accounts.budget(giver.code, giver.year), accounts.budget(taker.code, taker.year), request.amount_fen
    )
    replayed = _post(session, book_id, _event(name, PostingKind.ALLOT, leg, actor=actor, at=at), at=at)
    if not replayed:
        facts: dict[str, Fact] = {
            "to": taker.code,
            "document_no": request.document_no,
            "amount_fen": request.amount_fen,
        }
        record(session, actor, "budget.allot", [(f"budget:{giver.code}", facts)], at=at)
    return Funded(taker.id, taker.code, replayed)


def _event(name: UUID, kind: PostingKind, leg: Leg, *, actor: Actor, at: datetime) -> Event:
    return Event(
        id=name,
        kind=kind,
        legs=(leg,),
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version="",
        actor_ref=actor.ref,
    )


def _post(session: Session, book_id: int, event: Event, *, at: datetime) -> bool:
    """Post one event; gives whether it stood already. Raises its refusal."""
    locked = lock(session, book_id, [ref for leg in event.legs for ref in (leg.debit, leg.credit)])
    (answer,) = post(session, locked, [event], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    return answer.replayed


def _lines(session: Session, codes: set[str], actor: Actor) -> _Lines:
    """Lines of the actor's books, locked in the order of their ids, so that a document is entered once."""
    query = (
        select(BudgetLine, Programme.book_id)
        .join(Programme, Programme.code == BudgetLine.programme_code)
        .where(BudgetLine.code.in_(codes), Programme.book_id.in_(actor.book_ids))
        .order_by(BudgetLine.id)
        .with_for_update(of=BudgetLine, key_share=True)
    )
    return {line.code: (line, book_id) for line, book_id in session.execute(query)}


def _open(lines: _Lines, code: str) -> tuple[BudgetLine, int]:
    if code not in lines:
        raise Refusal(Code.NOT_FOUND, budget_line=code)
    line, _ = lines[code]
    if line.closed_on is not None:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=line.closed_on.isoformat())
    return lines[code]
