"""Public notices (公示): what was published, where the bureau put it, who objected and what came of it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, UTCDateTime


class Notice(Base):
    """A list that lies open to the public for some working days after `from_on`, up to and including `to_on`.

    `authority` and `contact` are printed on it. `weekends_only` names the years (comma-separated) for which the
    holiday table had no days when the end was counted. A notice of claims belongs to a programme; those of
    certifications and rosters do not.
    """

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_state", "state", "to_on"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(120))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    programme_code: Mapped[str | None] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    authority: Mapped[str] = mapped_column(String(80))
    contact: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    working_days: Mapped[int]
    from_on: Mapped[date]
    to_on: Mapped[date]
    weekends_only: Mapped[str] = mapped_column(String(40), default="")
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class NoticeLine(Base):
    """One line as it was published (R5 of the domain, section 6): no ID number, telephone or account.

    `subject` is the number of the thing that is published; a claim's line names the claim too, and a claim is
    published once. What a kind of notice has no use for stays empty.
    """

    __tablename__ = "notice_line"
    __table_args__ = (UniqueConstraint("notice_id", "seq"), UniqueConstraint("claim_id"))

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="RESTRICT"))
    seq: Mapped[int]
    subject: Mapped[str] = mapped_column(String(40))
    claim_id: Mapped[int | None] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    enterprise: Mapped[str] = mapped_column(String(120), default="")
    provider: Mapped[str] = mapped_column(String(120), default="")
    service: Mapped[str] = mapped_column(String(120), default="")
    contract_fen: Mapped[int | None] = mapped_column(FenColumn)
    subsidy_fen: Mapped[int | None] = mapped_column(FenColumn)
    outcome: Mapped[str] = mapped_column(String(12))


class NoticePlace(Base):
    """Where and when the bureau put a notice outside the product: its own site, a wall."""

    __tablename__ = "notice_place"
    __table_args__ = (UniqueConstraint("notice_id", "address"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="RESTRICT"))
    address: Mapped[str] = mapped_column(String(300))
    placed_on: Mapped[date]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Objection(Base):
    """An objection (异议) to one line. Who objected and what they wrote is for the bureau; the answer is published.

    `recorded_by` is the official who wrote down a telephone call or a visit; None for one made on the page.
    """

    __tablename__ = "objection"
    __table_args__ = (
        UniqueConstraint("notice_id", "seq"),
        Index("ix_objection_line", "line_id", "state"),
        Index("ix_objection_source", "source", "made_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="RESTRICT"))
    line_id: Mapped[int] = mapped_column(ForeignKey("notice_line.id", ondelete="RESTRICT"))
    seq: Mapped[int]
    via: Mapped[str] = mapped_column(String(12))
    objector: Mapped[str] = mapped_column(String(60))
    contact: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(String(2000))
    state: Mapped[str] = mapped_column(String(12))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    source: Mapped[str] = mapped_column(String(64))
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(500), default="")


class ObjectionLookup(Base):
    """A look-up of an objection with a wrong word; the limit counts them over all workers."""

    __tablename__ = "objection_lookup"
    __table_args__ = (Index("ix_objection_lookup_source", "source", "failed_at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    failed_at: Mapped[datetime] = mapped_column(UTCDateTime)
