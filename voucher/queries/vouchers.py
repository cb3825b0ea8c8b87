"""Vouchers as their holders see them: what is left and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, contains_eager

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import NOTHING, standings
from voucher.models.ledger import Account, Entry, Posting, Transfer
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.models.tenancies import Allotment
from voucher.models.vouchers import Voucher
from voucher.rules.permissions import Actor
from voucher.terms import Phase, PostingKind, VoucherState


@dataclass(frozen=True, slots=True)
class VoucherView:
    """A voucher with its programme and its figures in fen: left, allotted to tenants and free, held, used."""

    voucher: Voucher
    programme: Programme
    left_fen: int
    allotted_fen: int
    held_fen: int
    used_fen: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One thing that happened to a voucher: change of its money, of what is held, and what was left after it."""

    at: datetime
    kind: PostingKind
    amount_fen: int
    held_fen: int
    left_fen: int
    order_number: str


def of_allotment(account: type[Account]) -> ColumnElement[bool]:
    """Joins the account of an allotment of a voucher, as `accounts.allot` names it."""
    return and_(
        account.book_id == Voucher.book_id,
        account.code == "allot",
        account.owner_ref == Voucher.number + "|" + Allotment.tenant_ref,
    )


def own_vouchers(session: Session, *, actor: Actor, state: VoucherState | None = None) -> list[VoucherView]:
    """The vouchers of the actor's organisations, those that end soonest first."""
    query = (
        select(Voucher, Programme)
        .join(Programme, Programme.code == Voucher.programme_code)
        .join(Voucher.holder)
        .options(contains_eager(Voucher.holder))
        .where(Holder.organisation_id.in_(actor.organisation_ids))
        .order_by(Voucher.use_by, Voucher.id)
    )
    if state is not None:
        query = query.where(Voucher.state == state.value)
    return _views(session, [(row.Voucher, row.Programme) for row in session.execute(query)])


def own_voucher(session: Session, number: str, *, actor: Actor) -> VoucherView | None:
    """One voucher of the actor's organisations; None for another's, or none."""
    query = (
        select(Voucher, Programme)
        .join(Programme, Programme.code == Voucher.programme_code)
        .join(Voucher.holder)
        .options(contains_eager(Voucher.holder))
        .where(Voucher.number == number, Holder.organisation_id.in_(actor.organisation_ids))
    )
    found = _views(session, [(row.Voucher, row.Programme) for row in session.execute(query)])
    return found[0] if found else None


def view_of(session: Session, voucher: Voucher) -> VoucherView:
    """A voucher that was found already, with its programme and figures."""
    return _views(session, [(voucher, session.get_one(Programme, voucher.programme_code))])[0]


def movements(session: Session, voucher: Voucher) -> list[Movement]:
    """Everything that happened to a voucher's account, oldest first; legs of one posting are one movement."""
    ref = accounts.voucher(voucher.number)
    query = (
        select(Entry, Posting.kind, Posting.posted_at, Transfer.debit_id, Transfer.credit_id)
        .join(Posting, (Posting.book_id == Entry.book_id) & (Posting.id == Entry.posting_id))
        .join(
            Transfer,
            (Transfer.book_id == Entry.book_id)
            & (Transfer.posting_id == Entry.posting_id)
            & (Transfer.leg == Entry.leg),
        )
        .where(Entry.book_id == voucher.book_id, Entry.account_id == ref.id)
        .order_by(Entry.seq)
    )
    rows = session.execute(query).all()
    other = {row.credit_id if row.debit_id == ref.id else row.debit_id for row in rows}
    orders = _order_numbers(session, voucher.book_id, other)
    found: list[Movement] = []
    left = 0
    for entry, kind, at, debit, credit in rows:
        left += entry.amount + entry.pending_delta
        number = orders.get(credit if debit == ref.id else debit, "")
        found.append(Movement(at, PostingKind(kind), entry.amount, -entry.pending_delta, left, number))
    return found


def _views(session: Session, rows: Sequence[tuple[Voucher, Programme]]) -> list[VoucherView]:
    by_book: dict[int, list[Ref]] = {}
    for voucher, _ in rows:
        by_book.setdefault(voucher.book_id, []).append(accounts.voucher(voucher.number))
    figures = {
        ref: now
        for book_id, refs in by_book.items()
        for ref, now in standings(session, book_id, refs).items()
    }
    ids = [voucher.id for voucher, _ in rows]
    allotted, returned = _allotted(session, ids), _returned(session, [voucher for voucher, _ in rows])
    found = []
    for voucher, programme in rows:
        now = figures.get(accounts.voucher(voucher.number), NOTHING)
        posted, pending = allotted.get(voucher.id, (0, 0))
        held = now.reserved_fen + pending
        used = voucher.face_fen - now.posted_fen - posted - returned.get(accounts.voucher(voucher.number), 0)
        found.append(VoucherView(voucher, programme, now.available_fen, posted - pending, held, used))
    return found


def _allotted(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By voucher what stands on its tenants' accounts, and how much of that orders hold."""
    query = (
        select(
            Voucher.id,
            func.sum(Account.credits_posted - Account.debits_posted),
            func.sum(Account.debits_pending),
        )
        .select_from(Voucher)
        .join(Allotment, Allotment.voucher_id == Voucher.id)
        .join(Account, of_allotment(Account))
        .where(Voucher.id.in_(ids))
        .group_by(Voucher.id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in session.execute(query)}


def _returned(session: Session, vouchers: Sequence[Voucher]) -> dict[Ref, int]:
    """What vouchers that ended gave back to their budgets: not used, nor left."""
    refs = {
        (row.book_id, ref.id): ref
        for row in vouchers
        if row.state != VoucherState.LIVE.value
        for ref in (accounts.voucher(row.number),)
    }
    if not refs:
        return {}
    query = (
        select(Transfer.book_id, Transfer.debit_id, func.sum(Transfer.amount))
        .join(Account, (Account.book_id == Transfer.book_id) & (Account.id == Transfer.credit_id))
        .where(
            Transfer.debit_id.in_({key for _, key in refs}),
            Transfer.phase == Phase.SINGLE.value,
            Account.code == "budget",
        )
        .group_by(Transfer.book_id, Transfer.debit_id)
    )
    return {refs[(book, key)]: int(amount) for book, key, amount in session.execute(query)}


def _order_numbers(session: Session, book_id: int, ids: set[int]) -> dict[int, str]:
    query = select(Account.id, Account.owner_ref).where(
        Account.book_id == book_id, Account.id.in_(ids), Account.code == "order"
    )
    return {row.id: row.owner_ref for row in session.execute(query)}
