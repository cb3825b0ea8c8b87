"""The ledger's tables (design, section 2.1). Written by `voucher.ledger` alone.

`book_id` leads every key: it is the unit by which a distributed database would shard. Amounts are integer fen
(or a plain count where the unit is TIMES). Value moves from debit to credit.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Book(Base):
    """One funding authority's book. Nothing may be posted on or before `closed_through`."""

    __tablename__ = "book"

    book_id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    authority: Mapped[str] = mapped_column(String(80))
    closed_through: Mapped[date | None]
    log_key_id: Mapped[str | None] = mapped_column(String(40))


class Account(Base):
    """One account. `flags`: 1 debits may not exceed credits, 2 credits may not exceed debits, 0 free.

    A free account keeps no running balance here: its balance is its last checkpoint and the transfers since.
    """

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("book_id", "code", "owner_ref", "period", "unit"),
        CheckConstraint("flags IN (0, 1, 2)", name="flags"),
        CheckConstraint(
            "debits_posted >= 0 AND credits_posted >= 0 AND debits_pending >= 0 AND credits_pending >= 0",
            name="no_negative",
        ),
        CheckConstraint(
            "flags <> 1 OR debits_posted + debits_pending <= credits_posted", name="debits_within_credits"
        ),
        CheckConstraint(
            "flags <> 2 OR credits_posted + credits_pending <= debits_posted", name="credits_within_debits"
        ),
    )

    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"), primary_key=True)
    id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(24))
    unit: Mapped[str] = mapped_column(String(8))
    owner_ref: Mapped[str] = mapped_column(String(160), default="")
    period: Mapped[int] = mapped_column(default=0)
    flags: Mapped[int]
    debits_posted: Mapped[int] = mapped_column(FenColumn, default=0)
    credits_posted: Mapped[int] = mapped_column(FenColumn, default=0)
    debits_pending: Mapped[int] = mapped_column(FenColumn, default=0)
    credits_pending: Mapped[int] = mapped_column(FenColumn, default=0)
    version: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(BigKey, default=0)


class Posting(Base):
    """One event of the book: its kind, its year, the rule it rests on, and who did it. Append-only."""

    __tablename__ = "posting"
    __table_args__ = (UniqueConstraint("book_id", "reverses"),)

    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    fiscal_year: Mapped[int]
    rule_version: Mapped[str] = mapped_column(String(80))
    actor_ref: Mapped[str] = mapped_column(String(80))
    event_on: Mapped[date]
    posted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_hash: Mapped[str] = mapped_column(String(64))
    reverses: Mapped[UUID | None]


class Transfer(Base):
    """One leg of a posting. `phase` is single, pending, post or void; a pending one is resolved at most once.

    A `post` moves `amount` and gives the rest of the pending one back; a `void` carries the pending amount.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "posting_id"], ["posting.book_id", "posting.id"], ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(["book_id", "debit_id"], ["account.book_id", "account.id"], ondelete="RESTRICT"),
        ForeignKeyConstraint(
            ["book_id", "credit_id"], ["account.book_id", "account.id"], ondelete="RESTRICT"
        ),
        UniqueConstraint("book_id", "pending_posting_id", "pending_leg"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        CheckConstraint("phase IN ('single', 'pending', 'post', 'void')", name="phase"),
        CheckConstraint(
            "(phase IN ('post', 'void')) = (pending_posting_id IS NOT NULL)", name="resolves_a_pending"
        ),
        Index("ix_transfer_debit", "book_id", "debit_id"),
        Index("ix_transfer_credit", "book_id", "credit_id"),
    )

    book_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    posting_id: Mapped[UUID] = mapped_column(primary_key=True)
    leg: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    debit_id: Mapped[int] = mapped_column(BigKey)
    credit_id: Mapped[int] = mapped_column(BigKey)
    amount: Mapped[int] = mapped_column(FenColumn)
    unit: Mapped[str] = mapped_column(String(8))
    phase: Mapped[str] = mapped_column(String(8))
    pending_posting_id: Mapped[UUID | None]
    pending_leg: Mapped[int | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Entry(Base):
    """What one leg did to one limited account: signed change, change of what is pending, balance after."""

    __tablename__ = "entry"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "account_id"], ["account.book_id", "account.id"], ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(
            ["book_id", "posting_id", "leg"],
            ["transfer.book_id", "transfer.posting_id", "transfer.leg"],
            ondelete="RESTRICT",
        ),
        Index("ix_entry_posting", "book_id", "posting_id"),
    )

    book_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    version: Mapped[int]
    posting_id: Mapped[UUID]
    leg: Mapped[int]
    amount: Mapped[int] = mapped_column(FenColumn)
    pending_delta: Mapped[int] = mapped_column(FenColumn)
    balance: Mapped[int] = mapped_column(FenColumn)


class Checkpoint(Base):
    """The total of a free account up to a period's end, so that its balance need not read every transfer."""

    __tablename__ = "checkpoint"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "account_id"], ["account.book_id", "account.id"], ondelete="RESTRICT"
        ),
    )

    book_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    period_end: Mapped[date] = mapped_column(primary_key=True)
    tree_size: Mapped[int] = mapped_column(BigKey)
    debits: Mapped[int] = mapped_column(FenColumn)
    credits: Mapped[int] = mapped_column(FenColumn)


class LogQueue(Base):
    """Postings that wait for their leaf in the Merkle log; the sequencer takes them in `qid` order."""

    __tablename__ = "log_queue"

    qid: Mapped[int] = mapped_column(BigKey, primary_key=True)
    book_id: Mapped[int] = mapped_column(BigKey)
    posting_id: Mapped[UUID]


class LogLeaf(Base):
    """The place of a posting in its book's Merkle log. Append-only."""

    __tablename__ = "log_leaf"
    __table_args__ = (
        ForeignKeyConstraint(
            ["book_id", "posting_id"], ["posting.book_id", "posting.id"], ondelete="RESTRICT"
        ),
        UniqueConstraint("book_id", "posting_id"),
    )

    book_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    idx: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    posting_id: Mapped[UUID]
    leaf_hash: Mapped[str] = mapped_column(String(64))


class LogCheckpoint(Base):
    """A signed head of a book's Merkle log. Append-only."""

    __tablename__ = "log_checkpoint"

    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"), primary_key=True)
    tree_size: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    max_seq: Mapped[int] = mapped_column(BigKey)
    root: Mapped[str] = mapped_column(String(64))
    note: Mapped[str]
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)
