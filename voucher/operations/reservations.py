"""The reserved legs of open holds, read back from the ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from voucher.ledger.accounts import Ref
from voucher.ledger.events import Leg
from voucher.models.ledger import Account, Transfer
from voucher.terms import Phase

_DEBIT, _CREDIT = aliased(Account), aliased(Account)
_RESERVED = (
    select(Transfer.posting_id, Transfer.leg, Transfer.amount)
    .add_columns(
        _DEBIT.code, _DEBIT.owner_ref, _DEBIT.period, _CREDIT.code, _CREDIT.owner_ref, _CREDIT.period
    )
    .join(_DEBIT, (_DEBIT.book_id == Transfer.book_id) & (_DEBIT.id == Transfer.debit_id))
    .join(_CREDIT, (_CREDIT.book_id == Transfer.book_id) & (_CREDIT.id == Transfer.credit_id))
    .where(
        Transfer.book_id.in_(bindparam("books", expanding=True)),
        Transfer.posting_id.in_(bindparam("postings", expanding=True)),
        Transfer.phase == Phase.PENDING.value,
    )
    .order_by(Transfer.posting_id, Transfer.leg)
)


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
    given = {
        "books": list({book_id for book_id, _ in holds}),
        "postings": list({posting for _, posting in holds}),
    }
    found: dict[UUID, list[Reserved]] = {}
    for posting, leg, amount, *names in session.execute(_RESERVED, given):
        row = Reserved(posting, leg, Ref(*names[:3]), Ref(*names[3:]), amount)
        found.setdefault(posting, []).append(row)
    return found
