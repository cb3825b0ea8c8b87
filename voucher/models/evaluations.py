"""Evaluation of centres and platforms: published rules, quarterly reports, yearly results, orders of rectification."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime


class EvaluationRulesVersion(Base):
    """A published evaluation file (评价办法) of a region: never changed, replaced by the next one."""

    __tablename__ = "evaluation_rules"
    __table_args__ = (Index("ix_evaluation_rules_region", "region_code", "subject"),)

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    subject: Mapped[str] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    published_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class CentreReport(Base):
    """What a centre reported of one quarter: figures by name (`financing_fen` in fen), a text.

    `due_on` was the last day; `late` says how the first one came. Corrections change the figures, never that.
    """

    __tablename__ = "centre_report"
    __table_args__ = (
        UniqueConstraint("centre_id", "year", "quarter"),
        CheckConstraint("quarter BETWEEN 1 AND 4", name="four_quarters"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("centre.id", ondelete="RESTRICT"))
    year: Mapped[int]
    quarter: Mapped[int]
    due_on: Mapped[date]
    late: Mapped[bool]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    text: Mapped[str] = mapped_column(String(500), default="")
    submitted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    submitted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    corrected_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Evaluation(Base):
    """The result of one year for a centre or for a platform's certification: points by indicator, sum, grade.

    Published by another person than the one who scored. `fails_in_row`: how many failed years in a row it made.
    """

    __tablename__ = "evaluation"
    __table_args__ = (
        UniqueConstraint("centre_id", "year"),
        UniqueConstraint("certification_id", "year"),
        CheckConstraint("(centre_id IS NULL) <> (certification_id IS NULL)", name="of_one_subject"),
        CheckConstraint("published_by IS NULL OR published_by <> scored_by", name="two_persons"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("centre.id", ondelete="RESTRICT"))
    certification_id: Mapped[int | None] = mapped_column(ForeignKey("certification.id", ondelete="RESTRICT"))
    year: Mapped[int]
    rules_code: Mapped[str] = mapped_column(ForeignKey("evaluation_rules.code", ondelete="RESTRICT"))
    points: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    remarks: Mapped[str] = mapped_column(String(500), default="")
    total: Mapped[int]
    passed: Mapped[bool]
    grade: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    state_reason: Mapped[str] = mapped_column(String(200), default="")
    scored_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    scored_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    document_no: Mapped[str] = mapped_column(String(80), default="")
    fails_in_row: Mapped[int] = mapped_column(default=0)


class Rectification(Base):
    """An order to put right (限期整改) after a failed year: what, until when (included), and how it ended."""

    __tablename__ = "rectification"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("evaluation.id", ondelete="RESTRICT"), unique=True)
    demand: Mapped[str] = mapped_column(String(500))
    ordered_on: Mapped[date]
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(12))
    answer: Mapped[str] = mapped_column(String(500), default="")
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")
