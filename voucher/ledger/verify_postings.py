"""`verify`, postings and transfers: content as hashed, accounts and reservations as named, a place in the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any
from uuid import UUID

import numpy as np

from voucher.ledger.events import HAS_PENDING_POSTING, PACKED_LEG, packed_fields
from voucher.ledger.verify_book import Book
from voucher.ledger.verify_columns import Column
from voucher.ledger.verify_sql import Fault
from voucher.ledger.verify_tables import UNIT_SHIFT, UNITS
from voucher.terms import Phase

_HASHED_AT_ONCE = 50_000
_LOW_HALF = (1 << 64) - 1
_UNIT_NAMES = {number: name for name, number in UNITS.items()}

# `events.PACKED_LEG` as numpy writes it.
_LEG = np.dtype(
    [
        ("debit_id", "<i8"), ("credit_id", "<i8"), ("amount", "<i8"), ("expires_at", "<i8"),
        ("pending_posting_id", ">u8"), ("pending_posting_id_low", ">u8"), ("pending_leg", "<i4"), ("number", "<i4"),
    ]
)  # fmt: skip


def posting_faults(book: Book, fields: list[tuple[Any, ...]]) -> list[Fault]:
    """Postings and transfers that are not what was once posted. `fields` are those that postings number."""
    fields = [(*others, _uuid(reverses)) for *others, reverses in fields]
    return [
        *_content(book, [packed_fields(each) for each in fields]),
        *_reverses(book, fields),
        *_orphans(book),
        *_accounts(book),
        *_resolves(book),
    ]


def log_faults(book: Book, logged: Column, logged_low: Column) -> list[Fault]:
    """Postings that the log lacks or holds twice; given are the posting ids in its queue and its leaves."""
    places = book.posting_keys.find(logged, logged_low, guess=np.arange(len(logged)))
    times = np.bincount(places[places >= 0], minlength=len(book.postings["id"]))
    found = []
    for row in _earliest(book, times != 1):
        name = f"{book.posting_name(row)} in log_queue and log_leaf"
        found.append(Fault("log_place", name, f"{times[row]} times", "once in one of them"))
    if len(places) != len(times):
        name = f"log_queue and log_leaf of book {book.id}"
        found.append(Fault("log_count", name, f"{len(places)} rows", f"{len(times)} postings"))
    return found


def _content(book: Book, packed: list[bytes]) -> Iterator[Fault]:
    of, legs = book.posting_of, book.transfers["leg"]
    order = np.argsort((of.astype(np.int64) << 32) + legs)
    order = order[np.searchsorted(of[order], 0) :]
    counts = np.bincount(of[order], minlength=len(book.postings["id"]))
    ends = np.cumsum(counts)
    misplaced = legs[order] != np.arange(len(order)) - (ends - counts)[of[order]]
    uneven = counts == 0
    uneven[of[order[misplaced]]] = True
    for row in _earliest(book, uneven):
        there = sorted(int(leg) for leg in legs[of == row])
        found = f"legs {there}"
        yield Fault("posting_content", f"{book.posting_name(row)}.legs", found, "one row a leg, from 0")
        return
    for row in _earliest(book, _unlike(book, packed, order=order, ends=ends)):
        found = book.postings["request_hash"][row].decode()
        yield Fault(
            "posting_content", f"{book.posting_name(row)}.request_hash", found, "the hash of its content"
        )


def _unlike(book: Book, packed: list[bytes], *, order: Column, ends: Column) -> Column:
    """The postings whose hash is not that of their rows, computed a piece at a time."""
    unlike = np.zeros(len(ends), bool)
    width = PACKED_LEG.size
    for first in range(0, len(ends), _HASHED_AT_ONCE):
        stop = min(first + _HASHED_AT_ONCE, len(ends))
        start = int(ends[first - 1]) if first else 0
        rows = order[start : int(ends[stop - 1])]
        legs = np.empty(len(rows), _LEG)
        for name in _LEG.names or ():
            legs[name] = book.transfers[name][rows]
        legs["number"] &= (1 << UNIT_SHIFT) - 1
        content = memoryview(legs.tobytes())
        cuts = ((ends[first:stop] - start) * width).tolist()
        numbers = book.postings["number"][first:stop].tolist()
        hashes = [
            sha256(packed[number] + content[begin:end]).hexdigest()
            for number, begin, end in zip(numbers, [0, *cuts], cuts, strict=False)
        ]
        computed = np.frombuffer("".join(hashes).encode(), "S64")
        unlike[first:stop] = computed != book.postings["request_hash"][first:stop]
    return unlike


def _uuid(stored: Any) -> Any:
    """What a posting reverses: SQLite keeps a uuid as 32 digits; what is no such text stays as it is."""
    with suppress(ValueError, TypeError, AttributeError):
        if UUID(stored).hex == stored:
            return UUID(stored)
    return stored


def _reverses(book: Book, fields: list[tuple[Any, ...]]) -> Iterator[Fault]:
    lost = []
    for number, (*_, reverses) in enumerate(fields):
        if reverses is not None:
            whole = reverses.int if isinstance(reverses, UUID) else 0
            halves = (np.array([half], np.uint64) for half in (whole >> 64, whole & _LOW_HALF))
            if book.posting_keys.find(*halves)[0] < 0:
                lost.append(number)
    for row in _earliest(book, np.isin(book.postings["number"], lost)):
        given = str(fields[book.postings["number"][row]][-1])
        yield Fault("posting_reverses", f"{book.posting_name(row)}.reverses", given, "a posting of this book")


def _orphans(book: Book) -> Iterator[Fault]:
    for row in _lowest(book, book.posting_of < 0):
        name = book.transfer_name(row)
        yield Fault("transfer_posting", f"{name}.posting_id", name.split("/")[1], "a posting of this book")


def _accounts(book: Book) -> Iterator[Fault]:
    units = np.append(book.accounts["unit"], np.int32(-1))
    mine, debit, credit = book.transfers["number"] >> UNIT_SHIFT, units[book.debit_of], units[book.credit_of]
    for row in _lowest(book, (mine != debit) | (mine != credit)):
        name = book.transfer_name(row)
        for side, of in (("debit_id", book.debit_of), ("credit_id", book.credit_of)):
            if of[row] < 0:
                found = str(book.transfers[side][row])
                yield Fault("transfer_accounts", f"{name}.{side}", found, "an account of this book")
                return
        expected = f"{_unit(debit[row])} and {_unit(credit[row])} of its accounts"
        yield Fault("transfer_accounts", f"{name}.unit", _unit(mine[row]), expected)


def _unit(number: int) -> str:
    return _UNIT_NAMES.get(int(number), "no unit")


def _resolves(book: Book) -> Iterator[Fault]:
    rows, of = book.transfers, book.reservation_of
    voids = book.phase(Phase.VOID)
    resolves = book.phase(Phase.POST) | voids
    begins = book.phase(Phase.SINGLE) | book.phase(Phase.PENDING)
    named = (rows["number"] & HAS_PENDING_POSTING) != 0
    wrong = ~(resolves | begins) | (rows["amount"] <= 0) | (begins & named) | (resolves & (of < 0))
    at = np.flatnonzero(resolves & (of >= 0))
    held = of[at]
    wrong[at] |= ~book.phase(Phase.PENDING)[held]
    for column in ("debit_id", "credit_id"):
        wrong[at] |= rows[column][held] != rows[column][at]
    more = rows["amount"][at] > rows["amount"][held]
    wrong[at] |= more | (voids[at] & (rows["amount"][at] != rows["amount"][held]))
    wrong[at] |= np.bincount(held, minlength=len(of))[held] > 1
    for row in _lowest(book, wrong):
        held_row = int(of[row])
        found = f"{_phase(book, row)} of {rows['amount'][row]}"
        expected = "a pending transfer, resolved once"
        if held_row >= 0:
            expected = (
                f"{_phase(book, held_row)} of {rows['amount'][held_row]} on the same accounts, resolved once"
            )
        yield Fault("transfer_resolves", f"{book.transfer_name(row)}.pending_posting_id", found, expected)


def _phase(book: Book, row: int) -> str:
    return next((phase.value for phase in Phase if book.phase(phase)[row]), "no phase")


def _earliest(book: Book, wrong: Column) -> list[int]:
    """The row of the first posting that is wrong, if there is one."""
    rows = np.flatnonzero(wrong)
    at = book.postings
    order = np.lexsort((at["id_low"][rows], at["id"][rows], at["posted_at"][rows]))
    return [int(row) for row in rows[order[:1]]]


def _lowest(book: Book, wrong: Column) -> list[int]:
    """The row of the first transfer, by its key, that is wrong, if there is one."""
    rows = np.flatnonzero(wrong)
    at = book.transfers
    order = np.lexsort((at["leg"][rows], at["posting_id_low"][rows], at["posting_id"][rows]))
    return [int(row) for row in rows[order[:1]]]
