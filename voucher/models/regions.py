"""Regions: the divisions of the country, and the parks and zones that are not divisions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base


class Region(Base):
    """A node of the region tree. `path` lists the codes from the country down, as `/000000/140000/140500/`."""

    __tablename__ = "region"
    __table_args__ = (Index("ix_region_path", "path"),)

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    level: Mapped[str] = mapped_column(String(12))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    path: Mapped[str] = mapped_column(String(160))
    division_code: Mapped[str | None] = mapped_column(String(6))
