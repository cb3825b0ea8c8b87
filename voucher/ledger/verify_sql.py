"""The SQL in `verify`, where PostgreSQL and SQLite spell things differently.

Such a check is a query that returns only rows that are wrong: their name, the column, what was found and what was
expected. PostgreSQL computes the ids of accounts by itself; SQLite is given a function for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, text
from sqlalchemy.orm import Session

from voucher.ledger.accounts import account_id
from voucher.ledger.bulk import is_postgresql

_POSTGRESQL = {
    "account_hash": (
        "((('x' || encode(substring(sha256(convert_to(a.code || E'\\x1f' || a.owner_ref || E'\\x1f' || a.period"
        " || E'\\x1f' || a.unit, 'UTF8')) from 1 for 8), 'hex'))::bit(64) >> 1)::bigint)"
    ),
    "micros": "round(date_part('epoch', p.posted_at) * 1000000)::bigint",
    "distinct": "IS DISTINCT FROM",
    "text": "text",
}

_SQLITE = {
    "account_hash": "voucher_account_id(a.code, a.owner_ref, a.period, a.unit)",
    # Without the fraction: SQLite rounds to milliseconds, and so the end of a second up to the next one.
    "micros": "(strftime('%s', substr(p.posted_at, 1, 19) || substr(p.posted_at, 27)) * 1000000"
    " + substr(p.posted_at, 21, 6))",
    "distinct": "IS NOT",
    "text": "text",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that a check found wrong: table and key, the column, what stands there, what should."""

    check: str
    row: str
    found: str
    expected: str


class Reader:
    """Runs checks in the one snapshot of its session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.postgresql = is_postgresql(session)
        if not self.postgresql:
            self._give_functions()

    def _give_functions(self) -> None:
        self._raw().create_function("voucher_account_id", 4, account_id, deterministic=True)

    def _raw(self) -> Any:
        return self._session.connection().connection.driver_connection

    def blocks(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on PostgreSQL, sent as they lie in its memory."""
        with self._raw().cursor(binary=True) as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(query).fetchall()
        return rows

    def pieces(self, query: str, most: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query on SQLite, so many at a time."""
        cursor = self._raw().execute(query)
        while rows := cursor.fetchmany(most):
            yield rows

    def rows(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query, its `{words}` written in this database's SQL."""
        words = _POSTGRESQL if self.postgresql else _SQLITE
        for name, word in words.items():
            query = query.replace("{" + name + "}", word)
        return list(self._session.execute(text(query.replace("::", "\\:\\:")), values))

    def select(self, query: Select[*tuple[Any, ...]]) -> list[Any]:
        """The rows of a query of the models."""
        return list(self._session.execute(query))

    def faults(self, check: str, query: str) -> list[Fault]:
        """The first row of a check's query, as a fault; the query gives row, found and expected.

        Materialized, since PostgreSQL would plan for one row early, where as a rule there is none.
        """
        first = f"WITH wrong AS MATERIALIZED ({query}) SELECT * FROM wrong LIMIT 1"
        return [Fault(check, str(row[0]), _shown(row[1]), _shown(row[2])) for row in self.rows(first)]


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
