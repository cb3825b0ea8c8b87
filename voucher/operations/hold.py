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
from voucher.rules.subsidy import Case, compute
from voucher.rules.validity import complete_by
from voucher.terms import OrderState, Phase, PostingKind, Rounding


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """An order and its amount, the voucher that pays, and the version that rules it.

    `contract_fen` is the order's own part of the contract; `filed` the contract, where there is one. `expires_at` is when the hold lapses by itself (a counter session's); None: the order's complete-by date.
    """

    order: Order
    voucher: Voucher
    policy: Policy
    platform_region: str
    contract_fen: Fen
    expires_at: datetime | None = None
    filed: Filed | None = None


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
    )
    wanted = compute(policy, case).amount_fen
    if wanted == 0:
        raise Refusal(Code.SUBSIDY_ZERO, contract_fen=request.contract_fen)
    allowance = order_allowance(policy, voucher, order)
    limited: tuple[Limited, ...] = () if allowance is None else (allowance,)
    return _Plan(request, wanted, earlier_fen, (*limited, *_ceilings(request, case)))


def _ceilings(request: HoldRequest, case: Case) -> tuple[Ceiling, ...]:
    """What the policy gives on the whole contract: the most for this programme, and for all of them together."""
    filed, policy = request.filed, request.policy
    if filed is None:
        return ()
    whole = replace(case, contract_fen=filed.amount_fen, earlier_fen=Fen(0))
    most = compute(policy, whole).amount_fen
    return tuple(
        Ceiling(filed.ref, programme, most, policy.code) for programme in (request.order.programme_code, "")
    )


def _post(session: Session, plans: Sequence[_Plan], *, actor: Actor, at: datetime) -> list[Held | Refused]:
    book_id = one_book(plan.request.order.book_id for plan in plans)
    limited = [each for plan in plans for each in plan.limited]
    refs = [ref for each in limited for ref in (each.account, each.source, each.used)]
    for plan in plans:
        refs += [accounts.voucher(plan.request.voucher.number), accounts.order(plan.request.order.number)]
    locked = lock(session, book_id, refs)
    room = Room(session, locked, limited)
    clamped = [_clamp(room, plan) for plan in plans]
    charges = [
        _event(plan, given.granted_fen, actor, at)
        for plan, given in zip(plans, clamped, strict=True)
        if given.refusal is None
    ]
    opening = room.adjustments(actor, business_date(at)) if charges else []
    answers = iter(post_all(session, locked, [*opening, *charges], at=at)[len(opening) :])
    results: list[Held | Refused] = []
    for plan, given in zip(plans, clamped, strict=True):
        if given.refusal is not None:
            results.append(Refused(given.refusal, {**(given.facts or {}), "year": _year(plan)}))
            continue
        answer = next(answers)
        results.append(refused(answer) if isinstance(answer, Rejected) else _held(plan, given, at))
    return results


def _clamp(room: Room, plan: _Plan) -> Clamped:
    voucher = plan.request.voucher
    ref = accounts.voucher(voucher.number)
    left = room.left(ref)
    limits = [Limit("voucher", Fen(left), Fen(voucher.face_fen), Fen(voucher.face_fen - left))]
    limits += [room.limit(each) for each in plan.limited]
    given = clamp(plan.wanted_fen, limits, rounding=plan.request.policy.rounding or Rounding.FEN)
    if given.refusal is None:
        room.take(ref, given.granted_fen)
        for each in plan.limited:
            room.take(each.account, given.granted_fen)
    return given


def _year(plan: _Plan) -> int:
    """The year whose cap is charged; the order's own where there is no cap, or one for the whole programme."""
    periods = (each.period for each in plan.limited if each.period)
    return next(periods, plan.request.order.fiscal_year)


def _event(plan: _Plan, granted_fen: int, actor: Actor, at: datetime) -> Event:
    order, voucher = plan.request.order, plan.request.voucher
    money = Leg(
        accounts.voucher(voucher.number), accounts.order(order.number), granted_fen, Phase.PENDING,
        expires_at=plan.request.expires_at,
    )  # fmt: skip
    charged = [leg for each in plan.limited for leg in charge_legs(each, granted_fen, phase=Phase.PENDING)]
    return Event(
        id=posting_id("hold", order.number),
        kind=PostingKind.HOLD,
        legs=(money, *charged),
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
