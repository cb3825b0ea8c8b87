"""Disputes about an order: who opened one, what both sides said, how it ended."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Dispute(Base):
    """One dispute. While it is open the order rests: `outcome` is None.

    Until `settle_by` the sides settle it between themselves (None: the policy sets no such days); at `escalated_at` that
    was over and the authority was told. An offer of one side (`offer_*`) ends it when the other side agrees; else a reviewer decides. `amount_fen` is
    what was captured with outcome `capture`.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        Index("ix_dispute_order", "order_id"),
        Index("ix_dispute_settle_by", "settle_by"),
        Index(
            "uq_dispute_open",
            "order_id",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
            sqlite_where=text("outcome IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    opened_side: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(500))
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    settle_by: Mapped[date | None]
    escalated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    offer_side: Mapped[str | None] = mapped_column(String(12))
    offer_outcome: Mapped[str | None] = mapped_column(String(12))
    offer_fen: Mapped[int | None] = mapped_column(FenColumn)
    offered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))
    amount_fen: Mapped[int | None] = mapped_column(FenColumn)
    agreed: Mapped[bool | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision_reason: Mapped[str] = mapped_column(String(500), default="")


class DisputeStatement(Base):
    """What one side said in a dispute; its files are `OrderFile` rows. Never changed."""

    __tablename__ = "dispute_statement"
    __table_args__ = (Index("ix_dispute_statement_dispute", "dispute_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id", ondelete="RESTRICT"))
    side: Mapped[str] = mapped_column(String(12))
    body: Mapped[str] = mapped_column(String(2000))
    said_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    said_at: Mapped[datetime] = mapped_column(UTCDateTime)
