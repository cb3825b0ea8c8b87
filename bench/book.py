"""A book with accounts to post between, and the postings that are measured: the kernel alone, no policy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.terms import PostingKind

BOOK = 1
DAY = date(2026, 3, 2)
BATCH = 1000
ACCOUNTS = 20_000
PAYEES = 200
_PLENTY = 10**12


def voucher(number: int) -> Ref:
    """One of many limited accounts."""
    return accounts.voucher(f"V{number:08d}")


def payee(number: int) -> Ref:
    """One of some limited accounts on the receiving side."""
    return accounts.payable(f"P{number:06d}")


def event(*legs: Leg, kind: PostingKind = PostingKind.PAY) -> Event:
    """A posting of its own id."""
    return Event(uuid4(), kind, legs, DAY.year, DAY, "bench/1", "person:1")


def give(database: Database, events: Sequence[Event]) -> None:
    """Post events as an entry point does: one transaction, committed; all must be accepted."""
    refs = [ref for each in events for leg in each.legs for ref in (leg.debit, leg.credit)]

    def work(session: Session, at: datetime) -> None:
        answers = post(session, lock(session, BOOK, refs), events, at=at)
        if not all(isinstance(answer, Accepted) for answer in answers):
            raise RuntimeError(str(answers))

    database.transaction(work)


def open_book(database: Database, *, vouchers: int = ACCOUNTS) -> None:
    """A book whose vouchers and caps hold plenty."""
    database.transaction(
        lambda session, _at: session.execute(
            text("INSERT INTO book (book_id, code, authority) VALUES (:id, 'BENCH', 'bench')"), {"id": BOOK}
        )
    )
    for start in range(0, vouchers, BATCH):
        numbers = range(start, min(start + BATCH, vouchers))
        fund = [event(Leg(accounts.source(), voucher(n), _PLENTY), kind=PostingKind.FUND) for n in numbers]
        give(database, fund)
        if start == 0:
            database.analyze()
    give(database, [event(Leg(accounts.source(), payee(n), 1), kind=PostingKind.FUND) for n in range(PAYEES)])
    database.analyze()


def batch(randomness: random.Random) -> list[Event]:
    """1000 transfers: each is one posting of one leg between two limited accounts, a voucher and a payee."""
    return [
        event(Leg(voucher(randomness.randrange(ACCOUNTS)), payee(randomness.randrange(PAYEES)), 1))
        for _ in range(BATCH)
    ]


def spread(randomness: random.Random) -> Event:
    """One transfer between two of many limited accounts."""
    one, other = randomness.sample(range(ACCOUNTS), 2)
    return event(Leg(voucher(one), voucher(other), 1))


def hot(randomness: random.Random) -> Event:
    """One transfer from one of many limited accounts to the one free account that everybody uses."""
    return event(Leg(voucher(randomness.randrange(ACCOUNTS)), accounts.paid(), 1))


def now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)
