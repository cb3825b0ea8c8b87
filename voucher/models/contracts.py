"""Contracts between a firm and a provider's host, their supplements, and the parts that an order is delivered in."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Contract(Base):
    """One contract, whatever orders, platforms, vouchers and programmes it is filed in. Amounts in fen.

    `ref` is firm, host and normalised number: the owner of its ledger accounts. Amount, day and file are fixed at the
    first filing; the amount moves by confirmed supplements only.
    """

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_contract_holder", "holder_id"),
        Index("ix_contract_host", "host_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ref: Mapped[str] = mapped_column(String(120), unique=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    host_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    number: Mapped[str] = mapped_column(String(60))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    signed_on: Mapped[date]
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(60), default="")
    filed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    filed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Supplement(Base):
    """A supplementary agreement (补充协议) that changes a contract's amount, once the firm has confirmed it."""

    __tablename__ = "contract_supplement"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index(
            "uq_contract_supplement_open",
            "contract_id",
            unique=True,
            postgresql_where=text("state = 'asked'"),
            sqlite_where=text("state = 'asked'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id", ondelete="RESTRICT"))
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    number: Mapped[str] = mapped_column(String(60))
    signed_on: Mapped[date]
    was_fen: Mapped[int] = mapped_column(FenColumn)
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    reason: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200), default="")
    media_type: Mapped[str] = mapped_column(String(60), default="")
    state: Mapped[str] = mapped_column(String(12))
    filed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    filed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_reason: Mapped[str] = mapped_column(String(200), default="")


class Instalment(Base):
    """One part of an order that is delivered, confirmed and captured by itself (分期验收). Amounts in fen.

    `amount_fen` is its part of the order's contract amount, `subsidy_fen` its part of what was held.
    """

    __tablename__ = "order_instalment"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("amount_fen > 0 AND subsidy_fen >= 0 AND captured_fen >= 0", name="no_negative"),
        CheckConstraint("captured_fen <= subsidy_fen", name="captured_within_subsidy"),
        Index("ix_order_instalment_due", "state", "due_on"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    due_on: Mapped[date]
    subsidy_fen: Mapped[int] = mapped_column(FenColumn)
    captured_fen: Mapped[int] = mapped_column(FenColumn, default=0)
    state: Mapped[str] = mapped_column(String(12))
