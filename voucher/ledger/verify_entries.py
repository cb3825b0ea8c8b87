"""`verify`, entries and what they add up to.

Every entry is set against its transfer; each account's versions, sequence and running balance are followed and its
figures added up. This answers which accounts differ: `verify_one_account.py` then says where.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from voucher.ledger.verify_book import Book, key
from voucher.ledger.verify_columns import Column, Columns
from voucher.ledger.verify_sql import Fault
from voucher.ledger.verify_tables import FIGURES, UNITS


def entry_faults(book: Book, entries: Columns) -> tuple[list[Fault], list[int]]:
    """Transfers without their entries and a book that is not at zero; and the accounts that differ, lowest first."""
    matched = _Matched(book, entries)
    wrong = matched.wrong(entries)
    accounts = matched.accounts(wrong) | set(book.accounts["id"][_figures_differ(book, matched)].tolist())
    return [*matched.missing(), *_totals(book)], sorted(accounts)


class _Matched:
    """A book's entries by account and version, beside their transfers. Takes the columns it needs no longer."""

    def __init__(self, book: Book, entries: Columns) -> None:
        self.book = book
        account_of = book.account_keys.find(entries["account_id"])
        order = np.argsort((account_of.astype(np.int64) << 32) + entries["version"])
        self.account_of = account_of[order]
        self.account_id = entries.pop("account_id")[order]
        sides = book.limited(book.debit_of).astype(np.int8) + book.limited(book.credit_of)
        guess = np.resize(np.repeat(np.arange(len(sides)), sides), len(order))
        transfer_of = book.transfer_keys.find(*key(entries, "posting_id"), entries["leg"], guess=guess)
        self.transfer_of = transfer_of[order]
        del entries["posting_id"], entries["posting_id_low"], entries["leg"], account_of
        for name in list(entries):
            entries[name] = entries[name][order]
        length = len(order)
        self.first = np.ones(length, bool)
        self.first[1:] = self.account_id[1:] != self.account_id[:-1]
        self.starts = np.flatnonzero(self.first)
        self.ends = np.append(self.starts[1:], length)[: len(self.starts)]
        self.last_seq = entries["seq"][self.ends - 1]
        self.sign = np.zeros(length, np.int8)
        for name, sign in (("debit_id", -1), ("credit_id", 1)):
            self.sign[self._of_transfers(book.transfers[name]) == self.account_id] = sign
        self.sign[self.transfer_of < 0] = 0

    def _of_transfers(self, column: Column) -> Column:
        """A column of the transfers beside the entries; beside an entry without one stands what must not be used."""
        return column[self.transfer_of] if len(column) else np.zeros(len(self.transfer_of), column.dtype)

    def wrong(self, entries: Columns) -> Column:
        """Which entries are not what their transfers make them, or do not follow the entry before."""
        wrong: Column = (self.account_of < 0) | (self.sign == 0)
        wrong |= entries["amount"] != self.sign * self._of_transfers(self.book.posted())
        wrong |= entries["pending_delta"] != self.sign * self._of_transfers(self.book.pending())
        place = np.arange(len(wrong)) - np.repeat(self.starts, self.ends - self.starts)
        wrong |= entries["version"] != place + 1
        wrong |= entries["balance"] != self._before(entries["balance"]) + entries["amount"]
        instants = np.append(self.book.postings["posted_at"], 0)[self._of_transfers(self.book.posting_of)]
        wrong |= entries["seq"] != np.maximum(self._before(entries["seq"]) + 1, instants)
        return wrong

    def _before(self, column: Column) -> Column:
        """What the entry before of the same account says, 0 before the first."""
        before = np.zeros_like(column)
        before[1:] = column[:-1]
        before[self.first] = 0
        return before

    def accounts(self, wrong: Column) -> set[int]:
        """The accounts of some entries."""
        return set(self.account_id[wrong].tolist())

    def missing(self) -> Iterator[Fault]:
        """The first transfer without exactly one entry for each limited account, and the number of entries."""
        book, due = self.book, 0
        for name, sign, side in (("debit_id", -1, book.debit_of), ("credit_id", 1, book.credit_of)):
            limited = book.limited(side)
            due += int(np.count_nonzero(limited))
            there = np.bincount(self.transfer_of[self.sign == sign], minlength=len(limited))
            rows = np.flatnonzero(there != limited)
            if len(rows):
                row = min(rows.tolist(), key=book.transfer_name)
                account = book.transfers[name][row]
                expected = f"{int(limited[row])} of account {account}"
                yield Fault("entry_missing", book.transfer_name(row), f"{there[row]} entries", expected)
        if due != len(self.sign):
            expected = f"{due} sides of transfers on limited accounts"
            yield Fault("entry_count", f"entry of book {book.id}", f"{len(self.sign)} rows", expected)


def _figures_differ(book: Book, matched: _Matched) -> Column:
    """Which accounts say something else than their entries' transfers add up to."""
    made = {name: np.zeros(len(book.accounts["id"]) + 1, np.int64) for name in FIGURES}
    at = matched.account_of[matched.starts]
    if len(at):
        for figure, moved in (("posted", book.posted()), ("pending", book.pending())):
            beside = moved[matched.transfer_of] if len(moved) else np.zeros(len(matched.sign), np.int64)
            for side, sign in (("debits", -1), ("credits", 1)):
                made[f"{side}_{figure}"][at] = np.add.reduceat(
                    np.where(matched.sign == sign, beside, 0), matched.starts
                )
        made["version"][at] = matched.ends - matched.starts
        made["last_seq"][at] = matched.last_seq
    differ: Column = (made["version"][:-1] > 0) & (book.accounts["flags"] == 0)
    for name in FIGURES:
        differ |= (book.accounts[name] != made[name][:-1]) & (book.accounts["flags"] != 0)
    return differ


def _totals(book: Book) -> Iterator[Fault]:
    accounts, moved = book.accounts, book.posted()
    for name, number in UNITS.items():
        mine = accounts["unit"] == number
        limited = mine & (accounts["flags"] != 0)
        net = int(accounts["credits_posted"][limited].sum()) - int(accounts["debits_posted"][limited].sum())
        free = np.append(mine & (accounts["flags"] == 0), False)
        net += int(moved[free[book.credit_of]].sum()) - int(moved[free[book.debit_of]].sum())
        if net:
            yield Fault("book_total", f"book {book.id} {name} (sum of all balances)", str(net), "0")
