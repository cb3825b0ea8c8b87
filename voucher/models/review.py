"""Review of claims (审核): decisions, what was sent back, who has a case, opinions, signatures, recusals, stand-ins."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class Review(Base):
    """One reviewer's decision on a claim, with its reason. A second row for one hearing of it is impossible.

    `hearing` is the claim's: 1, and one more each time an appeal against a rejection was upheld.

    `facts` is what the decision rested on, as it stood then: checks, findings, computed lines, opinions, signatures.
    """

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("claim_id", "hearing"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    hearing: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(12))
    approved_fen: Mapped[int] = mapped_column(FenColumn)
    reason: Mapped[str] = mapped_column(String(500), default="")
    rule_version: Mapped[str] = mapped_column(String(80))
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    reviewed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cause: Mapped[str | None] = mapped_column(String(20))
    minutes_no: Mapped[str | None] = mapped_column(String(80))
    minutes_on: Mapped[date | None]
    minutes_sha256: Mapped[str | None] = mapped_column(String(64))
    minutes_name: Mapped[str | None] = mapped_column(String(120))
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONColumn)


class ClaimReturn(Base):
    """One round of defects, told all at once (一次性告知, 补正告知书). Never edited but for the three instants.

    `late_reason` says why an item is named that could have been named before. `answered_at`: the firm sent the
    claim again. `overdue_at`: the worker found the last day `due_on` over, and reminded.
    """

    __tablename__ = "claim_return"
    __table_args__ = (
        UniqueConstraint("claim_id", "round"),
        Index("ix_claim_return_due", "due_on"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    round: Mapped[int]
    number: Mapped[str] = mapped_column(String(30), unique=True)
    due_on: Mapped[date | None]
    contact: Mapped[str] = mapped_column(String(80))
    late_reason: Mapped[str] = mapped_column(String(500))
    returned_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    returned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    overdue_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ClaimDefect(Base):
    """One item of a round: what of the claim is to be mended, and how."""

    __tablename__ = "claim_defect"
    __table_args__ = (UniqueConstraint("return_id", "item"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    return_id: Mapped[int] = mapped_column(ForeignKey("claim_return.id", ondelete="RESTRICT"))
    item: Mapped[str] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(String(500))


class CaseTaking(Base):
    """Who has a claim in hand now. One row a claim, so two reviewers cannot both take it; deleted on release.

    `for_id`: whom this person stands in for; the case goes back to them.
    """

    __tablename__ = "case_taking"

    claim_id: Mapped[int] = mapped_column(
        ForeignKey("claim.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"), index=True)
    for_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
    note: Mapped[str] = mapped_column(String(500))


class Recusal(Base):
    """An interest of a person in an organisation (回避): no case of it is theirs while `ended_at` is empty."""

    __tablename__ = "recusal"
    __table_args__ = (
        Index(
            "uq_recusal_live",
            "person_id",
            "organisation_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(String(200))
    declared_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    declared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class StandIn(Base):
    """A colleague who stands in for a reviewer (AB角) from a day until before another one, or until `ended_at`."""

    __tablename__ = "stand_in"
    __table_args__ = (
        CheckConstraint("person_id <> colleague_id", name="another_person"),
        CheckConstraint("from_on < to_on", name="some_days"),
        Index("ix_stand_in_person", "person_id"),
        Index("ix_stand_in_colleague", "colleague_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    colleague_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    from_on: Mapped[date]
    to_on: Mapped[date]
    named_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ExpertOpinion(Base):
    """An expert asked about one claim (专家意见), and the answer, which is given once in a round of the claim.

    `round` is the claim's of the day on which it counts: what is unanswered goes on into the next, an answer does not.
    `conflict`: the expert declared an interest and gives no opinion. Amount in fen.
    """

    __tablename__ = "expert_opinion"
    __table_args__ = (
        UniqueConstraint("claim_id", "person_id", "round"),
        Index("ix_expert_opinion_person", "person_id"),
        CheckConstraint("verdict IS NULL OR given_at IS NOT NULL", name="given"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    round: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    invited_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    invited_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_on: Mapped[date]
    conflict: Mapped[str | None] = mapped_column(String(200))
    verdict: Mapped[str | None] = mapped_column(String(12))
    amount_fen: Mapped[int | None] = mapped_column(FenColumn)
    text: Mapped[str | None] = mapped_column(String(2000))
    given_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AuditReport(Base):
    """A third party's report on one claim (第三方审计): whose, its number, the file, the amount found, in fen."""

    __tablename__ = "audit_report"
    __table_args__ = (UniqueConstraint("claim_id", "report_no"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    organisation: Mapped[str] = mapped_column(String(120))
    report_no: Mapped[str] = mapped_column(String(80))
    reported_on: Mapped[date]
    amount_fen: Mapped[int] = mapped_column(FenColumn)
    text: Mapped[str] = mapped_column(String(2000))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(120))
    recorded_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Cosignature(Base):
    """What one authority says of a claim (会签): its latest row in a round counts, earlier ones stay."""

    __tablename__ = "cosignature"
    __table_args__ = (Index("ix_cosignature_claim", "claim_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id", ondelete="RESTRICT"))
    round: Mapped[int]
    function: Mapped[str] = mapped_column(String(40))
    agreed: Mapped[bool]
    text: Mapped[str] = mapped_column(String(500))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)
