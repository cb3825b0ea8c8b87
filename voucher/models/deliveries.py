"""What a platform delivered, the files of an order, and requests to complete it later."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, UTCDateTime


class Delivery(Base):
    """One delivery with its result, of the whole order (`position` 0) or of one instalment, and the firm's answer.

    `report_sha256` is the full report's own hash where only its cover and conclusion were handed in, because it is
    confidential. `confirm_by` is the last day for the firm's answer, where the policy sets one.
    """

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_order", "order_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    position: Mapped[int] = mapped_column(default=0)
    provider_ref: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    report_sha256: Mapped[str | None] = mapped_column(String(64))
    delivered_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    delivered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirm_by: Mapped[date | None]
    answer: Mapped[str | None] = mapped_column(String(12))
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_reason: Mapped[str] = mapped_column(String(200), default="")


class OrderFile(Base):
    """A file of an order: of a delivery, or of what a side said in a dispute. The bytes are in the store."""

    __tablename__ = "order_file"
    __table_args__ = (Index("ix_order_file_order", "order_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id", ondelete="RESTRICT"))
    statement_id: Mapped[int | None] = mapped_column(ForeignKey("dispute_statement.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(12))
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(60))
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Extension(Base):
    """A platform's request to complete an order later, and the firm's answer."""

    __tablename__ = "order_extension"
    __table_args__ = (
        Index("ix_order_extension_order", "order_id"),
        Index(
            "uq_order_extension_open",
            "order_id",
            unique=True,
            postgresql_where=text("state = 'asked'"),
            sqlite_where=text("state = 'asked'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    until_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer_reason: Mapped[str] = mapped_column(String(200), default="")
