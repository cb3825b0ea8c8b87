"""Balances as they are now, for reading. What decides is read under lock (`locking.lock`), never here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select, union_all
from sqlalchemy.orm import Session

from voucher.ledger.accounts import CREDITS_LIMITED, FREE, Ref
from voucher.models.ledger import Account, Transfer
from voucher.terms import Phase

_POSTED = (Phase.SINGLE.value, Phase.POST.value)
_MOVES = select(Transfer.debit_id, Transfer.credit_id, Transfer.amount).where(
    Transfer.book_id == bindparam("book")
)
_ONES: BindParameter[Any] = bindparam("ones", expanding=True)
_OTHERS: BindParameter[Any] = bindparam("others", expanding=True)
# Two halves, not an OR: with that, SQLite reads every transfer of the book.
_MOVED = union_all(
    _MOVES.where(Transfer.credit_id.in_(_ONES), Transfer.debit_id.in_(_OTHERS)),
    _MOVES.where(Transfer.debit_id.in_(_ONES), Transfer.credit_id.in_(_OTHERS)),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's figures in fen. `posted_fen` is credits less debits; `opened_fen` all posted credits."""

    opened_fen: int
    spent_fen: int
    reserved_fen: int
    posted_fen: int
    available_fen: int


NOTHING = Standing(0, 0, 0, 0, 0)


def standings(session: Session, book_id: int, refs: Iterable[Ref]) -> dict[Ref, Standing]:
    """The limited accounts among `refs`; one that was never opened stands at nothing."""
    by_id = {ref.id: ref for ref in refs}
    if any(ref.flags == FREE for ref in by_id.values()):
        raise ValueError("a free account keeps no running balance: use free_balance")
    found = dict.fromkeys(by_id.values(), NOTHING)
    query = select(Account).where(Account.book_id == book_id, Account.id.in_(list(by_id)))
    for account in session.scalars(query):
        found[by_id[account.id]] = _standing(account)
    return found


def opened_from(session: Session, book_id: int, source: Ref, account: Ref) -> int:
    """What an allowance was opened with: what came from its source less what went back there."""
    pairs = ((source.id, account.id), (account.id, source.id))
    came, went = (
        session.execute(
            select(func.coalesce(func.sum(Transfer.amount), 0)).where(
                Transfer.book_id == book_id, Transfer.debit_id == debit, Transfer.credit_id == credit
            )
        ).scalar_one()
        for debit, credit in pairs
    )
    return int(came) - int(went)


def moved(
    session: Session, book_id: int, ones: Collection[int], others: Collection[int]
) -> list[tuple[int, int, int]]:
    """What moved between the ones and the others, by account id, either way: debit, credit, amount."""
    rows = session.execute(_MOVED, {"book": book_id, "ones": list(ones), "others": list(others)})
    return [(debit, credit, amount) for debit, credit, amount in rows]


def free_balance(session: Session, book_id: int, ref: Ref) -> int:
    """Credits less debits of a free account: the sum of its transfers."""
    if ref.flags != FREE:
        raise ValueError("a limited account keeps its balance: use standings")
    return free_credits(session, book_id, ref) - free_debits(session, book_id, ref)


def free_debits(session: Session, book_id: int, ref: Ref) -> int:
    """All posted debits of a free account."""
    query = select(func.coalesce(func.sum(Transfer.amount), 0)).where(
        Transfer.book_id == book_id, Transfer.debit_id == ref.id, Transfer.phase.in_(_POSTED)
    )
    return int(session.execute(query).scalar_one())


def free_credits(session: Session, book_id: int, ref: Ref) -> int:
    """All posted credits of a free account."""
    query = select(func.coalesce(func.sum(Transfer.amount), 0)).where(
        Transfer.book_id == book_id, Transfer.credit_id == ref.id, Transfer.phase.in_(_POSTED)
    )
    return int(session.execute(query).scalar_one())


def _standing(account: Account) -> Standing:
    posted = account.credits_posted - account.debits_posted
    if account.flags == CREDITS_LIMITED:
        available = -posted - account.credits_pending
        return Standing(
            account.debits_posted, account.credits_posted, account.credits_pending, posted, available
        )
    available = posted - account.debits_pending
    return Standing(account.credits_posted, account.debits_posted, account.debits_pending, posted, available)
