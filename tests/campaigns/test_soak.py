"""Many writers on few accounts for a while: no deadlock, nothing lost, nothing doubled, everybody gets a turn."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event as Signal
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Leg
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.ledger.verify import verify
from voucher.models.ledger import Book, Posting
from voucher.terms import PostingKind

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]

WRITERS, ACCOUNTS, SECONDS = 32, 20, 60


def opened(database: Database) -> int:
    """A book with twenty funded budget lines."""

    def work(session: Session, at: datetime) -> int:
        book = Book(code="soak", authority="浸泡测试")
        session.add(book)
        session.flush()
        lines = [accounts.budget(f"line-{number}", 2026) for number in range(ACCOUNTS)]
        locked = lock(session, book.book_id, [accounts.source(), *lines])
        events = [
            event(uuid4(), PostingKind.FUND, Leg(accounts.source(), line, 1_000_000_00), at) for line in lines
        ]
        assert all(isinstance(answer, Accepted) for answer in post(session, locked, events, at=at))
        return book.book_id

    return database.transaction(work)


def event(key: UUID, kind: PostingKind, leg: Leg, at: datetime) -> Event:
    """A posting of one leg."""
    return Event(
        id=key,
        kind=kind,
        legs=(leg,),
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version="soak",
        actor_ref="soak",
    )


def write_until(database: Database, book_id: int, stop: Signal, seed: int) -> tuple[list[UUID], list[float]]:
    """Move money between two lines again and again; what was acknowledged, and how long each took."""
    chance = random.Random(seed)
    done: list[UUID] = []
    took: list[float] = []
    while not stop.is_set():
        one, other = chance.sample(range(ACCOUNTS), 2)
        key = uuid4()

        def work(session: Session, at: datetime, one: int = one, other: int = other, key: UUID = key) -> None:
            leg = Leg(accounts.budget(f"line-{one}", 2026), accounts.budget(f"line-{other}", 2026), 1)
            locked = lock(session, book_id, [leg.debit, leg.credit])
            (answer,) = post(session, locked, [event(key, PostingKind.ALLOT, leg, at)], at=at)
            assert isinstance(answer, Accepted)

        started = time.monotonic()
        database.transaction(work)
        took.append(time.monotonic() - started)
        done.append(key)
    return done, took


def soak(database: Database, seconds: float) -> list[tuple[list[UUID], list[float]]]:
    """All writers for that long."""
    book_id = opened(database)
    stop = Signal()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write_until, database, book_id, stop, seed) for seed in range(WRITERS)]
        time.sleep(seconds)
        stop.set()
        return [writer.result() for writer in writers]


def check(database: Database, written: list[tuple[list[UUID], list[float]]]) -> None:
    """Every acknowledged posting stands once, no other does, and the books balance."""
    keys = {key for done, _ in written for key in done}
    with database.read() as session:
        standing = set(session.scalars(select(Posting.id).where(Posting.kind == PostingKind.ALLOT.value)))
        assert standing == keys
        assert session.scalars(select(func.count()).select_from(Posting)).one() == len(keys) + ACCOUNTS
    with database.read() as session:
        assert verify(session).faults == ()


def test_32_writers_on_20_accounts_meet_no_deadlock_on_postgresql(
    pg_database: Database, campaign_share: float
) -> None:
    written = soak(pg_database, max(5.0, SECONDS * campaign_share))
    check(pg_database, written)
    with pg_database.read() as session:
        deadlocks = session.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
    assert deadlocks == 0


def test_32_writers_take_fair_turns_on_sqlite(sqlite_database: Database, campaign_share: float) -> None:
    written = soak(sqlite_database, max(5.0, SECONDS * campaign_share))
    check(sqlite_database, written)
    counts = [len(done) for done, _ in written]
    assert max(counts) <= min(counts) * 1.2 + 1, counts
