"""Vouchers: quota granted to a holder. What is left of one is the balance of its ledger account."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.parties import Holder
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Voucher(Base):
    """One voucher. `number` has a check digit; `use_by` is the last day (Asia/Shanghai) an order may be placed."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("face_fen > 0", name="face_positive"),
        Index("ix_voucher_holder", "holder_id"),
        Index("ix_voucher_expiry", "state", "use_by"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    policy_code: Mapped[str] = mapped_column(ForeignKey("policy_version.code", ondelete="RESTRICT"))
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    holder_class: Mapped[str] = mapped_column(String(24))
    face_fen: Mapped[int] = mapped_column(FenColumn)
    state: Mapped[str] = mapped_column(String(12))
    state_reason: Mapped[str] = mapped_column(String(200), default="")
    use_by: Mapped[date]
    issued_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)

    holder: Mapped[Holder] = relationship(lazy="joined", innerjoin=True)
