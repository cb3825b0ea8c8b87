"""Filing the contract of an accepted order: the moment at which quota is held (合同备案, 锁定额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import certifications
from voucher.operations.contracts import Paper, Parties, file_papers, forget_unused, parties_of
from voucher.operations.group_lines import draws_of, lines_of
from voucher.operations.hold import Held, HoldRequest
from voucher.operations.instalments import plan_instalments
from voucher.operations.order_places import OrderPlaces
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.operations.quotas import hold_within
from voucher.operations.recognise import Recognition
from voucher.operations.relations import Known, known
from voucher.operations.tell import Note, tell
from voucher.rules import eligibility
from voucher.rules.contracts import Part, check_parts
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.validity import complete_by
from voucher.store import Stored
from voucher.terms import MessageEvent, OrderState, VoucherState


@dataclass(frozen=True, slots=True)
class ContractRequest:
    """The signed contract of one order: its number, its day, and the order's own part of it in fen.

    `whole_fen` is the amount of the whole contract (None: as it is on file, or the order's part where it is new),
    `file` its text, `parts` the instalments that the order is delivered in.
    """

    order_number: str
    contract_no: str
    contract_on: date
    contract_fen: Fen
    whole_fen: Fen | None = None
    file: Stored | None = None
    parts: tuple[Part, ...] = ()


def file_contract(
    session: Session, requests: Sequence[ContractRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """ACCEPTED → HELD: the subsidy on the order's amount is reserved until the complete-by date.

    The contract is filed with the first order that names it; later ones find it (`contracts.file_papers`), and all of
    them together hold no more than the rate gives on its amount. Orders of one book, each once (a second time is
    `state_changed`). Refused, alone: `not_found`, `state_changed`, a new contract dated before the order or after
    today (`contract_date_invalid`), above the quote (`contract_exceeded`), a voucher no longer live, a platform no
    longer certified, a side shut out by now (`party_banned`), a centre suspended by now (`centre_not_certified`,
    `not_qualified`), a firm off the roster of the order's year (`not_qualified`),
    `instalments_invalid`, and what `file_papers` and `hold` refuse.
    """
    numbers = [request.order_number for request in requests]
    vouchers = find.vouchers_of_orders(session, numbers, actor=actor)
    orders = find.platforms_orders(session, numbers, actor=actor)
    checks = _Checks(session, list(orders.values()), business_date(at))
    plans: list[_Plan | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            plans.append(checks.plan(order, request, vouchers[order.voucher_id]))
        except Refusal as refusal:
            plans.append(refused(refusal))
    plans = _filed(session, plans, actor=actor, at=at)
    ready = [plan.hold for plan in plans if isinstance(plan, _Plan)]
    answers = iter(hold_within(session, ready, actor=actor, at=at))
    results = [plan if isinstance(plan, Refused) else next(answers) for plan in plans]
    forget_unused(session, [(hold.filed, hold.order) for hold in ready])
    for request, plan, result in zip(requests, plans, results, strict=True):
        if isinstance(result, Held) and isinstance(plan, _Plan) and plan.hold.filed is not None:
            result.order.contract_no = request.contract_no
            result.order.contract_on = plan.hold.filed.signed_on
            result.order.contract_fen = request.contract_fen
            plan_instalments(session, result, request.parts, policy=plan.hold.policy)
    journal.record(session, actor, "order.file_contract", held_facts(results), at=at)
    session.flush()
    tell(session, _notes(results), at=at)
    return results


def _filed(
    session: Session, plans: Sequence[_Plan | Refused], *, actor: Actor, at: datetime
) -> list[_Plan | Refused]:
    """The plans with their contracts on file; refused where a contract does not fit."""
    ready = [plan for plan in plans if isinstance(plan, _Plan)]
    answers = iter(file_papers(session, [plan.paper for plan in ready], actor=actor, at=at))
    results: list[_Plan | Refused] = []
    for plan in plans:
        answer = next(answers) if isinstance(plan, _Plan) else None
        if isinstance(plan, Refused):
            results.append(plan)
        elif isinstance(answer, Refusal):
            results.append(refused(answer))
        else:
            results.append(replace(plan, hold=replace(plan.hold, filed=answer)))
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


@dataclass(frozen=True, slots=True)
class _Plan:
    hold: HoldRequest
    paper: Paper


class _Checks:
    """What orders, locked, have in common to be checked: their policies, their platforms FOR SHARE."""

    def __init__(self, session: Session, orders: Sequence[Order], today: date) -> None:
        self._today = today
        self._policies = policies_of(session, {order.rule_code for order in orders}) if orders else {}
        ids = {order.platform_id for order in orders}
        self._certifications = certifications(session, ids) if orders else {}
        self._places = OrderPlaces(session, [(each, self._policies[each.rule_code]) for each in orders])
        self._recognition = Recognition(session, ids)
        self._platforms = _platforms(session, ids) if orders else {}
        self._known = _known(session, orders, self._platforms, today)
        self._lines = lines_of(session, orders)
        self._planned: set[int] = set()

    def plan(self, order: Order, request: ContractRequest, voucher: Voucher) -> _Plan:
        """The hold that the contract asks for, and the contract as it is to be found on file."""
        next_state(OrderState(order.state), Event.HOLD)
        if order.id in self._planned:
            raise Refusal(Code.STATE_CHANGED, state=order.state, event=Event.HOLD.value)
        policy, today = self._policies[order.rule_code], self._today
        finding = eligibility.voucher_live(VoucherState(voucher.state), voucher.use_by, today)
        if finding is not None:
            raise Refusal(finding[0], **finding[1])
        if order.quote_fen is not None and request.contract_fen > order.quote_fen:
            raise Refusal(
                Code.CONTRACT_EXCEEDED,
                contract_fen=request.contract_fen,
                left_fen=order.quote_fen,
                quote=True,
            )
        if order.beneficiaries and request.parts:
            raise Refusal(Code.INSTALMENTS_INVALID, reason="for_tenants")
        last_on = complete_by(policy, today)
        check_parts(policy, request.parts, contract_fen=request.contract_fen, last_on=last_on)
        rows = self._certifications.get(order.platform_id, [])
        self._recognition.check_order(policy, order, rows, on=today)
        self._places.check(order, policy)
        self._refuse_off_roster(policy, order, voucher)
        platform = self._platforms[order.platform_id]
        self._known.refuse_banned(voucher.holder.organisation_id, platform.organisation_id)
        self._planned.add(order.id)
        asked = HoldRequest(order, voucher, policy, platform.region_code, request.contract_fen)
        draws = draws_of(self._lines.get(order.id, ()), asked)
        return _Plan(replace(asked, draws=draws), self._paper(order, request, parties_of(voucher, platform)))

    def _refuse_off_roster(self, policy: Policy, order: Order, voucher: Voucher) -> None:
        """What is filed off the roster would never be paid: the provider is told before it works (domain 4, row 16)."""
        owner_id, on = voucher.holder.organisation_id, business_date(order.placed_at)
        if owner_id is not None:
            self._known.refuse_off_roster(policy, owner_id, on, held=voucher.holder_class)

    def _paper(self, order: Order, request: ContractRequest, parties: Parties) -> Paper:
        ordered_on = business_date(order.placed_at)
        finding = eligibility.contract_date(request.contract_on, ordered_on, today=self._today)
        return Paper(
            parties,
            request.contract_no,
            request.contract_on,
            request.contract_fen,
            amount_fen=request.whole_fen,
            file=request.file,
            unfit=Refusal(finding[0], **finding[1]) if finding else None,
        )


def _platforms(session: Session, ids: set[int]) -> dict[int, Platform]:
    query = select(Platform).where(Platform.id.in_(ids))
    return {platform.id: platform for platform in session.scalars(query)}


def _known(session: Session, orders: Sequence[Order], platforms: dict[int, Platform], today: date) -> Known:
    """The bans in force on both sides of these orders, and the rosters of the years in which they were placed."""
    holders = select(Holder.organisation_id).where(Holder.id.in_({order.holder_id for order in orders}))
    owners = set(session.scalars(holders)) - {None} if orders else set()
    hosts = {platform.organisation_id for platform in platforms.values()}
    years = {business_date(order.placed_at).year for order in orders}
    return known(session, {*filter(None, owners)}, hosts, years=years, on=today)


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
