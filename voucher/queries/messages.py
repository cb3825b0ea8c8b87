"""What people were told: one's own inbox, one's contacts, and the outbox for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.models.messages import Contact, Message
from voucher.models.people import Person
from voucher.queries.paging import Page, as_term, paged
from voucher.terms import MessageChannel, MessageEvent, MessageState


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A message in somebody's inbox; `read_at` is None while it is unread."""

    message_id: int
    event: MessageEvent
    subject: str
    facts: dict[str, Any]
    told_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxFilter:
    """Which messages of the outbox: in one state or in any, by one channel or by any."""

    state: MessageState | None = None
    channel: MessageChannel | None = None


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """A message that left the house, or did not; no address and no facts. `recipient` empty: one without an account."""

    message_id: int
    event: MessageEvent
    subject: str
    channel: MessageChannel
    recipient: str
    state: MessageState
    attempts: int
    error: str
    told_at: datetime
    sent_at: datetime | None


def inbox(session: Session, person_id: int, *, unread: bool = False, page: int = 1) -> Page[InboxLine]:
    """A person's messages, the newest first."""
    query = select(
        Message.id,
        as_term(Message.event, MessageEvent),
        Message.subject,
        Message.facts,
        Message.told_at,
        Message.read_at,
    ).where(Message.person_id == person_id, Message.channel == MessageChannel.INBOX.value)
    if unread:
        query = query.where(Message.read_at.is_(None))
    return paged(session, query.order_by(Message.id.desc()), InboxLine, page=page)


def unread_count(session: Session, person_id: int) -> int:
    """How many messages a person has not read."""
    query = select(func.count()).where(
        Message.person_id == person_id,
        Message.channel == MessageChannel.INBOX.value,
        Message.read_at.is_(None),
    )
    return int(session.execute(query).scalar_one())


def contact_of(session: Session, person_id: int) -> Contact | None:
    """How a person wants to be reached; None where they never said."""
    return session.get(Contact, person_id)


def outbox(session: Session, wanted: OutboxFilter, *, page: int = 1) -> Page[OutboxLine]:
    """What left the house or should have, the newest first."""
    query = (
        select(Message.id, as_term(Message.event, MessageEvent), Message.subject)
        .add_columns(as_term(Message.channel, MessageChannel), func.coalesce(Person.login, ""))
        .add_columns(as_term(Message.state, MessageState), Message.attempts, Message.last_error)
        .add_columns(Message.told_at, Message.sent_at)
        .outerjoin(Person, Person.id == Message.person_id)
        .where(Message.channel != MessageChannel.INBOX.value)
    )
    if wanted.state is not None:
        query = query.where(Message.state == wanted.state.value)
    if wanted.channel is not None:
        query = query.where(Message.channel == wanted.channel.value)
    return paged(session, query.order_by(Message.id.desc()), OutboxLine, page=page)


def outbox_counts(session: Session) -> list[tuple[MessageState, int]]:
    """How many messages of the outbox are in each state."""
    query = (
        select(Message.state, func.count())
        .where(Message.channel != MessageChannel.INBOX.value)
        .group_by(Message.state)
    )
    counted = {state: int(count) for state, count in session.execute(query)}
    return [(state, counted.get(state.value, 0)) for state in MessageState]
