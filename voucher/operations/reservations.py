"""The reserved legs of open holds, read back from the ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.ledger.accounts import Ref
from voucher.ledger.events import Leg
from voucher.models.ledger import Account, Transfer
from voucher.terms import Phase


@dataclass(frozen=True, slots=True)
class Reserved:
    """One reserved leg of a hold."""

    posting: UUID
    leg: int
    debit: Ref
    credit: Ref
    amount: int

    def resolved(self, amount: int, phase: Phase) -> Leg:
        """The leg that takes `amount` of it (POST), or gives all of it back (VOID)."""
        return Leg(self.debit, self.credit, amount, phase, (self.posting, self.leg))


def reserved(session: Session, holds: Collection[tuple[int, UUID]]) -> dict[UUID, list[Reserved]]:
    """The reserved legs of holds, each given as (book id, posting), by posting and in their order."""
    debit, credit = aliased(Account), aliased(Account)
    query = (
        select(Transfer.posting_id, Transfer.leg, Transfer.amount)
        .add_columns(debit.code, debit.owner_ref, debit.period, credit.code, credit.owner_ref, credit.period)
        .join(debit, (debit.book_id == Transfer.book_id) & (debit.id == Transfer.debit_id))
        .join(credit, (credit.book_id == Transfer.book_id) & (credit.id == Transfer.credit_id))
        .where(
            Transfer.book_id.in_({book_id for book_id, _ in holds}),
            Transfer.posting_id.in_({posting for _, posting in holds}),
            Transfer.phase == Phase.PENDING.value,
        )
        .order_by(Transfer.posting_id, Transfer.leg)
    )
    found: dict[UUID, list[Reserved]] = {}
    for posting, leg, amount, *names in session.execute(query):
        row = Reserved(posting, leg, Ref(*names[:3]), Ref(*names[3:]), amount)
        found.setdefault(posting, []).append(row)
    return found
