"""Posting: the second half of the write path, and the one place that writes the ledger.

`post` takes events of one book whose limited accounts are locked. Each event is applied whole or not at all, in
the order given; what is accepted is written with one statement a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, select, text, union_all
from sqlalchemy.orm import Session

from voucher.clock import micros
from voucher.errors import Code
from voucher.ledger.bulk import Rows, is_postgresql, write_together
from voucher.ledger.events import Accepted, Event, Leg, Rejected, request_hash
from voucher.ledger.locking import Balance, Locked
from voucher.models.ledger import Account, Entry, LogQueue, Posting, Transfer
from voucher.terms import Phase

MOST_EVENTS = 1000

_POSTING = (
    "book_id", "id", "kind", "fiscal_year", "rule_version", "actor_ref", "event_on", "posted_at",
    "request_hash", "reverses",
)  # fmt: skip
_TRANSFER = (
    "book_id", "posting_id", "leg", "debit_id", "credit_id", "amount", "unit", "phase",
    "pending_posting_id", "pending_leg", "expires_at",
)  # fmt: skip
_ENTRY = (
    "book_id",
    "account_id",
    "seq",
    "version",
    "posting_id",
    "leg",
    "amount",
    "pending_delta",
    "balance",
)
_FIGURES = ("debits_posted", "credits_posted", "debits_pending", "credits_pending", "version", "last_seq")


class _Refused(Exception):
    """An event cannot stand. Private: the caller sees a `Rejected`."""

    def __init__(self, code: Code, **facts: int | str) -> None:
        self.rejected = Rejected(code, facts)


@dataclass(slots=True)
class _Attempt:
    """One event being applied: where its rows begin, and what to restore if it is refused."""

    posting: UUID
    transfers: int
    entries: int
    before: list[tuple[Balance, tuple[int, ...]]] = field(default_factory=list)
    resolved: list[tuple[UUID, int]] = field(default_factory=list)


_LEGS = select(
    Transfer.posting_id, Transfer.leg, Transfer.debit_id, Transfer.credit_id, Transfer.amount,
    Transfer.pending_posting_id, Transfer.pending_leg,
).where(Transfer.book_id == bindparam("book"))  # fmt: skip
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PENDING = union_all(
    _LEGS.where(Transfer.phase == Phase.PENDING.value, Transfer.posting_id.in_(_IDS)),
    _LEGS.where(Transfer.pending_posting_id.in_(_IDS)),
)


class _Known:
    """What the database already holds about the events at hand."""

    def __init__(self, session: Session, book_id: int, events: Sequence[Event]) -> None:
        ids = [event.id for event in events]
        reversed_ids = [event.reverses for event in events if event.reverses]
        pending_ids = list({leg.pending[0] for event in events for leg in event.legs if leg.pending})
        self.hashes: dict[UUID, str] = {}
        self.reversed: set[UUID] = set()
        for key, given, reverses in _postings(session, book_id, ids, reversed_ids):
            self.hashes[key] = given
            if reverses is not None:
                self.reversed.add(reverses)
        self.pending: dict[tuple[UUID, int], tuple[int, int, int]] = {}
        self.resolved: set[tuple[UUID, int]] = set()
        if pending_ids:
            self._read_pending(session, book_id, pending_ids)

    def _read_pending(self, session: Session, book_id: int, ids: list[UUID]) -> None:
        given = {"book": book_id, "ids": ids}
        for posting_id, leg, debit, credit, amount, of_posting, of_leg in session.execute(_PENDING, given):
            if of_posting is None:
                self.pending[posting_id, leg] = (debit, credit, amount)
            else:
                self.resolved.add((of_posting, of_leg or 0))


_FIND_POSTINGS = text(
    "SELECT id, request_hash, reverses FROM posting WHERE book_id = :book AND id = ANY(CAST(:ids AS uuid[])) "
    "UNION ALL SELECT id, request_hash, reverses FROM posting "
    "WHERE book_id = :book AND reverses = ANY(CAST(:reversed AS uuid[]))"
)


def _postings(session: Session, book_id: int, ids: list[UUID], reversed_ids: list[UUID]) -> Iterable[Any]:
    """Id, hash and what it reverses of the postings of these ids, and of those that reverse these."""
    if is_postgresql(session):
        given = {"book": book_id, "ids": ids, "reversed": reversed_ids}
        return session.execute(_FIND_POSTINGS, given)
    query = select(Posting.id, Posting.request_hash, Posting.reverses).where(Posting.book_id == book_id)
    # Two halves, not an OR: with that, SQLite reads every posting of the book.
    both = union_all(query.where(Posting.id.in_(ids)), query.where(Posting.reverses.in_(reversed_ids)))
    return session.execute(both)


class _Run:
    """One call of `post`: the balances as they move, and the rows to write."""

    def __init__(self, locked: Locked, known: _Known, at: datetime) -> None:
        self.book_id = locked.book_id
        self.locked = locked
        self.known = known
        self.at = at
        self.at_micros = micros(at)
        self.postings: list[tuple[Any, ...]] = []
        self.transfers: list[tuple[Any, ...]] = []
        self.entries: list[tuple[Any, ...]] = []
        self.touched: dict[int, Balance] = {}

    def take(self, event: Event) -> Accepted | Rejected:
        """Apply one event whole, or leave everything as it was."""
        given = request_hash(event)
        stored = self.known.hashes.get(event.id)
        if stored is not None:
            return Accepted(event.id, True) if stored == given else Rejected(Code.KEY_REUSED)
        attempt = _Attempt(event.id, len(self.transfers), len(self.entries))
        try:
            self._check(event)
            for number, leg in enumerate(event.legs):
                self._apply(attempt, number, leg)
        except _Refused as refused:
            self._undo(attempt)
            return refused.rejected
        self.known.hashes[event.id] = given
        for number, leg in enumerate(event.legs):
            if leg.phase is Phase.PENDING:
                self.known.pending[event.id, number] = (leg.debit.id, leg.credit.id, leg.amount)
        if event.reverses:
            self.known.reversed.add(event.reverses)
        self.postings.append(
            (self.book_id, event.id, event.kind.value, event.fiscal_year, event.rule_version, event.actor_ref,
             event.event_on, self.at, given, event.reverses)
        )  # fmt: skip
        return Accepted(event.id)

    def _undo(self, attempt: _Attempt) -> None:
        for balance, figures in reversed(attempt.before):
            _restore(balance, figures)
        del self.transfers[attempt.transfers :]
        del self.entries[attempt.entries :]
        self.known.resolved.difference_update(attempt.resolved)

    def _check(self, event: Event) -> None:
        if not event.legs:
            raise ValueError("an event without legs")
        closed = self.locked.closed_through
        if closed is not None and event.event_on <= closed:
            raise _Refused(Code.PERIOD_CLOSED, closed_through=closed.isoformat())
        if event.reverses is not None and event.reverses in self.known.reversed:
            raise _Refused(Code.ALREADY_RESOLVED, posting=str(event.reverses))

    def _apply(self, attempt: _Attempt, number: int, leg: Leg) -> None:
        if type(leg.amount) is not int or leg.amount <= 0:
            raise ValueError(f"a leg moves a positive number of fen, not {leg.amount!r}")
        if leg.debit.unit is not leg.credit.unit:
            raise ValueError(f"{leg.debit} and {leg.credit} are kept in different units")
        reserved = self._reserved(leg, attempt) if leg.phase in (Phase.POST, Phase.VOID) else 0
        posted = leg.amount if leg.phase in (Phase.SINGLE, Phase.POST) else 0
        pending = leg.amount if leg.phase is Phase.PENDING else -reserved
        of_posting, of_leg = leg.pending or (None, None)
        self.transfers.append(
            (self.book_id, attempt.posting, number, leg.debit.id, leg.credit.id, leg.amount,
             leg.debit.unit.value, leg.phase.value, of_posting, of_leg, leg.expires_at)
        )  # fmt: skip
        for ref, sign in ((leg.debit, -1), (leg.credit, 1)):
            if ref.flags:
                balance = self.locked.balances[ref.id]
                attempt.before.append((balance, _figures(balance)))
                left = balance.available
                _move(balance, sign, posted, pending)
                if balance.available < 0:
                    raise _Refused(ref.overdrawn, account=str(ref), needed_fen=leg.amount, left_fen=left)
                balance.version += 1
                balance.seq = max(balance.seq + 1, self.at_micros)
                self.touched[ref.id] = balance
                self.entries.append(
                    (self.book_id, ref.id, balance.seq, balance.version, attempt.posting, number,
                     sign * posted, sign * pending, balance.posted)
                )  # fmt: skip

    def _reserved(self, leg: Leg, attempt: _Attempt) -> int:
        """The amount of the reservation that this leg resolves; refused when it is gone, or too small."""
        if leg.pending is None or leg.pending not in self.known.pending:
            raise _Refused(Code.ALREADY_RESOLVED, posting=str(leg.pending))
        if leg.pending in self.known.resolved:
            raise _Refused(Code.ALREADY_RESOLVED, posting=str(leg.pending[0]))
        debit, credit, amount = self.known.pending[leg.pending]
        if (debit, credit) != (leg.debit.id, leg.credit.id):
            raise ValueError("a reservation is resolved on the accounts it was made on")
        if leg.amount > amount:
            raise _Refused(Code.CAPTURE_ABOVE_HOLD, held_fen=amount, asked_fen=leg.amount)
        if leg.phase is Phase.VOID and leg.amount != amount:
            raise ValueError("a void carries the full amount of what it gives back")
        self.known.resolved.add(leg.pending)
        attempt.resolved.append(leg.pending)
        return amount


def post(
    session: Session, locked: Locked, events: Sequence[Event], *, at: datetime
) -> list[Accepted | Rejected]:
    """Post 1 to 1000 events of one book; `locked` must cover every limited account they name.

    Writes postings, transfers, entries, log queue rows and the accounts' figures. An event is rejected, alone,
    when an account would be overdrawn (the code of the account), its day is closed (`period_closed`), its
    reservation is resolved or its posting reversed already (`already_resolved`), it captures more than is held
    (`capture_above_hold`), or its id stands with other content (`key_reused`). The same content again is
    accepted as a replay and changes nothing. At most 1000 events: ValueError.
    """
    if len(events) > MOST_EVENTS:
        raise ValueError(f"{len(events)} events in one transaction, at most {MOST_EVENTS}")
    known = _Known(session, locked.book_id, events)
    run = _Run(locked, known, at)
    results = [run.take(event) for event in events]
    queue = [(book, key) for book, key, *_ in run.postings]
    figures = [(locked.book_id, key, *_figures(balance)) for key, balance in sorted(run.touched.items())]
    if run.postings:
        write_together(
            session,
            [
                Rows(Posting, _POSTING, run.postings),
                Rows(Transfer, _TRANSFER, run.transfers),
                Rows(Entry, _ENTRY, run.entries),
                Rows(LogQueue, ("book_id", "posting_id"), queue),
            ],
            Rows(Account, ("book_id", "id", *_FIGURES), figures),
            keys=2,
        )
    return results


def _figures(balance: Balance) -> tuple[int, ...]:
    return (
        balance.debits_posted, balance.credits_posted, balance.debits_pending, balance.credits_pending,
        balance.version, balance.seq,
    )  # fmt: skip


def _restore(balance: Balance, figures: tuple[int, ...]) -> None:
    (
        balance.debits_posted, balance.credits_posted, balance.debits_pending, balance.credits_pending,
        balance.version, balance.seq,
    ) = figures  # fmt: skip


def _move(balance: Balance, sign: int, posted: int, pending: int) -> None:
    if sign < 0:
        balance.debits_posted += posted
        balance.debits_pending += pending
    else:
        balance.credits_posted += posted
        balance.credits_pending += pending
