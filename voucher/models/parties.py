"""Organisations, their platforms and relations, the holders of vouchers, and the rosters that qualify them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    exists,
    or_,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from voucher.db import Base
from voucher.models.regions import Region
from voucher.models.types import BigKey, FenColumn, JSONColumn, UTCDateTime


class Organisation(Base):
    """A legal person, or a branch of one. One row per unified social credit code, whatever the spelling it came in.

    `parent_id` is the legal person that a branch belongs to. `controller_key` and `legal_rep_key` are keyed hashes
    of the identity numbers of controller and legal representative: equal ones say "the same person", and no more.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        Index("ix_organisation_parent", "parent_id"),
        Index("ix_organisation_controller", "controller_key"),
        Index("ix_organisation_legal_rep", "legal_rep_key"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    legal_representative: Mapped[str] = mapped_column(String(40), default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    controller_key: Mapped[str | None] = mapped_column(String(64))
    legal_rep_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Affiliation(Base):
    """A declared or registered tie of two organisations that bars business on vouchers (domain 4, item 2).

    `share_bp` is the size of a shareholding in basis points; unknown, it counts as above every threshold.
    """

    __tablename__ = "affiliation"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id", "kind"),
        CheckConstraint("first_id < second_id", name="ordered_pair"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    second_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(120))
    share_bp: Mapped[int | None]


class PayeeAccount(Base):
    """The bank account that an organisation is paid to."""

    __tablename__ = "payee_account"
    __table_args__ = (Index("ix_payee_account_organisation", "organisation_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    account_name: Mapped[str] = mapped_column(String(120))
    bank: Mapped[str] = mapped_column(String(120))
    account_no: Mapped[str] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Platform(Base):
    """A place that sells services for vouchers, under its host organisation. `region_code` is where it stands.

    `orders_a_day` is what its declared staff and machines can do in one day; unknown, its orders are not counted.
    """

    __tablename__ = "platform"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(24))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    orders_a_day: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)


class Certification(Base):
    """A platform's admission by an authority, for voucher kinds and services, for a time (half-open).

    `authority` is a `Certifier`, `region_code` the region for which it certifies.
    """

    __tablename__ = "certification"
    __table_args__ = (Index("ix_certification_platform", "platform_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    authority: Mapped[str] = mapped_column(String(80))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    kinds: Mapped[list[str]] = mapped_column(JSONColumn)
    services: Mapped[list[str]] = mapped_column(JSONColumn)
    document_no: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    to_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(16))
    state_reason: Mapped[str] = mapped_column(String(200), default="")


class Holder(Base):
    """Whoever a voucher is made out to. `ref` is the USCC of a firm, or a temporary id without one.

    `cap_ref` names whose cap it draws on: a branch on its legal person's; None: its own. Read `cap_owner`.
    `converted_into` is the firm that a team became; nothing new is made out to the team.
    """

    __tablename__ = "holder"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ref: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(120))
    organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("organisation.id", ondelete="RESTRICT"), unique=True
    )
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    cap_ref: Mapped[str | None] = mapped_column(String(40))
    converted_into: Mapped[int | None] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @property
    def cap_owner(self) -> str:
        """The name under which its cap accounts are kept, whatever happens to `ref` later."""
        return self.cap_ref or self.ref


class RosterImport(Base):
    """One imported roster file: who brought it, when, and its sha256."""

    __tablename__ = "roster_import"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    roster: Mapped[str] = mapped_column(String(24))
    year: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    imported_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    imported_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RosterEntry(Base):
    """A firm's number on the roster of one year, as of sci-tech SMEs; staff, revenue and contact as declared there."""

    __tablename__ = "roster_entry"
    __table_args__ = (
        UniqueConstraint("roster", "year", "uscc"),
        UniqueConstraint("roster", "year", "roster_no"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("roster_import.id", ondelete="RESTRICT"))
    roster: Mapped[str] = mapped_column(String(24))
    year: Mapped[int]
    uscc: Mapped[str] = mapped_column(String(18))
    roster_no: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    staff: Mapped[int | None]
    revenue_fen: Mapped[int | None] = mapped_column(FenColumn)
    mobile: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[str | None] = mapped_column(String(120))


def near_its_roster_row() -> ColumnElement[bool]:
    """Whether a roster row names the region of the organisation beside it, or one above or below that.

    A row that another region entered for a firm says nothing of where the firm is reached.
    """
    its, named = aliased(Region), aliased(Region)
    nested = or_(its.path.startswith(named.path), named.path.startswith(its.path))
    return exists().where(its.code == Organisation.region_code, named.code == RosterEntry.region_code, nested)


class Qualification(Base):
    """A holder found eligible for a programme and year, with the facts it rested on."""

    __tablename__ = "qualification"
    __table_args__ = (UniqueConstraint("programme_code", "year", "holder_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code", ondelete="RESTRICT"))
    year: Mapped[int]
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="RESTRICT"))
    holder_class: Mapped[str] = mapped_column(String(24))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    qualified_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    qualified_at: Mapped[datetime] = mapped_column(UTCDateTime)
