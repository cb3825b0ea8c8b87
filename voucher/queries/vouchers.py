"""Vouchers as their holders see them: what is left, what moved, and what the year still allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, contains_eager

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import NOTHING, standings
from voucher.models.ledger import Account, Entry, Posting, Transfer
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.models.vouchers import Voucher
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import PostingKind, VoucherState


@dataclass(frozen=True, slots=True)
class VoucherView:
    """A voucher with its programme and its figures: left, held by orders, used. All in fen."""

    voucher: Voucher
    programme: Programme
    left_fen: int
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


@dataclass(frozen=True, slots=True)
class CapStanding:
    """A holder's cap of one period (0: the whole programme) in fen."""

    year: int
    amount_fen: int
    used_fen: int
    held_fen: int
    left_fen: int


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


@dataclass(frozen=True, slots=True)
class CapOf:
    """Whose cap: the book, who draws on it, and the class that decides its amount."""

    book_id: int
    owner_ref: str
    holder_class: str


def cap_standing(session: Session, policy: Policy, voucher: Voucher, *, on: date) -> CapStanding | None:
    """The cap that an order on this day would be charged to, brought to the policy's amount; None without a cap."""
    whose = CapOf(voucher.book_id, voucher.holder.cap_owner, voucher.holder_class)
    return cap_left(session, policy, whose, on=on)


def cap_left(session: Session, policy: Policy, whose: CapOf, *, on: date) -> CapStanding | None:
    """The same before there is a voucher."""
    cap = policy.cap_for(whose.holder_class)
    if cap is None:
        return None
    period = cap.period_of(on)
    ref = accounts.cap(policy.cap_family, whose.owner_ref, period)
    source = accounts.cap_source(policy.cap_family, period)
    now = standings(session, whose.book_id, [ref])[ref]
    opened = _opened(session, whose.book_id, ref, source)
    left = max(now.available_fen + cap.amount_fen - opened, 0)
    used = opened - now.posted_fen
    return CapStanding(period, left + used + now.reserved_fen, used, now.reserved_fen, left)


def _views(session: Session, rows: Sequence[tuple[Voucher, Programme]]) -> list[VoucherView]:
    by_book: dict[int, list[Ref]] = {}
    for voucher, _ in rows:
        by_book.setdefault(voucher.book_id, []).append(accounts.voucher(voucher.number))
    figures = {
        ref: now
        for book_id, refs in by_book.items()
        for ref, now in standings(session, book_id, refs).items()
    }
    found = []
    for voucher, programme in rows:
        now = figures.get(accounts.voucher(voucher.number), NOTHING)
        used = (
            voucher.face_fen - now.posted_fen if voucher.state == VoucherState.LIVE.value else now.spent_fen
        )
        found.append(VoucherView(voucher, programme, now.available_fen, now.reserved_fen, used))
    return found


def _order_numbers(session: Session, book_id: int, ids: set[int]) -> dict[int, str]:
    query = select(Account.id, Account.owner_ref).where(
        Account.book_id == book_id, Account.id.in_(ids), Account.code == "order"
    )
    return {row.id: row.owner_ref for row in session.execute(query)}


def _opened(session: Session, book_id: int, cap: Ref, source: Ref) -> int:
    """What the cap account received from its source, less what went back."""
    query = select(
        func.coalesce(
            func.sum(case((Transfer.credit_id == cap.id, Transfer.amount), else_=-Transfer.amount)), 0
        )
    ).where(
        Transfer.book_id == book_id,
        ((Transfer.credit_id == cap.id) & (Transfer.debit_id == source.id))
        | ((Transfer.debit_id == cap.id) & (Transfer.credit_id == source.id)),
    )
    return int(session.scalars(query).one())
