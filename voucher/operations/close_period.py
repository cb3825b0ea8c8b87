"""Closing the periods of a book."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.ledger import Book
from voucher.operations.journal import record
from voucher.rules.permissions import Actor


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
