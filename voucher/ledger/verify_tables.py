"""What `verify` reads of each table, and the numbers that stand for units, codes of accounts and phases."""

from __future__ import annotations

from typing import Any

from voucher.ledger.accounts import codes
from voucher.ledger.events import HAS_EXPIRY, HAS_PENDING_LEG, HAS_PENDING_POSTING, PHASES
from voucher.ledger.verify_columns import Kind, Table
from voucher.terms import Unit

CODES = {code: number for number, code in enumerate(codes())}
UNITS = {unit.value: number for number, unit in enumerate(Unit)}
UNIT_SHIFT = 8
UNKNOWN = 32


def _place(column: str, places: dict[str, int], other: int) -> str:
    branches = " ".join(f"WHEN '{name}' THEN {number}" for name, number in places.items())
    return f"CASE {column} {branches} ELSE {other} END"


def _plain(kind: Kind, *names: str) -> tuple[tuple[str, str, Kind], ...]:
    return tuple((name, name, kind) for name in names)


def _code(fields: tuple[Any, ...]) -> int:
    """A transfer's phase, what it has, and its unit, as one number (`events.PACKED_LEG`)."""
    phase, unit, *lacks = fields
    bits = zip((HAS_PENDING_POSTING, HAS_PENDING_LEG, HAS_EXPIRY), lacks, strict=True)
    code = PHASES.get(phase, UNKNOWN) + sum(bit for bit, lacking in bits if not lacking)
    return code + (UNITS.get(unit, UNKNOWN) << UNIT_SHIFT)


FIGURES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")

ACCOUNTS = Table(
    "account",
    (
        *_plain(Kind.BIG, "id"),
        *_plain(Kind.INT, "flags"),
        *_plain(Kind.BIG, *FIGURES[:4]),
        *_plain(Kind.INT, "version"),
        *_plain(Kind.BIG, "last_seq"),
        ("unit", _place("unit", UNITS, UNKNOWN), Kind.INT),
        ("code", _place("code", CODES, len(CODES)), Kind.INT),
        *_plain(Kind.INT, "period"),
    ),
)
POSTINGS = Table(
    "posting",
    (
        *_plain(Kind.KEY, "id"),
        *_plain(Kind.INSTANT, "posted_at"),
        *_plain(Kind.HASH, "request_hash"),
    ),
    ("kind", "fiscal_year", "event_on", "rule_version", "actor_ref", "reverses"),
)
TRANSFERS = Table(
    "transfer",
    (
        *_plain(Kind.KEY, "posting_id"),
        *_plain(Kind.INT, "leg"),
        *_plain(Kind.BIG, "debit_id", "credit_id", "amount"),
    ),
    ("phase", "unit", "pending_posting_id IS NULL", "pending_leg IS NULL", "expires_at IS NULL"),
    (
        *_plain(Kind.KEY, "pending_posting_id"),
        *_plain(Kind.INT, "pending_leg"),
        *_plain(Kind.INSTANT, "expires_at"),
    ),
    _code,
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
