"""The redemption session at the counter: open, scanned, proposed, confirmed (counter.md)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.types import BigKey, UTCDateTime
from voucher.models.vouchers import Voucher


class RedemptionSession(Base):
    """One showing of a code. `number` is nine digits; the rotating tag is computed, never stored."""

    __tablename__ = "redemption_session"
    __table_args__ = (
        Index("ix_redemption_session_holder", "holder_id", "opened_at"),
        Index("ix_redemption_session_platform", "platform_id", "scanned_at"),
        Index("ix_redemption_session_open", "state", "closes_at"),
        Index("ix_redemption_session_order", "order_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(9), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    opened_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime] = mapped_column(UTCDateTime)
    wrong_tags: Mapped[int] = mapped_column(default=0)
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    scanned_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    scanned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    proposed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirm_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    close_reason: Mapped[str] = mapped_column(String(200), default="")

    voucher: Mapped[Voucher] = relationship(lazy="raise")
    holder: Mapped[Holder] = relationship(lazy="raise")
    platform: Mapped[Platform | None] = relationship(lazy="raise")
    order: Mapped[Order | None] = relationship(lazy="raise")


class ScanAttempt(Base):
    """A scan by a platform with a wrong code; the rate limit counts them over all workers."""

    __tablename__ = "scan_attempt"
    __table_args__ = (Index("ix_scan_attempt_platform", "platform_id", "scanned_at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    scanned_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    scanned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    verdict: Mapped[str] = mapped_column(String(24))
