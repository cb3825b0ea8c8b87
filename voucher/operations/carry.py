"""Carrying a holder's used allowances to another holder: every cap, quota, contract limit and count, in one posting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Refusal
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import Locked, lock
from voucher.ledger.posting import post
from voucher.models.ledger import Account, Transfer
from voucher.rules.permissions import Actor
from voucher.terms import Phase, PostingKind

_LIMITED: Final = ("cap", "quota", "contract", "count", "holding")
_MOVED: Final = (Phase.SINGLE.value, Phase.POST.value)


@dataclass(frozen=True, slots=True)
class _Carried:
    """One limited account of the holder of before, its twin, and what stands against `_source` and `_used`."""

    old: Ref
    new: Ref
    opened: tuple[tuple[Ref, int], ...]
    used: tuple[tuple[Ref, int], ...]


def carry_allowances(session: Session, old_ref: str, new_ref: str, *, actor: Actor, at: datetime) -> int:
    """Close the allowance accounts of `old_ref` and charge what was used to those of `new_ref`; gives the fen of
    caps that were carried.

    In each book one posting. An account of `new_ref` that leaves too little is opened further, never less than
    nothing is left. Refused: something pending on an account of `old_ref` (`conversion_blocked`), a closed day.
    """
    used_fen = 0
    for book_id, accounts in sorted(_accounts(session, old_ref).items()):
        if any(account.debits_pending or account.credits_pending for account in accounts):
            raise Refusal(Code.CONVERSION_BLOCKED, open=old_ref)
        carried = [_carried(session, account, old_ref, new_ref) for account in accounts]
        refs = {ref for each in carried for ref in (each.old, each.new)}
        refs |= {ref for each in carried for ref, _ in (*each.opened, *each.used)}
        locked = lock(session, book_id, sorted(refs, key=lambda ref: ref.id))
        if any(locked.available(each.old) != _left(each) for each in carried):
            raise Refusal(Code.STATE_CHANGED)
        legs = [leg for each in carried for leg in _legs(each, locked)]
        if not legs:
            continue
        event = Event(
            id=posting_id("convert", old_ref, new_ref),
            kind=PostingKind.RECHARGE,
            legs=tuple(legs),
            fiscal_year=fiscal_year(at),
            event_on=business_date(at),
            rule_version="",
            actor_ref=actor.ref,
        )
        (answer,) = post(session, locked, [event], at=at)
        if isinstance(answer, Rejected):
            raise Refusal(answer.code, **answer.facts)
        money = [amount for each in carried if each.old.code == "cap" for _, amount in each.used]
        used_fen += sum(money)
    return used_fen


def _accounts(session: Session, ref: str) -> dict[int, list[Account]]:
    """The limited allowance accounts that name this holder, by book."""
    query = (
        select(Account)
        .where(
            Account.code.in_(_LIMITED),
            or_(Account.owner_ref.like(f"%|{ref}"), Account.owner_ref.like(f"%|{ref}|%")),
        )
        .order_by(Account.book_id, Account.id)
        .execution_options(populate_existing=True)
    )
    found: dict[int, list[Account]] = {}
    for account in session.scalars(query):
        found.setdefault(account.book_id, []).append(account)
    return found


def _carried(session: Session, account: Account, old_ref: str, new_ref: str) -> _Carried:
    old = Ref(account.code, account.owner_ref, account.period)
    parts = [new_ref if part == old_ref else part for part in account.owner_ref.split("|")]
    given: dict[int, int] = {}
    moves = select(Transfer.debit_id, Transfer.credit_id, Transfer.amount).where(
        Transfer.book_id == account.book_id, Transfer.phase.in_(_MOVED)
    )
    for debit, _, amount in session.execute(moves.where(Transfer.credit_id == account.id)):
        given[debit] = given.get(debit, 0) + amount
    for _, credit, amount in session.execute(moves.where(Transfer.debit_id == account.id)):
        given[credit] = given.get(credit, 0) - amount
    others = _names(session, account.book_id, given)
    opened = [(ref, given[ref.id]) for ref in others if ref.code.endswith("_source")]
    used = [(ref, -given[ref.id]) for ref in others if ref.code.endswith("_used")]
    return _Carried(old, Ref(account.code, "|".join(parts), account.period), tuple(opened), tuple(used))


def _names(session: Session, book_id: int, ids: Iterable[int]) -> Sequence[Ref]:
    query = (
        select(Account.code, Account.owner_ref, Account.period)
        .where(Account.book_id == book_id, Account.id.in_(list(ids)))
        .order_by(Account.id)
    )
    return [Ref(*name) for name in session.execute(query)]


def _left(carried: _Carried) -> int:
    return sum(amount for _, amount in carried.opened) - sum(amount for _, amount in carried.used)


def _legs(carried: _Carried, locked: Locked) -> list[Leg]:
    used = [(ref, amount) for ref, amount in carried.used if amount]
    opened = [(ref, amount) for ref, amount in carried.opened if amount]
    needed = sum(amount for _, amount in used) - max(locked.available(carried.new), 0)
    legs = [Leg(ref, carried.old, amount) for ref, amount in used]
    legs += [Leg(carried.old, ref, amount) for ref, amount in opened]
    if needed > 0:
        legs.append(Leg(carried.opened[0][0], carried.new, needed))
    return [*legs, *(Leg(carried.new, ref, amount) for ref, amount in used)]
