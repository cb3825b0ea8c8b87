"""Capturing and releasing holds: the second phase of an order's money (核销, 释放额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Accepted, Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.models.contracts import Instalment
from voucher.models.ledger import Account, Transfer
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.charges import post_all
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.tenant_returns import TenantReturns
from voucher.rules.permissions import Actor
from voucher.rules.shares import by_weight
from voucher.terms import InstalmentState, OrderState, Phase, PostingKind, Unit

NOTHING = Fen(0)


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """A held order, locked, and how much of the hold to take; `keep_fen` is held again, the rest goes back.

    `last`: no further instalment is to come. `absent` are the allotments of tenants that did not attend: nothing of
    theirs is taken.
    """

    order: Order
    amount_fen: Fen
    keep_fen: Fen = NOTHING
    last: bool = True
    absent: frozenset[Ref] = frozenset()

    @property
    def moves(self) -> bool:
        """Whether anything is posted: an instalment may be too small to have a part of the subsidy."""
        return self.amount_fen > 0 or self.keep_fen != self.order.held_fen


@dataclass(frozen=True, slots=True)
class Captured:
    """What was captured."""

    order: Order
    captured_fen: Fen


@dataclass(frozen=True, slots=True)
class _Reserved:
    """One reserved leg of a hold."""

    leg: int
    debit: Ref
    credit: Ref
    amount: int


def capture(
    session: Session, requests: Sequence[CaptureRequest], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """Take `amount_fen` of each order's hold, on every account it reserved; hold `keep_fen` again in the same posting
    and release the rest at once.

    Orders of one book (ValueError for several) become CAPTURED with their last part, HELD again with one before it.
    Refused, alone: more than is held (`capture_above_hold`), a hold that is resolved already (`already_resolved`).
    The year charged stays the hold's.
    """
    moving = [request for request in requests if request.moves]
    orders = [request.order for request in moving]
    reserved = _reserved(session, orders)
    events = [
        _event(request.order, PostingKind.CAPTURE, _taken(request, legs), actor=actor, at=at)
        for request, legs in zip(moving, reserved, strict=True)
    ]
    answers = iter(
        _resolve(session, orders, list(zip(events, reserved, strict=True)), at=at) if moving else []
    )
    results: list[Captured | Refused] = []
    for request in requests:
        order = request.order
        if request.moves:
            answer = next(answers)
            if isinstance(answer, Rejected):
                results.append(refused(answer))
                continue
            order.capture_posting = answer.posting_id
            _close_hold(order)
            if request.keep_fen:
                order.held_fen, order.hold_posting = request.keep_fen, answer.posting_id
        order.state = (OrderState.CAPTURED if request.last else OrderState.HELD).value
        order.captured_fen += request.amount_fen
        order.captured_at = at
        order.confirm_by = None
        results.append(Captured(order, request.amount_fen))
    return results


def _taken(request: CaptureRequest, reserved: Sequence[_Reserved]) -> tuple[Leg, ...]:
    """What is taken of every reserved leg, then what is held again on the same accounts."""
    order = request.order
    taken, kept = _parts(request, reserved)
    legs = [
        _leg(order, each, part, Phase.POST) if part else _leg(order, each, each.amount, Phase.VOID)
        for each, part in zip(reserved, taken, strict=True)
    ]
    legs += [
        Leg(each.debit, each.credit, part, Phase.PENDING)
        for each, part in zip(reserved, kept, strict=True)
        if part
    ]
    return tuple(legs)


def _parts(request: CaptureRequest, reserved: Sequence[_Reserved]) -> tuple[list[int], list[int]]:
    """What is taken and what is held again of each reserved leg: of money in proportion where several accounts pay,
    of allowances the same amounts, of counts the whole at once."""
    money = [each.amount if each.credit.code == "order" else 0 for each in reserved]
    payers = [0 if each.debit in request.absent else most for each, most in zip(reserved, money, strict=True)]
    taken: list[int] = list(by_weight(request.amount_fen, payers)) if any(payers) else [0] * len(money)
    rest = [max(amount - part, 0) for amount, part in zip(money, taken, strict=True)]
    kept: list[int] = list(by_weight(Fen(min(request.keep_fen, sum(rest))), rest)) if any(rest) else rest
    for place, each in enumerate(reserved):
        if each.debit.unit is Unit.TIMES:
            taken[place] = each.amount if request.amount_fen else 0
            kept[place] = 0 if request.amount_fen or not request.keep_fen else each.amount
        elif not money[place]:
            taken[place] = min(request.amount_fen, each.amount)
            kept[place] = min(request.keep_fen, each.amount - taken[place])
    return taken, kept


def release(
    session: Session, orders: Sequence[Order], *, state: OrderState, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """Give every reserved fen back, on every account, and close the orders as `state` (released or expired).

    An order of which instalments were captured becomes CAPTURED with what was taken; those that were not are dropped.
    Refused, alone: a hold that is resolved already (`already_resolved`).
    """
    holding = [order for order in orders if order.hold_posting or not order.captured_fen]
    reserved = _reserved(session, holding)
    events = [
        _event(
            order,
            PostingKind.RELEASE,
            tuple(_leg(order, each, each.amount, Phase.VOID) for each in legs),
            actor=actor,
            at=at,
        )
        for order, legs in zip(holding, reserved, strict=True)
    ]
    resolving = list(zip(events, reserved, strict=True))
    answers = iter(_resolve(session, holding, resolving, at=at) if holding else [])
    results: list[Order | Refused] = []
    for order in orders:
        answer = next(answers) if order.hold_posting or not order.captured_fen else None
        if isinstance(answer, Rejected):
            results.append(refused(answer))
            continue
        order.state = (OrderState.CAPTURED if order.captured_fen else state).value
        order.closed_at = None if order.captured_fen else at
        order.confirm_by = None
        _close_hold(order)
        results.append(order)
    drop_instalments(session, [order.id for order in orders if order.instalments])
    return results


def drop_instalments(session: Session, order_ids: Sequence[int]) -> None:
    """The parts that nobody will deliver or confirm any more."""
    if order_ids:
        waiting = (InstalmentState.PLANNED.value, InstalmentState.DELIVERED.value)
        session.execute(
            update(Instalment)
            .where(Instalment.order_id.in_(order_ids), Instalment.state.in_(waiting))
            .values(state=InstalmentState.DROPPED.value)
        )


def _reserved(session: Session, orders: Sequence[Order]) -> list[list[_Reserved]]:
    """The reserved legs of each order's open hold, in the order given; none for an order without one."""
    debit, credit = aliased(Account), aliased(Account)
    query = (
        select(Transfer.posting_id, Transfer.leg, Transfer.amount)
        .add_columns(debit.code, debit.owner_ref, debit.period, credit.code, credit.owner_ref, credit.period)
        .join(debit, (debit.book_id == Transfer.book_id) & (debit.id == Transfer.debit_id))
        .join(credit, (credit.book_id == Transfer.book_id) & (credit.id == Transfer.credit_id))
        .where(
            Transfer.book_id.in_({order.book_id for order in orders}),
            Transfer.posting_id.in_({order.hold_posting for order in orders if order.hold_posting}),
            Transfer.phase == Phase.PENDING.value,
        )
        .order_by(Transfer.posting_id, Transfer.leg)
    )
    found: dict[UUID, list[_Reserved]] = {}
    for posting, leg, amount, *names in session.execute(query):
        found.setdefault(posting, []).append(_Reserved(leg, Ref(*names[:3]), Ref(*names[3:]), amount))
    return [found.get(order.hold_posting, []) if order.hold_posting else [] for order in orders]


def _leg(order: Order, reserved: _Reserved, amount: int, phase: Phase) -> Leg:
    if order.hold_posting is None:
        raise ValueError(f"order {order.number} holds nothing")
    return Leg(reserved.debit, reserved.credit, amount, phase, (order.hold_posting, reserved.leg))


def _event(
    order: Order, kind: PostingKind, legs: tuple[Leg, ...], *, actor: Actor, at: datetime
) -> Event | None:
    if not legs:
        return None
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


def _resolve(
    session: Session,
    orders: Sequence[Order],
    resolving: Sequence[tuple[Event | None, list[_Reserved]]],
    *,
    at: datetime,
) -> list[Accepted | Rejected]:
    """Post the events that there are; an order that holds nothing is answered `already_resolved`.

    What comes back to a tenant that has left meanwhile goes on to the voucher in the same posting.
    """
    present = [(event, reserved) for event, reserved in resolving if event is not None]
    if not present:
        return [Rejected(Code.ALREADY_RESOLVED, {"order": order.number}) for order in orders]
    returns = TenantReturns(session, orders)
    refs = [ref for event, _ in present for leg in event.legs for ref in (leg.debit, leg.credit)]
    locked = lock(session, one_book(order.book_id for order in orders), [*refs, *returns.refs])
    returns.read_again(session)
    events = [_completed(event, reserved, returns) for event, reserved in present]
    posted = post_all(session, locked, events, at=at)
    for event, answer in zip(events, posted, strict=True):
        returns.note(event.legs if isinstance(answer, Accepted) else ())
    answers = iter(posted)
    return [
        next(answers) if event is not None else Rejected(Code.ALREADY_RESOLVED, {"order": order.number})
        for order, (event, _) in zip(orders, resolving, strict=True)
    ]


def _completed(event: Event, reserved: Sequence[_Reserved], returns: TenantReturns) -> Event:
    """The event, and what it frees on allotments that have ended on its way to the voucher."""
    kept: dict[Ref, int] = {}
    for leg in event.legs:
        if leg.phase is not Phase.VOID:
            kept[leg.debit] = kept.get(leg.debit, 0) + leg.amount
    on = [
        leg for each in reserved for leg in returns.on_legs(each.debit, each.amount - kept.get(each.debit, 0))
    ]
    return replace(event, legs=(*event.legs, *on)) if on else event


def _close_hold(order: Order) -> None:
    order.held_fen = 0
    order.hold_posting = None
    order.hold_expires_at = None
