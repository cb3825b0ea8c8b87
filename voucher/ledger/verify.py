"""Compute the whole ledger again from its transfers, and name what differs (docs/ledger.md, "Verify")."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from voucher.ledger.verify_accounts import account_faults
from voucher.ledger.verify_business import business_faults
from voucher.ledger.verify_entries import entry_faults
from voucher.ledger.verify_postings import posting_faults
from voucher.ledger.verify_sql import Fault, Reader

__all__ = ["Fault", "Report", "verify"]

_SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
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


def verify(session: Session) -> Report:
    """Check every book. Reads one snapshot: the session must be new, for PostgreSQL sets its isolation here.

    Writes nothing. On PostgreSQL it may take up to 256 MB for each sort or hash while it runs.
    """
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        for setting in _SETTINGS:
            session.execute(text(setting))
    reader = Reader(session)
    books, entries = reader.rows("SELECT (SELECT count(*) FROM book), (SELECT count(*) FROM entry)")[0]
    faults = account_faults(reader) + posting_faults(reader) + entry_faults(reader) + business_faults(reader)
    return Report(books, entries, tuple(faults))
