"""Money of several funders: what co-funders pledged, each funder's part of an order, and transfers between books."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.orders import Order
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class PledgeDocument(Base):
    """A document by which a co-funder promises an amount, in fen, for a programme and a year (配套承诺).

    `owner` is what its account is called: the programme, or `agreement|programme`.
    """

    __tablename__ = "pledge_document"
    __table_args__ = (
        UniqueConstraint("book_id", "owner", "year", "document_no"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    owner: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    document_no: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    pledged_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    pledged_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OrderShare(Base):
    """One funder's part of one order, `parts` of `whole`; every funder has a row, the lead book without a pledge.

    Amounts in fen: `held_fen` is reserved, `share_fen` what of the captured (then: approved) money is its part,
    `settled_fen` what of that went over the clearing account. `ledger verify` compares a co-funder's row with its
    account `share`. `portions` are the shares by which the order is computed, with the funder's ceilings and who takes
    over what lies above them; `base_fen` is what ceilings in basis points count on.
    """

    __tablename__ = "order_share"
    __table_args__ = (
        UniqueConstraint("order_id", "book_id"),
        CheckConstraint("held_fen >= 0 AND share_fen >= 0 AND settled_fen >= 0", name="no_negative"),
        CheckConstraint("settled_fen <= share_fen", name="settled_within_share"),
        CheckConstraint("parts >= 0 AND whole > 0 AND parts <= whole", name="part_of_whole"),
        Index("ix_order_share_book", "book_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    position: Mapped[int]
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    pledge_owner: Mapped[str] = mapped_column(String(120), default="")
    pledge_year: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(BigKey)
    whole: Mapped[int] = mapped_column(BigKey)
    portions: Mapped[list[dict[str, Any]]] = mapped_column(JSONColumn)
    base_fen: Mapped[int] = mapped_column(FenColumn)
    held_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    share_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    settled_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    hold_posting: Mapped[UUID | None]

    order: Mapped[Order] = relationship(lazy="raise")


class Remittance(Base):
    """Money that one book pays another over the clearing accounts: sent by two persons, received by two (区域清算)."""

    __tablename__ = "remittance"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("from_book_id <> to_book_id", name="two_books"),
        CheckConstraint("prepared_by <> sent_by", name="sent_by_another"),
        CheckConstraint("noted_by <> received_by", name="received_by_another"),
        Index("ix_remittance_pair", "from_book_id", "to_book_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    from_book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    to_book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    state: Mapped[str] = mapped_column(String(12))
    document_no: Mapped[str] = mapped_column(String(80))
    receipt_no: Mapped[str] = mapped_column(String(80), default="")
    prepared_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    prepared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    noted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    received_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    received_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
