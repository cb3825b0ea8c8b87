"""How people come to act for an organisation: one-time codes, authorisations, the counter of two, devices, teams."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime

_LIVE = text("ended_at IS NULL")


class JoinCode(Base):
    """A one-time code of an organisation; only a keyed hash is kept. `selector` is its first four digits.

    `role`, `platform_id`, `authorisation_id` and `person_id` say what it gives (by `purpose`). It ends by use, by five
    wrong tries, by its time, or by a newer one in its place.
    """

    __tablename__ = "join_code"
    __table_args__ = (
        Index("ix_join_code_organisation", "organisation_id", "selector"),
        Index(
            "uq_join_code_live_selector",
            "organisation_id",
            "selector",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    purpose: Mapped[str] = mapped_column(String(12))
    selector: Mapped[str] = mapped_column(String(4))
    code_hash: Mapped[str] = mapped_column(String(64))
    role: Mapped[str | None] = mapped_column(String(24))
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    authorisation_id: Mapped[int | None] = mapped_column(ForeignKey("authorisation.id", ondelete="RESTRICT"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    wrong_tries: Mapped[int] = mapped_column(default=0)
    issued_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    used_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))


class Authorisation(Base):
    """What a firm's approver lets somebody do for the firm, for a time (half-open), by a stamped letter.

    `person_id` and `grant_id` are empty until the person took it up with their code. `ended_at` ends it early.
    """

    __tablename__ = "authorisation"
    __table_args__ = (
        Index("ix_authorisation_organisation", "organisation_id"),
        CheckConstraint("from_on < to_on", name="some_days"),
        CheckConstraint("person_id IS NULL OR person_id <> granted_by", name="not_oneself"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    role: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(40))
    mandates: Mapped[str] = mapped_column(String(80))
    from_on: Mapped[date]
    to_on: Mapped[date]
    letter_sha256: Mapped[str] = mapped_column(String(64))
    letter_name: Mapped[str] = mapped_column(String(200))
    letter_type: Mapped[str] = mapped_column(String(60))
    granted_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    granted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("role_grant.id", ondelete="RESTRICT"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))


class Departure(Base):
    """Somebody left an organisation: who follows, and what was open on that day (numbers by kind)."""

    __tablename__ = "departure"
    __table_args__ = (
        Index("ix_departure_organisation", "organisation_id"),
        CheckConstraint("successor_id IS NULL OR successor_id <> person_id", name="somebody_else"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    open_tasks: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    left_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    left_at: Mapped[datetime] = mapped_column(UTCDateTime)


class DeskCase(Base):
    """Something done at the bureau's counter by two different persons, on papers that both saw."""

    __tablename__ = "desk_case"
    __table_args__ = (
        Index("ix_desk_case_state", "state", "made_at"),
        Index(
            "uq_desk_case_open",
            "organisation_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
            sqlite_where=text("state = 'proposed'"),
        ),
        CheckConstraint("checked_by IS NULL OR checked_by <> made_by", name="two_persons"),
        CheckConstraint("(state = 'proposed') = (checked_by IS NULL)", name="checked_or_open"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    made_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    checked_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")


class DeskPaper(Base):
    """A copy that the people at the counter saw; the bytes are in the store."""

    __tablename__ = "desk_paper"
    __table_args__ = (Index("ix_desk_paper_case", "case_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("desk_case.id", ondelete="RESTRICT"))
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(60))


class TeamMember(Base):
    """A member of a team, by name alone."""

    __tablename__ = "team_member"
    __table_args__ = (Index("ix_team_member_organisation", "organisation_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(40))


class CounterDevice(Base):
    """A browser that stands at a platform's counter; only the hash of its token is kept."""

    __tablename__ = "counter_device"
    __table_args__ = (Index("ix_counter_device_platform", "platform_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    platform_id: Mapped[int] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    registered_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    registered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class CounterPin(Base):
    """A person's PIN for counter devices, hashed. Five wrong tries in a row end it until a new one is set."""

    __tablename__ = "counter_pin"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"), primary_key=True)
    pin_hash: Mapped[str] = mapped_column(String(160))
    wrong_tries: Mapped[int] = mapped_column(default=0)
    set_at: Mapped[datetime] = mapped_column(UTCDateTime)


class PreparedPaper(Base):
    """A paper that somebody prepared for the claim of an order; the claim takes it along unless it was dropped."""

    __tablename__ = "prepared_paper"
    __table_args__ = (Index("ix_prepared_paper_order", "order_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("service_order.id", ondelete="RESTRICT"))
    kind: Mapped[str] = mapped_column(String(16))
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    prepared_by: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    prepared_at: Mapped[datetime] = mapped_column(UTCDateTime)
    dropped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
