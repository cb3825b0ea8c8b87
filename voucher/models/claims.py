"""Redemption claims (兑付申请): the papers of a captured order, and what reviewers made of them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.orders import Order
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Claim(Base):
    """One claim for one captured order. Amounts in fen.

    `base_fen` is what the subsidy is counted on (the least of contract, invoices and payment), `claimed_fen`
    the subsidy asked for, `approved_fen` what review gave.
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(
            "approved_fen IS NULL OR approved_fen <= claimed_fen", name="approved_within_claimed"
        ),
        Index("ix_claim_state", "state", "submitted_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"), unique=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    state: Mapped[str] = mapped_column(String(12))
    contract_fen: Mapped[int] = mapped_column(FenColumn)
    invoice_net_fen: Mapped[int] = mapped_column(FenColumn)
    paid_fen: Mapped[int] = mapped_column(FenColumn)
    paid_on: Mapped[date]
    payer_account: Mapped[str] = mapped_column(String(40))
    base_fen: Mapped[int] = mapped_column(FenColumn)
    claimed_fen: Mapped[int] = mapped_column(FenColumn)
    approved_fen: Mapped[int | None] = mapped_column(FenColumn)
    payee_account_id: Mapped[int] = mapped_column(ForeignKey("payee_account.id", ondelete="RESTRICT"))
    submitted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[Order] = relationship(lazy="raise")


class Invoice(Base):
    """An invoice used by a claim. One use over all programmes and regions while the use is live.

    `key` is the 20-digit number of a fully digital invoice, or code and number of an older one.
    A rejected claim sets `released_at`, and the invoice may be used again.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        Index(
            "uq_invoice_live_key",
            "key",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
            sqlite_where=text("released_at IS NULL"),
        ),
        Index("ix_invoice_claim", "claim_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(40))
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    issued_on: Mapped[date]
    net_fen: Mapped[int] = mapped_column(FenColumn)
    buyer_uscc: Mapped[str] = mapped_column(String(18))
    seller_uscc: Mapped[str] = mapped_column(String(18))
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Document(Base):
    """A file of a claim. The bytes are in the content-addressed store under `sha256`."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_claim", "claim_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(200))
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Review(Base):
    """One reviewer's decision on a claim, with its reason. A second row for one claim is impossible."""

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"), unique=True)
    verdict: Mapped[str] = mapped_column(String(12))
    approved_fen: Mapped[int] = mapped_column(FenColumn)
    reason: Mapped[str] = mapped_column(String(500), default="")
    rule_version: Mapped[str] = mapped_column(String(80))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    reviewed_at: Mapped[datetime] = mapped_column(UTCDateTime)
