"""The allowance that an operation charges, and the way money takes back: legs, not postings.

The cap account of a holder, and the ceiling of a contract, is opened on first use and brought to its amount by a
`cap_adjust` before each charge (design, section 2.2), so no job touches every firm on 1 January.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import moved
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.ledger.locking import Locked
from voucher.ledger.posting import MOST_EVENTS, post
from voucher.models.orders import Order
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.rules.carrying import room_in
from voucher.rules.clamp import Limit, LimitName
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import CapBasis, Phase, PostingKind


class Limited(Protocol):
    """An allowance account that is opened on first use and brought to its amount before each charge.

    `keeps` says that a smaller amount than it was opened with does not lower it.
    """

    @property
    def name(self) -> LimitName: ...
    @property
    def account(self) -> Ref: ...
    @property
    def source(self) -> Ref: ...
    @property
    def used(self) -> Ref: ...
    @property
    def amount_fen(self) -> Fen: ...
    @property
    def period(self) -> int: ...
    @property
    def set_by(self) -> tuple[str, str]: ...
    @property
    def keeps(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Carry:
    """That what is left of a year may be used in the `years` after it; `entitled` are a holder's allowances by year, in fen."""

    years: int
    entitled: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A holder's cap under one policy version: which account, how much it should open, and what charges it."""

    policy: Policy
    holder_ref: str
    holder_class: str
    period: int
    amount_fen: Fen
    basis: CapBasis
    carry: Carry | None = None

    @property
    def name(self) -> LimitName:
        """What the limit is called."""
        return "cap"

    @property
    def keeps(self) -> bool:
        """A version with a smaller cap lowers it."""
        return False

    @property
    def set_by(self) -> tuple[str, str]:
        """The version that says the amount, and for whom."""
        return self.policy.code, self.holder_class

    @property
    def account(self) -> Ref:
        """The limited account, as every `Limited` names it."""
        return self.cap

    @property
    def cap(self) -> Ref:
        """The limited account that the holder draws on."""
        return accounts.cap(self.policy.cap_family, self.holder_ref, self.period)

    @property
    def source(self) -> Ref:
        """Where it is opened from."""
        return accounts.cap_source(self.policy.cap_family, self.period)

    @property
    def used(self) -> Ref:
        """Where what is charged goes."""
        return accounts.cap_used(self.policy.cap_family, self.period)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All its accounts, to be locked; with the caps of the other years, where what is left is carried."""
        others = [self.of_year(year) for year, _ in self.carry.entitled] if self.carry else []
        return self.cap, self.source, self.used, *(ref for each in others for ref in (each.cap, each.source))

    def of_year(self, year: int) -> Allowance:
        """The same holder's cap of another year."""
        return replace(self, period=year, carry=None)


def allowance_of(policy: Policy, *, holder_ref: str, holder_class: str, on: date) -> Allowance | None:
    """The cap that a charge on this day falls under; None where the policy sets no cap for the class."""
    cap = policy.cap_for(holder_class)
    if cap is None:
        return None
    return Allowance(policy, holder_ref, holder_class, cap.period_of(on), cap.amount_fen, cap.basis)


def order_allowance(policy: Policy, voucher: Voucher, order: Order) -> Allowance | None:
    """The cap that an order is charged to: that of the day it was placed, in the year of that day.

    None where the policy sets no cap, or charged it when the voucher was issued (basis *claimed*).
    """
    allowance = allowance_of(
        policy,
        holder_ref=voucher.holder.cap_owner,
        holder_class=voucher.holder_class,
        on=business_date(order.placed_at),
    )
    return allowance if allowance is not None and allowance.basis is not CapBasis.CLAIMED else None


class Room:
    """What is left on locked accounts while a sequence of requests is computed, each after the one before.

    Caps and ceilings of contracts are the same to it: accounts that are brought to their amounts (`Limited`).
    """

    def __init__(self, session: Session, locked: Locked, limited: Iterable[Limited]) -> None:
        self._locked = locked
        self._taken: dict[Ref, int] = {}
        self._wanted: dict[Ref, Limited] = {}
        for each in limited:
            before = self._wanted.get(each.account)
            if before is None or not each.keeps or each.amount_fen > before.amount_fen:
                self._wanted[each.account] = each
        self._carrying = {
            ref: (each, each.carry)
            for ref, each in self._wanted.items()
            if isinstance(each, Allowance) and each.carry is not None
        }
        others = [own.of_year(year) for own, carry in self._carrying.values() for year, _ in carry.entitled]
        self._opened = opened_with(session, locked.book_id, [*self._wanted.values(), *others])
        self._amounts = {ref: self._used(ref) + self._carried_room(ref) for ref in self._carrying}

    def left(self, ref: Ref) -> int:
        """Still free, after the requests before, and with the allowance brought to its amount."""
        if ref in self._carrying:
            return self._carried_room(ref)
        return self._locked.available(ref) + self._adjustment(ref) - self._taken.get(ref, 0)

    def _used(self, ref: Ref) -> int:
        """What of an opened cap is used or held, before the requests of this sequence."""
        return self._opened[ref] - self._locked.available(ref)

    def _carried_room(self, ref: Ref) -> int:
        """What the years together leave for a charge in this one, after the requests before."""
        allowance, carry = self._carrying[ref]
        caps = {year: allowance.of_year(year).cap for year, _ in carry.entitled}
        used = {year: self._used(cap) + self._taken.get(cap, 0) for year, cap in caps.items()}
        return room_in(dict(carry.entitled), used, years=carry.years, year=allowance.period)

    def take(self, ref: Ref, amount_fen: int) -> None:
        """Note that a request uses this much."""
        self._taken[ref] = self._taken.get(ref, 0) + amount_fen

    def limit(self, limited: Limited) -> Limit:
        """The allowance as a limit for `clamp`; more may be used than it is, where a new version lowered it."""
        opened = self._opened[limited.account] + self._adjustment(limited.account)
        left = self.left(limited.account)
        whole = Fen(opened) if limited.keeps else Fen(self._amount(limited))
        return Limit(limited.name, Fen(left), whole, Fen(opened - left))

    def adjustments(self, actor: Actor, on: date) -> list[Event]:
        """The `cap_adjust` events that must be posted before the charges.

        The account's own version is part of their ids: two versions of a policy may take turns on one cap.
        """
        events = []
        for ref, limited in self._wanted.items():
            change = self._adjustment(ref)
            if change == 0:
                continue
            leg = Leg(limited.source, ref, change) if change > 0 else Leg(ref, limited.source, -change)
            name = (
                "cap_adjust", self._locked.book_id, str(ref), *limited.set_by,
                self._opened[ref], self._locked.balances[ref.id].version,
            )  # fmt: skip
            events.append(
                Event(
                    id=posting_id(*name),
                    kind=PostingKind.CAP_ADJUST,
                    legs=(leg,),
                    fiscal_year=limited.period or on.year,
                    event_on=on,
                    rule_version=limited.set_by[0],
                    actor_ref=actor.ref,
                )
            )
        return events

    def _adjustment(self, ref: Ref) -> int:
        limited = self._wanted.get(ref)
        if limited is None:
            return 0
        change = self._amount(limited) - self._opened[ref]
        return max(change, 0 if limited.keeps else -self._locked.available(ref))

    def _amount(self, limited: Limited) -> int:
        """What the account is to be opened with: the limit's amount, or with what is carried from other years."""
        return self._amounts.get(limited.account, limited.amount_fen)


def limit_refs(limited: Limited) -> tuple[Ref, ...]:
    """The accounts of a limit that are to be locked."""
    if isinstance(limited, Allowance):
        return limited.refs
    return limited.account, limited.source, limited.used


def opened_with(session: Session, book_id: int, limited: Sequence[Limited]) -> dict[Ref, int]:
    """How much each account was opened with so far: what came from its source less what went back."""
    if not limited:
        return {}
    caps = {each.account.id: each.account for each in limited}
    opened = dict.fromkeys(caps.values(), 0)
    for debit, credit, amount in moved(session, book_id, caps, {each.source.id for each in limited}):
        if credit in caps:
            opened[caps[credit]] += amount
        else:
            opened[caps[debit]] -= amount
    return opened


def post_all(
    session: Session, locked: Locked, events: Sequence[Event], *, at: datetime
) -> list[Accepted | Rejected]:
    """Post events in their order, as many at a time as one call takes."""
    return [
        answer
        for start in range(0, len(events), MOST_EVENTS)
        for answer in post(session, locked, events[start : start + MOST_EVENTS], at=at)
    ]


def charge_legs(
    allowance: Limited | None, amount_fen: int, *, phase: Phase = Phase.SINGLE
) -> tuple[Leg, ...]:
    """cap → cap_used, contract → contract_used; nothing where there is none."""
    if allowance is None:
        return ()
    return (Leg(allowance.account, allowance.used, amount_fen, phase),)


def return_legs(voucher: Voucher, line: BudgetLine, amount_fen: int) -> tuple[Leg, ...]:
    """voucher → budget of issue; from a line that is closed, on to lapsed."""
    budget = accounts.budget(line.code, line.year)
    legs = (Leg(accounts.voucher(voucher.number), budget, amount_fen),)
    if line.closed_on is None:
        return legs
    return (*legs, Leg(budget, accounts.lapsed(line.year), amount_fen))


def refs_of(legs: Iterable[Leg]) -> list[Ref]:
    """Every account that these legs name."""
    return [ref for leg in legs for ref in (leg.debit, leg.credit)]
