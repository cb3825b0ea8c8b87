"""Giving back what an order was charged: money and every allowance go where its own postings took them from.

Nothing is computed again by rule: what the order's hold, captures and award moved, less what went back already, is what
can go back. So a limit that `hold` learns to charge needs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.ledger.locking import Locked
from voucher.models.ledger import Account, Transfer
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.award_money import is_award
from voucher.operations.charges import return_legs
from voucher.operations.find import budget_lines
from voucher.operations.share_money import Move, Shared, events, kept, pledge_of, write
from voucher.operations.tenant_returns import TenantReturns
from voucher.operations.together import Joint, lock_books, post_together
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.shares import by_weight
from voucher.terms import CapBasis, Phase, PostingKind, Unit, VoucherState

_MOVED = (Phase.SINGLE.value, Phase.POST.value)
_SOURCES = frozenset({"voucher", "allot", "budget"})
_BY_BASIS = frozenset({"cap", "count", "holding"})


@dataclass(frozen=True, slots=True)
class Back:
    """What goes back of one captured order, locked with its voucher, and the posting that says so.

    `amount_fen` None: all that is left of its money (a reversal). `base_fen` is what funders' ceilings in basis points
    count on now; None: what they counted on when it was held.
    """

    order: Order
    policy: Policy
    kind: PostingKind
    posting: UUID
    amount_fen: Fen | None = None
    base_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What an order took from an account and has not given back: money (`used` is the order) or allowance."""

    source: Ref
    used: Ref
    amount: int

    @property
    def is_money(self) -> bool:
        """Whether it is the order's money, and not an allowance."""
        return self.used.code == "order"


def post_backs(
    session: Session, backs: Sequence[Back], *, actor: Actor, at: datetime
) -> list[Accepted | Rejected]:
    """order → voucher, allotment or budget line (no longer live: on to its budget line, a closed line to lapsed).

    A reversal gives every allowance back, a trim or a disallowance those that count what is redeemed: caps and counts
    as their basis says, contracts and quotas always; a count only with the last fen. Of co-funders share → pledge, in
    their books and in the same transaction, down to the exact part of what stays. One answer for each; one that takes nothing
    back posts nothing and is accepted. Rejected, alone: money that is gone from the order (`already_settled`), a
    closed day (`period_closed`).
    """
    ways = Ways(session, [back.order for back in backs])
    refs: dict[int, list[Ref]] = {}
    for back in backs:
        refs.setdefault(back.order.book_id, []).extend(ways.refs(back.order))
        for row in ways.shared.of(back.order)[1:]:
            refs.setdefault(row.book_id, []).extend((accounts.share(back.order.number), pledge_of(row)))
    locks = lock_books(session, refs)
    ways.returns.read_again(session)
    plans = [_planned(ways, locks[back.order.book_id], back, actor=actor, at=at) for back in backs]
    posted = iter(
        post_together(session, locks, [step for step, _ in plans if isinstance(step, Joint)], at=at)
    )
    answers: list[Accepted | Rejected] = []
    for back, (step, moves) in zip(backs, plans, strict=True):
        answer = next(posted) if isinstance(step, Joint) else step
        if isinstance(answer, Accepted):
            ways.returns.note(_lead_legs(step))
            write(moves, {})
            for move in moves:
                move.row.base_fen = move.row.base_fen if back.base_fen is None else back.base_fen
        answers.append(answer)
    return answers


def _lead_legs(step: Accepted | Rejected | Joint) -> tuple[Leg, ...]:
    """What a step posts in the lead book; co-funders' books may be all that it touches."""
    if isinstance(step, Joint) and step.lead in step.events:
        return step.events[step.lead].legs
    return ()


def recharge_posting(order_number: str) -> UUID:
    """The id of the posting that moves an order's allowance to another period: it is one of the order's own."""
    return posting_id("recharge", order_number)


def charges_of(session: Session, orders: Sequence[Order]) -> dict[int, list[Charge]]:
    """By order id what its postings took and have not given back, from live accounts.

    An allowance of a team that is a firm by now is the firm's.
    """
    own = {(order.book_id, accounts.order(order.number).id): order.id for order in orders}
    postings = {(order.book_id, recharge_posting(order.number)): order.id for order in orders}
    touching = select(Transfer.book_id, Transfer.posting_id)
    books, keys = {book for book, _ in own}, [key for _, key in own]
    # Two halves, not an OR: with that, SQLite reads every transfer of the book.
    both = union_all(
        touching.add_columns(Transfer.credit_id).where(
            Transfer.book_id.in_(books), Transfer.credit_id.in_(keys)
        ),
        touching.add_columns(Transfer.debit_id).where(
            Transfer.book_id.in_(books), Transfer.debit_id.in_(keys)
        ),
    )
    for book_id, posting, account in session.execute(both):
        postings[book_id, posting] = own[book_id, account]
    moves = [
        (postings[book_id, posting], Ref(*names[:3]), Ref(*names[3:]), amount)
        for book_id, posting, amount, *names in session.execute(_moves(postings))
        if (book_id, posting) in postings
    ]
    heirs = heirs_of(
        session, {part for _, *refs, _ in moves for ref in refs for part in ref.owner.split("|")}
    )
    taken: dict[tuple[int, Ref, Ref], int] = {}
    for order_id, debit, credit, amount in moves:
        if credit.code == "order" or credit.code.endswith("_used"):
            key, sign = (order_id, inherited(debit, heirs), credit), 1
        elif debit.code.endswith("_used") or (debit.code == "order" and credit.code in _SOURCES):
            key, sign = (order_id, inherited(credit, heirs), debit), -1
        else:
            continue
        taken[key] = taken.get(key, 0) + sign * amount
    found: dict[int, list[Charge]] = {order.id: [] for order in orders}
    for (order_id, source, used), amount in taken.items():
        if amount > 0:
            found[order_id].append(Charge(source, used, amount))
    return found


def _moves(postings: Iterable[tuple[int, UUID]]) -> Select[Any]:
    debit, credit = aliased(Account), aliased(Account)
    return (
        select(Transfer.book_id, Transfer.posting_id, Transfer.amount)
        .add_columns(debit.code, debit.owner_ref, debit.period, credit.code, credit.owner_ref, credit.period)
        .join(debit, (debit.book_id == Transfer.book_id) & (debit.id == Transfer.debit_id))
        .join(credit, (credit.book_id == Transfer.book_id) & (credit.id == Transfer.credit_id))
        .where(
            Transfer.book_id.in_({book_id for book_id, _ in postings}),
            Transfer.posting_id.in_({posting for _, posting in postings}),
            Transfer.phase.in_(_MOVED),
        )
        .order_by(Transfer.posting_id, Transfer.leg)
    )


def heirs_of(session: Session, parts: set[str]) -> dict[str, str]:
    """Whose allowances those of a converted team are now, by the team's name in the ledger."""
    into = aliased(Holder)
    query = select(Holder.ref, into).join(into, into.id == Holder.converted_into).where(Holder.ref.in_(parts))
    return {ref: holder.cap_owner for ref, holder in session.execute(query)}


def inherited(ref: Ref, heirs: Mapping[str, str]) -> Ref:
    """The allowance under the name that it has now; money keeps its own."""
    if not heirs or ref.unit is Unit.CNY:
        return ref
    return Ref(ref.code, "|".join(heirs.get(part, part) for part in ref.owner.split("|")), ref.period)


class Ways:
    """What orders were charged, and the way that their money takes back."""

    def __init__(self, session: Session, orders: Sequence[Order]) -> None:
        self.charges = charges_of(session, orders)
        self.returns = TenantReturns(session, orders)
        self.shared = Shared(session, orders)
        ids = {order.voucher_id for order in orders if not is_award(order)}
        self._vouchers = {row.id: row for row in session.scalars(select(Voucher).where(Voucher.id.in_(ids)))}
        self._lines = budget_lines(session, [each.budget_line_id for each in self._vouchers.values()])
        codes = {
            charge.source.owner
            for charges in self.charges.values()
            for charge in charges
            if charge.source.code == "budget"
        }
        rows = session.scalars(select(BudgetLine).where(BudgetLine.code.in_(codes))) if codes else ()
        self._budgets = {line.code: line for line in rows}

    def holder_class(self, order: Order) -> str:
        """The class under which the order was charged."""
        voucher = self._vouchers.get(order.voucher_id)
        return (order.holder_class or "") if voucher is None else voucher.holder_class

    def refs(self, order: Order) -> list[Ref]:
        """Every account that giving back may name."""
        found = [accounts.order(order.number), *self.returns.refs]
        for charge in self.charges[order.id]:
            legs = self.money(order, charge.source, 1) if charge.is_money else ()
            found += [charge.source, charge.used, *(ref for leg in legs for ref in (leg.debit, leg.credit))]
        return found

    def money(self, order: Order, source: Ref, amount_fen: int) -> tuple[Leg, ...]:
        """order → where it came from; a voucher that is no longer live gives it on to its budget line.

        An allotment whose tenant left gives it on to the voucher.
        """
        back = Leg(accounts.order(order.number), source, amount_fen)
        if source.code == "budget":
            closed = self._budgets[source.owner].closed_on is not None
            return (back, Leg(source, accounts.lapsed(source.period), amount_fen)) if closed else (back,)
        voucher = self._vouchers[order.voucher_id]
        if voucher.state == VoucherState.LIVE.value:
            return (back, *self.returns.on_legs(source, amount_fen))
        on = return_legs(voucher, self._lines[voucher.budget_line_id], amount_fen)
        if source.code == "allot":
            on = (self.returns.on(source, amount_fen), *on)
        return (back, *on)


def _planned(
    ways: Ways, locked: Locked, back: Back, *, actor: Actor, at: datetime
) -> tuple[Accepted | Rejected | Joint, list[Move]]:
    """What giving back posts in all books, and what it changes on the funders' rows."""
    order = back.order
    left = locked.posted(accounts.order(order.number))
    amount = left if back.amount_fen is None else back.amount_fen
    if left < amount or (back.amount_fen is None and left <= 0):
        return Rejected(Code.ALREADY_SETTLED, {"order": order.number, "left_fen": left}), []
    moves = kept(order, ways.shared.of(order), left - amount, back.base_fen)
    posted = events(moves, order, (back.kind, back.posting), actor_ref=actor.ref, at=at)
    if amount:
        posted[order.book_id] = Event(
            id=back.posting,
            kind=back.kind,
            legs=_legs(ways, back, amount, last=amount == left),
            fiscal_year=order.fiscal_year,
            event_on=business_date(at),
            rule_version=order.policy_code,
            actor_ref=actor.ref,
            reverses=order.capture_posting if back.kind is PostingKind.REVERSE else None,
        )
    return (Joint(order.book_id, posted) if posted else Accepted(back.posting)), moves


def _legs(ways: Ways, back: Back, amount: int, *, last: bool) -> tuple[Leg, ...]:
    """The lead book's legs: money in proportion to what each account paid, then what comes back of allowances."""
    charges = ways.charges[back.order.id]
    money = [charge for charge in charges if charge.is_money]
    parts = by_weight(Fen(amount), [charge.amount for charge in money])
    legs = [
        leg
        for charge, part in zip(money, parts, strict=True)
        if part
        for leg in ways.money(back.order, charge.source, part)
    ]
    for charge in charges:
        freed = 0 if charge.is_money else _freed(ways, back, charge, amount, last=last)
        if freed:
            legs.append(Leg(charge.used, charge.source, freed))
    return tuple(legs)


def _freed(ways: Ways, back: Back, charge: Charge, amount_fen: int, *, last: bool) -> int:
    """How much of an allowance comes back with this much money."""
    if back.kind is PostingKind.REVERSE:
        return charge.amount
    cap = back.policy.cap_for(ways.holder_class(back.order))
    if charge.source.code in _BY_BASIS and cap is not None and cap.basis is CapBasis.USED:
        return 0
    if charge.source.unit is Unit.TIMES:
        return charge.amount if last else 0
    return min(amount_fen, charge.amount)
