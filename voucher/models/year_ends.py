"""What becomes of a budget line when its year is over (年终结转): proposed by one person of finance, answered by another.

Both tables only grow: an answer is a row of its own, and what was moved stands in the ledger.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class YearEnd(Base):
    """A proposal for one line: carry what is left to a line of the next year, or let it lapse, by a document.

    `vouchers` says whether vouchers that are still live keep their line or fall first. `amount_fen` is what was left
    on the line when it was proposed.
    """

    __tablename__ = "year_end"
    __table_args__ = (
        CheckConstraint("(action = 'carry') = (to_line_id IS NOT NULL)", name="carried_somewhere"),
        Index("ix_year_end_line", "budget_line_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    action: Mapped[str] = mapped_column(String(12))
    to_line_id: Mapped[int | None] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    vouchers: Mapped[str] = mapped_column(String(12))
    document_no: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class YearEndAnswer(Base):
    """The other person's answer to a proposal, given once; `proposed_by` is repeated so that it cannot be the same."""

    __tablename__ = "year_end_answer"
    __table_args__ = (CheckConstraint("decided_by <> proposed_by", name="two_persons"),)

    id: Mapped[int] = mapped_column(
        ForeignKey("year_end.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    approved: Mapped[bool]
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)
