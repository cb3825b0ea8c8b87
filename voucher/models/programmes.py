"""Programmes, the versions of their policies, and their budget lines."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class Programme(Base):
    """A voucher programme: one kind, one owner region, one lead book."""

    __tablename__ = "programme"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))


class PolicyVersion(Base):
    """A published version of a programme's policy: the file as it was read, and its dates (half-open).

    Never edited: a change is a new version, which ends this one (`superseded_by`, and then `effective_to` is its first
    day; set once). `fills` are what the authority added where the document is silent. A child names the version that it
    inherits from, with the sha256 of what that one said.
    """

    __tablename__ = "policy_version"
    __table_args__ = (
        Index("ix_policy_version_programme", "programme_code", "effective_from"),
        CheckConstraint("published_by <> proposed_by", name="two_persons"),
    )

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    document_no: Mapped[str] = mapped_column(String(80))
    text: Mapped[str]
    fills: Mapped[list[Any]] = mapped_column(JSONColumn)
    sha256: Mapped[str] = mapped_column(String(64))
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(12))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("policy_version.code", ondelete="RESTRICT"))
    parent_sha256: Mapped[str | None] = mapped_column(String(64))
    superseded_by: Mapped[str | None] = mapped_column(ForeignKey("policy_version.code", ondelete="RESTRICT"))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class BudgetLine(Base):
    """A line of money of a programme for a fiscal year (指标). Its balance is in the ledger."""

    __tablename__ = "budget_line"
    __table_args__ = (UniqueConstraint("programme_code", "year", "name"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    year: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    closed_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class BudgetDocument(Base):
    """An appropriation document (指标文) that put an amount on a budget line."""

    __tablename__ = "budget_document"
    __table_args__ = (UniqueConstraint("budget_line_id", "document_no"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    document_no: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    funded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    funded_at: Mapped[datetime] = mapped_column(UTCDateTime)
