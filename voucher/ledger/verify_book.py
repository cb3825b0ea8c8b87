"""One book as `verify` has read it: its rows as columns, and which belongs to which."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from voucher.ledger.events import HAS_PENDING_POSTING, PHASES
from voucher.ledger.verify_columns import Column, Columns
from voucher.ledger.verify_keys import Keys
from voucher.ledger.verify_tables import UNKNOWN
from voucher.terms import Phase

_PHASE_BITS = 3


@dataclass(slots=True)
class Book:
    """Accounts, postings and transfers of one book, the rows they point at (-1: none), and what each transfer moves."""

    id: int
    accounts: Columns
    postings: Columns
    transfers: Columns
    account_keys: Keys
    posting_keys: Keys
    transfer_keys: Keys
    posting_of: Column
    debit_of: Column
    credit_of: Column
    reservation_of: Column

    def phase(self, phase: Phase) -> Column:
        """Which transfers are of this phase."""
        known = (self.transfers["number"] & (_PHASE_BITS | UNKNOWN)) == PHASES[phase]
        return np.asarray(known)

    def posted(self) -> Column:
        """What each transfer moves at once."""
        moved = self.phase(Phase.SINGLE) | self.phase(Phase.POST)
        return np.where(moved, self.transfers["amount"], 0)

    def pending(self) -> Column:
        """The change of what is reserved by each transfer."""
        held = self.transfers["amount"]
        freed = np.where(self.reservation_of >= 0, -held[self.reservation_of], 0) if len(held) else held
        resolves = self.phase(Phase.POST) | self.phase(Phase.VOID)
        return np.where(self.phase(Phase.PENDING), held, np.where(resolves, freed, 0))

    def limited(self, side: Column) -> Column:
        """Whether the accounts of a side of all transfers carry a limit, and so an entry."""
        flags = np.append(self.accounts["flags"], np.int32(0))
        return np.asarray(flags[side] != 0)

    def let_go(self) -> None:
        """Drop what only the checks of postings and transfers need."""
        for name in ("request_hash", "number"):
            del self.postings[name]
        for name in ("pending_posting_id", "pending_posting_id_low", "pending_leg", "expires_at"):
            del self.transfers[name]

    def posting_name(self, row: int) -> str:
        return f"posting {self.id}/{key_of(self.postings, 'id', row)}"

    def transfer_name(self, row: int) -> str:
        return f"transfer {self.id}/{key_of(self.transfers, 'posting_id', row)}/{self.transfers['leg'][row]}"


def key_of(columns: Columns, name: str, row: int) -> UUID:
    """The uuid that two columns hold."""
    return UUID(int=(int(columns[name][row]) << 64) | int(columns[f"{name}_low"][row]))


def key(columns: Columns, name: str) -> tuple[Column, Column]:
    """The two columns of a uuid."""
    return columns[name], columns[f"{name}_low"]


def book_of(book_id: int, accounts: Columns, postings: Columns, transfers: Columns) -> Book:
    """Put a book's rows together."""
    account_keys = Keys(accounts["id"])
    posting_keys = Keys(*key(postings, "id"))
    transfer_keys = Keys(*key(transfers, "posting_id"), transfers["leg"])
    pending = np.flatnonzero(transfers["number"] & HAS_PENDING_POSTING)
    reservation_of = np.full(len(transfers["leg"]), -1, np.int32)
    reservation_of[pending] = transfer_keys.find(
        *(part[pending] for part in key(transfers, "pending_posting_id")), transfers["pending_leg"][pending]
    )
    return Book(
        book_id, accounts, postings, transfers, account_keys, posting_keys, transfer_keys,
        posting_of=posting_keys.find(*key(transfers, "posting_id"), guess=np.cumsum(transfers["leg"] == 0) - 1),
        debit_of=account_keys.find(transfers["debit_id"]),
        credit_of=account_keys.find(transfers["credit_id"]),
        reservation_of=reservation_of,
    )  # fmt: skip
