"""People, their roles, how they sign in, and the tokens of their machines."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, UTCDateTime


class Person(Base):
    """Somebody who signs in. Raising `session_version` ends every session of theirs at once."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    login: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(40))
    password_hash: Mapped[str] = mapped_column(String(160))
    session_version: Mapped[int] = mapped_column(default=1)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RoleGrant(Base):
    """A role of a person, for an organisation, a platform, a region or a book, for a time (half-open).

    `function` is the authority that a cosigner signs for (`Authority.function` of a policy). `mandates` of an
    authorised operator are values of `Mandate` with commas between; empty: everything that the role carries.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        Index("ix_role_grant_person", "person_id"),
        Index("ix_role_grant_organisation", "organisation_id"),
        Index("ix_role_grant_platform", "platform_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    role: Mapped[str] = mapped_column(String(24))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id", ondelete="RESTRICT"))
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))
    region_code: Mapped[str | None] = mapped_column(ForeignKey("region.code", ondelete="RESTRICT"))
    book_id: Mapped[int | None] = mapped_column(ForeignKey("book.book_id", ondelete="RESTRICT"))
    function: Mapped[str | None] = mapped_column(String(40))
    mandates: Mapped[str] = mapped_column(String(80), default="")
    from_on: Mapped[date]
    to_on: Mapped[date | None]


class SignInFailure(Base):
    """A failed sign-in. Kept in the database, so that the lockout holds over several workers."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_sign_in_failure_login", "login", "failed_at"),
        Index("ix_sign_in_failure_source", "source", "failed_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    login: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(64))
    failed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ApiToken(Base):
    """A bearer token of a machine; only its sha256 is kept. One with `platform_id` does that platform's counter work only."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    session_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    platform_id: Mapped[int | None] = mapped_column(ForeignKey("platform.id", ondelete="RESTRICT"))


class RequestKey(Base):
    """A client's key of idempotency, the hash of what was asked with it, and the answer that was given."""

    __tablename__ = "request_key"
    __table_args__ = (UniqueConstraint("actor_ref", "route", "key"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    actor_ref: Mapped[str] = mapped_column(String(80))
    route: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(80))
    request_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str | None]
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
