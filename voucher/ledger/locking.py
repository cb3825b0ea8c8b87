"""Locking accounts: the first half of the write path (docs/locking.md).

`lock` takes the closing date of the book in share mode, makes the accounts that do not exist yet, in key order
and before any row lock, and then locks every limited account in one ordered statement. Free accounts are never
locked. SQLite has one writer and needs no row locks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from voucher.ledger.accounts import CREDITS_LIMITED, FREE, Ref
from voucher.ledger.bulk import Rows, insert_missing, is_postgresql
from voucher.models.ledger import Account

_COLUMNS = ("book_id", "id", "code", "unit", "owner_ref", "period", "flags")
_ZEROS = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")

_NAMES = (
    "SELECT b.closed_through, a.id, a.code, a.owner_ref, a.period, a.unit "
    "FROM book b LEFT JOIN account a ON a.book_id = b.book_id AND a.id {ids} WHERE b.book_id = :book{lock}"
)
_BALANCES = (
    "SELECT id, debits_posted, credits_posted, debits_pending, credits_pending, version, last_seq "
    "FROM account WHERE book_id = :book AND id {ids}{lock}"
)
_POSTGRESQL_IDS = "= ANY(CAST(:ids AS bigint[]))"
_SQLITE_IDS = "IN (SELECT value FROM json_each(:ids))"


class Balance:
    """The figures of one locked account; `post` works on them, and writes them back."""

    __slots__ = (
        "credits_pending",
        "credits_posted",
        "debits_pending",
        "debits_posted",
        "flags",
        "seq",
        "version",
    )

    def __init__(self, flags: int, row: Any) -> None:
        self.flags = flags
        self.debits_posted: int = row[1]
        self.credits_posted: int = row[2]
        self.debits_pending: int = row[3]
        self.credits_pending: int = row[4]
        self.version: int = row[5]
        self.seq: int = row[6]

    @property
    def available(self) -> int:
        """What may still be taken: debited from a debits-limited account, credited to the other kind."""
        if self.flags == CREDITS_LIMITED:
            return self.debits_posted - self.credits_posted - self.credits_pending
        return self.credits_posted - self.debits_posted - self.debits_pending

    @property
    def posted(self) -> int:
        """Posted credits less posted debits."""
        return self.credits_posted - self.debits_posted


class Locked:
    """The accounts of one book that this transaction has locked, and the book's closing date."""

    def __init__(self, book_id: int, closed_through: date | None, balances: dict[int, Balance]) -> None:
        self.book_id = book_id
        self.closed_through = closed_through
        self.balances = balances

    def available(self, ref: Ref) -> int:
        """What a limited account still leaves. KeyError for one that was not locked: a bug of the caller."""
        return self.balances[ref.id].available

    def posted(self, ref: Ref) -> int:
        """The posted balance of a limited account."""
        return self.balances[ref.id].posted

    def credited(self, ref: Ref) -> int:
        """All posted credits of a limited account."""
        return self.balances[ref.id].credits_posted


def lock(session: Session, book_id: int, refs: Iterable[Ref]) -> Locked:
    """Lock the limited accounts among `refs` in one book, making those that are missing.

    Several books: call once for each, in the order of their ids. Raises LookupError for an unknown book, and
    RuntimeError when two account names hash to one id.
    """
    wanted = {ref.id: ref for ref in refs}
    closed, missing = _book_and_missing(session, book_id, wanted)
    if missing:
        _make(session, book_id, missing)
    limited = [key for key, ref in wanted.items() if ref.flags != FREE]
    rows = session.execute(_statement(session, "balances"), _parameters(session, book_id, limited))
    balances = {row[0]: Balance(wanted[row[0]].flags, row) for row in rows}
    return Locked(book_id, closed, balances)


def _make(session: Session, book_id: int, missing: dict[int, Ref]) -> None:
    rows = [
        (book_id, key, ref.code, ref.unit.value, ref.owner, ref.period, ref.flags, 0, 0, 0, 0, 0, 0)
        for key, ref in sorted(missing.items())
    ]
    if insert_missing(session, Rows(Account, _COLUMNS + _ZEROS, rows)) < len(rows):
        _, clashing = _book_and_missing(session, book_id, missing)
        if clashing:
            raise RuntimeError(f"account names clash: {[str(ref) for ref in clashing.values()]}")


def _book_and_missing(
    session: Session, book_id: int, wanted: dict[int, Ref]
) -> tuple[date | None, dict[int, Ref]]:
    """The closing date of the book, held in share mode, and those of the accounts that do not exist yet."""
    missing = dict(wanted)
    found = session.execute(_statement(session, "names"), _parameters(session, book_id, list(wanted))).all()
    if not found:
        raise LookupError(f"no book {book_id}")
    for _, key, code, owner, period, unit in found:
        if key is None:
            break
        ref = missing.pop(key)
        if (ref.code, ref.owner, ref.period, ref.unit.value) != (code, owner, period, unit):
            raise RuntimeError(f"account names clash: {ref} and {code}:{owner}:{period}")
    closed = found[0][0]
    return (date.fromisoformat(closed) if isinstance(closed, str) else closed), missing


def _parameters(session: Session, book_id: int, ids: list[int]) -> dict[str, Any]:
    given: Any = ids if is_postgresql(session) else f"[{','.join(map(str, ids))}]"
    return {"book": book_id, "ids": given}


_STATEMENTS = {
    ("names", True): text(_NAMES.format(ids=_POSTGRESQL_IDS, lock=" FOR KEY SHARE OF b")),
    ("names", False): text(_NAMES.format(ids=_SQLITE_IDS, lock="")),
    ("balances", True): text(_BALANCES.format(ids=_POSTGRESQL_IDS, lock=" ORDER BY id FOR NO KEY UPDATE")),
    ("balances", False): text(_BALANCES.format(ids=_SQLITE_IDS, lock="")),
}


def _statement(session: Session, name: str) -> TextClause:
    return _STATEMENTS[name, is_postgresql(session)]
