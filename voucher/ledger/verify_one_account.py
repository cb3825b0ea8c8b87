"""`verify`, one account whose entries or figures differ from its transfers: read row by row, to say where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voucher.ledger.verify_accounts import ROW
from voucher.ledger.verify_sql import Fault, Reader
from voucher.ledger.verify_tables import FIGURES

_MOVED = """
SELECT t.book_id, t.posting_id, t.leg, t.debit_id, t.credit_id,
       CASE WHEN t.phase IN ('single', 'post') THEN t.amount ELSE 0 END AS posted,
       CASE t.phase WHEN 'pending' THEN t.amount WHEN 'single' THEN 0 ELSE -h.amount END AS pending,
       {micros} AS micros
FROM transfer t
LEFT JOIN transfer h ON h.book_id = t.book_id AND h.posting_id = t.pending_posting_id AND h.leg = t.pending_leg
LEFT JOIN posting p ON p.book_id = t.book_id AND p.id = t.posting_id
"""

_SIDES = """
SELECT m.book_id, CASE WHEN s.sign < 0 THEN m.debit_id ELSE m.credit_id END AS account_id,
       m.posting_id, m.leg, s.sign, m.posted, m.pending, m.micros
FROM moved m CROSS JOIN (SELECT -1 AS sign UNION ALL SELECT 1) s
"""

_ENTRIES = """
SELECT e.posting_id, e.leg, e.seq, e.version, e.amount, e.pending_delta, e.balance
FROM entry e WHERE e.book_id = :book AND e.account_id = :account ORDER BY e.seq, e.version"""

_OF_ACCOUNT = f"""
WITH moved AS ({_MOVED} WHERE t.book_id = :book AND (t.debit_id = :account OR t.credit_id = :account)),
side AS ({_SIDES})
SELECT s.posting_id, s.leg, s.sign, s.posted, s.pending, s.micros FROM side s
WHERE s.account_id = :account ORDER BY s.micros, s.posting_id, s.leg"""

_ACCOUNT = f"""
SELECT {ROW}, a.flags, {", ".join(f"a.{name}" for name in FIGURES)}
FROM account a WHERE a.book_id = :book AND a.id = :account"""


def first_fault(reader: Reader, *, book: int, account: int) -> Iterator[Fault]:
    """Every fault of one account, in the order of its entries."""
    key = {"book": book, "account": account}
    head = reader.rows(_ACCOUNT, **key)
    if not head or head[0][1] == 0:
        yield Fault("entry_account", f"entry {book}/{account}", "entries", "none: not a limited account")
    sides = {(row[0], row[1]): row for row in reader.rows(_OF_ACCOUNT, **key)}
    sums = _Sums()
    for posting, leg, *stored in reader.rows(_ENTRIES, **key):
        name = f"entry {book}/{account}/{stored[0]}"
        side = sides.pop((posting, leg), None)
        if side is None:
            yield Fault(
                "entry_transfer", f"{name}.posting_id", f"{posting}/{leg}", "a transfer, one entry each"
            )
            continue
        for column, found, expected in zip(_COLUMNS, stored, sums.expected(side), strict=True):
            if found != expected:
                yield Fault("entry_figures", f"{name}.{column}", str(found), str(expected))
    for posting, leg in sides:
        yield Fault("entry_missing", f"transfer {book}/{posting}/{leg}", "no entry", f"an entry of {account}")
    for column, found, expected in zip(FIGURES, head[0][2:] if head else (), sums.figures(), strict=False):
        if found != expected:
            yield Fault("account_figures", f"{head[0][0]}{column}", str(found), str(expected))
    yield Fault(
        "entry_account", f"account {book}/{account}", "figures that differ", "figures of its transfers"
    )


_COLUMNS = ("seq", "version", "amount", "pending_delta", "balance")


class _Sums:
    """An account's figures as its transfers make them."""

    def __init__(self) -> None:
        self.posted = {-1: 0, 1: 0}
        self.pending = {-1: 0, 1: 0}
        self.version = 0
        self.seq = 0

    def expected(self, side: Any) -> tuple[int | None, ...]:
        """What the next entry must say, after the transfer `side`."""
        _, _, sign, posted, pending, micros = side
        self.posted[sign] += posted
        self.pending[sign] += pending or 0
        self.version += 1
        self.seq = max(self.seq + 1, micros or 0)
        balance = self.posted[1] - self.posted[-1]
        return (self.seq, self.version, sign * posted, None if pending is None else sign * pending, balance)

    def figures(self) -> tuple[int, ...]:
        """The account's columns."""
        return (self.posted[-1], self.posted[1], self.pending[-1], self.pending[1], self.version, self.seq)
