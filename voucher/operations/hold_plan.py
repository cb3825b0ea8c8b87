"""What an order may hold: its request, every limit that bounds it, and what they leave of it under the locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.locking import Locked
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.charges import Limited, Room, order_allowance
from voucher.operations.contracts import Ceiling, Filed
from voucher.operations.funders import (
    Basis,
    Funder,
    Funding,
    by_book,
    funding_of_agreement,
    funding_of_policy,
)
from voucher.operations.group_caps import caps_of
from voucher.rules.clamp import Clamped, Limit, Reduction, clamp
from voucher.rules.cofunding import left_by_ceilings, reserved
from voucher.rules.policy import Policy
from voucher.rules.shares import by_weight
from voucher.rules.subsidy import Case, compute, round_down
from voucher.terms import Rounding, Unit


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
    `funders` are the co-funders of an agreement; empty: who pays what is the policy's to say (`funding_shares`).
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
    funders: tuple[Funder, ...] = ()
    draws: tuple[Draw, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A request with what the policy gives, what counted before it, every limit, and its funders where there are several."""

    request: HoldRequest
    wanted_fen: Fen
    earlier_fen: Fen
    limited: tuple[Limited, ...]
    funding: Funding | None

    @property
    def payers(self) -> list[Ref]:
        """The accounts of the lead book that pay: the voucher's, or those that are drawn on."""
        draws = [draw.allot for draw in self.request.draws]
        return draws or [accounts.voucher(self.request.voucher.number)]


@dataclass(frozen=True, slots=True)
class Given:
    """What a plan gets, what each of its payers pays of it, and what co-funders reserve (by book), in fen."""

    clamped: Clamped
    parts: tuple[Fen, ...] = ()
    others: Mapping[int, int] = field(default_factory=dict)


class Pledges:
    """What is left of co-funders' pledges while a sequence is computed, each request after the one before."""

    def __init__(self, session: Session, locks: Mapping[int, Locked]) -> None:
        self._session = session
        self._locks = locks
        self._taken: dict[tuple[int, Ref], int] = {}

    def refusal(self, funding: Funding, wanted: Mapping[int, int]) -> Clamped | None:
        """Why a part cannot be reserved: too little left of a pledge. None: all of them are noted as used."""
        for book_id, amount in sorted(wanted.items()):
            ref = funding.pledges[book_id]
            left = self._locks[book_id].available(ref) - self._taken.get((book_id, ref), 0)
            if left < amount:
                whole = self._locks[book_id].credited(ref)
                facts: dict[str, int | str] = {
                    "pledge_fen": whole,
                    "used_fen": whole - left,
                    "left_fen": left,
                }
                name = self._session.scalars(select(Book.authority).where(Book.book_id == book_id)).one()
                facts |= {"needed_fen": amount, "funder": name, "year": ref.period}
                return Clamped(Fen(0), (), Code.PLEDGE_EXCEEDED, facts)
        for book_id, amount in wanted.items():
            key = book_id, funding.pledges[book_id]
            self._taken[key] = self._taken.get(key, 0) + amount
        return None


def plan_of(session: Session, request: HoldRequest, earlier_fen: Fen) -> Plan:
    """What an order asks for. Refused: `subsidy_zero`, `funder_missing`, and what `subsidy.compute` refuses."""
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
    computed = compute(policy, case)
    wanted = computed.amount_fen
    if wanted == 0:
        raise Refusal(Code.SUBSIDY_ZERO, contract_fen=request.contract_fen)
    allowance = order_allowance(policy, voucher, order)
    limited = caps_of(session, allowance, voucher.holder, order.programme_code)
    if request.funders:
        funding: Funding | None = funding_of_agreement(order, request.funders, computed.base_fen)
    else:
        basis = Basis(voucher.holder.region_code, request.platform_region, computed.base_fen)
        funding = funding_of_policy(session, policy, order, basis)
    return Plan(request, wanted, earlier_fen, (*limited, *_ceilings(request, case), *request.limits), funding)


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


def give(room: Room, pledges: Pledges, plan: Plan) -> Given:
    """What the money, every limit and the funders leave of what is wanted; it is noted as used."""
    times = [room.limit(each) for each in plan.limited if each.account.unit is Unit.TIMES]
    for standing in times:
        if standing.available_fen < 1:
            facts = {"limit": int(standing.opened_fen), "used": int(standing.used_fen)}
            return Given(Clamped(Fen(0), (), Code.COUNT_EXCEEDED, facts))
    payers, rooms = plan.payers, _rooms(room, plan)
    limits = [_money_limit(plan, sum(rooms))]
    limits += [room.limit(each) for each in plan.limited if each.account.unit is not Unit.TIMES]
    given = clamp(plan.wanted_fen, limits, rounding=plan.request.policy.rounding or Rounding.FEN)
    if given.refusal is None and plan.funding is not None:
        given = within_ceilings(plan.funding, plan.request.policy, given)
    others = {} if plan.funding is None else reserve(plan.funding, given.granted_fen)
    if given.refusal is None and plan.funding is not None:
        given = pledges.refusal(plan.funding, others) or given
    if given.refusal is not None:
        return Given(given)
    parts = by_weight(given.granted_fen, rooms) if given.granted_fen else (Fen(0),) * len(rooms)
    for ref, part in zip(payers, parts, strict=True):
        room.take(ref, part)
    for each in plan.limited:
        room.take(each.account, charged(each, given.granted_fen))
    return Given(given, parts, others)


def within_ceilings(funding: Funding, policy: Policy, given: Clamped) -> Clamped:
    """What the funders' own ceilings leave of what the limits granted; nothing left is refused as `subsidy_zero`."""
    left = left_by_ceilings(funding.shares, given.granted_fen, funding.base_fen)
    if left == given.granted_fen:
        return given
    left = round_down(policy, left)
    cut = Reduction("funder", Fen(given.granted_fen - left))
    refusal = None if left else Code.SUBSIDY_ZERO
    return Clamped(left, (*given.reductions, cut), refusal, {"contract_fen": funding.base_fen})


def reserve(funding: Funding, amount_fen: Fen) -> dict[int, int]:
    """What each co-funder reserves of an amount, by book."""
    parts = reserved(funding.shares, amount_fen, funding.base_fen)
    found = by_book(funding.shares, parts)
    return {book_id: part for book_id, part in found.items() if book_id != funding.lead and part}


def _rooms(room: Room, plan: Plan) -> list[int]:
    """What each payer can pay."""
    draws = plan.request.draws
    if not draws:
        return [max(room.left(plan.payers[0]), 0)]
    return [max(min(room.left(draw.allot), draw.most_fen), 0) for draw in draws]


def _money_limit(plan: Plan, left_fen: int) -> Limit:
    """The money as a limit: what the voucher, or what may be drawn on its allotments, leaves."""
    draws = plan.request.draws
    if not draws:
        face = plan.request.voucher.face_fen
        return Limit("voucher", Fen(left_fen), Fen(face), Fen(face - left_fen))
    most = sum(draw.most_fen for draw in draws)
    return Limit("allotment", Fen(left_fen), Fen(most), Fen(most - left_fen))


def charged(limited: Limited, granted_fen: int) -> int:
    """What a limit is charged: the fen that are held, or one time."""
    return 1 if limited.account.unit is Unit.TIMES else granted_fen
