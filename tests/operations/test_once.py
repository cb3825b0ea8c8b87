"""A client's key: one request, one deed, one answer, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.operations import counter
from tests.operations.counter import cap_of
from tests.operations.stories import Told, snapshot
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.models.people import RequestKey
from voucher.operations.confirm_session import confirm_session
from voucher.operations.once import Answer, once, request_id
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.rules.permissions import Actor

KEY = "a-key-of-the-client"


def asked(
    told: Told, work: Callable[[Session, datetime], Answer], *, actor: Actor, key: str = KEY, body: Any = 1
) -> Answer:
    request = request_id(actor.ref, "counter.propose", key, {"body": body})
    return told.do(lambda session, at: once(session, request, lambda: work(session, at), at=at))


def proposing(told: Told, number: str) -> Callable[[Session, datetime], Answer]:
    scanner, request = told.world.platform.scanner, counter.request_of(number, 40_000_00)

    def work(session: Session, at: datetime) -> Answer:
        held = only(propose(session, [request], actor=scanner, at=at))
        return {"order": held.order.number, "held_fen": held.held_fen}

    return work


def keys(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.count()).select_from(RequestKey)).one()


def test_the_same_key_six_times_is_one_debit_and_one_answer(told: Told) -> None:
    work = proposing(told, counter.scanned(told, told.voucher()))
    scanner = told.world.platform.scanner
    first = asked(told, work, actor=scanner)
    before = snapshot(told.database)
    assert [asked(told, work, actor=scanner) for _ in range(5)] == [first] * 5
    assert snapshot(told.database) == before
    assert (first["held_fen"], cap_of(told).reserved_fen) == (20_000_00, 20_000_00)


def test_another_body_under_a_key_is_refused(told: Told) -> None:
    work, scanner = proposing(told, counter.scanned(told, told.voucher())), told.world.platform.scanner
    asked(told, work, actor=scanner)
    with pytest.raises(Refusal) as caught:
        asked(told, work, actor=scanner, body=2)
    assert (caught.value.code, caught.value.status) == (Code.KEY_REUSED, 422)
    assert cap_of(told).reserved_fen == 20_000_00


def test_a_refusal_keeps_no_key_so_that_the_same_key_may_succeed_later(told: Told) -> None:
    made = counter.proposed(told, told.voucher(face_fen=10_000_00), 40_000_00)
    firm, scanner = told.world.firm.actor, told.world.platform.scanner
    told.do(lambda session, at: only(confirm_session(session, [made.session], actor=firm, at=at)))
    number = counter.scanned(told, told.voucher())
    with pytest.raises(Refusal):
        asked(told, lambda s, at: {"n": only(confirm_session(s, [number], actor=firm, at=at))}, actor=scanner)
    assert keys(told.database) == 0
    assert asked(told, proposing(told, number), actor=scanner)["held_fen"] == 20_000_00
    assert keys(told.database) == 1


def test_two_people_may_use_the_same_key(told: Told) -> None:
    voucher, manager = told.voucher(), told.world.platform.manager
    first, second = counter.scanned(told, voucher), counter.scanned(told, voucher)
    one = asked(told, proposing(told, first), actor=told.world.platform.scanner)
    other = asked(told, proposing(told, second), actor=manager)
    assert one["order"] != other["order"]


@pytest.mark.parametrize("key", ["", "short", "k" * 81])
def test_a_key_that_is_missing_too_short_or_too_long_is_refused(key: str) -> None:
    with pytest.raises(Refusal) as caught:
        request_id("person:1", "route", key, {})
    assert caught.value.code is Code.KEY_MISSING


def test_a_key_whose_first_request_is_still_under_way_is_refused_after_the_wait(
    pg_database: Database,
) -> None:
    entered, leave = Event(), Event()
    request = request_id("person:1", "route", KEY, {})

    def slow() -> Answer:
        entered.set()
        assert leave.wait(30)
        return {"done": 1}

    def patient(session: Session, at: datetime) -> Answer:
        return once(session, request, slow, at=at)

    def hasty(session: Session, at: datetime) -> Answer:
        session.connection().exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
        return once(session, request, lambda: {"done": 2}, at=at)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(pg_database.transaction, patient)
        assert entered.wait(30)
        with pytest.raises(Refusal) as caught:
            pg_database.transaction(hasty)
        assert (caught.value.code, caught.value.status) == (Code.KEY_IN_FLIGHT, 409)
        leave.set()
        assert first.result() == {"done": 1}
    assert pg_database.transaction(hasty) == {"done": 1}


def test_six_requests_at_once_with_one_key_are_one_debit(pg_database: Database) -> None:
    told = Told(pg_database)
    work, scanner = proposing(told, counter.scanned(told, told.voucher())), told.world.platform.scanner
    start = Barrier(6)

    def send(_number: int) -> Answer:
        start.wait(30)
        return asked(told, work, actor=scanner)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert answers == answers[:1] * 6
    assert cap_of(told).reserved_fen == 20_000_00
