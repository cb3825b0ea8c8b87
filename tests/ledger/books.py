"""A book to post in, and events to post: plain functions for the kernel's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from sqlalchemy import text

from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg, Rejected
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.terms import Phase, PostingKind

AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
BUDGET = accounts.budget("SX-2026-01", 2026)
VOUCHER = accounts.voucher("V2026-1")
ORDER = accounts.order("O2026-1")
CAP = accounts.cap("sme", "91140100MA0000001X", 2026)
CAP_USED = accounts.cap_used("sme", 2026)
CAP_SOURCE = accounts.cap_source("sme", 2026)
PAYABLE = accounts.payable("91140100MA0000001X")

Answer = Accepted | Rejected


def open_book(database: Database, book_id: int = 1, code: str = "SX") -> None:
    """A book of the provincial treasury."""
    database.transaction(
        lambda session, _at: session.execute(
            text("INSERT INTO book (book_id, code, authority) VALUES (:id, :code, '山西省财政厅')"),
            {"id": book_id, "code": code},
        )
    )


def event(kind: PostingKind, *legs: Leg, key: UUID | None = None, reverses: UUID | None = None) -> Event:
    """An event of 2 March 2026."""
    return Event(key or uuid4(), kind, legs, 2026, DAY, "shanxi-2022/1", "person:1", reverses)


def single(debit: Ref, credit: Ref, amount: int) -> Leg:
    return Leg(debit, credit, amount)


def pending(debit: Ref, credit: Ref, amount: int) -> Leg:
    return Leg(debit, credit, amount, Phase.PENDING, expires_at=AT)


def resolve(hold: Event, leg: int, amount: int, phase: Phase = Phase.POST) -> Leg:
    """Post or void one leg of a hold."""
    held = hold.legs[leg]
    return Leg(held.debit, held.credit, amount, phase, (hold.id, leg))


def give(database: Database, events: Sequence[Event], *, book_id: int = 1, at: datetime = AT) -> list[Answer]:
    """Post events in one transaction, and give their answers."""
    refs = [ref for each in events for leg in each.legs for ref in (leg.debit, leg.credit)]
    return database.transaction(
        lambda session, now: post(session, lock(session, book_id, refs), events, at=now), at=at
    )


def one(database: Database, given: Event, *, book_id: int = 1) -> Answer:
    return give(database, [given], book_id=book_id)[0]


def available(database: Database, ref: Ref, *, book_id: int = 1) -> int:
    return database.transaction(lambda session, _at: lock(session, book_id, [ref]).available(ref))


def funded(database: Database) -> Event:
    """A book with 500,000.00 of budget, a voucher of 200,000.00, a cap as high, and a hold of 80,000.00."""
    open_book(database)
    hold = event(PostingKind.HOLD, pending(VOUCHER, ORDER, 80_000_00), pending(CAP, CAP_USED, 80_000_00))
    steps = [
        event(PostingKind.FUND, single(accounts.source(), BUDGET, 500_000_00)),
        event(PostingKind.ISSUE, single(BUDGET, VOUCHER, 200_000_00)),
        event(PostingKind.CAP_ADJUST, single(CAP_SOURCE, CAP, 200_000_00)),
        hold,
    ]
    assert all(isinstance(answer, Accepted) for answer in give(database, steps))
    return hold


def settled(database: Database) -> Event:
    """The hold of `funded` captured at 70,000.00, settled and paid."""
    hold = funded(database)
    steps = [
        event(PostingKind.CAPTURE, resolve(hold, 0, 70_000_00), resolve(hold, 1, 70_000_00)),
        event(PostingKind.SETTLE, single(ORDER, PAYABLE, 70_000_00)),
        event(PostingKind.PAY, single(PAYABLE, accounts.paid(), 70_000_00)),
    ]
    assert all(isinstance(answer, Accepted) for answer in give(database, steps))
    return hold
