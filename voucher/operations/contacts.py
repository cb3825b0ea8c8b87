"""What a person decides about being told: where, by which channels, and what they have read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.messages import Contact, Message
from voucher.operations import journal
from voucher.rules.permissions import Actor
from voucher.terms import MessageChannel


@dataclass(frozen=True, slots=True)
class ContactRequest:
    """Where somebody wants to be told beside the inbox; an empty address takes its channels away."""

    email: str = ""
    mobile: str = ""
    channels: frozenset[MessageChannel] = frozenset()


def set_contact(session: Session, request: ContactRequest, *, actor: Actor, at: datetime) -> Contact:
    """Set the actor's own contacts. Messages that wait for a channel taken away are not sent any more.

    Refused: a channel without its address (`contact_missing`, fact `message_channel`).
    """
    channels = request.channels - {MessageChannel.INBOX}
    for channel in sorted(channels):
        address = request.email if channel is MessageChannel.EMAIL else request.mobile
        if not address:
            raise Refusal(Code.CONTACT_MISSING, message_channel=channel.value)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    empty = {"person_id": actor.person_id, "updated_at": at}
    session.execute(dialect.insert(Contact).values(empty).on_conflict_do_nothing())
    row = session.get_one(Contact, actor.person_id, with_for_update=True)
    row.email, row.mobile, row.updated_at = request.email, request.mobile, at
    row.channels = sorted(channel.value for channel in channels)
    journal.record(
        session, actor, "account.contact", [(actor.ref, {"channels": ",".join(row.channels)})], at=at
    )
    session.flush()
    return row


def mark_read(session: Session, message_ids: Sequence[int] | None, *, actor: Actor, at: datetime) -> int:
    """Mark messages of the actor's own inbox as read, or all of them (None); gives how many were unread."""
    mine = (
        (Message.person_id == actor.person_id)
        & (Message.channel == MessageChannel.INBOX.value)
        & Message.read_at.is_(None)
    )
    if message_ids is not None:
        mine = mine & Message.id.in_(message_ids)
    statement = update(Message).where(mine).values(read_at=at).returning(Message.id)
    return len(session.scalars(statement.execution_options(synchronize_session=False)).all())
