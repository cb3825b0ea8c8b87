"""Books: opening one for a funding authority, and closing its periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.ledger import Book
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor


@dataclass(frozen=True, slots=True)
class BookRequest:
    """The book of a funding authority: its code is what funding shares name, as 140000."""

    code: str
    authority: str


def open_books(
    session: Session, requests: Sequence[BookRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Open books; gives their ids. The same book again is the same answer.

    Refused one by one: the code with another authority (`already_registered`).
    """
    answers: list[int | Refused] = []
    for request in requests:
        query = select(Book).where(Book.code == request.code)
        if session.scalars(query).one_or_none() is None:
            insert_missing(session, Rows(Book, ("code", "authority"), [(request.code, request.authority)]))
            record(session, actor, "book.open", [(f"book:{request.code}", {})], at=at)
        book = session.scalars(query).one()
        if book.authority == request.authority:
            answers.append(book.book_id)
        else:
            answers.append(Refused(Code.ALREADY_REGISTERED, {"subject": request.code}))
    return answers


def close_period(session: Session, book_code: str, *, through: date, actor: Actor, at: datetime) -> date:
    """Close a book through this day (included): nothing is posted on or before it any more.

    Waits for postings under way, which hold the book's row in share mode. Refused: a book that is not the
    actor's (`not_found`), a day that is not over (`period_not_over`), one that is closed already, as closing
    never goes back (`period_closed`).
    """
    query = select(Book).where(Book.code == book_code, Book.book_id.in_(actor.book_ids))
    book = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if book is None:
        raise Refusal(Code.NOT_FOUND, book=book_code)
    if through >= business_date(at):
        raise Refusal(Code.PERIOD_NOT_OVER, through=through.isoformat())
    if book.closed_through is not None and through <= book.closed_through:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=book.closed_through.isoformat())
    book.closed_through = through
    session.flush()
    record(session, actor, "book.close", [(f"book:{book.code}", {"through": through.isoformat()})], at=at)
    return through
