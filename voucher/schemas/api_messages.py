"""One's own messages and contacts, and the outbox, in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.messages import Contact
from voucher.queries.messages import InboxLine, OutboxLine
from voucher.schemas.api_fields import (
    FlagField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    bounded,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField
from voucher.schemas.notes import told
from voucher.schemas.notices import ContactFields
from voucher.terms import MessageChannel, MessageEvent, MessageState


class ContactBody(ContactFields, Body):
    """Where somebody wants to be told beside the inbox."""


class ReadBody(Body):
    """The messages that were read; `all` for every one."""

    ids = fields.List(JsonIdField(), load_default=list, validate=bounded(0))
    all = FlagField(load_default=False)


class AgainBody(Body):
    """Dead messages that are to be sent after all."""

    ids = fields.List(JsonIdField(), required=True, validate=bounded())


class OutboxQuery(PageQuery):
    """Which messages of the outbox."""

    state = ChoiceField(MessageState)
    channel = ChoiceField(MessageChannel)


class MessageAnswer(Body):
    """A message in one's inbox."""

    id = fields.Integer(required=True)
    event = state(MessageEvent)
    subject = fields.String(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)
    told_at = moment()
    read_at = moment(none=True)


class MessagesAnswer(PageAnswer):
    """One's inbox, the newest first."""

    unread = fields.Integer(required=True)
    messages = fields.List(fields.Nested(MessageAnswer), required=True)


class ContactAnswer(Body):
    """Where one is told beside the inbox."""

    email = fields.String(required=True)
    mobile = fields.String(required=True)
    channels = fields.List(fields.String(), required=True)


class OutboxLineAnswer(Body):
    """A message that left the house, or did not; no address and no text."""

    id = fields.Integer(required=True)
    event = state(MessageEvent)
    subject = fields.String(required=True)
    channel = state(MessageChannel)
    recipient = fields.String(required=True, metadata={"description": "用户名"})
    state = state(MessageState)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True)
    told_at = moment()
    sent_at = moment(none=True)


class OutboxAnswer(PageAnswer):
    """The outbox, the newest first."""

    messages = fields.List(fields.Nested(OutboxLineAnswer), required=True)


def message(line: InboxLine) -> dict[str, Any]:
    """A `MessageAnswer`."""
    said = told(line.event, line.subject, line.facts)
    return {
        "id": line.message_id,
        "event": line.event.value,
        "subject": line.subject,
        "title": said.title,
        "text": said.text,
        "told_at": iso(line.told_at),
        "read_at": iso(line.read_at) if line.read_at else None,
    }


def contact(row: Contact | None) -> dict[str, Any]:
    """A `ContactAnswer`."""
    if row is None:
        return {"email": "", "mobile": "", "channels": []}
    return {"email": row.email, "mobile": row.mobile, "channels": list(row.channels)}


def outbox_line(line: OutboxLine) -> dict[str, Any]:
    """An `OutboxLineAnswer`."""
    return {
        "id": line.message_id,
        "event": line.event.value,
        "subject": line.subject,
        "channel": line.channel.value,
        "recipient": line.recipient,
        "state": line.state.value,
        "attempts": line.attempts,
        "error": line.error,
        "told_at": iso(line.told_at),
        "sent_at": iso(line.sent_at) if line.sent_at else None,
    }
