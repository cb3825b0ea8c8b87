"""Recognition agreements between regions: their versions, what became of each, and the registry of platforms."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime


class RecognitionAgreement(Base):
    """An agreement, whatever its versions say. Its row is locked by whoever recognises by it or changes it."""

    __tablename__ = "agreement"

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AgreementVersion(Base):
    """A version as it was proposed: the file as it was read, and its dates (half-open). Append-only.

    What becomes of it are its steps: published by a second person or withdrawn, ended, revoked.
    """

    __tablename__ = "agreement_version"
    __table_args__ = (
        UniqueConstraint("id", "proposed_by"),
        Index("ix_agreement_version_agreement", "agreement_code", "effective_from"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(64))
    agreement_code: Mapped[str] = mapped_column(ForeignKey("agreement.code", ondelete="RESTRICT"))
    document_no: Mapped[str] = mapped_column(String(200))
    text: Mapped[str]
    fills: Mapped[list[Any]] = mapped_column(JSONColumn)
    sha256: Mapped[str] = mapped_column(String(64))
    effective_from: Mapped[date]
    effective_to: Mapped[date | None]
    proposed_for: Mapped[list[str]] = mapped_column(JSONColumn)
    proposed_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    proposed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AgreementStep(Base):
    """What became of a version (`AgreementStepKind`), once each. Append-only.

    `from_on` is the first day without orders of a version that is ended; `document_no` the decision behind the step.
    Whoever publishes is another person than the one who proposed.
    """

    __tablename__ = "agreement_step"
    __table_args__ = (
        UniqueConstraint("version_id", "kind"),
        CheckConstraint("kind <> 'publish' OR done_by <> proposed_by", name="two_persons"),
        ForeignKeyConstraint(
            ["version_id", "proposed_by"],
            ["agreement_version.id", "agreement_version.proposed_by"],
            ondelete="RESTRICT",
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    version_id: Mapped[int] = mapped_column(BigKey)
    proposed_by: Mapped[int] = mapped_column(BigKey)
    kind: Mapped[str] = mapped_column(String(12))
    from_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(200), default="")
    document_no: Mapped[str] = mapped_column(String(200), default="")
    done_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    done_at: Mapped[datetime] = mapped_column(UTCDateTime)


class AgreementListing(Base):
    """A platform's place on the registry of an agreement (half-open), until somebody takes it off."""

    __tablename__ = "agreement_listing"
    __table_args__ = (Index("ix_agreement_listing_platform", "platform_id", "agreement_code"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    agreement_code: Mapped[str] = mapped_column(ForeignKey("agreement.code", ondelete="RESTRICT"))
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    document_no: Mapped[str] = mapped_column(String(200))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    entered_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    removed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    remove_reason: Mapped[str] = mapped_column(String(200), default="")


class AgreementSuspension(Base):
    """A region of the agreement keeps a platform from it, until it lifts that. At most one open for each region."""

    __tablename__ = "agreement_suspension"
    __table_args__ = (Index("ix_agreement_suspension_platform", "platform_id", "agreement_code"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    agreement_code: Mapped[str] = mapped_column(ForeignKey("agreement.code", ondelete="RESTRICT"))
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(String(200))
    document_no: Mapped[str] = mapped_column(String(200))
    suspended_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    suspended_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
