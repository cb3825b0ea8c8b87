"""What a decision posts: the part of a captured order that was not approved goes back where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.award_money import award_back_legs, is_award
from voucher.operations.cases import Case
from voucher.operations.charges import contract_back_legs, give_back_legs, order_allowance, refs_of
from voucher.operations.find import budget_lines
from voucher.operations.outcome import one_book
from voucher.rules.permissions import Actor
from voucher.terms import CapBasis, PostingKind, Verdict


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that is fit to be posted: what of the captured order is approved, in fen."""

    case: Case
    verdict: Verdict
    approved_fen: Fen

    @property
    def number(self) -> str:
        """The claim's number."""
        return self.case.claim.number

    @property
    def given_back_fen(self) -> Fen:
        """What of the order's money goes back."""
        return Fen(self.case.order.captured_fen - self.approved_fen)

    @property
    def posting(self) -> UUID:
        """The id of what it posts: one decision for one claim."""
        return posting_id("review", self.number)


def post_decisions(
    session: Session, decisions: Sequence[Decided], *, actor: Actor, at: datetime
) -> list[Accepted | Rejected]:
    """One answer for each decision; one that takes nothing back posts nothing and is accepted.

    The caller has locked the orders' vouchers, before the orders (docs/locking.md).
    """
    book_id = one_book(each.case.order.book_id for each in decisions)
    drawn = {each.case.order.voucher_id for each in decisions if not is_award(each.case.order)}
    vouchers = {row.id: row for row in session.scalars(select(Voucher).where(Voucher.id.in_(drawn)))}
    lines = budget_lines(session, [voucher.budget_line_id for voucher in vouchers.values()])
    events: list[Event | None] = []
    for each in decisions:
        legs: tuple[Leg, ...] = ()
        if each.given_back_fen and is_award(each.case.order):
            legs = award_back_legs(session, each.case.order, each.given_back_fen)
        elif each.given_back_fen:
            voucher = vouchers[each.case.order.voucher_id]
            legs = _back_legs(each, voucher, lines[voucher.budget_line_id])
        events.append(_event(each, legs, actor=actor, at=at) if legs else None)
    present = [event for event in events if event is not None]
    refs = [ref for event in present for ref in refs_of(event.legs)]
    refs += [accounts.order(each.case.order.number) for each in decisions]
    locked = lock(session, book_id, refs)
    answers = iter(post(session, locked, present, at=at) if present else [])
    return [
        Accepted(each.posting) if event is None else next(answers)
        for each, event in zip(decisions, events, strict=True)
    ]


def _back_legs(decision: Decided, voucher: Voucher, line: BudgetLine) -> tuple[Leg, ...]:
    order, amount = decision.case.order, decision.given_back_fen
    legs = give_back_legs(voucher, line, order.number, amount) + contract_back_legs(order, amount)
    charged = order_allowance(decision.case.policy, voucher, order)
    if charged is not None and charged.basis is CapBasis.REDEEMED:
        legs += (Leg(charged.used, charged.account, amount),)
    return legs


def _event(decision: Decided, legs: tuple[Leg, ...], *, actor: Actor, at: datetime) -> Event:
    order = decision.case.order
    return Event(
        id=decision.posting,
        kind=PostingKind.DISALLOW if decision.verdict is Verdict.REJECT else PostingKind.TRIM,
        legs=legs,
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )
