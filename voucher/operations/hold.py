"""Holding: a voucher's money and its holder's allowance are reserved for an order (锁定额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.charges import Limited, Room, charge_legs, order_allowance, post_all
from voucher.operations.contracts import Ceiling, Filed
from voucher.operations.outcome import Refused, one_book, refused
from voucher.operations.splits import Splits
from voucher.rules.clamp import Clamped, Limit, clamp
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.shares import by_weight
from voucher.rules.subsidy import Case, compute
from voucher.rules.validity import complete_by
from voucher.terms import OrderState, Phase, PostingKind, Rounding, Unit


@dataclass(frozen=True, slots=True)
class Draw:
    """An account that pays for an order, an allotment of its voucher, and the most that it may pay, in fen."""

    allot: Ref
    most_fen: Fen


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """An order and its amount, the voucher that pays, and the version that rules it.

    `contract_fen` is the order's own part of the contract; `filed` the contract, where there is one. `expires_at` is when the hold lapses by itself (a counter session's); None: the order's complete-by date.
    `limits` are further limits of the order's book: one in fen is charged what is held, one in times is charged once.
    `draws` say where the money comes from; empty: the voucher's account.
    """

    order: Order
    voucher: Voucher
    policy: Policy
    platform_region: str
    contract_fen: Fen
    expires_at: datetime | None = None
    filed: Filed | None = None
    limits: tuple[Limited, ...] = ()
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What was held, and what each limit took away from what the policy would have given."""

    order: Order
    held_fen: Fen
    reductions: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    request: HoldRequest
    wanted_fen: Fen
    earlier_fen: Fen
    limited: tuple[Limited, ...]

    @property
    def payers(self) -> list[Ref]:
        """The accounts that pay: the voucher's, or those that are drawn on."""
        draws = [draw.allot for draw in self.request.draws]
        return draws or [accounts.voucher(self.request.voucher.number)]


@dataclass(frozen=True, slots=True)
class _Given:
    """What a plan gets, and what each of its payers pays of it, in fen."""

    clamped: Clamped
    parts: tuple[Fen, ...]


def hold(
    session: Session, requests: Sequence[HoldRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """Reserve voucher → order, contract → contract_used and, unless the cap counts what is claimed, cap → cap_used.

    Orders of one book (ValueError for several), whose vouchers are locked FOR SHARE.

    The subsidy is computed on the order's part of the contract and clamped to what voucher, cap and contract leave;
    each order becomes HELD. Refused, alone: `voucher_exhausted`, `cap_exceeded` (cap, used, left, year),
    `contract_exceeded` (ceiling, used, left), `subsidy_zero` where the policy gives nothing, and what
    `subsidy.compute` refuses.
    """
    plans: list[_Plan | Refused] = []
    splits = Splits(session, [(request.order, request.policy) for request in requests])
    for request in requests:
        try:
            plans.append(_plan(request, splits.earlier(request.order, request.policy)))
            splits.add(request.order, request.contract_fen)
        except Refusal as refusal:
            plans.append(refused(refusal))
    valid = [plan for plan in plans if isinstance(plan, _Plan)]
    answers = iter(_post(session, valid, actor=actor, at=at) if valid else [])
    return [plan if isinstance(plan, Refused) else next(answers) for plan in plans]


def _plan(request: HoldRequest, earlier_fen: Fen) -> _Plan:
    order, voucher, policy = request.order, request.voucher, request.policy
    case = Case(
        holder_class=voucher.holder_class,
        service=order.service,
        contract_fen=request.contract_fen,
        applicant_region=voucher.holder.region_code,
        provider_region=request.platform_region,
        earlier_fen=earlier_fen,
        units=order.units or 1,
    )
    wanted = compute(policy, case).amount_fen
    if wanted == 0:
        raise Refusal(Code.SUBSIDY_ZERO, contract_fen=request.contract_fen)
    allowance = order_allowance(policy, voucher, order)
    limited: tuple[Limited, ...] = () if allowance is None else (allowance,)
    return _Plan(request, wanted, earlier_fen, (*limited, *_ceilings(request, case), *request.limits))


def _ceilings(request: HoldRequest, case: Case) -> tuple[Ceiling, ...]:
    """What the policy gives on the whole contract: the most for this programme, and for all of them together."""
    filed, policy = request.filed, request.policy
    if filed is None:
        return ()
    whole = replace(case, contract_fen=filed.amount_fen, earlier_fen=Fen(0), units=None)
    most = compute(policy, whole).amount_fen
    return tuple(
        Ceiling(filed.ref, programme, most, policy.code) for programme in (request.order.programme_code, "")
    )


def _post(session: Session, plans: Sequence[_Plan], *, actor: Actor, at: datetime) -> list[Held | Refused]:
    book_id = one_book(plan.request.order.book_id for plan in plans)
    limited = [each for plan in plans for each in plan.limited]
    refs = [ref for each in limited for ref in (each.account, each.source, each.used)]
    for plan in plans:
        refs += [*plan.payers, accounts.order(plan.request.order.number)]
    locked = lock(session, book_id, refs)
    room = Room(session, locked, limited)
    found = [_give(room, plan) for plan in plans]
    charges = [
        _event(plan, given, actor, at)
        for plan, given in zip(plans, found, strict=True)
        if given.clamped.refusal is None
    ]
    opening = room.adjustments(actor, business_date(at)) if charges else []
    answers = iter(post_all(session, locked, [*opening, *charges], at=at)[len(opening) :])
    results: list[Held | Refused] = []
    for plan, given in zip(plans, (each.clamped for each in found), strict=True):
        if given.refusal is not None:
            results.append(Refused(given.refusal, {**(given.facts or {}), "year": _year(plan)}))
            continue
        answer = next(answers)
        results.append(refused(answer) if isinstance(answer, Rejected) else _held(plan, given, at))
    return results


def _give(room: Room, plan: _Plan) -> _Given:
    """What the money and every limit leave of what is wanted; it is noted as used."""
    times = [room.limit(each) for each in plan.limited if each.account.unit is Unit.TIMES]
    for standing in times:
        if standing.available_fen < 1:
            facts = {"limit": int(standing.opened_fen), "used": int(standing.used_fen)}
            return _Given(Clamped(Fen(0), (), Code.COUNT_EXCEEDED, facts), ())
    payers, rooms = plan.payers, _rooms(room, plan)
    limits = [_money_limit(plan, sum(rooms))]
    limits += [room.limit(each) for each in plan.limited if each.account.unit is not Unit.TIMES]
    given = clamp(plan.wanted_fen, limits, rounding=plan.request.policy.rounding or Rounding.FEN)
    if given.refusal is not None:
        return _Given(given, ())
    parts = by_weight(given.granted_fen, rooms) if given.granted_fen else (Fen(0),) * len(rooms)
    for ref, part in zip(payers, parts, strict=True):
        room.take(ref, part)
    for each in plan.limited:
        room.take(each.account, _charged(each, given.granted_fen))
    return _Given(given, parts)


def _rooms(room: Room, plan: _Plan) -> list[int]:
    """What each payer can pay."""
    draws = plan.request.draws
    if not draws:
        return [max(room.left(plan.payers[0]), 0)]
    return [max(min(room.left(draw.allot), draw.most_fen), 0) for draw in draws]


def _money_limit(plan: _Plan, left_fen: int) -> Limit:
    """The money as a limit: what the voucher, or what may be drawn on its allotments, leaves."""
    draws = plan.request.draws
    if not draws:
        face = plan.request.voucher.face_fen
        return Limit("voucher", Fen(left_fen), Fen(face), Fen(face - left_fen))
    most = sum(draw.most_fen for draw in draws)
    return Limit("allotment", Fen(left_fen), Fen(most), Fen(most - left_fen))


def _charged(limited: Limited, granted_fen: int) -> int:
    """What a limit is charged: the fen that are held, or one time."""
    return 1 if limited.account.unit is Unit.TIMES else granted_fen


def _year(plan: _Plan) -> int:
    """The year whose cap is charged; the order's own where there is no cap, or one for the whole programme."""
    periods = (each.period for each in plan.limited if each.period)
    return next(periods, plan.request.order.fiscal_year)


def _event(plan: _Plan, given: _Given, actor: Actor, at: datetime) -> Event:
    order, until = plan.request.order, plan.request.expires_at
    money = [
        Leg(payer, accounts.order(order.number), part, Phase.PENDING, expires_at=until)
        for payer, part in zip(plan.payers, given.parts, strict=True)
        if part
    ]
    granted = given.clamped.granted_fen
    charged = [
        leg
        for each in plan.limited
        for leg in charge_legs(each, _charged(each, granted), phase=Phase.PENDING)
    ]
    return Event(
        id=posting_id("hold", order.number),
        kind=PostingKind.HOLD,
        legs=(*money, *charged),
        fiscal_year=order.fiscal_year,
        event_on=business_date(at),
        rule_version=plan.request.policy.code,
        actor_ref=actor.ref,
    )


def _held(plan: _Plan, given: Clamped, at: datetime) -> Held:
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
