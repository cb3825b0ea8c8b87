"""The factor of a programme's year (按申报情况确定的比例): proposed by one person of finance, approved by another."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Factor(Base):
    """The factor for all claims of a programme that were handed in during a year, in basis points.

    `budget_fen` is the money that it was found for, `demand_fen` what was approved or still asked for then, of
    `claims` claims. One live row a programme and year; a refused one stays.
    """

    __tablename__ = "factor"
    __table_args__ = (
        CheckConstraint("factor_bp BETWEEN 1 AND 10000", name="a_factor"),
        CheckConstraint("state <> 'approved' OR decided_by <> proposed_by", name="two_persons"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_or_open"),
        Index(
            "uq_factor_live",
            "programme_code",
            "year",
            unique=True,
            postgresql_where=text("state <> 'refused'"),
            sqlite_where=text("state <> 'refused'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    year: Mapped[int]
    factor_bp: Mapped[int]
    budget_fen: Mapped[int] = mapped_column(FenColumn)
    demand_fen: Mapped[int] = mapped_column(FenColumn)
    claims: Mapped[int]
    basis: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
