"""The journal: who did what, on what, from where, by which rule version. Append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime


class Journal(Base):
    """One thing done. Written in the transaction that does it."""

    __tablename__ = "journal"
    __table_args__ = (Index("ix_journal_subject", "subject"), Index("ix_journal_at", "done_at"))

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_ref: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    rule_version: Mapped[str] = mapped_column(String(80), default="")
    source: Mapped[str] = mapped_column(String(64), default="")
