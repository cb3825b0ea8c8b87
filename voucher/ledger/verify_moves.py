"""`verify`, what postings moved of orders and caps, as figures a row: what the rules are then held against.

Taken from a book's columns before they are let go; the orders' own rows are read by `verify_rules.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np

from voucher.ledger.verify_book import Book, key_of
from voucher.ledger.verify_columns import Column
from voucher.ledger.verify_tables import CODES
from voucher.terms import Phase, PostingKind

_KIND, _VERSION = 0, 3
_ORDER, _CAP, _CAP_SOURCE = CODES["order"], CODES["cap"], CODES["cap_source"]
_BACK = (PostingKind.TRIM, PostingKind.DISALLOW)
_CHARGED = (PostingKind.HOLD, PostingKind.AWARD)
_MOST_TOGETHER = 8


class Moved(NamedTuple):
    """What was posted for one order, in fen; `open_fen` is held still. `back_fen` is less what an upheld appeal took
    again. `caps` counts the cap accounts charged, `charged_fen` is their sum.

    `version` is the one rule version of all its postings, None where they differ.
    """

    held_fen: int
    captured_fen: int
    awarded_fen: int
    back_fen: int
    caps: int
    charged_fen: int
    period: int
    open_fen: int
    version: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    """One posting that brought a cap to an amount: by which version, what may have been open after it, up or down."""

    posting: UUID
    account: int
    version: str
    opened_fen: frozenset[int]
    change_fen: int


@dataclass(frozen=True, slots=True)
class Moves:
    """A book's orders by the id of their account, and the openings of its caps in their order."""

    book_id: int
    orders: dict[int, Moved]
    openings: list[Opening]


def moves_of(book: Book, fields: list[tuple[Any, ...]]) -> Moves:
    """What the rules are checked on, in one book; `fields` are those that postings number."""
    legs = _Legs(book, fields)
    return Moves(book.id, legs.orders(), legs.openings())


class _Legs:
    """A book's transfers with the kind of their posting and the codes of their accounts."""

    def __init__(self, book: Book, fields: list[tuple[Any, ...]]) -> None:
        self._book, self._fields = book, fields
        self._amount = book.transfers["amount"]
        # One more than there are: what belongs to nothing has the place -1.
        codes = np.append(book.accounts["code"], np.int32(-1))
        self._debit, self._credit = codes[book.debit_of], codes[book.credit_of]
        numbers = np.append(book.postings["number"], np.int32(len(fields)))
        self._number = numbers[book.posting_of]

    def _kind(self, kinds: Iterable[PostingKind]) -> Column:
        named = {kind.value for kind in kinds}
        known = np.array([*(each[_KIND] in named for each in self._fields), False])
        return np.asarray(known[self._number])

    def _sum(self, rows: Column, of: Column, values: Column) -> Column:
        total = np.zeros(len(self._book.accounts["id"]), np.int64)
        np.add.at(total, of[rows], values[rows])
        return total

    def orders(self) -> dict[int, Moved]:
        """The figures of every order of the book, by the id of its account."""
        book = self._book
        debit, credit = self._debit == _ORDER, self._credit == _ORDER
        hold, capture = self._kind([PostingKind.HOLD]), self._kind([PostingKind.CAPTURE])
        again = self._sum(self._kind([PostingKind.REINSTATE]) & credit, book.credit_of, self._amount)
        figures = [
            self._sum(hold & credit & book.phase(Phase.PENDING), book.credit_of, self._amount),
            self._sum(capture & credit & book.phase(Phase.POST), book.credit_of, self._amount),
            self._sum(self._kind([PostingKind.AWARD]) & credit, book.credit_of, self._amount),
            self._sum(self._kind(_BACK) & debit, book.debit_of, self._amount) - again,
            *self._charges(credit),
            book.accounts["credits_pending"],
        ]
        versions = self._versions(debit, credit)
        rows = np.flatnonzero(versions[0] <= versions[1])
        names = self._version_names()
        found = zip(
            book.accounts["id"][rows].tolist(),
            zip(*(column[rows].tolist() for column in figures), strict=True),
            *(column[rows].tolist() for column in versions),
            strict=True,
        )
        return {
            account: Moved._make((*amounts, names[least] if least == most else None))
            for account, amounts, least, most in found
        }

    def _charges(self, credit: Column) -> list[Column]:
        """How many caps each order charged, how much in all, and of which period."""
        book = self._book
        order_of = np.full(len(book.postings["id"]) + 1, -1, np.int32)
        order_of[book.posting_of[credit]] = book.credit_of[credit]
        rows = np.flatnonzero(self._kind(_CHARGED) & (self._debit == _CAP))
        rows = rows[order_of[book.posting_of[rows]] >= 0]
        of = np.zeros(len(self._amount), np.int32)
        of[rows] = order_of[book.posting_of[rows]]
        period = np.zeros(len(book.accounts["id"]), np.int32)
        np.maximum.at(period, of[rows], book.accounts["period"][book.debit_of[rows]])
        return [self._sum(rows, of, np.ones_like(self._amount)), self._sum(rows, of, self._amount), period]

    def _version_names(self) -> list[str]:
        return sorted({str(each[_VERSION]) for each in self._fields})

    def _versions(self, debit: Column, credit: Column) -> tuple[Column, Column]:
        """The least and the greatest version, by its place among the names, of the postings on each order."""
        places = {name: place for place, name in enumerate(self._version_names())}
        version = np.array([*(places[str(each[_VERSION])] for each in self._fields), 0], np.int32)[
            self._number
        ]
        accounts = len(self._book.accounts["id"])
        least, most = np.full(accounts, len(places), np.int32), np.full(accounts, -1, np.int32)
        for rows, of in ((debit, self._book.debit_of), (credit, self._book.credit_of)):
            np.minimum.at(least, of[rows], version[rows])
            np.maximum.at(most, of[rows], version[rows])
        return least, most

    def openings(self) -> list[Opening]:
        """Every posting that opened or lowered a cap, with what was open after it."""
        book = self._book
        up = (self._debit == _CAP_SOURCE) & (self._credit == _CAP)
        rows = np.flatnonzero(up | ((self._debit == _CAP) & (self._credit == _CAP_SOURCE)))
        instants = book.postings["posted_at"][book.posting_of[rows]]
        places = np.argsort(instants, kind="stable")
        adjusts, opened, found = self._kind([PostingKind.CAP_ADJUST]), dict[int, int](), list[Opening]()
        told = zip(instants[places].tolist(), rows[places].tolist(), strict=True)
        for _, together in groupby(told, key=itemgetter(0)):
            changes: dict[int, list[tuple[int, int]]] = {}
            for _, row in together:
                account = int((book.credit_of if up[row] else book.debit_of)[row])
                change = int(self._amount[row]) if up[row] else -int(self._amount[row])
                changes.setdefault(account, []).append((row, change))
            for account, rows_of in changes.items():
                before = opened.get(account, 0)
                opened[account] = before + sum(change for _, change in rows_of)
                found += [
                    self._opening(row, account, change, after)
                    for (row, change), after in zip(rows_of, _after(before, rows_of), strict=True)
                    if adjusts[row]
                ]
        return found

    def _opening(self, row: int, account: int, change: int, after: frozenset[int]) -> Opening:
        posting = key_of(self._book.postings, "id", int(self._book.posting_of[row]))
        version = str(self._fields[self._number[row]][_VERSION])
        return Opening(posting, int(self._book.accounts["id"][account]), version, after, change)


def _after(before: int, changes: Sequence[tuple[int, int]]) -> list[frozenset[int]]:
    """What may have been open after each change of one instant: which came first is not known by the instant alone."""
    amounts = [change for _, change in changes]
    if len(amounts) > _MOST_TOGETHER:
        return [frozenset({before + sum(amounts[: place + 1])}) for place in range(len(amounts))]
    found = []
    for place, amount in enumerate(amounts):
        sums = {before + amount}
        for other in (*amounts[:place], *amounts[place + 1 :]):
            sums |= {each + other for each in sums}
        found.append(frozenset(sums))
    return found
