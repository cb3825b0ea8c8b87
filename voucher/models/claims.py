"""Redemption claims (兑付申请): the papers of a captured order, and what reviewers made of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.orders import Order
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class Claim(Base):
    """One claim for one order. Amounts in fen. Holder, platform, programme and policy are the order's.

    `base_fen` is what the subsidy is counted on, `claimed_fen` the subsidy asked for, `approved_fen` what review
    gave; `audited_fen` is the amount that review recognised, where the policy counts on it, and `factor_bp` the factor
    fixed after the window, once it was applied (`approved_fen` is what it left). `invoice_net_fen` repeats the sum of its live uses of invoices, `paid_fen` that of its payments, of which
    `paid_on` is the last; `contract_fen` is None only for a post-subsidy without a contract. `round` counts the
    returns: 0 as it was first handed in; `hearing` how often it is decided: 1, and one more with each appeal against
    its rejection that was upheld. `queued_at` is its place in the queue and outlives returns;
    `submitted_at` is the last submission. `by_platform`: the provider claims, the firm is the other side.
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint(
            "approved_fen IS NULL OR approved_fen <= claimed_fen", name="approved_within_claimed"
        ),
        Index("ix_claim_state", "state", "queued_at"),
        Index("ix_claim_confirm", "state", "confirm_by"),
        Index(
            "uq_claim_open_order",
            "order_id",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
            sqlite_where=text("state <> 'withdrawn'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    state: Mapped[str] = mapped_column(String(12))
    round: Mapped[int] = mapped_column(default=0)
    hearing: Mapped[int] = mapped_column(default=1)
    by_platform: Mapped[bool] = mapped_column(default=False)
    origin_region: Mapped[str | None] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    contract_fen: Mapped[int | None] = mapped_column(FenColumn)
    invoice_net_fen: Mapped[int] = mapped_column(FenColumn)
    paid_fen: Mapped[int] = mapped_column(FenColumn)
    paid_on: Mapped[date]
    base_fen: Mapped[int] = mapped_column(FenColumn)
    audited_fen: Mapped[int | None] = mapped_column(FenColumn)
    factor_bp: Mapped[int | None]
    claimed_fen: Mapped[int] = mapped_column(FenColumn)
    approved_fen: Mapped[int | None] = mapped_column(FenColumn)
    payee_account_id: Mapped[int] = mapped_column(ForeignKey("payee_account.id", ondelete="RESTRICT"))
    submitted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    queued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirm_by: Mapped[date | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    return_reason: Mapped[str] = mapped_column(String(500), default="")
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    order: Mapped[Order] = relationship(lazy="raise")


class ClaimPayment(Base):
    """What the firm paid for the order, payment by payment: the part of each that belongs to this claim, in fen.

    `round` is the claim's when it was handed in; one that a later round replaced has `dropped_at`.
    """

    __tablename__ = "claim_payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index("ix_claim_payment_claim", "claim_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    paid_on: Mapped[date]
    payer_name: Mapped[str] = mapped_column(String(120))
    payer_account: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(16))
    serial: Mapped[str] = mapped_column(String(60), default="")
    round: Mapped[int] = mapped_column(default=0)
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Invoice(Base):
    """An invoice, once over all programmes and regions; what claims take of it are its `InvoiceUse` rows.

    `key` is the 20-digit number of a fully digital invoice, or code and number of an older one. `original` is
    what was read from the XML, OFD or PDF file `original_sha256`, where one could be read. `verdict` and
    `checked_on` repeat its latest tax check. A new claim may rewrite its facts while nobody uses it.
    """

    __tablename__ = "invoice"
    __table_args__ = (CheckConstraint("net_fen > 0", name="net_positive"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    issued_on: Mapped[date]
    net_fen: Mapped[int] = mapped_column(FenColumn)
    buyer_uscc: Mapped[str] = mapped_column(String(18))
    seller_uscc: Mapped[str] = mapped_column(String(18))
    buyer_name: Mapped[str] = mapped_column(String(120), default="")
    seller_name: Mapped[str] = mapped_column(String(120), default="")
    original_sha256: Mapped[str | None] = mapped_column(String(64))
    original: Mapped[dict[str, Any] | None] = mapped_column(JSONColumn)
    verdict: Mapped[str | None] = mapped_column(String(12))
    checked_on: Mapped[date | None]


class InvoiceUse(Base):
    """The part of an invoice's net amount that one claim counts on, in fen. Live until `released_at`.

    The live uses of an invoice together are never more than its net amount: they are written under the lock of
    the invoice's row.
    """

    __tablename__ = "invoice_use"
    __table_args__ = (
        CheckConstraint("allocated_fen > 0", name="allocated_positive"),
        Index("ix_invoice_use_claim", "claim_id"),
        Index(
            "uq_invoice_use_live",
            "invoice_id",
            "claim_id",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
            sqlite_where=text("released_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"))
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    allocated_fen: Mapped[int] = mapped_column(FenColumn)
    released_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class TaxCheck(Base):
    """What the tax bureau's site said of an invoice on a day. Append-only."""

    __tablename__ = "tax_check"
    __table_args__ = (Index("ix_tax_check_invoice", "invoice_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"))
    verdict: Mapped[str] = mapped_column(String(12))
    checked_on: Mapped[date]
    note: Mapped[str] = mapped_column(String(200), default="")
    checked_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Document(Base):
    """A file of a claim. The bytes are in the content-addressed store under `sha256`.

    `round` is the claim's when the file came in; one that a later round replaced has `dropped_at`.
    """

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
    round: Mapped[int] = mapped_column(default=0)
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
