"""Policy versions on their way to being published: drafts, and what one person proposed to another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime


class PolicyProposal(Base):
    """A policy file, its fill-ins and the text of its document, as one person proposed them.

    `sha256` covers what is proposed: the second person publishes what they saw, or nothing. A draft may still be
    rewritten by its author; what is proposed, published or withdrawn never is.
    """

    __tablename__ = "policy_proposal"
    __table_args__ = (
        Index("ix_policy_proposal_code", "code", "proposed_at"),
        Index(
            "uq_policy_proposal_open",
            "code",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
            sqlite_where=text("state = 'proposed'"),
        ),
        CheckConstraint("state <> 'published' OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state IN ('draft', 'proposed')) = (decided_by IS NULL)", name="decided_or_open"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(60))
    programme_code: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(500))
    document_no: Mapped[str] = mapped_column(String(500))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    book_code: Mapped[str] = mapped_column(String(20))
    text: Mapped[str]
    fills: Mapped[list[Any]] = mapped_column(JSONColumn)
    document_text: Mapped[str | None]
    sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")
