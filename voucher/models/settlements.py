"""Settlement batches: made by one person, checked by another, paid line by line."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class SettlementBatch(Base):
    """A batch of approved claims on its way to the treasury. Maker and checker are two persons.

    `content_sha256` is taken when the maker submits; approval compares it.
    """

    __tablename__ = "settlement_batch"
    __table_args__ = (
        CheckConstraint("checker_id IS NULL OR checker_id <> maker_id", name="two_persons"),
        Index("ix_settlement_batch_state", "book_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    state: Mapped[str] = mapped_column(String(12))
    total_fen: Mapped[int] = mapped_column(FenColumn)
    line_count: Mapped[int]
    content_sha256: Mapped[str | None] = mapped_column(String(64))
    maker_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    checker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    exported_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reconciled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    lines: Mapped[list[SettlementLine]] = relationship(
        lazy="raise", order_by="SettlementLine.seq", back_populates="batch"
    )


class SettlementLine(Base):
    """One payment of a batch: one claim, one payee. `attempt` grows when a bounced line is paid again.

    `bounced_by`: who booked the last return. Another person sends the money to another account.
    """

    __tablename__ = "settlement_line"
    __table_args__ = (
        UniqueConstraint("batch_id", "seq"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("settlement_batch.id", ondelete="RESTRICT"))
    seq: Mapped[int]
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    payee_ref: Mapped[str] = mapped_column(String(40))
    payee_name: Mapped[str] = mapped_column(String(120))
    bank: Mapped[str] = mapped_column(String(120))
    account_no: Mapped[str] = mapped_column(String(40))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    state: Mapped[str] = mapped_column(String(12))
    attempt: Mapped[int] = mapped_column(default=1)
    bank_serial: Mapped[str] = mapped_column(String(60), default="")
    state_reason: Mapped[str] = mapped_column(String(200), default="")
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    bounced_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))

    batch: Mapped[SettlementBatch] = relationship(lazy="raise", back_populates="lines")
