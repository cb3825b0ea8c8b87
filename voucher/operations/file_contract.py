"""Filing the contract of an accepted order: the moment at which quota is held (合同备案, 锁定额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import check_certified
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policy_of
from voucher.rules import eligibility
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, VoucherState


@dataclass(frozen=True, slots=True)
class ContractRequest:
    """The signed contract of one order: its number, its date, its full amount in fen."""

    order_number: str
    contract_no: str
    contract_on: date
    contract_fen: Fen


def file_contract(
    session: Session, requests: Sequence[ContractRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """ACCEPTED → HELD: the subsidy on the contract amount is reserved until the complete-by date.

    Refused, alone: `not_found`, `state_changed`, a contract dated before the order or after today
    (`contract_date_invalid`), above the quote (`contract_exceeded`), a voucher no longer live, a platform no
    longer certified, and what `hold` refuses.
    """
    orders = find.platforms_orders(session, [request.order_number for request in requests], actor=actor)
    vouchers = find.vouchers_for_share(session, [order.voucher_id for order in orders.values()])
    regions = _regions(session, orders)
    plans: list[HoldRequest | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            _check(session, order, request, vouchers[order.voucher_id], at=at)
        except Refusal as refusal:
            plans.append(refused(refusal))
            continue
        order.contract_no = request.contract_no
        order.contract_on = request.contract_on
        order.contract_fen = request.contract_fen
        policy = policy_of(session, order.policy_code)
        plans.append(HoldRequest(order, vouchers[order.voucher_id], policy, regions[order.platform_id]))
    ready = [plan for plan in plans if isinstance(plan, HoldRequest)]
    answers = iter(hold(session, ready, actor=actor, at=at))
    results = [plan if isinstance(plan, Refused) else next(answers) for plan in plans]
    journal.record(session, actor, "order.file_contract", held_facts(results), at=at)
    session.flush()
    return results


def held_facts(results: Sequence[Held | Refused]) -> list[tuple[str, dict[str, int | str | bool | None]]]:
    """What the journal keeps of holds."""
    return [
        (
            result.order.number,
            {
                "contract_fen": result.order.contract_fen,
                "held_fen": result.held_fen,
                "rule_version": result.order.policy_code,
            },
        )
        for result in results
        if isinstance(result, Held)
    ]


def _check(
    session: Session, order: Order, request: ContractRequest, voucher: Voucher, *, at: datetime
) -> None:
    next_state(OrderState(order.state), Event.HOLD)
    policy, today = policy_of(session, order.policy_code), business_date(at)
    finding = eligibility.contract_date(request.contract_on, business_date(order.placed_at), today=today)
    finding = finding or eligibility.voucher_live(VoucherState(voucher.state), voucher.use_by, today)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    if order.quote_fen is not None and request.contract_fen > order.quote_fen:
        raise Refusal(
            Code.CONTRACT_EXCEEDED, contract_fen=request.contract_fen, left_fen=order.quote_fen, quote=True
        )
    check_certified(session, policy, order.platform_id, service=order.service, on=today)


def _regions(session: Session, orders: dict[str, Order]) -> dict[int, str]:
    query = select(Platform.id, Platform.region_code).where(
        Platform.id.in_({order.platform_id for order in orders.values()})
    )
    return {row.id: row.region_code for row in session.execute(query)}
