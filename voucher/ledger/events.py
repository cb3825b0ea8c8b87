"""What is posted, and what becomes of it: plain values."""

from __future__ import annotations

import struct
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


# One leg in the hashed content: debit, credit, amount, microseconds of `expires_at`, what it resolves (posting, leg),
# and its phase with a bit for each of the three that is there.
PACKED_LEG = struct.Struct("<qqqq16sii")
PHASES = {phase: number for number, phase in enumerate(Phase)}
HAS_PENDING_POSTING, HAS_PENDING_LEG, HAS_EXPIRY = 4, 8, 16
_NO_POSTING = bytes(16)


def request_hash(event: Event) -> str:
    """sha256 of everything in an event but its id: its fields as text, then 56 bytes a leg.

    `ledger verify` computes it again from the stored rows, for all postings at once (`verify_postings.py`). Raises
    ValueError for an amount that is no 64-bit integer.
    """
    fields = (
        event.kind,
        event.fiscal_year,
        event.event_on,
        event.rule_version,
        event.actor_ref,
        event.reverses,
    )
    parts = [packed_fields(fields)]
    for leg in event.legs:
        code, posting, number, expires = PHASES[leg.phase], _NO_POSTING, 0, 0
        if leg.pending:
            code += HAS_PENDING_POSTING + HAS_PENDING_LEG
            posting, number = leg.pending[0].bytes, leg.pending[1]
        if leg.expires_at:
            code += HAS_EXPIRY
            expires = micros(leg.expires_at)
        fields_of_leg = (leg.debit.id, leg.credit.id, leg.amount, expires, posting, number, code)
        try:
            parts.append(PACKED_LEG.pack(*fields_of_leg))
        except struct.error as wrong:
            raise ValueError(
                f"a leg moves a positive number of fen within 64 bits, not {leg.amount!r}"
            ) from wrong
    return sha256(b"".join(parts)).hexdigest()


def packed_fields(fields: tuple[object, ...]) -> bytes:
    """A posting's fields as they are hashed: parted by the unit separator, ended by the record separator."""
    return ("\x1f".join(["" if field is None else str(field) for field in fields]) + "\x1e").encode()
