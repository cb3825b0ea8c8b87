"""`verify`, entries and what they add up to.

One pass over all entries sets each against its transfer, follows every account's versions, sequence and running
balance, and adds up the account's figures. It answers which accounts differ; the first of those is then read row
by row to say where.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voucher.ledger.verify_accounts import ROW
from voucher.ledger.verify_sql import Fault, Reader

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

# Every entry beside its transfer, and every transfer of a limited account that has no entry.
_PAIRED = """
SELECT e.book_id, e.account_id, e.seq, e.version, e.balance, e.amount, e.pending_delta, {micros} AS micros,
       CASE e.account_id WHEN t.debit_id THEN -1 WHEN t.credit_id THEN 1 END AS sign,
       CASE WHEN t.phase IN ('single', 'post') THEN t.amount ELSE 0 END AS posted,
       CASE t.phase WHEN 'pending' THEN t.amount WHEN 'single' THEN 0 ELSE -h.amount END AS pending
FROM entry e
LEFT JOIN transfer t ON t.book_id = e.book_id AND t.posting_id = e.posting_id AND t.leg = e.leg
LEFT JOIN transfer h ON h.book_id = t.book_id AND h.posting_id = t.pending_posting_id AND h.leg = t.pending_leg
LEFT JOIN posting p ON p.book_id = e.book_id AND p.id = e.posting_id
"""

_MISSING = " UNION ALL ".join(
    f"""
SELECT t.book_id, t.{side}, t.posting_id, t.leg FROM transfer t
JOIN account a ON a.book_id = t.book_id AND a.id = t.{side} AND a.flags <> 0
WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.book_id = t.book_id AND e.posting_id = t.posting_id
                  AND e.leg = t.leg AND e.account_id = t.{side})"""
    for side in ("debit_id", "credit_id")
)

_ENTRY_MISSING = f"""
SELECT 'transfer ' || m.book_id || '/' || m.posting_id || '/' || m.leg, 'no entry', 'one of account ' || m.debit_id
FROM ({_MISSING}) m ORDER BY m.book_id, m.posting_id, m.leg"""

_SIDE_COUNT = " + ".join(
    f"(SELECT count(*) FROM transfer t JOIN account a ON a.book_id = t.book_id AND a.id = t.{side} AND a.flags <> 0)"
    for side in ("debit_id", "credit_id")
)

_ENTRY_COUNT = f"""
SELECT 'entry', n.there || ' rows', n.due || ' sides of transfers on limited accounts'
FROM (SELECT (SELECT count(*) FROM entry) AS there, {_SIDE_COUNT} AS due) n WHERE n.there <> n.due"""

_DIFFERING = f"""
WITH paired AS ({_PAIRED}),
followed AS (
    SELECT paired.*, lag(version) OVER w AS version_before, lag(seq) OVER w AS seq_before,
           lag(balance) OVER w AS balance_before
    FROM paired WINDOW w AS (PARTITION BY book_id, account_id ORDER BY seq)
),
summed AS (
    SELECT book_id, account_id, count(*) AS rows_, max(version) AS version, max(seq) AS seq,
           max(CASE WHEN amount = sign * posted AND pending_delta = sign * pending
                     AND version = coalesce(version_before, 0) + 1
                     AND balance = coalesce(balance_before, 0) + amount
                     AND seq = {{greatest}}(coalesce(seq_before, 0) + 1, micros) THEN 0 ELSE 1 END) AS wrong,
           sum(CASE WHEN sign < 0 THEN posted ELSE 0 END) AS debits_posted,
           sum(CASE WHEN sign > 0 THEN posted ELSE 0 END) AS credits_posted,
           sum(CASE WHEN sign < 0 THEN pending ELSE 0 END) AS debits_pending,
           sum(CASE WHEN sign > 0 THEN pending ELSE 0 END) AS credits_pending
    FROM followed GROUP BY book_id, account_id
)
SELECT coalesce(a.book_id, s.book_id), coalesce(a.id, s.account_id)
FROM summed s FULL JOIN account a ON a.book_id = s.book_id AND a.id = s.account_id
WHERE a.id IS NULL OR s.wrong = 1
   OR (a.flags = 0 AND s.account_id IS NOT NULL)
   OR (a.flags <> 0 AND (
        a.version <> coalesce(s.rows_, 0) OR a.version <> coalesce(s.version, 0) OR a.last_seq <> coalesce(s.seq, 0)
        OR a.debits_posted <> coalesce(s.debits_posted, 0) OR a.credits_posted <> coalesce(s.credits_posted, 0)
        OR a.debits_pending <> coalesce(s.debits_pending, 0)
        OR a.credits_pending <> coalesce(s.credits_pending, 0)))
ORDER BY 1, 2"""

_ENTRIES = """
SELECT e.posting_id, e.leg, e.seq, e.version, e.amount, e.pending_delta, e.balance
FROM entry e WHERE e.book_id = :book AND e.account_id = :account ORDER BY e.seq, e.version"""

_OF_ACCOUNT = f"""
WITH moved AS ({_MOVED} WHERE t.book_id = :book AND (t.debit_id = :account OR t.credit_id = :account)),
side AS ({_SIDES})
SELECT s.posting_id, s.leg, s.sign, s.posted, s.pending, s.micros FROM side s
WHERE s.account_id = :account ORDER BY s.micros, s.posting_id, s.leg"""

_FIGURES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")

_ACCOUNT = f"""
SELECT {ROW}, a.flags, {", ".join(f"a.{name}" for name in _FIGURES)}
FROM account a WHERE a.book_id = :book AND a.id = :account"""

_TOTALS = """
SELECT 'book ' || n.book_id || ' ' || n.unit || ' (sum of all balances)', n.net, 0
FROM (
    SELECT x.book_id, x.unit, sum(x.net) AS net FROM (
        SELECT a.book_id, a.unit, a.credits_posted - a.debits_posted AS net FROM account a WHERE a.flags <> 0
        UNION ALL
        SELECT a.book_id, a.unit, f.net FROM account a JOIN (
            SELECT m.book_id, m.account_id, sum(m.net) AS net FROM (
                SELECT t.book_id, t.debit_id AS account_id, -sum(t.amount) AS net FROM transfer t
                WHERE t.phase IN ('single', 'post') GROUP BY t.book_id, t.debit_id
                UNION ALL
                SELECT t.book_id, t.credit_id, sum(t.amount) FROM transfer t
                WHERE t.phase IN ('single', 'post') GROUP BY t.book_id, t.credit_id
            ) m GROUP BY m.book_id, m.account_id
        ) f ON f.book_id = a.book_id AND f.account_id = a.id WHERE a.flags = 0
    ) x GROUP BY x.book_id, x.unit
) n WHERE n.net <> 0 ORDER BY n.book_id, n.unit"""


def entry_faults(reader: Reader) -> list[Fault]:
    """The first account whose entries or figures differ from its transfers, and books that are not at zero."""
    found = []
    for book, account in reader.rows(_DIFFERING)[:1]:
        found.append(next(_walk(reader, book=book, account=account)))
    checks = {"entry_missing": _ENTRY_MISSING, "entry_count": _ENTRY_COUNT, "book_total": _TOTALS}
    return found + [fault for check, query in checks.items() for fault in reader.faults(check, query)]


def _walk(reader: Reader, *, book: int, account: int) -> Iterator[Fault]:
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
    for column, found, expected in zip(_FIGURES, head[0][2:] if head else (), sums.figures(), strict=False):
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
