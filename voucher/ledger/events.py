"""What is posted, and what becomes of it: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID, uuid5

from voucher.clock import micros
from voucher.errors import Code, Fact
from voucher.ledger.accounts import Ref
from voucher.terms import Phase, PostingKind

_POSTINGS = UUID("6f1d3c52-0a44-5f0e-9d5b-2b7c1c3e8a11")


def posting_id(*name: str | int) -> UUID:
    """The id of the posting of this name, as `posting_id("hold", order_number)`: the same name, the same id."""
    return uuid5(_POSTINGS, "/".join(map(str, name)))


@dataclass(frozen=True, slots=True)
class Leg:
    """One movement of `amount` from `debit` to `credit`.

    PENDING reserves it on both sides. POST moves `amount` of the reservation named by `pending`
    (posting id, leg) and gives its rest back; VOID gives all of it back and carries its full amount.
    """

    debit: Ref
    credit: Ref
    amount: int
    phase: Phase = Phase.SINGLE
    pending: tuple[UUID, int] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One posting to be made: all its legs, or none of them. `id` is chosen by the caller and makes it once."""

    id: UUID
    kind: PostingKind
    legs: tuple[Leg, ...]
    fiscal_year: int
    event_on: date
    rule_version: str
    actor_ref: str
    reverses: UUID | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The posting stands. `replayed`: it stood already, with the same content."""

    posting_id: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """The event was refused and left no trace; `code` and `facts` make a `Refusal`."""

    code: Code
    facts: Mapping[str, Fact] = field(default_factory=dict)


def request_hash(event: Event) -> str:
    """sha256 of everything in an event but its id, fields and legs parted by the unit separator.

    `ledger verify` computes it again from the stored rows, on PostgreSQL in SQL: `verify_sql.py` builds the very
    same text, so a change here is a change there.
    """
    parts = [
        event.kind.value,
        str(event.fiscal_year),
        event.event_on.isoformat(),
        event.rule_version,
        event.actor_ref,
        str(event.reverses) if event.reverses else "",
    ]
    for leg in event.legs:
        pending = f"{leg.pending[0]}.{leg.pending[1]}" if leg.pending else ""
        expires = str(micros(leg.expires_at)) if leg.expires_at else ""
        parts.append(f"{leg.debit.id},{leg.credit.id},{leg.amount},{leg.phase.value},{pending},{expires}")
    return sha256("\x1f".join(parts).encode()).hexdigest()
