"""Compute the whole ledger again from its transfers, and name what differs (docs/ledger.md, "Verify")."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from voucher.ledger.verify_accounts import account_faults
from voucher.ledger.verify_book import Book, book_of
from voucher.ledger.verify_business import business_faults
from voucher.ledger.verify_columns import Content, Unreadable, no_rows, read
from voucher.ledger.verify_entries import entry_faults
from voucher.ledger.verify_moves import Moves, moves_of
from voucher.ledger.verify_one_account import first_fault
from voucher.ledger.verify_postings import log_faults, posting_faults
from voucher.ledger.verify_rules import rule_faults, stored
from voucher.ledger.verify_shares import share_faults
from voucher.ledger.verify_sql import Fault, Reader
from voucher.ledger.verify_tables import ACCOUNTS, ENTRIES, LEAVES, POSTINGS, QUEUE, TRANSFERS

__all__ = ["Fault", "Report", "verify"]

_ISOLATION = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_SETTINGS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL work_mem = '256MB'",
    "SET LOCAL hash_mem_multiplier = 4",
    "SET LOCAL jit = off",
    # Whole tables are read once: by key order it would be a random read a row.
    "SET LOCAL enable_mergejoin = off",
    "SET LOCAL enable_indexscan = off",
    "SET LOCAL parallel_tuple_cost = 0.01",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and the first fault of each check that found any; sound if there is none."""

    book_count: int
    entries: int
    faults: tuple[Fault, ...]


def _prepare(session: Session, *first: str) -> None:
    for setting in (*first, *_SETTINGS):
        session.execute(text(setting))


def verify(session: Session) -> Report:
    """Check every book. Reads one snapshot: the session must be new, for PostgreSQL sets its isolation here.

    Writes nothing. On PostgreSQL a second connection reads entries in the same snapshot, unless the session is in a
    transaction already, which may see what others do not.
    """
    with ExitStack() as stack:
        other = session
        if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
            _prepare(session, _ISOLATION)
            shared = session.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            other = stack.enter_context(Session(session.get_bind()))
            _prepare(other, _ISOLATION, f"SET TRANSACTION SNAPSHOT '{shared}'")
        readers = (Reader(session), Reader(other))
        books = readers[0].rows("SELECT count(*) FROM book")[0][0]
        # The database reads on while the rows that it gave are checked; one thread alone speaks to a connection.
        threads = [
            stack.enter_context(ThreadPoolExecutor(max_workers=1)) for _ in range(1 + (other is not session))
        ]
        steps = _Steps(readers, threads)
        faults = steps.faults()
    first: dict[str, Fault] = {}
    for fault in faults:
        first.setdefault(fault.check, fault)
    return Report(books, steps.entries, tuple(first.values()))


class _Steps:
    """What is asked of the database, in this order, and what is done with the answers meanwhile."""

    def __init__(self, readers: tuple[Reader, Reader], threads: list[ThreadPoolExecutor]) -> None:
        self._reader, second = readers
        self._thread = threads[0]
        self._tables = {
            table.name: self._thread.submit(read, self._reader, table)
            for table in (ACCOUNTS, POSTINGS, TRANSFERS, QUEUE, LEAVES)
        }
        self._tables[ENTRIES.name] = threads[-1].submit(read, second, ENTRIES)
        self._stored = self._thread.submit(stored, self._reader)
        self._statements = [
            self._thread.submit(check, self._reader)
            for check in (account_faults, business_faults, share_faults)
        ]
        self._books: dict[int, Book] = {}
        self._moves: list[Moves] = []
        self.entries = 0

    def faults(self) -> list[Fault]:
        """All faults, those of an earlier row first within each check."""
        try:
            found = [*self._postings(), *self._log(), *self._rules(), *self._entries()]
        except Unreadable as unreadable:
            found = [unreadable.fault]
        return found + [fault for statement in self._statements for fault in statement.result()]

    def _postings(self) -> Iterator[Fault]:
        given = [self._tables.pop(table.name).result() for table in (ACCOUNTS, POSTINGS, TRANSFERS)]
        for book_id in _ids(*given):
            book = self._books[book_id] = book_of(book_id, *(content.take(book_id) for content in given))
            yield from posting_faults(book, given[1].fields)
            self._moves.append(moves_of(book, given[1].fields))
            book.let_go()

    def _rules(self) -> Iterator[Fault]:
        rows, moves = self._stored.result(), self._moves
        self._moves = []
        yield from rule_faults(moves, rows, self._ask)

    def _ask(self, query: str, values: dict[str, Any]) -> list[Any]:
        return self._thread.submit(self._reader.rows, query, **values).result()

    def _log(self) -> Iterator[Fault]:
        given = [self._tables.pop(table.name).result() for table in (QUEUE, LEAVES)]
        for book_id in sorted({*_ids(*given), *self._books}):
            rows = [content.take(book_id) for content in given]
            halves = (
                np.concatenate([each[name] for each in rows]) for name in ("posting_id", "posting_id_low")
            )
            yield from log_faults(self._book(book_id), *halves)

    def _entries(self) -> Iterator[Fault]:
        entries = self._tables.pop(ENTRIES.name).result()
        differing: list[tuple[int, int]] = []
        for book_id in sorted({*_ids(entries), *self._books}):
            rows = entries.take(book_id)
            self.entries += len(rows["seq"])
            faults, accounts = entry_faults(self._book(book_id), rows)
            self._books.pop(book_id)
            differing += [(book_id, account) for account in accounts[:1]]
            yield from faults
        for book_id, account in differing[:1]:
            walk = first_fault(self._reader, book=book_id, account=account)
            yield self._thread.submit(next, walk).result()

    def _book(self, book_id: int) -> Book:
        """A book, empty if nothing was posted in it."""
        if book_id not in self._books:
            rows = (no_rows(table) for table in (ACCOUNTS, POSTINGS, TRANSFERS))
            self._books[book_id] = book_of(book_id, *rows)
        return self._books[book_id]


def _ids(*contents: Content) -> list[int]:
    return sorted({book_id for content in contents for book_id in content.books})
