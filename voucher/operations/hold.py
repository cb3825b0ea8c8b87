"""Holding: a voucher's money and its holder's allowance are reserved for an order (锁定额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.charges import Room, charge_legs, limit_refs, post_all
from voucher.operations.funders import Funder
from voucher.operations.hold_plan import Draw, Given, HoldRequest, Plan, Pledges, charged, give, plan_of
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.share_money import new_rows, share_posting
from voucher.operations.splits import Splits
from voucher.operations.together import Joint, lock_books, post_together
from voucher.rules.clamp import Clamped
from voucher.rules.permissions import Actor
from voucher.rules.validity import complete_by
from voucher.terms import OrderState, Phase, PostingKind

__all__ = ["Draw", "Funder", "Held", "HoldRequest", "hold"]


@dataclass(frozen=True, slots=True)
class Held:
    """What was held, and what each limit took away from what the policy would have given."""

    order: Order
    held_fen: Fen
    reductions: tuple[dict[str, Any], ...]


def hold(
    session: Session, requests: Sequence[HoldRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """Reserve voucher → order, contract → contract_used and, unless the cap counts what is claimed, cap → cap_used.

    Orders of one book (ValueError for several), whose vouchers are locked FOR SHARE.

    The subsidy is computed on the order's part of the contract and clamped to what voucher, cap and contract leave;
    each order becomes HELD. Refused, alone: `voucher_exhausted`, `cap_exceeded` (cap, used, left, year),
    `contract_exceeded` (ceiling, used, left), `subsidy_zero` where the policy gives nothing, and what
    `subsidy.compute` refuses. Co-funders reserve their parts, rounded up, in their own books in the same transaction:
    `pledge_exceeded` (funder, pledge, used, left, needed) where one promised too little, `funder_missing`.
    """
    plans: list[Plan | Refused] = []
    splits = Splits(session, [(request.order, request.policy) for request in requests])
    for request in requests:
        try:
            plans.append(plan_of(session, request, splits.earlier(request.order, request.policy)))
            splits.add(request.order, request.contract_fen)
        except Refusal as refusal:
            plans.append(refused(refusal))
    valid = [plan for plan in plans if isinstance(plan, Plan)]
    answers = iter(_post(session, valid, actor=actor, at=at) if valid else [])
    return [plan if isinstance(plan, Refused) else next(answers) for plan in plans]


def _post(session: Session, plans: Sequence[Plan], *, actor: Actor, at: datetime) -> list[Held | Refused]:
    book_id = one_book(plan.request.order.book_id for plan in plans)
    limited = [each for plan in plans for each in plan.limited]
    locks = lock_books(session, _refs(plans, book_id))
    room, pledges = Room(session, locks[book_id], limited), Pledges(session, locks)
    found = [give(room, pledges, plan) for plan in plans]
    joints = [
        _joint(plan, given, actor, at)
        for plan, given in zip(plans, found, strict=True)
        if given.clamped.refusal is None
    ]
    opening = room.adjustments(actor, business_date(at)) if joints else []
    post_all(session, locks[book_id], opening, at=at)
    answers = iter(post_together(session, locks, joints, at=at))
    results: list[Held | Refused] = []
    for plan, given in zip(plans, found, strict=True):
        stopped = given.clamped
        if stopped.refusal is not None:
            results.append(Refused(stopped.refusal, {"year": _year(plan), **(stopped.facts or {})}))
            continue
        answer = next(answers)
        if isinstance(answer, Rejected):
            results.append(refused(answer))
            continue
        results.append(_held(plan, stopped, at))
        _write_shares(session, plan, given)
    return results


def _refs(plans: Sequence[Plan], book_id: int) -> dict[int, list[Ref]]:
    """Every account that the plans may name, by book."""
    refs: dict[int, list[Ref]] = {book_id: []}
    for plan in plans:
        number = plan.request.order.number
        refs[book_id] += [ref for each in plan.limited for ref in limit_refs(each)]
        refs[book_id] += [*plan.payers, accounts.order(number)]
        for other, pledge in (plan.funding.pledges if plan.funding else {}).items():
            refs.setdefault(other, []).extend((pledge, accounts.share(number)))
    return refs


def _joint(plan: Plan, given: Given, actor: Actor, at: datetime) -> Joint:
    """The hold in the lead book, and what each co-funder reserves in its own."""
    order, events = plan.request.order, {plan.request.order.book_id: _event(plan, given, actor, at)}
    lead = events[order.book_id]
    for book_id, amount in given.others.items():
        pledge = plan.funding.pledges[book_id] if plan.funding else None
        if pledge is not None:
            until = plan.request.expires_at
            leg = Leg(pledge, accounts.share(order.number), amount, Phase.PENDING, expires_at=until)
            events[book_id] = replace(lead, id=share_posting(lead.id, book_id), legs=(leg,))
    return Joint(order.book_id, events)


def _write_shares(session: Session, plan: Plan, given: Given) -> None:
    """The rows of an order that several pay."""
    if plan.funding is None:
        return
    order = plan.request.order
    for row in new_rows(order, plan.funding, given.clamped.granted_fen, given.others):
        if row.held_fen and row.book_id != order.book_id:
            row.hold_posting = share_posting(posting_id("hold", order.number), row.book_id)
        session.add(row)


def _year(plan: Plan) -> int:
    """The year whose cap is charged; the order's own where there is no cap, or one for the whole programme."""
    periods = (each.period for each in plan.limited if each.period)
    return next(periods, plan.request.order.fiscal_year)


def _event(plan: Plan, given: Given, actor: Actor, at: datetime) -> Event:
    order, until = plan.request.order, plan.request.expires_at
    money = [
        Leg(payer, accounts.order(order.number), part, Phase.PENDING, expires_at=until)
        for payer, part in zip(plan.payers, given.parts, strict=True)
        if part
    ]
    granted = given.clamped.granted_fen
    limits = [
        leg for each in plan.limited for leg in charge_legs(each, charged(each, granted), phase=Phase.PENDING)
    ]
    return Event(
        id=posting_id("hold", order.number),
        kind=PostingKind.HOLD,
        legs=(*money, *limits),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=plan.request.policy.code,
        actor_ref=actor.ref,
    )


def _held(plan: Plan, given: Clamped, at: datetime) -> Held:
    order = plan.request.order
    reductions = tuple(
        {
            "limit": cut.name,
            "by_fen": cut.by_fen,
            "opened_fen": cut.limit.opened_fen if cut.limit else None,
            "left_fen": cut.limit.available_fen if cut.limit else None,
        }
        for cut in given.reductions
    )
    order.state = OrderState.HELD.value
    order.wanted_fen = plan.wanted_fen
    order.earlier_fen = plan.earlier_fen or None
    order.held_fen = given.granted_fen
    order.reductions = list(reductions)
    order.hold_posting = posting_id("hold", order.number)
    order.hold_expires_at = plan.request.expires_at
    order.held_at = at
    order.complete_by = complete_by(plan.request.policy, business_date(at))
    order.contract_ref = plan.request.filed.ref if plan.request.filed else ""
    return Held(order, given.granted_fen, reductions)
