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
from voucher.operations.admit import certifications, check_certified
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules import eligibility
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState, VoucherState


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

    Orders of one book, each once (a second time is `state_changed`). Refused, alone: `not_found`, `state_changed`, a contract dated before the order or after today
    (`contract_date_invalid`), above the quote (`contract_exceeded`), a voucher no longer live, a platform no
    longer certified, and what `hold` refuses.
    """
    numbers = [request.order_number for request in requests]
    vouchers = find.vouchers_of_orders(session, numbers, actor=actor)
    orders = find.platforms_orders(session, numbers, actor=actor)
    checks = _Checks(session, list(orders.values()), business_date(at))
    plans: list[HoldRequest | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            plans.append(checks.plan(order, request, vouchers[order.voucher_id]))
        except Refusal as refusal:
            plans.append(refused(refusal))
    answers = iter(
        hold(session, [plan for plan in plans if isinstance(plan, HoldRequest)], actor=actor, at=at)
    )
    results = [plan if isinstance(plan, Refused) else next(answers) for plan in plans]
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, Held):
            result.order.contract_no = request.contract_no
            result.order.contract_on = request.contract_on
            result.order.contract_fen = request.contract_fen
    journal.record(session, actor, "order.file_contract", held_facts(results), at=at)
    session.flush()
    tell(session, _notes(results), at=at)
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


class _Checks:
    """What orders, locked, have in common to be checked: their policies, their platforms FOR SHARE."""

    def __init__(self, session: Session, orders: Sequence[Order], today: date) -> None:
        self._today = today
        self._policies = policies_of(session, {order.policy_code for order in orders}) if orders else {}
        ids = {order.platform_id for order in orders}
        self._certifications = certifications(session, ids) if orders else {}
        self._regions = _regions(session, ids) if orders else {}
        self._planned: set[int] = set()

    def plan(self, order: Order, request: ContractRequest, voucher: Voucher) -> HoldRequest:
        """The hold that the contract asks for."""
        next_state(OrderState(order.state), Event.HOLD)
        if order.id in self._planned:
            raise Refusal(Code.STATE_CHANGED, state=order.state, event=Event.HOLD.value)
        policy, today = self._policies[order.policy_code], self._today
        finding = eligibility.contract_date(request.contract_on, business_date(order.placed_at), today=today)
        finding = finding or eligibility.voucher_live(VoucherState(voucher.state), voucher.use_by, today)
        if finding is not None:
            raise Refusal(finding[0], **finding[1])
        if order.quote_fen is not None and request.contract_fen > order.quote_fen:
            raise Refusal(
                Code.CONTRACT_EXCEEDED,
                contract_fen=request.contract_fen,
                left_fen=order.quote_fen,
                quote=True,
            )
        rows = self._certifications.get(order.platform_id, [])
        check_certified(policy, rows, service=order.service, on=today)
        self._planned.add(order.id)
        return HoldRequest(order, voucher, policy, self._regions[order.platform_id], request.contract_fen)


def _regions(session: Session, platform_ids: set[int]) -> dict[int, str]:
    query = select(Platform.id, Platform.region_code).where(Platform.id.in_(platform_ids))
    return {row.id: row.region_code for row in session.execute(query)}


def _notes(results: Sequence[Held | Refused]) -> list[Note]:
    """The holder is told how much is held, and by when the work has to be done."""
    return [
        Note(
            MessageEvent.ORDER_HELD,
            result.order.number,
            {
                "held_fen": result.held_fen,
                "complete_by_on": result.order.complete_by.isoformat() if result.order.complete_by else None,
            },
            holder_id=result.order.holder_id,
        )
        for result in results
        if isinstance(result, Held)
    ]
