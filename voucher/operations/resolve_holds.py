"""Resolving open holds: what captures and releases post, in every book that an order's money comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.models.cofunding import OrderShare
from voucher.models.orders import Order
from voucher.operations.reservations import Reserved, reserved
from voucher.operations.share_money import Move, Shared, events, write
from voucher.operations.tenant_returns import TenantReturns
from voucher.operations.together import Joint, lock_books, post_together, refs_by_book
from voucher.rules.permissions import Actor
from voucher.terms import Phase, PostingKind


class Steps:
    """The postings that resolve holds: planned one by one, posted together in all the books that they touch."""

    def __init__(self, session: Session, orders: Sequence[Order], *, actor: Actor, at: datetime) -> None:
        self._session, self._actor, self._at = session, actor, at
        self._shared = Shared(session, orders)
        holds = [(order.book_id, order.hold_posting) for order in orders if order.hold_posting]
        self.open_legs = reserved(session, [*holds, *self._shared.holds()]) if holds else {}
        self._orders = orders
        self._planned: list[tuple[Joint | Rejected, list[Move]]] = []

    def rows(self, order: Order) -> list[OrderShare]:
        """Who pays the order, where several do."""
        return self._shared.of(order)

    def legs(self, order: Order) -> list[Reserved]:
        """What the order's open hold reserves in its own book."""
        return self.open_legs.get(order.hold_posting, []) if order.hold_posting else []

    def plan(self, order: Order, kind: PostingKind, legs: tuple[Leg, ...], moves: list[Move]) -> None:
        """The next step; an order that holds nothing is answered `already_resolved`."""
        if not legs:
            self._planned.append((Rejected(Code.ALREADY_RESOLVED, {"order": order.number}), []))
            return
        lead = _event(order, kind, legs, actor=self._actor, at=self._at)
        others = events(moves, order, (kind, lead.id), actor_ref=self._actor.ref, at=self._at)
        self._planned.append((Joint(order.book_id, {**others, order.book_id: lead}), moves))

    def post(self) -> list[Accepted | Rejected]:
        """Post all steps; the answers in their order. What is accepted is written on the funders' rows.

        What comes back to a tenant that has left meanwhile goes on to the voucher in the same posting.
        """
        joints = [step for step, _ in self._planned if isinstance(step, Joint)]
        refs, returns = refs_by_book(joints), self._returns()
        for book_id, each in returns.items():
            refs.setdefault(book_id, []).extend(each.refs)
        locks = lock_books(self._session, refs)
        for each in returns.values():
            each.read_again(self._session)
        joints = [self._completed(joint, returns[joint.lead]) for joint in joints]
        answered = post_together(self._session, locks, joints, at=self._at)
        for joint, answer in zip(joints, answered, strict=True):
            legs = joint.events[joint.lead].legs if isinstance(answer, Accepted) else ()
            returns[joint.lead].note(legs)
        posted = iter(answered)
        answers: list[Accepted | Rejected] = []
        for step, moves in self._planned:
            answer = next(posted) if isinstance(step, Joint) else step
            if isinstance(step, Joint) and isinstance(answer, Accepted):
                write(moves, step.events)
            answers.append(answer)
        return answers

    def _returns(self) -> dict[int, TenantReturns]:
        """What comes back to tenants, by the book of the orders."""
        books = {order.book_id for order in self._orders}
        return {
            book_id: TenantReturns(self._session, [each for each in self._orders if each.book_id == book_id])
            for book_id in books
        }

    def _completed(self, joint: Joint, returns: TenantReturns) -> Joint:
        """The step, and what it frees on allotments that have ended on its way to the voucher."""
        lead, kept = joint.events[joint.lead], dict[Ref, int]()
        for leg in lead.legs:
            if leg.phase is not Phase.VOID:
                kept[leg.debit] = kept.get(leg.debit, 0) + leg.amount
        resolved = {leg.pending[0] for leg in lead.legs if leg.pending is not None}
        on = tuple(
            leg
            for posting in resolved
            for each in self.open_legs[posting]
            for leg in returns.on_legs(each.debit, each.amount - kept.get(each.debit, 0))
        )
        if not on:
            return joint
        return Joint(joint.lead, {**joint.events, joint.lead: replace(lead, legs=(*lead.legs, *on))})


def _event(order: Order, kind: PostingKind, legs: tuple[Leg, ...], *, actor: Actor, at: datetime) -> Event:
    part = (order.captured_fen,) if kind is PostingKind.CAPTURE and order.instalments else ()
    return Event(
        id=posting_id(kind.value, order.number, *part),
        kind=kind,
        legs=legs,
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=order.policy_code,
        actor_ref=actor.ref,
    )
