"""The ledger's rows as numpy columns, for `verify`: read once, in one snapshot.

PostgreSQL sends blocks of rows as one value each (`record_send` of fixed-width columns, aggregated over a range of
pages): a message and a Python object for each row would cost more than every check together. SQLite's rows come from
a cursor. Both give the same columns, a uuid as two: `<name>` and `<name>_low`.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from voucher.ledger.events import HAS_EXPIRY, HAS_PENDING_LEG, HAS_PENDING_POSTING, PHASES
from voucher.ledger.verify_sql import Fault, Reader
from voucher.terms import Unit

Column = NDArray[Any]
Columns = dict[str, Column]

UNITS = {unit.value: number for number, unit in enumerate(Unit)}
UNIT_SHIFT = 8
_UNKNOWN = 32

_PAGES = 1000
_ROWS = 50_000
_FROM_2000 = 946_684_800_000_000


class Kind(StrEnum):
    """What a column holds; one that may be null is given as 0, and the table's code says so."""

    BIG = "big"
    INT = "int"
    KEY = "key"
    INSTANT = "instant"
    HASH = "hash"


_SENT = {
    Kind.BIG: (">i8",),
    Kind.INT: (">i4",),
    Kind.KEY: (">u8", ">u8"),
    Kind.INSTANT: (">i8",),
    Kind.HASH: ("S64",),
}
_POSTGRESQL = {
    Kind.BIG: "{0}",
    Kind.INT: "{0}",
    Kind.KEY: "coalesce({0}, '00000000-0000-0000-0000-000000000000')",
    Kind.INSTANT: "coalesce({0}, 'epoch')",
    Kind.HASH: "CASE WHEN octet_length({0}) = 64 THEN {0} ELSE repeat('?', 64) END",
}
_SQLITE = {
    Kind.BIG: "{0}",
    Kind.INT: "{0}",
    Kind.KEY: "coalesce({0}, '00000000000000000000000000000000')",
    Kind.INSTANT: "CASE WHEN {0} IS NULL THEN 0 ELSE strftime('%s', {0}) * 1000000 + substr({0}, 21, 6) END",
    Kind.HASH: "CASE WHEN length(CAST({0} AS blob)) = 64 THEN {0} ELSE printf('%64s', '?') END",
}


def _number(column: str, numbers: dict[str, int]) -> str:
    branches = " ".join(f"WHEN '{text}' THEN {number}" for text, number in numbers.items())
    return f"CASE {column} {branches} ELSE {_UNKNOWN} END"


@dataclass(frozen=True, slots=True)
class Table:
    """What is read of a table: columns of fixed width, one block for each combination of `grouped`."""

    name: str
    columns: tuple[tuple[str, str, Kind], ...]
    grouped: tuple[str, ...] = ("book_id",)

    def selected(self, expressions: dict[Kind, str]) -> list[str]:
        return [expressions[kind].format(sql) for _, sql, kind in self.columns]

    def sent(self) -> np.dtype[Any]:
        """A row as `record_send` writes it: the number of columns, then type, length and value of each."""
        fields: list[tuple[str, str]] = [("", "V4")]
        for name, _, kind in self.columns:
            fields.append((f"{name} head", "V8"))
            fields += zip((name, f"{name}_low"), _SENT[kind], strict=False)
        return np.dtype([(name or "count", kind) for name, kind in fields])


def _plain(kind: Kind, *names: str) -> tuple[tuple[str, str, Kind], ...]:
    return tuple((name, name, kind) for name in names)


_CODE = " + ".join(
    [
        _number("phase", {phase.value: number for phase, number in PHASES.items()}),
        f"CASE WHEN pending_posting_id IS NULL THEN 0 ELSE {HAS_PENDING_POSTING} END",
        f"CASE WHEN pending_leg IS NULL THEN 0 ELSE {HAS_PENDING_LEG} END",
        f"CASE WHEN expires_at IS NULL THEN 0 ELSE {HAS_EXPIRY} END",
        f"{1 << UNIT_SHIFT} * {_number('unit', UNITS)}",
    ]
)

FIGURES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")

ACCOUNTS = Table(
    "account",
    (
        *_plain(Kind.BIG, "id"),
        *_plain(Kind.INT, "flags"),
        *_plain(Kind.BIG, *FIGURES[:4]),
        *_plain(Kind.INT, "version"),
        *_plain(Kind.BIG, "last_seq"),
        ("unit", _number("unit", UNITS), Kind.INT),
    ),
)
POSTINGS = Table(
    "posting",
    (
        *_plain(Kind.KEY, "id"),
        *_plain(Kind.INSTANT, "posted_at"),
        *_plain(Kind.HASH, "request_hash"),
    ),
    ("book_id", "kind", "fiscal_year", "event_on", "rule_version", "actor_ref", "reverses"),
)
TRANSFERS = Table(
    "transfer",
    (
        *_plain(Kind.KEY, "posting_id"),
        *_plain(Kind.INT, "leg"),
        *_plain(Kind.BIG, "debit_id", "credit_id", "amount"),
        ("code", _CODE, Kind.INT),
        *_plain(Kind.KEY, "pending_posting_id"),
        ("pending_leg", "coalesce(pending_leg, 0)", Kind.INT),
        *_plain(Kind.INSTANT, "expires_at"),
    ),
)
ENTRIES = Table(
    "entry",
    (
        *_plain(Kind.BIG, "account_id", "seq"),
        *_plain(Kind.INT, "version"),
        *_plain(Kind.KEY, "posting_id"),
        *_plain(Kind.INT, "leg"),
        *_plain(Kind.BIG, "amount", "pending_delta", "balance"),
    ),
)
QUEUE = Table("log_queue", _plain(Kind.KEY, "posting_id"))
LEAVES = Table("log_leaf", _plain(Kind.KEY, "posting_id"))


class Unreadable(Exception):
    """A row that holds something else than its column's type, which SQLite does not refuse by itself."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.row)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Content:
    """A table by book; for postings, `fields` lists the grouped columns that their column `fields` numbers."""

    books: dict[int, Columns]
    fields: list[tuple[Any, ...]]
    table: Table

    def take(self, book: int) -> Columns:
        """The columns of a book, which are given away: they may be large."""
        return self.books.pop(book) if book in self.books else no_rows(self.table)


def read(reader: Reader, table: Table) -> Content:
    """All rows of a table."""
    blocks: dict[int, list[Columns]] = defaultdict(list)
    numbers: dict[tuple[Any, ...], int] = {}
    for (book, *fields), columns in _sent(reader, table) if reader.postgresql else _fetched(reader, table):
        if fields:
            length = len(next(iter(columns.values())))
            columns["fields"] = np.full(length, numbers.setdefault(tuple(fields), len(numbers)), np.int32)
        blocks[book].append(columns)
    return Content({book: _joined(blocks.pop(book)) for book in sorted(blocks)}, list(numbers), table)


def no_rows(table: Table) -> Columns:
    """The columns of a table without rows."""
    columns = _columns_of_sent(table, b"")
    return columns | {"fields": np.empty(0, np.int32)} if len(table.grouped) > 1 else columns


def _joined(blocks: list[Columns]) -> Columns:
    """The blocks as one; each column is joined and let go before the next."""
    return {name: np.concatenate([block.pop(name) for block in blocks]) for name in list(blocks[0])}


def _sent(reader: Reader, table: Table) -> Iterator[tuple[tuple[Any, ...], Columns]]:
    grouped = ", ".join(table.grouped)
    row = ", ".join(table.selected(_POSTGRESQL))
    query = (
        f"SELECT {grouped}, string_agg(record_send(ROW({row})), '') FROM {table.name} "
        f"WHERE ctid >= '({{0}},0)' AND ctid < '({{1}},0)' GROUP BY {grouped}"
    )
    pages = reader.rows("SELECT pg_relation_size(CAST(:name AS regclass)) / 8192", name=table.name)[0][0]
    for first in range(0, pages, _PAGES):
        for *group, data in reader.blocks(query.format(first, first + _PAGES)):
            yield tuple(group), _columns_of_sent(table, data)


def _columns_of_sent(table: Table, data: bytes) -> Columns:
    rows = np.frombuffer(data, table.sent())
    columns: Columns = {}
    for name, _, kind in table.columns:
        for part, _ in zip((name, f"{name}_low"), _SENT[kind], strict=False):
            columns[part] = rows[part].astype(rows.dtype[part].newbyteorder("="))
        if kind is Kind.INSTANT:
            columns[name] += _FROM_2000
    return columns


def _fetched(reader: Reader, table: Table) -> Iterator[tuple[tuple[Any, ...], Columns]]:
    taken = len(table.grouped)
    for rows in reader.pieces(
        f"SELECT {', '.join((*table.grouped, *table.selected(_SQLITE)))} FROM {table.name}", _ROWS
    ):
        groups: dict[tuple[Any, ...], list[Sequence[Any]]] = defaultdict(list)
        for row in rows:
            groups[row[:taken]].append(row[taken:])
        for group, members in groups.items():
            yield group, _columns_of_rows(table, group, members)


def _columns_of_rows(table: Table, group: tuple[Any, ...], rows: list[Sequence[Any]]) -> Columns:
    columns: Columns = {}
    for (name, _, kind), values in zip(table.columns, zip(*rows, strict=True), strict=True):
        try:
            columns |= _converted(name, kind, values)
        except (TypeError, ValueError, OverflowError):
            place = next(number for number, value in enumerate(values) if not _fits(kind, value))
            row = f"{table.name} {group[0]}/{'/'.join(map(str, rows[place][:3]))}.{name}"
            raise Unreadable(
                Fault("row_readable", row, str(values[place]), f"a value of type {kind}")
            ) from None
    return columns


def _converted(name: str, kind: Kind, values: Sequence[Any]) -> Columns:
    match kind:
        case Kind.KEY:
            halves = np.frombuffer(b"".join([UUID(value).bytes for value in values]), ">u8").reshape(-1, 2)
            return {name: halves[:, 0].astype(np.uint64), f"{name}_low": halves[:, 1].astype(np.uint64)}
        case Kind.HASH:
            return {name: np.array([value.encode() for value in values], "S64")}
        case Kind.INT:
            return {name: np.array(array("i", values))}
        case _:
            return {name: np.array(array("q", values))}


def _fits(kind: Kind, value: Any) -> bool:
    try:
        _converted("", kind, [value])
    except (TypeError, ValueError, OverflowError, AttributeError):
        return False
    return True
