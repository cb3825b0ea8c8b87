"""Opening a book: a funding authority begins to keep its money and its caps here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.ledger import Book
from voucher.operations import journal
from voucher.rules.permissions import Actor


def open_book(session: Session, code: str, *, authority: str, actor: Actor, at: datetime) -> int:
    """The id of the book of this code, opened now if it is new. A book is never renamed or removed."""
    known = session.scalars(select(Book.book_id).where(Book.code == code)).one_or_none()
    if known is not None:
        return known
    book = Book(code=code, authority=authority)
    session.add(book)
    session.flush()
    journal.record(session, actor, "book.open", [(code, {})], at=at)
    return book.book_id
