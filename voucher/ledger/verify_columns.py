"""The ledger's rows as numpy columns, for `verify`: read once, in one snapshot.

PostgreSQL sends blocks of rows as one value each (`record_send` of fixed-width columns, aggregated over a range of
pages): a message and a Python object for each row would cost more than every check together. SQLite's rows come from
a cursor. Both give the same columns, a uuid as two: `<name>` and `<name>_low`.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from voucher.ledger.verify_sql import Fault, Reader

Column = NDArray[Any]
Columns = dict[str, Column]


_NOT_THAT_TYPE = (TypeError, ValueError, OverflowError, AttributeError)
_PAGES = 1000
_ROWS = 50_000
_FROM_2000 = 946_684_800_000_000


Kind = StrEnum("Kind", ["BIG", "INT", "KEY", "INSTANT", "HASH"])


_SENT = {
    Kind.BIG: (">i8",),
    Kind.INT: (">i4",),
    Kind.KEY: (">u8", ">u8"),
    Kind.INSTANT: (">i8",),
    Kind.HASH: ("S64",),
}
_POSTGRESQL = {Kind.HASH: "CASE WHEN octet_length({0}) = 64 THEN {0} ELSE repeat('?', 64) END"}
_POSTGRESQL_ZERO = {Kind.INT: "0", Kind.KEY: f"'{UUID(int=0)}'", Kind.INSTANT: "'epoch'"}
_SQLITE = {
    # Without the fraction: SQLite rounds to milliseconds, and so the end of a second up to the next one.
    Kind.INSTANT: "strftime('%s', substr({0}, 1, 19) || substr({0}, 27)) * 1000000 + substr({0}, 21, 6)",
    Kind.HASH: "CASE WHEN length(CAST({0} AS blob)) = 64 THEN {0} ELSE printf('%64s', '?') END",
}
_SQLITE_ZERO = {Kind.INT: 0, Kind.KEY: UUID(int=0).hex, Kind.INSTANT: 0}


@dataclass(frozen=True, slots=True)
class Table:
    """What is read of a table: columns of fixed width, in one block for each book and combination of `grouped`.

    The combination becomes the column `number`: its place in `Content.fields`, or what `numbered` makes of it.
    `nullable` columns are null in all rows of a block or in none, and given as 0.
    """

    name: str
    columns: tuple[tuple[str, str, Kind], ...]
    grouped: tuple[str, ...] = ()
    nullable: tuple[tuple[str, str, Kind], ...] = ()
    numbered: Callable[[tuple[Any, ...]], int] | None = None


class Unreadable(Exception):
    """A row that holds something else than its column's type, which SQLite does not refuse by itself."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.row)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Content:
    """A table by book, and the combinations of its grouped columns."""

    books: dict[int, Columns]
    fields: list[tuple[Any, ...]]
    table: Table

    def take(self, book: int) -> Columns:
        """The columns of a book, which are given away: they may be large."""
        return self.books.pop(book) if book in self.books else no_rows(self.table)


def no_rows(table: Table) -> Columns:
    """The columns of a table without rows."""
    return _columns_of_sent(table, [], [])


def read(reader: Reader, table: Table) -> Content:
    """All rows of a table."""
    fields: dict[tuple[Any, ...], int] = {}

    def number(combination: tuple[Any, ...]) -> int:
        return table.numbered(combination) if table.numbered else fields.setdefault(combination, len(fields))

    blocks: dict[int, list[Columns]] = defaultdict(list)
    for book, columns in (_sent if reader.postgresql else _fetched)(reader, table, number):
        blocks[book].append(columns)
    return Content({book: _joined(blocks.pop(book)) for book in sorted(blocks)}, list(fields), table)


def _joined(blocks: list[Columns]) -> Columns:
    """The blocks as one; each column is joined and let go before the next."""
    return {name: np.concatenate([block.pop(name) for block in blocks]) for name in list(blocks[0])}


def _sent(
    reader: Reader, table: Table, number: Callable[[tuple[Any, ...]], int]
) -> Iterator[tuple[int, Columns]]:
    grouped = ", ".join(("book_id", *table.grouped))
    given = [f"string_agg(record_send(ROW({', '.join(_selected(_POSTGRESQL, table.columns))})), '')"]
    if table.nullable:
        zeros = [f"coalesce({name}, {_POSTGRESQL_ZERO[kind]})" for name, _, kind in table.nullable]
        there = " OR ".join(f"{name} IS NOT NULL" for name, _, _ in table.nullable)
        given.append(f"string_agg(record_send(ROW({', '.join(zeros)})), '') FILTER (WHERE {there})")
    query = (
        f"SELECT {grouped}, {', '.join(given)} FROM {table.name} "
        f"WHERE ctid >= '({{0}},0)' AND ctid < '({{1}},0)' GROUP BY {grouped} ORDER BY 1"
    )
    pages = reader.rows("SELECT pg_relation_size(CAST(:name AS regclass)) / 8192", name=table.name)[0][0]
    taken = len(table.grouped) + 1
    for first in range(0, pages, _PAGES):
        rows = reader.blocks(query.format(first, first + _PAGES))
        for book, members in groupby(rows, itemgetter(0)):
            parts = list(members)
            numbers = [number(row[1:taken]) for row in parts]
            yield book, _columns_of_sent(table, numbers, [row[taken:] for row in parts])


def _selected(expressions: dict[Kind, str], columns: tuple[tuple[str, str, Kind], ...]) -> list[str]:
    return [expressions.get(kind, "{0}").format(sql) for _, sql, kind in columns]


def _columns_of_sent(table: Table, numbers: list[int], parts: list[tuple[bytes | None, ...]]) -> Columns:
    """The columns of some blocks. A row is the number of its columns, then type, length and value of each."""
    columns = _parsed(table.columns, b"".join([part[0] or b"" for part in parts]))
    width = _layout(table.columns).itemsize
    counts = [len(part[0] or b"") // width for part in parts]
    if table.grouped:
        columns["number"] = np.repeat(np.array(numbers, np.int32), counts)
    if table.nullable:
        there = np.repeat(np.array([part[1] is not None for part in parts], bool), counts)
        for name, column in _parsed(table.nullable, b"".join([part[1] or b"" for part in parts])).items():
            columns[name] = np.zeros(len(there), column.dtype)
            columns[name][there] = column
    return columns


def _layout(columns: tuple[tuple[str, str, Kind], ...]) -> np.dtype[Any]:
    fields = [("columns", "V4")]
    for name, _, kind in columns:
        fields.append((f"{name} head", "V8"))
        fields += zip((name, f"{name}_low"), _SENT[kind], strict=False)
    return np.dtype(fields)


def _parsed(columns: tuple[tuple[str, str, Kind], ...], data: bytes) -> Columns:
    rows = np.frombuffer(data, _layout(columns))
    parsed: Columns = {}
    for name, _, kind in columns:
        for part, _ in zip((name, f"{name}_low"), _SENT[kind], strict=False):
            parsed[part] = rows[part].astype(rows.dtype[part].newbyteorder("="))
        if kind is Kind.INSTANT:
            parsed[name] += _FROM_2000
    return parsed


def _fetched(
    reader: Reader, table: Table, number: Callable[[tuple[Any, ...]], int]
) -> Iterator[tuple[int, Columns]]:
    taken = len(table.grouped) + 1
    selected = _selected(_SQLITE, (*table.columns, *table.nullable))
    query = f"SELECT {', '.join(('book_id', *table.grouped, *selected))} FROM {table.name}"
    for rows in reader.pieces(query, _ROWS):
        groups: dict[tuple[Any, ...], list[Sequence[Any]]] = defaultdict(list)
        for row in rows:
            groups[row[:taken]].append(row[taken:])
        for (book, *fields), members in groups.items():
            columns = _columns_of_rows(table, book, members)
            if table.grouped:
                columns["number"] = np.full(len(members), number(tuple(fields)), np.int32)
            yield book, columns


def _columns_of_rows(table: Table, book: int, rows: list[Sequence[Any]]) -> Columns:
    columns: Columns = {}
    all_columns = (*table.columns, *table.nullable)
    for (name, _, kind), stored in zip(all_columns, zip(*rows, strict=True), strict=True):
        zero = _SQLITE_ZERO[kind] if (name, name, kind) in table.nullable else None
        values = [zero if value is None else value for value in stored]
        try:
            columns |= _converted(name, kind, values)
        except _NOT_THAT_TYPE:
            place = next(place for place, value in enumerate(values) if not _fits(kind, value))
            row = f"{table.name} {book}/{'/'.join(map(str, rows[place][:3]))}.{name}"
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
    except _NOT_THAT_TYPE:
        return False
    return True
