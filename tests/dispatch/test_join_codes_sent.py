"""One-time codes that go by message: to the roster's address, seen by no official, once, and nowhere in clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.dispatch.servers import Inbox, gateway_server
from tests.operations.joining_world import KEY, Joining
from voucher.cli.couriers import Couriers, drain
from voucher.clock import business_date, wall_now
from voucher.codes import make_uscc
from voucher.db import Database
from voucher.dispatch.gateway import Gateway
from voucher.errors import Code
from voucher.models.joining import JoinCode
from voucher.models.journal import Journal
from voucher.models.messages import Message
from voucher.models.parties import Organisation
from voucher.operations.import_roster import RosterFile, RosterRow, import_roster
from voucher.operations.join import Joiner, Newcomer, join
from voucher.operations.join_codes import Presentation, sealed, unsealed
from voucher.operations.outbox import CODE_ENDED, send_again
from voucher.operations.outcome import Refused
from voucher.operations.send_codes import CodeSent, send_codes
from voucher.queries.joining import unjoined
from voucher.terms import MessageChannel

_firms = count(70_001)
OPEN = (MessageChannel.SMS, MessageChannel.EMAIL)
MOBILE = "13800000001"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with gateway_server() as box:
        yield box


@pytest.fixture
def world(sqlite_database: Database) -> Joining:
    """The world of today: the outbox goes by the database's clock."""
    made = Joining(sqlite_database)
    made.at = wall_now()
    return made


def couriers(inbox: Inbox) -> Couriers:
    return {MessageChannel.SMS: Gateway(inbox.url, "a-token-of-the-test")}


def on_roster(world: Joining, **contact: str) -> tuple[int, str]:
    """A firm of a roster with this contact: its organisation's id and its code."""

    def work(session: Session, at: datetime) -> tuple[int, str]:
        uscc = make_uscc("140105", next(_firms))
        row = RosterRow(2, "太原晋科新材料有限公司", uscc, f"R{uscc}", "140105", **contact)
        file = RosterFile("名单.xlsx", uscc.lower() * 3 + "0" * 10, 2026, [row])
        import_roster(session, file, actor=world.world.reviewer, at=at)
        return session.scalars(select(Organisation.id).where(Organisation.uscc == uscc)).one(), uscc

    return world.do(work)


def sent(world: Joining, organisation_id: int) -> CodeSent | Refused:
    (answer,) = world.do(
        lambda s, at: send_codes(s, [organisation_id], (OPEN, KEY), actor=world.world.reviewer, at=at)
    )
    return answer


def row(world: Joining) -> Message:
    with world.database.read() as session:
        return session.scalars(select(Message).order_by(Message.id.desc())).first() or Message()


def everything(world: Joining) -> str:
    """All that the outbox, the codes and the journal hold."""
    with world.database.read() as session:
        rows = [*session.scalars(select(Message)), *session.scalars(select(JoinCode))]
        said = [str(vars(each)) for each in rows] + [
            str(each.facts) for each in session.scalars(select(Journal))
        ]
    return " ".join(said)


def test_the_code_reaches_the_rosters_mobile_opens_the_account_and_is_in_clear_nowhere(
    world: Joining, inbox: Inbox
) -> None:
    organisation_id, uscc = on_roster(world, mobile="138 0000 0001", email="li@example.com")
    answer = sent(world, organisation_id)
    assert isinstance(answer, CodeSent)
    assert (answer.channel, answer.ending) == (MessageChannel.SMS, "0001")
    assert drain(world.database, couriers(inbox), key=KEY) == (1, 0)
    assert drain(world.database, couriers(inbox), key=KEY) == (0, 0)
    (parcel,) = inbox.taken.values()
    digits = re.search(r"\d{12}", parcel["text"])
    assert digits is not None and parcel["to"] == MOBILE
    assert digits[0] not in everything(world)
    message = row(world)
    assert (message.state, message.facts, message.address, message.person_id) == ("sent", {}, "", None)
    newcomer = Newcomer(login="jinke", name="李某", password_hash="x")
    given = Presentation(uscc, digits[0], "10.0.0.1")
    joined = world.do(lambda s, at: join(s, given, Joiner(newcomer), key=KEY, at=at))
    assert not isinstance(joined, Refused)


def test_while_it_waits_the_code_cannot_be_read_without_the_installations_secret(world: Joining) -> None:
    organisation_id, _ = on_roster(world, mobile=MOBILE)
    sent(world, organisation_id)
    message = row(world)
    digits = unsealed(KEY, message.ref, message.facts["sealed"])
    assert digits not in everything(world)
    assert sealed(KEY, message.ref, digits) == message.facts["sealed"]
    assert unsealed(b"another", message.ref, message.facts["sealed"]) != digits


def test_asked_for_again_only_the_new_code_goes_out(world: Joining, inbox: Inbox) -> None:
    organisation_id, _ = on_roster(world, mobile=MOBILE)
    sent(world, organisation_id)
    sent(world, organisation_id)
    assert drain(world.database, couriers(inbox), key=KEY) == (1, 0)
    with world.database.read() as session:
        rows = session.scalars(select(Message).order_by(Message.id)).all()
    assert [(each.state, each.last_error, each.facts) for each in rows] == [
        ("dead", CODE_ENDED, {}),
        ("sent", "", {}),
    ]
    again = [each.id for each in rows]
    world.do(lambda s, at: send_again(s, again, actor=world.world.officer, at=at))
    assert drain(world.database, couriers(inbox), key=KEY) == (0, 0)
    assert len(inbox.taken) == 1


def test_without_an_address_on_the_roster_or_a_way_there_is_only_the_letter(world: Joining) -> None:
    organisation_id, _ = on_roster(world, mobile="0351-1234567", email="没有")
    answer = sent(world, organisation_id)
    assert isinstance(answer, Refused) and answer.code is Code.CONTACT_MISSING
    by_mail, _ = on_roster(world, email="li@example.com")
    found = sent(world, by_mail)
    assert isinstance(found, CodeSent) and found.channel is MessageChannel.EMAIL
    closed: list[MessageChannel] = [MessageChannel.SMS]
    (shut,) = world.do(
        lambda s, at: send_codes(s, [by_mail], (closed, KEY), actor=world.world.reviewer, at=at)
    )
    assert isinstance(shut, Refused) and shut.code is Code.CONTACT_MISSING
    foreign = world.do(
        lambda s, at: send_codes(s, [by_mail], (OPEN, KEY), actor=world.world.firm.actor, at=at)
    )
    assert [each.code for each in foreign if isinstance(each, Refused)] == [Code.NOT_FOUND]


def test_an_address_that_another_region_entered_for_a_firm_is_not_where_its_code_goes(world: Joining) -> None:
    organisation_id, uscc = on_roster(world, mobile=MOBILE)

    def elsewhere(session: Session, at: datetime) -> None:
        row = RosterRow(2, "太原晋科新材料有限公司", uscc, f"N{uscc}", "140500", mobile="13999999999")
        file = RosterFile("名单.xlsx", uscc.lower() * 3 + "1" * 10, 2027, [row])
        import_roster(session, file, actor=world.world.reviewer, at=at)

    world.do(elsewhere)
    answer = sent(world, organisation_id)
    assert isinstance(answer, CodeSent) and answer.ending == MOBILE[-4:]
    with world.database.read() as session:
        (line,) = unjoined(session, world.world.reviewer, on=business_date(world.at), text=uscc).rows
    assert line.mobile == MOBILE


def test_whether_a_firm_elsewhere_can_be_reached_is_not_told(world: Joining) -> None:
    reached, _ = on_roster(world, mobile=MOBILE)
    silent, _ = on_roster(world)
    asked = [reached, silent, 999_999]
    answers = world.do(lambda s, at: send_codes(s, asked, (OPEN, KEY), actor=world.world.firm.actor, at=at))
    assert [each.code for each in answers if isinstance(each, Refused)] == [Code.NOT_FOUND] * 3
