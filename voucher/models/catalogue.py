"""The service catalogue (服务清单): what platforms offer, at which price."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.parties import Platform
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class CatalogueEntry(Base):
    """One offer of a platform. `price_fen` None: to be agreed (面议). Withdrawn, never changed or deleted."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        CheckConstraint("price_fen IS NULL OR price_fen > 0", name="price_positive"),
        Index("ix_catalogue_entry_platform", "platform_id", "state"),
        Index("ix_catalogue_entry_service", "state", "service"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    service: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(80))
    delivers: Mapped[str] = mapped_column(String(500))
    unit: Mapped[str] = mapped_column(String(20))
    price_fen: Mapped[int | None] = mapped_column(FenColumn)
    usual_days: Mapped[int | None]
    exclusions: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(12))
    listed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    listed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    platform: Mapped[Platform] = relationship(lazy="raise")
