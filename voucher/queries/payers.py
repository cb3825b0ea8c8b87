"""Who pays which part of an order's subsidy, where several books share it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Book
from voucher.models.orders import Order


@dataclass(frozen=True, slots=True)
class Payer:
    """A funder's authority and its part, `parts` of `whole`: in fen what is reserved, and what of it was taken."""

    authority: str
    parts: int
    whole: int
    held_fen: int
    share_fen: int


def payers(session: Session, order: Order) -> list[Payer]:
    """The funders of an order in the order in which its rule names them; none where one book pays all."""
    if not order.funders:
        return []
    query = (
        select(Book.authority, OrderShare.parts, OrderShare.whole, OrderShare.held_fen, OrderShare.share_fen)
        .join(Book, Book.book_id == OrderShare.book_id)
        .where(OrderShare.order_id == order.id)
        .order_by(OrderShare.position)
    )
    return [Payer(*row) for row in session.execute(query)]
