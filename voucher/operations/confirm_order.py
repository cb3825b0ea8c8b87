"""The holder confirms a delivered order: the money is captured (验收确认, 核销)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.contracts import Instalment
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import certifications
from voucher.operations.capture import Captured, CaptureRequest, capture, release
from voucher.operations.deliver import CONFIRMED, answered
from voucher.operations.instalments import Instalments
from voucher.operations.order_places import OrderPlaces
from voucher.operations.outcome import Refused, refused
from voucher.operations.policies import policies_of
from voucher.operations.recognise import Recognition
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import InstalmentState, MessageEvent, OrderState, VoucherState


@dataclass(frozen=True, slots=True)
class ConfirmRequest:
    """A delivered order, and how much to take of its hold, or of the delivered instalment's share; None: all of it.

    `part` names the instalment that is meant (None: the one that was delivered).
    """

    order_number: str
    amount_fen: Fen | None = None
    part: int | None = None


def confirm_order(
    session: Session, requests: Sequence[ConfirmRequest], *, actor: Actor, at: datetime
) -> list[Captured | Refused]:
    """DELIVERED → CAPTURED, or HELD again while instalments are to come; what is not taken goes back at once.

    Refused, alone: `not_found`, `state_changed` (also for another instalment than was delivered), a revoked voucher
    (`voucher_revoked`), a platform or centre suspended since the hold (`provider_suspended`, `centre_not_certified`,
    `not_qualified`), and what `capture` refuses.
    """
    numbers = [request.order_number for request in requests]
    vouchers = find.vouchers_of_orders(session, numbers, actor=actor)
    orders = find.holders_orders(session, numbers, actor=actor)
    checks = CaptureChecks(session, list(orders.values()), at)
    instalments = Instalments(session, list(orders.values()))
    plans: list[tuple[CaptureRequest, Instalment | None] | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            if order.state != OrderState.DELIVERED.value:
                raise Refusal(Code.STATE_CHANGED, state=order.state, event="confirm")
            checks.check(order, vouchers[order.voucher_id])
            taking = instalments.taking(order, request.amount_fen)
            if request.part is not None and request.part != (taking[1].position if taking[1] else 0):
                raise Refusal(Code.STATE_CHANGED, state=order.state, event="confirm", part=request.part)
            plans.append(taking)
        except Refusal as refusal:
            plans.append(refused(refusal))
    answers = iter(
        take(session, [plan for plan in plans if not isinstance(plan, Refused)], actor=actor, at=at)
    )
    results = [plan if isinstance(plan, Refused) else next(answers) for plan in plans]
    journal.record(session, actor, "order.confirm", captured_facts(results), at=at)
    session.flush()
    tell(session, _notes(results, at), at=at)
    return results


def take(
    session: Session,
    takings: Sequence[tuple[CaptureRequest, Instalment | None]],
    *,
    actor: Actor,
    at: datetime,
) -> list[Captured | Refused]:
    """Capture confirmed deliveries, and write down on instalments and deliveries that they were confirmed.

    A group order that nobody attended is released: all of it goes back.
    """
    deserted = [each.order for each, _ in takings if each.order.beneficiaries and not each.amount_fen]
    gone = iter(release(session, deserted, state=OrderState.RELEASED, actor=actor, at=at) if deserted else [])
    served = [each for each, _ in takings if each.order not in deserted]
    taken = iter(capture(session, served, actor=actor, at=at) if served else [])
    answers = [_nothing(next(gone)) if each.order in deserted else next(taken) for each, _ in takings]
    done: list[Order] = []
    for (_, row), answer in zip(takings, answers, strict=True):
        if isinstance(answer, Captured):
            done.append(answer.order)
            if row is not None:
                row.state = InstalmentState.CONFIRMED.value
                row.captured_fen = answer.captured_fen
    answered(session, done, CONFIRMED, actor=actor, at=at)
    return answers


def _nothing(released: Order | Refused) -> Captured | Refused:
    if isinstance(released, Refused):
        return released
    released.close_reason = "nobody_attended"
    return Captured(released, Fen(0))


class CaptureChecks:
    """What must still hold when the money of locked orders is captured; their platforms and centres FOR SHARE."""

    def __init__(self, session: Session, orders: Sequence[Order], at: datetime) -> None:
        self._on = business_date(at)
        self._policies = policies_of(session, {order.policy_code for order in orders}) if orders else {}
        ids = {order.platform_id for order in orders}
        self._certifications = certifications(session, ids) if orders else {}
        self._places = OrderPlaces(session, [(each, self._policies[each.policy_code]) for each in orders])
        self._recognition = Recognition(session, ids)

    def check(self, order: Order, voucher: Voucher) -> None:
        """Refuses `state_changed` (also after the complete-by day), `voucher_revoked`, and what `Recognition.check_order`
        and `OrderPlaces.check` do.

        A voucher that has expired since the hold still pays: the hold was made in time.
        """
        if order.complete_by is not None and self._on > order.complete_by:
            raise Refusal(
                Code.STATE_CHANGED, state=order.state, event="complete_by", on=order.complete_by.isoformat()
            )
        self.check_parties(order, voucher)

    def check_parties(self, order: Order, voucher: Voucher) -> None:
        """As `check`, but for the complete-by day: of what was delivered in time and not answered."""
        next_state(OrderState(order.state), Event.CAPTURE)
        if voucher.state == VoucherState.REVOKED.value:
            raise Refusal(Code.VOUCHER_REVOKED)
        rows = self._certifications.get(order.platform_id, [])
        policy = self._policies[order.policy_code]
        self._recognition.check_order(policy, order, rows, on=self._on)
        self._places.check(order, policy)


def captured_facts(
    results: Sequence[Captured | Refused],
) -> list[tuple[str, dict[str, int | str | bool | None]]]:
    """What the journal keeps of captures."""
    return [
        (result.order.number, {"captured_fen": result.captured_fen, "rule_version": result.order.policy_code})
        for result in results
        if isinstance(result, Captured)
    ]


def _notes(results: Sequence[Captured | Refused], at: datetime) -> list[Note]:
    return [
        Note(
            MessageEvent.ORDER_CAPTURED,
            result.order.number,
            {"captured_fen": result.captured_fen},
            platform_id=result.order.platform_id,
            once=at.isoformat() if result.order.instalments else "",
        )
        for result in results
        if isinstance(result, Captured)
    ]
