"""Centres (双创中心, 孵化基地, 众创空间 ...): who certified them, for which region, and the titles that go with it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.parties import Organisation
from voucher.models.types import BigKey, UTCDateTime


class Centre(Base):
    """A place that takes in startups, as one authority's document certifies it, for a time (half-open).

    `certifying_region` is the region for which `authority` certifies; `location_region` is where it stands: an enclave
    (飞地) stands elsewhere. `grade` is the level that the document gives. A centre certified anew is a new row.
    """

    __tablename__ = "centre"
    __table_args__ = (
        UniqueConstraint("organisation_id", "kind", "authority", "document_no"),
        CheckConstraint("to_on IS NULL OR to_on > from_on", name="ends_after_it_begins"),
        Index("ix_centre_certifying_region", "certifying_region"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24))
    authority: Mapped[str] = mapped_column(String(80))
    certifying_region: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    location_region: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    grade: Mapped[str] = mapped_column(String(40), default="")
    document_no: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(16))
    state_reason: Mapped[str] = mapped_column(String(200), default="")
    revoked_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)
    titles: Mapped[list[CentreTitle]] = relationship(order_by="CentreTitle.id", lazy="select")


class CentreTitle(Base):
    """A title (称号) that rests on a centre's certification and falls with it. `fell_at`: when it did."""

    __tablename__ = "centre_title"
    __table_args__ = (UniqueConstraint("centre_id", "kind", "document_no"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("centre.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(24))
    document_no: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    fell_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
