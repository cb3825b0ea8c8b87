"""Taking again what a rejection gave back: an appeal against it was upheld (恢复锁定).

Nothing is computed by rule: what the rejection's own postings moved is fetched from where it lies now. A voucher that
ended meanwhile is filled from its budget line first, an allotment that ended from its voucher.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.models.cofunding import OrderShare
from voucher.models.ledger import Account, Transfer
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.cases import Case
from voucher.operations.give_back import Ways, heirs_of, inherited
from voucher.operations.review_money import decision_posting
from voucher.operations.share_money import Move, events, pledge_of, share_posting, write
from voucher.operations.together import Joint, lock_books, post_together
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind


@dataclass(frozen=True, slots=True)
class _Released:
    """What a rejection gave back in the lead book (money by its source, allowances) and by co-funders' books, in fen."""

    money: tuple[tuple[Ref, int], ...]
    allowances: tuple[tuple[Ref, Ref, int], ...]
    shares: Mapping[int, int]

    @property
    def amount_fen(self) -> int:
        """The order's money in the lead book."""
        return sum(amount for _, amount in self.money)


def reinstate(session: Session, case: Case, *, actor: Actor, at: datetime) -> Fen:
    """Hold again for a rejected claim's order what its rejection released, whole or not at all; gives the fen.

    The voucher is locked FOR SHARE, the order and the claim FOR UPDATE. A post-subsidy was never charged: 0. Raises
    Refusal with what is missing: `voucher_exhausted`, `allotment_exhausted`, `budget_exceeded` (a voucher that ended;
    nothing is left of a line that is closed), `cap_exceeded`, `quota_exceeded`, `contract_exceeded`, `count_exceeded`,
    `pledge_exceeded`, and `period_closed`.
    """
    order, rejection = case.order, decision_posting(case.claim)
    ways = Ways(session, [order])
    rows = ways.shared.of(order)
    released = _released(session, order, rejection, rows)
    if not released.money and not released.shares:
        return Fen(0)
    locks = lock_books(session, _refs(ways, order, released, rows))
    ways.returns.read_again(session)
    legs = _legs(ways, order, released)
    moves = _moves(order, rows, released)
    posting = posting_id("reinstate", case.claim.number, case.claim.hearing)
    posted = events(moves, order, (PostingKind.REINSTATE, posting), actor_ref=actor.ref, at=at)
    if legs:
        posted[order.book_id] = Event(
            id=posting,
            kind=PostingKind.REINSTATE,
            legs=legs,
            fiscal_year=order.fiscal_year,
            event_on=business_date(at),
            rule_version=order.policy_code,
            actor_ref=actor.ref,
            reverses=rejection,
        )
    (answer,) = post_together(session, locks, [Joint(order.book_id, posted)], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    ways.returns.note_again(legs)
    write(moves, {})
    return Fen(released.amount_fen)


def _released(session: Session, order: Order, rejection: UUID, rows: Iterable[OrderShare]) -> _Released:
    """What the postings of a rejection moved, under the names that allowances have now."""
    books = {row.book_id: share_posting(rejection, row.book_id) for row in rows}
    books[order.book_id] = rejection
    debit, credit = aliased(Account), aliased(Account)
    query = (
        select(Transfer.book_id, Transfer.posting_id, Transfer.amount)
        .add_columns(debit.code, debit.owner_ref, debit.period, credit.code, credit.owner_ref, credit.period)
        .join(debit, (debit.book_id == Transfer.book_id) & (debit.id == Transfer.debit_id))
        .join(credit, (credit.book_id == Transfer.book_id) & (credit.id == Transfer.credit_id))
        .where(Transfer.book_id.in_(books), Transfer.posting_id.in_(books.values()))
        .order_by(Transfer.posting_id, Transfer.leg)
    )
    found = [
        (book_id, Ref(*names[:3]), Ref(*names[3:]), amount)
        for book_id, posting, amount, *names in session.execute(query)
        if books[book_id] == posting
    ]
    heirs = heirs_of(session, {part for _, _, ref, _ in found for part in ref.owner.split("|")})
    own = accounts.order(order.number)
    return _Released(
        tuple((to, amount) for _, by, to, amount in found if by == own),
        tuple((inherited(to, heirs), by, amount) for _, by, to, amount in found if by.code.endswith("_used")),
        {book_id: amount for book_id, by, _, amount in found if by.code == "share"},
    )


def _refs(ways: Ways, order: Order, released: _Released, rows: Iterable[OrderShare]) -> dict[int, list[Ref]]:
    own = [accounts.order(order.number), *ways.returns.refs]
    for source, _ in released.money:
        own += [ref for leg in ways.money(order, source, 1) for ref in (leg.debit, leg.credit)]
    own += [ref for source, used, _ in released.allowances for ref in (source, used)]
    refs = {order.book_id: own}
    for row in rows:
        if row.book_id in released.shares:
            refs[row.book_id] = [pledge_of(row), accounts.share(order.number)]
    return refs


def _legs(ways: Ways, order: Order, released: _Released) -> tuple[Leg, ...]:
    """The way that giving back would take today, backwards; then the allowances."""
    legs = []
    for source, amount in released.money:
        way = [Leg(leg.credit, leg.debit, leg.amount) for leg in reversed(ways.money(order, source, amount))]
        if any(leg.debit.code == "lapsed" for leg in way):
            raise Refusal(Code.BUDGET_EXCEEDED, needed_fen=amount, left_fen=0)
        legs += way
    legs += [Leg(source, used, amount) for source, used, amount in released.allowances]
    return tuple(legs)


def _moves(order: Order, rows: list[OrderShare], released: _Released) -> list[Move]:
    """What co-funders take again of their pledges, and what that leaves to the lead book."""
    own = accounts.share(order.number)
    moves = []
    for row in rows[1:]:
        amount = released.shares.get(row.book_id, 0)
        legs = (Leg(pledge_of(row), own, amount),) if amount else ()
        moves.append(Move(row, row.held_fen, row.share_fen + amount, legs))
    if not rows:
        return []
    lead = max(released.amount_fen - sum(move.share_fen for move in moves), 0)
    return [Move(rows[0], rows[0].held_fen, lead), *moves]
