"""Telling people: how they are reached, the outbox, and the holidays that deadlines are counted with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from voucher.db import Base
from voucher.models.types import BigKey, JSONColumn, UTCDateTime


class Contact(Base):
    """How a person wants to be reached beside the inbox, which nobody can turn off."""

    __tablename__ = "contact"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    email: Mapped[str] = mapped_column(String(120), default="")
    mobile: Mapped[str] = mapped_column(String(20), default="")
    channels: Mapped[list[str]] = mapped_column(JSONColumn, default=list)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Message(Base):
    """One thing told to one person by one channel, or to somebody without an account at an `address`. `ref` is the idempotency id that leaves the house with it.

    The sentence is made of `event` and `facts` when it is read or sent. No person is told the same thing twice by
    the same channel: the uniqueness over event, subject and `once` sees to it. What is said to an address, and the
    address, are wiped once it is sent or can be of no use any more.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("event", "subject", "once", "person_id", "channel"),
        Index("ix_message_inbox", "person_id", "channel", "read_at"),
        Index("ix_message_outbox", "state", "next_try_at"),
        CheckConstraint("(person_id IS NULL) <> (address IS NULL)", name="one_recipient"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ref: Mapped[str] = mapped_column(String(32), unique=True)
    event: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    once: Mapped[str] = mapped_column(String(80), default="")
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    address: Mapped[str | None] = mapped_column(String(120))
    channel: Mapped[str] = mapped_column(String(12))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONColumn)
    state: Mapped[str] = mapped_column(String(12))
    told_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(200), default="")
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Holiday(Base):
    """A day that differs from the plain week: a weekday off, or a weekend day that is worked."""

    __tablename__ = "holiday"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(40))
    document_no: Mapped[str] = mapped_column(String(80))
    entered_by: Mapped[int | None] = mapped_column(ForeignKey("person.id", ondelete="RESTRICT"))
    entered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
