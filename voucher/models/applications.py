"""Applying for vouchers (申领): windows, undertakings, the queue, applications, their decisions, and appeals."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from voucher.db import Base
from voucher.models.parties import Holder
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class ApplicationWindow(Base):
    """When a programme takes applications, and the budget line that pays for them.

    Half-open: `closes_at` is the first instant after it; without one it is always open. Published with a document.
    """

    __tablename__ = "application_window"
    __table_args__ = (
        CheckConstraint("closes_at IS NULL OR closes_at > opens_at", name="closes_after_opening"),
        Index("ix_application_window_programme", "programme_code", "year"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    year: Mapped[int]
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("budget_line.id", ondelete="RESTRICT"))
    opens_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    document_no: Mapped[str] = mapped_column(String(80))
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Undertaking(Base):
    """One version of the text that applicants sign (承诺书). Append-only: a change is a new version."""

    __tablename__ = "undertaking"
    __table_args__ = (UniqueConstraint("programme_code", "version"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    version: Mapped[int]
    text: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ApplicationQueue(Base):
    """The last queue number given for a programme and year. Its row is the lock of everything that moves in the queue."""

    __tablename__ = "application_queue"

    programme_code: Mapped[str] = mapped_column(
        ForeignKey("programme.code", ondelete="RESTRICT"), primary_key=True
    )
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_no: Mapped[int] = mapped_column(default=0)


class Application(Base):
    """A holder asks for a voucher. Amounts in fen. `queue_no` is its place for good, in the order of commits.

    `round` counts the decisions it waited for; `reason` is the last one's, or what is to be mended.
    """

    __tablename__ = "application"
    __table_args__ = (
        UniqueConstraint("programme_code", "year", "queue_no"),
        CheckConstraint("approved_fen IS NULL OR approved_fen <= wanted_fen", name="approved_within_wanted"),
        Index("ix_application_state", "programme_code", "year", "state", "queue_no"),
        Index("ix_application_holder", "holder_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    year: Mapped[int]
    queue_no: Mapped[int]
    window_id: Mapped[int] = mapped_column(ForeignKey("application_window.id", ondelete="RESTRICT"))
    policy_code: Mapped[str] = mapped_column(ForeignKey("policy_version.code", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    holder_class: Mapped[str] = mapped_column(String(24))
    wanted_fen: Mapped[int] = mapped_column(FenColumn)
    purpose: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(12))
    round: Mapped[int] = mapped_column(default=1)
    undertaking_id: Mapped[int | None] = mapped_column(ForeignKey("undertaking.id", ondelete="RESTRICT"))
    signed_name: Mapped[str] = mapped_column(String(40), default="")
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    submitted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    approved_fen: Mapped[int | None] = mapped_column(FenColumn)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(500), default="")
    voucher_id: Mapped[int | None] = mapped_column(ForeignKey("voucher.id", ondelete="RESTRICT"), unique=True)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    holder: Mapped[Holder] = relationship(lazy="joined", innerjoin=True)


class ApplicationDecision(Base):
    """One person's decision in one round. A second one of that round, or one by the applicant, is impossible."""

    __tablename__ = "application_decision"
    __table_args__ = (
        UniqueConstraint("application_id", "round"),
        CheckConstraint("decided_by <> submitted_by", name="not_by_the_applicant"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"))
    round: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(12))
    approved_fen: Mapped[int | None] = mapped_column(FenColumn)
    reason: Mapped[str] = mapped_column(String(500), default="")
    submitted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Appeal(Base):
    """An appeal (申诉) against one rejection of an application or a claim; `subject` is its number.

    `against_id` is who rejected; another person decides. `appeal_by` is the last day on which it could be lodged.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        UniqueConstraint("subject", "round"),
        CheckConstraint("decided_by IS NULL OR decided_by <> against_id", name="decided_by_another"),
        CheckConstraint("(application_id IS NULL) <> (claim_id IS NULL)", name="one_subject"),
        Index("ix_appeal_state", "state", "lodged_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    subject: Mapped[str] = mapped_column(String(24))
    round: Mapped[int]
    application_id: Mapped[int | None] = mapped_column(ForeignKey("application.id", ondelete="RESTRICT"))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    text: Mapped[str] = mapped_column(String(2000))
    channel: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    lodged_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    lodged_at: Mapped[datetime] = mapped_column(UTCDateTime)
    appeal_by: Mapped[date | None]
    against_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    result: Mapped[str] = mapped_column(String(1000), default="")

    holder: Mapped[Holder] = relationship(lazy="joined", innerjoin=True)
