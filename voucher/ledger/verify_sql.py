"""The SQL that `verify` is made of, where PostgreSQL and SQLite spell things differently.

Every check is a query that returns only rows that are wrong: their name, the column, what was found and what was
expected. PostgreSQL computes hashes by itself; SQLite is given functions for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from voucher.ledger.accounts import account_id
from voucher.ledger.bulk import is_postgresql

_POSTGRESQL = {
    "account_hash": (
        "((('x' || encode(substring(sha256(convert_to(a.code || E'\\x1f' || a.owner_ref || E'\\x1f' || a.period"
        " || E'\\x1f' || a.unit, 'UTF8')) from 1 for 8), 'hex'))::bit(64) >> 1)::bigint)"
    ),
    "legs": (
        "string_agg(t.debit_id || ',' || t.credit_id || ',' || t.amount || ',' || t.phase || ','"
        " || coalesce(t.pending_posting_id || '.' || t.pending_leg, '') || ','"
        " || coalesce(round(date_part('epoch', t.expires_at) * 1000000)::bigint::text, ''),"
        " E'\\x1f' ORDER BY t.leg)"
    ),
    "request_hash": (
        "encode(sha256(convert_to(p.kind || E'\\x1f' || p.fiscal_year || E'\\x1f'"
        " || to_char(p.event_on, 'YYYY-MM-DD') || E'\\x1f' || p.rule_version || E'\\x1f' || p.actor_ref"
        " || E'\\x1f' || coalesce(p.reverses::text, '') || E'\\x1f' || coalesce(l.legs, ''), 'UTF8')), 'hex')"
    ),
    "micros": "round(date_part('epoch', p.posted_at) * 1000000)::bigint",
    "greatest": "greatest",
    "distinct": "IS DISTINCT FROM",
    "text": "text",
}

_SQLITE = {
    "account_hash": "voucher_account_id(a.code, a.owner_ref, a.period, a.unit)",
    "legs": (
        "voucher_legs(t.leg, t.debit_id || ',' || t.credit_id || ',' || t.amount || ',' || t.phase || ','"
        " || coalesce(voucher_uuid(t.pending_posting_id) || '.' || t.pending_leg, '') || ','"
        " || coalesce(strftime('%s', t.expires_at) * 1000000 + substr(t.expires_at, 21, 6), ''))"
    ),
    "request_hash": (
        "voucher_sha256(p.kind || char(31) || p.fiscal_year || char(31) || p.event_on || char(31) || p.rule_version"
        " || char(31) || p.actor_ref || char(31) || coalesce(voucher_uuid(p.reverses), '')"
        " || char(31) || coalesce(l.legs, ''))"
    ),
    "micros": "(strftime('%s', p.posted_at) * 1000000 + substr(p.posted_at, 21, 6))",
    "greatest": "max",
    "distinct": "IS NOT",
    "text": "text",
}


class _Legs:
    """SQLite's `string_agg(... ORDER BY leg)`, which it has not got before 3.44."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, str]] = []

    def step(self, leg: int, part: str) -> None:
        self._parts.append((leg, part))

    def finalize(self) -> str:
        return "\x1f".join(part for _, part in sorted(self._parts))


def _dashed(key: str | None) -> str | None:
    return None if key is None else f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def _sha256(value: str | None) -> str | None:
    return None if value is None else sha256(value.encode()).hexdigest()


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
        raw: Any = self._session.connection().connection.driver_connection
        raw.create_function("voucher_account_id", 4, account_id, deterministic=True)
        raw.create_function("voucher_sha256", 1, _sha256, deterministic=True)
        raw.create_function("voucher_uuid", 1, _dashed, deterministic=True)
        raw.create_aggregate("voucher_legs", 2, _Legs)

    def rows(self, query: str, **values: Any) -> list[Any]:
        """The rows of a query, its `{words}` written in this database's SQL."""
        words = _POSTGRESQL if self.postgresql else _SQLITE
        for name, word in words.items():
            query = query.replace("{" + name + "}", word)
        return list(self._session.execute(text(query.replace("::", "\\:\\:")), values))

    def faults(self, check: str, query: str) -> list[Fault]:
        """The first row of a check's query, as a fault; the query gives row, found and expected.

        Materialized, since PostgreSQL would plan for one row early, where as a rule there is none.
        """
        first = f"WITH wrong AS MATERIALIZED ({query}) SELECT * FROM wrong LIMIT 1"
        return [Fault(check, str(row[0]), _shown(row[1]), _shown(row[2])) for row in self.rows(first)]


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
