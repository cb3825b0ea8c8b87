"""Who is told of what: in the transaction of the deed, each person once by each channel they asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event as events
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.messages import Message
from voucher.models.orders import Order
from voucher.models.people import Person, RoleGrant
from voucher.models.review import ClaimReturn
from voucher.models.vouchers import Voucher
from voucher.operations.contacts import ContactRequest, mark_read, set_contact
from voucher.operations.expire import Slice, expire_orders
from voucher.operations.remind import remind
from voucher.operations.sweep import SYSTEM
from voucher.operations.tell import Note, tell
from voucher.operations.tell_captures import tell_captures
from voucher.rules.permissions import Actor
from voucher.terms import MessageChannel, MessageEvent, Role

EVENT = MessageEvent.ORDER_EXPIRED


def heard(told: Told, event: MessageEvent, subject: str = "") -> dict[int, int]:
    """How many messages of this event each person got."""
    with told.database.read() as session:
        query = select(Message.person_id).where(Message.event == event.value)
        if subject:
            query = query.where(Message.subject == subject)
        people = session.scalars(query).all()
    return {person: people.count(person) for person in set(people) if person is not None}


def note(told: Told, **to: object) -> int:
    """Tell somebody of something."""
    return told.do(lambda session, at: tell(session, [Note(EVENT, "O1", {}, **to)], at=at))  # type: ignore[arg-type]


def test_an_order_is_told_to_the_other_side_step_by_step(database: Database) -> None:
    told = Told(database)
    order = told.captured_order()
    firm = {told.world.firm.actor.person_id: 1}
    platform = {told.world.platform.scanner.person_id: 1, told.world.platform.manager.person_id: 1}
    assert heard(told, MessageEvent.VOUCHER_ISSUED) == firm
    assert heard(told, MessageEvent.ORDER_PLACED, order) == platform
    assert heard(told, MessageEvent.ORDER_ACCEPTED, order) == firm
    assert heard(told, MessageEvent.ORDER_HELD, order) == firm
    assert heard(told, MessageEvent.ORDER_DELIVERED, order) == firm
    assert heard(told, MessageEvent.ORDER_CAPTURED, order) == platform
    claim = told.approved(order=order)
    assert heard(told, MessageEvent.CLAIM_SUBMITTED, claim) == {told.world.reviewer.person_id: 1}
    assert heard(told, MessageEvent.CLAIM_DECIDED, claim) == firm


def test_what_is_rolled_back_is_told_to_nobody(database: Database) -> None:
    told = Told(database)

    def work(session: Session, at: datetime) -> None:
        tell(session, [Note(EVENT, "O1", organisation_id=told.world.firm.organisation_id)], at=at)
        raise Refusal(Code.NOT_FOUND)

    with pytest.raises(Refusal):
        told.do(work)
    assert heard(told, EVENT) == {}


def test_a_note_is_told_once_and_again_only_under_another_once(database: Database) -> None:
    told = Told(database)
    to = {"organisation_id": told.world.firm.organisation_id}
    assert note(told, **to) == 1
    assert note(told, **to) == 0
    assert note(told, **to, once="2") == 1


def test_two_transactions_that_tell_the_same_tell_it_once(pg_database: Database) -> None:
    told = Told(pg_database)
    to = Note(EVENT, "O1", organisation_id=told.world.firm.organisation_id)

    def work(session: Session, at: datetime) -> int:
        tell(session, [to], at=at)
        return told.database.transaction(lambda other, now: other.execute(select(Message.id)).all()).__len__()

    assert told.do(work) == 0, "nobody sees it before the commit"
    assert told.do(lambda session, at: tell(session, [to], at=at)) == 0


def test_only_people_who_hold_a_role_today_and_are_not_shut_out_are_told(database: Database) -> None:
    told = Told(database)
    firm = told.world.firm.organisation_id

    def work(session: Session, at: datetime) -> tuple[Actor, Actor]:
        leaver = factories.person(session, Role.ENTERPRISE_OPERATOR, organisation_id=firm, at=at)
        session.execute(
            update(RoleGrant).where(RoleGrant.person_id == leaver.person_id).values(to_on=business_date(at))
        )
        shut_out = factories.person(session, Role.ENTERPRISE_OPERATOR, organisation_id=firm, at=at)
        session.execute(update(Person).where(Person.id == shut_out.person_id).values(disabled_at=at))
        return leaver, shut_out

    told.do(work)
    assert note(told, organisation_id=firm) == 1
    assert heard(told, EVENT) == {told.world.firm.actor.person_id: 1}


def test_a_region_is_told_to_the_reviewers_whose_region_covers_it(database: Database) -> None:
    told = Told(database)

    def work(session: Session, at: datetime) -> tuple[int, int]:
        below = factories.person(session, Role.REVIEWER, region_code="140105", at=at)
        beside = factories.person(session, Role.REVIEWER, region_code="141100", at=at)
        return below.person_id, beside.person_id

    below, beside = told.do(work)
    note(told, region_code="140105")
    assert heard(told, EVENT) == {told.world.reviewer.person_id: 1, below: 1}
    assert beside not in heard(told, EVENT)


def test_telling_any_number_of_notes_takes_two_statements(pg_database: Database) -> None:
    told = Told(pg_database)
    said: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    firm, platform = told.world.firm.holder_id, told.world.platform.platform_id
    notes = [Note(EVENT, f"O{n}", holder_id=firm, platform_id=platform) for n in range(50)]

    def work(session: Session, at: datetime) -> int:
        events.listen(pg_database.engine, "before_cursor_execute", listen)
        count = tell(session, notes, at=at)
        events.remove(pg_database.engine, "before_cursor_execute", listen)
        return count

    assert told.do(work) == 150
    assert len(said) == 2, said


def test_a_capture_at_the_counter_is_told_to_both_sides_afterwards_and_once(database: Database) -> None:
    told = Told(database, at=datetime.now(UTC))
    counter.redeemed(told, told.voucher(), 2_000_00)
    assert heard(told, MessageEvent.SESSION_CAPTURED) == {}
    for _ in range(2):
        assert told.do(lambda session, at: tell_captures(session, at=at)) is None
    platform = told.world.platform
    assert heard(told, MessageEvent.SESSION_CAPTURED) == {
        told.world.firm.actor.person_id: 1,
        platform.scanner.person_id: 1,
        platform.manager.person_id: 1,
    }


def reminded(told: Told, on: date) -> int:
    """How many messages the reminders of a day wrote."""
    at = datetime(on.year, on.month, on.day, 2, 0, tzinfo=UTC)
    return told.do(lambda session, now: remind(session, at=now), at=at)


def test_a_complete_by_day_is_reminded_three_and_one_working_days_before_once_each(
    database: Database,
) -> None:
    told = Told(database)
    order = told.held_order()
    told.do(
        lambda session, _: session.execute(
            update(Order).where(Order.number == order).values(complete_by=date(2026, 3, 16))
        )
    )
    counts = {day: reminded(told, date(2026, 3, day)) for day in range(9, 17)}
    assert counts == {9: 0, 10: 0, 11: 3, 12: 0, 13: 3, 14: 0, 15: 0, 16: 0}
    assert reminded(told, date(2026, 3, 13)) == 0


def test_a_missed_day_of_the_worker_loses_no_reminder(database: Database) -> None:
    told = Told(database)
    order = told.held_order()
    told.do(
        lambda session, _: session.execute(
            update(Order).where(Order.number == order).values(complete_by=date(2026, 3, 16))
        )
    )
    assert reminded(told, date(2026, 3, 12)) == 3
    assert reminded(told, date(2026, 3, 16)) == 3


def test_a_voucher_is_reminded_only_while_something_is_left(database: Database) -> None:
    told = Told(database)
    empty, full = told.voucher(face_fen=50_000_00), told.voucher(face_fen=10_000_00)
    told.captured_order(voucher=empty)
    told.do(lambda session, _: session.execute(update(Voucher).values(use_by=date(2026, 3, 16))))
    reminded(told, date(2026, 3, 11))
    assert heard(told, MessageEvent.USE_BY_NEAR, full) == {told.world.firm.actor.person_id: 1}
    assert heard(told, MessageEvent.USE_BY_NEAR, empty) == {}


def test_a_captured_order_is_reminded_before_its_claim_is_late_and_not_once_it_is_made(
    database: Database,
) -> None:
    told = Told(database)
    voucher = told.voucher()
    order, claimed = told.captured_order(voucher=voucher), told.captured_order(voucher=voucher)
    told.claimed(order=claimed)
    last = business_date(told.at) + timedelta(days=180)
    assert reminded(told, last) == 1
    assert heard(told, MessageEvent.REDEEM_BY_NEAR) == {told.world.firm.actor.person_id: 1}
    assert heard(told, MessageEvent.REDEEM_BY_NEAR, claimed) == {}
    assert order


def test_defects_and_confirmations_are_reminded_to_whoever_has_to_act(database: Database) -> None:
    told = Told(database)
    voucher = told.voucher()
    returned = told.claimed(order=told.captured_order(voucher=voucher, contract_fen=10_000_00))
    awaited = told.claimed(order=told.captured_order(voucher=voucher, contract_fen=20_000_00))

    def work(session: Session, at: datetime) -> None:
        row = session.scalars(select(Claim).where(Claim.number == returned)).one()
        row.state = "returned"
        session.add(
            ClaimReturn(
                claim_id=row.id, round=1, number=f"{returned}-1", due_on=date(2026, 3, 16), contact="",
                late_reason="", returned_by=told.world.reviewer.person_id, returned_at=at,
            )
        )  # fmt: skip
        other = session.scalars(select(Claim).where(Claim.number == awaited)).one()
        other.state, other.confirm_by = "awaiting", date(2026, 3, 16)

    told.do(work)
    reminded(told, date(2026, 3, 13))
    assert heard(told, MessageEvent.DEFECTS_NEAR, returned) == {told.world.firm.actor.person_id: 1}
    platform = told.world.platform
    assert heard(told, MessageEvent.CONFIRM_NEAR, awaited) == {
        platform.scanner.person_id: 1,
        platform.manager.person_id: 1,
    }


def test_an_order_that_expires_is_told_to_both_sides(database: Database) -> None:
    told = Told(database)
    order = told.held_order()
    at = told.at + timedelta(days=400)
    told.do(
        lambda session, now: expire_orders(session, Slice(business_date(at)), actor=SYSTEM, at=now), at=at
    )
    assert len(heard(told, MessageEvent.ORDER_EXPIRED, order)) == 3


def test_a_channel_needs_its_address_and_the_inbox_cannot_be_turned_off(database: Database) -> None:
    told = Told(database)
    actor = told.world.firm.actor
    with pytest.raises(Refusal) as refused:
        told.do(
            lambda session, at: set_contact(
                session, ContactRequest(channels=frozenset({MessageChannel.SMS})), actor=actor, at=at
            )
        )
    assert refused.value.code is Code.CONTACT_MISSING
    wanted = ContactRequest("li@example.com", "", frozenset({MessageChannel.EMAIL, MessageChannel.INBOX}))
    told.do(lambda session, at: set_contact(session, wanted, actor=actor, at=at))
    assert note(told, person_ids=(actor.person_id,)) == 2


def test_nobody_marks_anothers_message_as_read(database: Database) -> None:
    told = Told(database)
    note(told, organisation_id=told.world.firm.organisation_id)
    (message,) = (told.one(Message, event=EVENT.value),)
    other = told.world.reviewer
    assert told.do(lambda session, at: mark_read(session, [message.id], actor=other, at=at)) == 0
    own = told.world.firm.actor
    assert told.do(lambda session, at: mark_read(session, None, actor=own, at=at)) >= 1
