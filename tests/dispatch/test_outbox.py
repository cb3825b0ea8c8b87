"""What people are told leaves the house once: through a real mail server, a real gateway, and past a killed worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.dispatch.servers import Inbox, Postbox, gateway_server, smtp_server
from voucher.cli.couriers import Couriers, drain
from voucher.db import Database
from voucher.dispatch.folder import Folder
from voucher.dispatch.gateway import Gateway
from voucher.dispatch.mail import Mail
from voucher.dispatch.parcel import Parcel, Undelivered
from voucher.errors import Fact
from voucher.models.messages import Contact, Message
from voucher.operations.outbox import LEASE, WAITS, claim_next, note_failed, release_stuck, send_again
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.terms import MessageChannel, MessageEvent, MessageState, Role

TOKEN = "a-token-of-the-test"
ALL = frozenset({MessageChannel.EMAIL, MessageChannel.SMS})


class House:
    """Somebody who wants to be told by e-mail and SMS, and the outbox."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.person: Actor = database.transaction(self._person)

    @staticmethod
    def _person(session: Session, at: datetime) -> Actor:
        somebody = factories.person(session, Role.SECURITY_ADMIN, at=at)
        contact = Contact(
            person_id=somebody.person_id, email="li@example.com", mobile="13800000001", updated_at=at
        )
        contact.channels = [channel.value for channel in sorted(ALL)]
        session.add(contact)
        return somebody

    def told(self, subject: str = "C202600000019") -> None:
        """One decision is told, by every channel."""
        facts: dict[str, Fact] = {
            "verdict": "trim",
            "approved_fen": 123_456_78,
            "reason": "超出合同约定的部分",
        }
        note = Note(MessageEvent.CLAIM_DECIDED, subject, facts, person_ids=(self.person.person_id,))
        self.database.transaction(lambda session, at: tell(session, [note], at=at))

    def states(self) -> dict[str, str]:
        """State by channel (of one subject)."""
        with self.database.read() as session:
            rows = session.execute(select(Message.channel, Message.state).order_by(Message.id))
            return {row.channel: row.state for row in rows}

    def row(self, channel: MessageChannel) -> Message:
        """The message of this channel."""
        with self.database.read() as session:
            return session.scalars(select(Message).where(Message.channel == channel.value)).one()


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with smtp_server() as box:
        yield box


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with gateway_server() as box:
        yield box


def couriers(postbox: Postbox, inbox: Inbox) -> Couriers:
    return {
        MessageChannel.EMAIL: Mail("127.0.0.1", postbox.port, "quan@example.gov.cn", encryption="none"),
        MessageChannel.SMS: Gateway(inbox.url, TOKEN),
    }


def test_a_message_goes_out_once_by_each_channel_with_its_id(
    house: House, postbox: Postbox, inbox: Inbox
) -> None:
    house.told()
    house.told()
    assert drain(house.database, couriers(postbox, inbox)) == (2, 0)
    assert drain(house.database, couriers(postbox, inbox)) == (0, 0)
    ((recipient, text),) = postbox.mails
    mail = message_from_string(text, policy=policy.default)
    assert recipient == "li@example.com"
    assert mail["Subject"] == "兑付申请 C202600000019 已审核"
    assert mail["Message-ID"] == f"<{house.row(MessageChannel.EMAIL).ref}@example.gov.cn>"
    assert "核定 123,456.78 元" in mail.get_content()
    ((ref, said),) = inbox.taken.items()
    assert (ref, said["to"], said["channel"]) == (house.row(MessageChannel.SMS).ref, "13800000001", "sms")
    assert inbox.requests == [(ref, f"Bearer {TOKEN}")]
    assert house.states() == {"inbox": "sent", "email": "sent", "sms": "sent"}


def test_two_workers_send_each_message_once(house: House, postbox: Postbox, inbox: Inbox) -> None:
    for number in range(12):
        house.told(f"C{number}")
    ways = couriers(postbox, inbox)
    threads = [threading.Thread(target=drain, args=(house.database, ways)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(postbox.mails) == 12
    assert sorted(ref for ref, _ in inbox.requests) == sorted(inbox.taken)


def test_a_failing_gateway_is_tried_again_after_growing_waits_and_then_given_up(
    house: House, postbox: Postbox, inbox: Inbox
) -> None:
    house.told()
    inbox.answer = 503
    ways = couriers(postbox, inbox)
    assert drain(house.database, ways) == (1, 1)
    row = house.row(MessageChannel.SMS)
    assert (row.state, row.attempts, row.last_error) == ("waiting", 1, "gateway_503")
    assert row.next_try_at is not None and row.next_try_at > row.told_at
    assert drain(house.database, ways) == (0, 0), "not before its time"
    at = row.told_at
    for wait in WAITS:
        at += wait + timedelta(minutes=1)
        house.database.transaction(_attempt, at=at)
    assert house.row(MessageChannel.SMS).state == MessageState.DEAD.value
    assert len(inbox.requests) == 1


def _attempt(session: Session, at: datetime) -> None:
    taken = claim_next(session, channels=[MessageChannel.SMS], at=at)
    assert taken is not None
    note_failed(session, taken.message_id, "gateway_503", final=False, at=at)


@pytest.mark.parametrize(
    ("status", "state"), [(400, "dead"), (302, "dead"), (429, "waiting"), (409, "sent"), (500, "waiting")]
)
def test_what_the_gateway_answers_decides(
    house: House, postbox: Postbox, inbox: Inbox, status: int, state: str
) -> None:
    house.told()
    inbox.answer = status
    drain(house.database, couriers(postbox, inbox))
    assert house.row(MessageChannel.SMS).state == state
    assert len(inbox.requests) == 1, "a redirect is not followed"


@pytest.mark.parametrize(("answer", "state"), [("550 no such user", "dead"), ("451 later", "waiting")])
def test_what_the_mail_server_answers_decides(
    house: House, postbox: Postbox, inbox: Inbox, answer: str, state: str
) -> None:
    house.told()
    postbox.refuse = answer
    drain(house.database, couriers(postbox, inbox))
    row = house.row(MessageChannel.EMAIL)
    assert (row.state, row.last_error) == (state, f"smtp_{answer[:3]}")
    assert "li@" not in row.last_error


def test_a_mail_whose_fate_is_unknown_is_not_sent_again_by_itself(
    house: House, postbox: Postbox, inbox: Inbox
) -> None:
    house.told()
    postbox.hang_up = True
    ways = couriers(postbox, inbox)
    drain(house.database, ways)
    row = house.row(MessageChannel.EMAIL)
    assert (row.state, row.last_error) == ("dead", "smtp_uncertain")
    postbox.hang_up = False
    drain(house.database, ways)
    assert len(postbox.mails) == 1
    again = house.database.transaction(
        lambda session, at: send_again(session, [row.id], actor=house.person, at=at)
    )
    assert again == 1
    drain(house.database, ways)
    assert house.row(MessageChannel.EMAIL).state == "sent"


def test_a_server_that_offers_no_encryption_is_not_spoken_to(postbox: Postbox) -> None:
    parcel = Parcel("a" * 32, MessageChannel.EMAIL, "li@example.com", "标题", "正文")
    with pytest.raises(Undelivered) as failed:
        Mail("127.0.0.1", postbox.port, "quan@example.gov.cn").send(parcel)
    assert not failed.value.final
    assert postbox.mails == []


def test_a_message_waits_for_its_channel_a_week_at_most_and_not_for_an_address_taken_away(
    house: House, postbox: Postbox, inbox: Inbox
) -> None:
    house.told()
    at = house.row(MessageChannel.SMS).told_at + timedelta(days=8)
    assert (
        house.database.transaction(
            lambda session, at: claim_next(session, channels=[MessageChannel.SMS], at=at), at=at
        )
        is None
    )
    assert house.row(MessageChannel.SMS).last_error == "too_old"

    def leave(session: Session, _: datetime) -> None:
        contact = session.get_one(Contact, house.person.person_id)
        contact.channels = []

    house.database.transaction(leave)
    drain(house.database, couriers(postbox, inbox))
    assert (house.row(MessageChannel.EMAIL).last_error, postbox.mails) == ("no_address", [])


def test_what_was_claimed_too_long_ago_is_repeated_only_where_the_other_side_knows_ids(house: House) -> None:
    house.told()
    house.database.transaction(lambda session, at: claim_next(session, channels=ALL, at=at))
    house.database.transaction(lambda session, at: claim_next(session, channels=ALL, at=at))
    claimed_at = house.row(MessageChannel.SMS).claimed_at
    assert claimed_at is not None

    def release(after: timedelta) -> int:
        return house.database.transaction(
            lambda session, at: release_stuck(session, repeatable=[MessageChannel.SMS], at=at),
            at=claimed_at + after,
        )

    assert release(LEASE - timedelta(seconds=1)) == 0
    assert release(LEASE + timedelta(seconds=1)) == 2
    assert (house.states()["sms"], house.states()["email"]) == ("waiting", "dead")


def test_the_folder_of_the_demonstration_holds_one_file_a_message(house: House, tmp_path: Path) -> None:
    house.told()
    folder = Folder(tmp_path / "out")
    assert drain(house.database, dict.fromkeys(ALL, folder)) == (2, 0)
    files = sorted((tmp_path / "out").iterdir())
    assert {file.stem for file in files} == {house.row(channel).ref for channel in ALL}
    said = json.loads(files[0].read_text("utf-8"))
    assert said["title"] == "兑付申请 C202600000019 已审核"


_KILLED = """
import sys
from voucher.db import Database
from voucher.cli.couriers import drain
from voucher.dispatch.gateway import Gateway
from voucher.dispatch.mail import Mail
from voucher.terms import MessageChannel
import voucher.cli.couriers as couriers

def stuck(*args, **kwargs):
    print("sent", flush=True)
    sys.stdin.read()

couriers.note_sent = stuck
database = Database(sys.argv[1])
ways = {MessageChannel.SMS: Gateway(sys.argv[2], sys.argv[3])} if sys.argv[4] == "sms" else {
    MessageChannel.EMAIL: Mail("127.0.0.1", int(sys.argv[2]), "quan@example.gov.cn", encryption="none")
}
drain(database, ways)
"""


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_worker_killed_between_sending_and_marking_tells_nothing_twice(
    house: House, postbox: Postbox, inbox: Inbox, channel: str
) -> None:
    """The one window: the gateway refuses the second by its id, and a mail waits for a person."""
    house.told()
    where = inbox.url if channel == "sms" else str(postbox.port)
    url = house.database.url.render_as_string(hide_password=False)
    worker = subprocess.Popen(
        [sys.executable, "-c", _KILLED, url, where, TOKEN, channel],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert worker.stdout is not None and worker.stdin is not None
    assert worker.stdout.readline() == b"sent\n"
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    worker.stdin.close()
    assert house.states()[channel] == "claimed"
    ways = couriers(postbox, inbox)
    later = house.row(MessageChannel(channel)).claimed_at
    assert later is not None
    house.database.transaction(
        lambda session, at: release_stuck(session, repeatable=[MessageChannel.SMS], at=at),
        at=later + LEASE + timedelta(seconds=1),
    )

    def due(session: Session, _: datetime) -> None:
        for row in session.scalars(select(Message).where(Message.state == MessageState.WAITING.value)):
            row.next_try_at = row.told_at

    house.database.transaction(due)
    drain(house.database, ways)
    if channel == "sms":
        assert len(inbox.requests) == 2, "asked twice with one id,"
        assert len(inbox.taken) == 1, "told once"
        assert house.states()["sms"] == "sent"
    else:
        assert len(postbox.mails) == 1
        row = house.row(MessageChannel.EMAIL)
        assert (row.state, row.last_error) == ("dead", "interrupted")
