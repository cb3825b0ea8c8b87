"""The outbox: taking messages out of it one by one, and noting what became of each.

A message is claimed in one transaction, sent outside any, and marked in another. A process that dies between
sending and marking leaves it claimed; when its time is over, a channel whose other side knows message ids is tried
again with the same id, and any other gives up on it and says so: nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from voucher.models.joining import JoinCode
from voucher.models.messages import Contact, Message
from voucher.operations import journal
from voucher.rules.permissions import Actor
from voucher.terms import MessageChannel, MessageEvent, MessageState

LEASE: Final = timedelta(minutes=10)
STALE: Final = timedelta(days=7)
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""How long to wait after each failed attempt; when they are used up, the message is dead."""

INTERRUPTED: Final = "interrupted"
CODE_ENDED: Final = "code_ended"
NO_ADDRESS: Final = "no_address"
TOO_OLD: Final = "too_old"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that was claimed for sending."""

    message_id: int
    ref: str
    channel: MessageChannel
    address: str
    event: MessageEvent
    subject: str
    facts: dict[str, Any]


def release_stuck(session: Session, *, repeatable: Collection[MessageChannel], at: datetime) -> int:
    """Messages that were claimed longer than the lease ago: back to WAITING where the channel may repeat them.

    By any other channel nobody knows whether they arrived: DEAD, for the administrator to decide. Gives their number.
    """
    stuck = (Message.state == MessageState.CLAIMED.value) & (Message.claimed_at <= at - LEASE)
    may = Message.channel.in_([channel.value for channel in repeatable])
    waiting = {"state": MessageState.WAITING.value, "claimed_at": None, "next_try_at": at}
    dead = {"state": MessageState.DEAD.value, "claimed_at": None, "last_error": INTERRUPTED}
    return _set(session, stuck & may, waiting) + _set(session, stuck & ~may, dead)


def claim_next(session: Session, *, channels: Collection[MessageChannel], at: datetime) -> Outgoing | None:
    """Claim the oldest message that is due by one of the channels; None where there is none.

    A message that nobody could send for a week, whose address was taken away, or whose one-time code ended, is DEAD and
    passed over. Rows that another worker claims are passed over too.
    """
    query = (
        select(Message)
        .where(
            Message.state == MessageState.WAITING.value,
            Message.next_try_at <= at,
            Message.channel.in_([channel.value for channel in channels]),
        )
        .order_by(Message.next_try_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    while (row := session.scalars(query).one_or_none()) is not None:
        address = _address(session, row)
        fault = NO_ADDRESS if not address else TOO_OLD if row.told_at <= at - STALE else ""
        if row.event == MessageEvent.JOIN_CODE.value and not _code_lives(session, row, at):
            fault = CODE_ENDED
        if not fault:
            row.state, row.claimed_at, row.attempts = MessageState.CLAIMED.value, at, row.attempts + 1
            session.flush()
            event = MessageEvent(row.event)
            channel = MessageChannel(row.channel)
            return Outgoing(row.id, row.ref, channel, address, event, row.subject, dict(row.facts))
        row.state, row.last_error = MessageState.DEAD.value, fault
        if row.address is not None:
            row.facts, row.address = {}, ""
        session.flush()
    return None


def note_sent(session: Session, message_id: int, *, at: datetime) -> None:
    """The message left: CLAIMED → SENT. What was said to an address without an account is wiped, with the address."""
    addressed = _claimed(message_id) & Message.address.is_not(None)
    session.execute(update(Message).where(addressed).values(facts={}, address=""))
    done = {"state": MessageState.SENT.value, "sent_at": at, "claimed_at": None, "last_error": ""}
    _set(session, _claimed(message_id), done)


def note_failed(session: Session, message_id: int, reason: str, *, final: bool, at: datetime) -> None:
    """The message did not leave: WAITING again after a growing while, DEAD when that is of no use any more."""
    attempts = session.scalars(select(Message.attempts).where(_claimed(message_id))).one_or_none()
    if attempts is None:
        return
    dead = final or attempts > len(WAITS)
    state = MessageState.DEAD if dead else MessageState.WAITING
    due = None if dead else at + WAITS[attempts - 1]
    _set(
        session,
        _claimed(message_id),
        {"state": state.value, "next_try_at": due, "claimed_at": None, "last_error": reason[:200]},
    )


def send_again(session: Session, message_ids: Sequence[int], *, actor: Actor, at: datetime) -> int:
    """Dead messages wait again, with their attempts counted anew and their age forgiven; gives their number.

    By a person who judged that they did not arrive. Messages in another state are left alone.
    """
    dead = Message.id.in_(message_ids) & (Message.state == MessageState.DEAD.value)
    refs = session.scalars(select(Message.ref).where(dead).order_by(Message.id).with_for_update()).all()
    again = {"state": MessageState.WAITING.value, "next_try_at": at, "attempts": 0, "told_at": at}
    _set(session, dead, again)
    journal.record(session, actor, "message.send_again", [(ref, {}) for ref in refs], at=at)
    session.flush()
    return len(refs)


def _claimed(message_id: int) -> ColumnElement[bool]:
    return (Message.id == message_id) & (Message.state == MessageState.CLAIMED.value)


def _set(session: Session, condition: ColumnElement[bool], values: dict[str, Any]) -> int:
    statement = update(Message).where(condition).values(values).returning(Message.id)
    return len(session.scalars(statement.execution_options(synchronize_session=False)).all())


def _code_lives(session: Session, row: Message, at: datetime) -> bool:
    code = session.get(JoinCode, int(row.once), populate_existing=True)
    return code is not None and code.ended_at is None and at < code.expires_at


def _address(session: Session, row: Message) -> str:
    if row.address is not None:
        return row.address
    contact = session.get(Contact, row.person_id)
    if contact is None or row.channel not in contact.channels:
        return ""
    return contact.email if row.channel == MessageChannel.EMAIL.value else contact.mobile
