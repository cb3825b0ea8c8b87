"""Capturing and releasing holds: the second phase of an order's money (核销, 释放额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from voucher.ledger.accounts import Ref
from voucher.ledger.events import Leg, Rejected
from voucher.models.contracts import Instalment
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.outcome import Refused, refused
from voucher.operations.reservations import Reserved
from voucher.operations.resolve_holds import Steps
from voucher.operations.share_money import released, taken
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


def capture(
    session: Session, requests: Sequence[CaptureRequest], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """Take `amount_fen` of each order's hold, on every account it reserved; hold `keep_fen` again in the same posting
    and release the rest at once.

    Orders become CAPTURED with their last part, HELD again with one before it. Co-funders' parts are taken in their
    books in the same transaction. Refused, alone: more than is held (`capture_above_hold`), a hold that is resolved
    already (`already_resolved`). The year charged stays the hold's.
    """
    steps = Steps(session, [request.order for request in requests if request.moves], actor=actor, at=at)
    for request in requests:
        if request.moves:
            given = request.order.captured_fen, request.amount_fen, request.keep_fen
            moves = taken(steps.rows(request.order), given, steps.open_legs)
            steps.plan(request.order, PostingKind.CAPTURE, _taken(request, steps.legs(request.order)), moves)
    answers = iter(steps.post())
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


def _taken(request: CaptureRequest, held: Sequence[Reserved]) -> tuple[Leg, ...]:
    """What is taken of every reserved leg, then what is held again on the same accounts."""
    parts, kept = _parts(request, held)
    legs = [
        each.resolved(part, Phase.POST) if part else each.resolved(each.amount, Phase.VOID)
        for each, part in zip(held, parts, strict=True)
    ]
    legs += [
        Leg(each.debit, each.credit, part, Phase.PENDING)
        for each, part in zip(held, kept, strict=True)
        if part
    ]
    return tuple(legs)


def _parts(request: CaptureRequest, held: Sequence[Reserved]) -> tuple[list[int], list[int]]:
    """What is taken and what is held again of each reserved leg: of money in proportion where several accounts pay,
    of allowances the same amounts, of counts the whole at once."""
    money = [each.amount if each.credit.code == "order" else 0 for each in held]
    payers = [0 if each.debit in request.absent else most for each, most in zip(held, money, strict=True)]
    taken: list[int] = list(by_weight(request.amount_fen, payers)) if any(payers) else [0] * len(money)
    rest = [max(amount - part, 0) for amount, part in zip(money, taken, strict=True)]
    kept: list[int] = list(by_weight(Fen(min(request.keep_fen, sum(rest))), rest)) if any(rest) else rest
    for place, each in enumerate(held):
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
    Orders of several books too; of co-funders every reserved fen goes back to the pledges. Refused, alone: a hold that
    is resolved already (`already_resolved`).
    """
    holding = [order for order in orders if order.hold_posting or not order.captured_fen]
    steps = Steps(session, holding, actor=actor, at=at)
    for order in holding:
        voids = tuple(each.resolved(each.amount, Phase.VOID) for each in steps.legs(order))
        moves = released(steps.rows(order), steps.open_legs)
        steps.plan(order, PostingKind.RELEASE, voids, moves)
    answers = iter(steps.post())
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


def _close_hold(order: Order) -> None:
    order.held_fen = 0
    order.hold_posting = None
    order.hold_expires_at = None
