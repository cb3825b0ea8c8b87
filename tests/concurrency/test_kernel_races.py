"""Writers that want the same money at the same time, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy import text

from tests.ledger.books import (
    AT,
    BUDGET,
    CAP,
    CAP_USED,
    ORDER,
    PAYABLE,
    VOUCHER,
    Answer,
    available,
    event,
    funded,
    give,
    one,
    open_book,
    pending,
    resolve,
    single,
)  # fmt: skip
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Rejected
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.ledger.verify import verify
from voucher.terms import Phase, PostingKind

K = PostingKind
T = TypeVar("T")


def at_once(jobs: list[Callable[[], T]]) -> list[T]:
    """Run every job in a thread of its own, all let go together."""
    gate = Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T:
        gate.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def posting(database: Database, *events: Event) -> Callable[[], list[Answer]]:
    return lambda: give(database, list(events))


def sound(database: Database) -> None:
    with database.read() as session:
        assert verify(session).faults == ()


def taken(database: Database, given: Event) -> Answer:
    """Post one event on the budget at the told instant."""
    refs = [BUDGET, accounts.source()]
    return database.transaction(
        lambda session, at: post(session, lock(session, 1, refs), [given], at=at)[0], at=AT
    )


def deadlocks(database: Database) -> int:
    with database.read() as session:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(session.execute(text(query)).scalar_one())


def test_the_last_of_a_balance_is_taken_once(pg_database: Database) -> None:
    funded(pg_database)
    for turn in range(10):
        ref = accounts.voucher(f"R{turn}")
        one(pg_database, event(K.ISSUE, single(BUDGET, ref, 100)))
        holds = [event(K.HOLD, pending(ref, accounts.order(f"R{turn}-{n}"), 60)) for n in range(8)]
        answers = [
            answer
            for answers in at_once([posting(pg_database, hold) for hold in holds])
            for answer in answers
        ]
        refused = [answer for answer in answers if isinstance(answer, Rejected)]
        assert len(refused) == 7
        assert {(answer.code, answer.facts["left_fen"]) for answer in refused} == {
            (Code.VOUCHER_EXHAUSTED, 40)
        }
    sound(pg_database)


def test_the_same_event_from_many_writers_stands_once(pg_database: Database) -> None:
    open_book(pg_database)
    for _ in range(10):
        fund = event(K.FUND, single(accounts.source(), BUDGET, 100))
        answers = [answer for (answer,) in at_once([posting(pg_database, fund)] * 8)]
        assert sum(isinstance(answer, Accepted) and not answer.replayed for answer in answers) == 1
        assert all(isinstance(answer, Accepted) for answer in answers)
    assert available(pg_database, BUDGET) == 1000
    sound(pg_database)


def test_opposite_orders_of_naming_accounts_do_not_deadlock(pg_database: Database) -> None:
    open_book(pg_database)
    refs = [accounts.voucher(f"D{n}") for n in range(20)]
    give(pg_database, [event(K.ISSUE, single(accounts.source(), ref, 10_000)) for ref in refs])

    def writer(number: int) -> list[Answer]:
        answers = []
        for turn in range(15):
            ring = refs if (number + turn) % 2 else refs[::-1]
            legs = [single(ring[i], ring[i + 1], 1) for i in range(len(ring) - 1)]
            answers.append(one(pg_database, event(K.ALLOT, *legs)))
        return answers

    jobs: list[Callable[[], list[Answer]]] = [lambda n=n: writer(n) for n in range(8)]  # type: ignore[misc]
    answers = [answer for answers in at_once(jobs) for answer in answers]
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert deadlocks(pg_database) == 0
    sound(pg_database)


def test_an_account_wanted_for_the_first_time_by_many_is_made_once(pg_database: Database) -> None:
    open_book(pg_database)
    for turn in range(10):
        refs = [accounts.voucher(f"N{turn}-{n}") for n in range(5)]
        jobs = [
            posting(
                pg_database,
                *(event(K.FUND, single(accounts.source(), ref, 1)) for ref in (refs, refs[::-1])[n % 2]),
            )
            for n in range(8)
        ]
        assert all(isinstance(answer, Accepted) for answers in at_once(jobs) for answer in answers)
        assert [available(pg_database, ref) for ref in refs] == [8] * 5
    assert deadlocks(pg_database) == 0
    sound(pg_database)


def test_nothing_slips_into_a_period_while_it_is_closed(pg_database: Database) -> None:
    """Whoever posts first holds the book; after the closing has committed, every posting of that day is refused."""
    open_book(pg_database)

    def closing() -> int:
        def work(session: object, _at: object) -> int:
            session.execute(text("SELECT 1 FROM book WHERE book_id = 1 FOR UPDATE"))  # type: ignore[attr-defined]
            session.execute(  # type: ignore[attr-defined]
                text("UPDATE book SET closed_through = :day WHERE book_id = 1"), {"day": date(2026, 3, 2)}
            )
            count: int = session.execute(text("SELECT count(*) FROM posting")).scalar_one()  # type: ignore[attr-defined]
            return count

        return pg_database.transaction(work)

    def writer() -> int:
        accepted = 0
        for _ in range(20):
            fund = event(K.FUND, single(accounts.source(), BUDGET, 1))
            answer = taken(pg_database, fund)
            accepted += isinstance(answer, Accepted)
        return accepted

    *accepted, seen_at_closing = at_once([writer, writer, writer, writer, closing])
    with pg_database.read() as session:
        stored = session.execute(text("SELECT count(*) FROM posting")).scalar_one()
    assert stored == sum(accepted) == seen_at_closing


@pytest.mark.campaign
def test_of_reverse_trim_and_settle_of_one_order_one_wins(
    pg_database: Database, campaign_share: float
) -> None:
    hold = funded(pg_database)
    one(pg_database, event(K.CAPTURE, resolve(hold, 0, 80_000_00), resolve(hold, 1, 80_000_00)))
    one(pg_database, event(K.REVERSE, single(ORDER, VOUCHER, 80_000_00), single(CAP_USED, CAP, 80_000_00)))
    for turn in range(max(10, int(200 * campaign_share))):
        order = accounts.order(f"S{turn}")
        held = event(K.HOLD, pending(VOUCHER, order, 50_00), pending(CAP, CAP_USED, 50_00))
        give(pg_database, [held, event(K.CAPTURE, resolve(held, 0, 50_00), resolve(held, 1, 50_00))])
        wishes = [
            event(K.REVERSE, single(order, VOUCHER, 50_00), single(CAP_USED, CAP, 50_00)),
            event(K.TRIM, single(order, VOUCHER, 10_00)),
            event(K.SETTLE, single(order, PAYABLE, 50_00)),
        ]
        answers = [answer for (answer,) in at_once([posting(pg_database, wish) for wish in wishes])]
        refused = [answer for answer in answers if isinstance(answer, Rejected)]
        assert len(refused) == 2
        assert {answer.code for answer in refused} == {Code.ALREADY_SETTLED}
        left = available(pg_database, order)
        assert left == (40_00 if isinstance(answers[1], Accepted) else 0)
        undo = event(K.DISALLOW, single(order, VOUCHER, 40_00))
        assert isinstance(one(pg_database, undo), Accepted) == (left == 40_00)
    sound(pg_database)


def test_a_hold_is_captured_or_released_never_both(pg_database: Database) -> None:
    funded(pg_database)
    for turn in range(10):
        hold = event(K.HOLD, pending(VOUCHER, accounts.order(f"C{turn}"), 50_00))
        one(pg_database, hold)
        capture = event(K.CAPTURE, resolve(hold, 0, 50_00))
        release = event(K.RELEASE, resolve(hold, 0, 50_00, Phase.VOID))
        answers = [
            answer for (answer,) in at_once([posting(pg_database, each) for each in (capture, release)])
        ]
        assert sorted(isinstance(answer, Accepted) for answer in answers) == [False, True]
    sound(pg_database)
