"""Deliveries that nobody answers, disputes that rest, extensions within their bounds, offers that are replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations import contract_world as on
from tests.operations.counter import cap_of, refuses
from tests.operations.stories import Told
from voucher.cli.context import SYSTEM
from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger.verify import verify
from voucher.models.disputes import Dispute
from voucher.models.messages import Message
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import dispute, extend_order
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.dispute import Statement
from voucher.operations.dispute_end import Outcome
from voucher.operations.escalate import escalate_disputes
from voucher.operations.expire import Slice, Step, expire_orders
from voucher.operations.outcome import only
from voucher.operations.recuse import RecusalRequest, recuse
from voucher.operations.remind import remind
from voucher.operations.unconfirmed import settle_unconfirmed
from voucher.queries.disputes import disputes
from voucher.terms import DisputeOutcome, DisputeStanding, VoucherState

FAR = date(2027, 6, 1)


def asking(told: Told, *tables: str) -> None:
    on.set_fills(told, *tables)


def delivered(told: Told) -> str:
    order = told.held_order()
    scanner = told.world.platform.scanner
    told.do(lambda s, at: only(deliver(s, [DeliverRequest(order)], actor=scanner, at=at)))
    return order


def night(told: Told, day: date, step: Callable[..., Step] = settle_unconfirmed) -> Step:
    return told.do(lambda s, at: step(s, Slice(day), actor=SYSTEM, at=at))


def sound(told: Told) -> None:
    with told.database.read() as session:
        assert verify(session).faults == ()


@pytest.mark.parametrize(
    ("unconfirmed", "state", "captured", "held"),
    [
        ("capture", "captured", 50_000_00, 0),
        ("release", "released", 0, 0),
        ("dispute", "disputed", 0, 50_000_00),
    ],
)
def test_a_delivery_without_answer_ends_as_the_policy_says(
    told: Told, unconfirmed: str, state: str, captured: int, held: int
) -> None:
    asking(told, "[confirm_days]\nvalue = 10", f'[unconfirmed]\nvalue = "{unconfirmed}"')
    order = delivered(told)
    assert told.order(order).confirm_by == date(2026, 3, 12)
    assert night(told, date(2026, 3, 12)).done == 0
    assert night(told, date(2026, 3, 13)).done == 1
    row = told.order(order)
    assert (row.state, row.captured_fen, row.held_fen, row.confirm_by) == (state, captured, held, None)
    assert night(told, FAR).done == 0
    sound(told)


def test_where_the_policy_says_nothing_a_late_answer_is_still_one(told: Told) -> None:
    asking(told, "[confirm_days]\nvalue = 10")
    order = delivered(told)
    assert night(told, FAR) == Step(1, 0, None)
    assert told.order(order).state == "delivered"


def test_the_answer_is_due_at_the_latest_on_the_complete_by_day_and_taken_after_it(told: Told) -> None:
    asking(told, "[confirm_days]\nvalue = 3000", '[unconfirmed]\nvalue = "capture"')
    order = delivered(told)
    assert told.order(order).confirm_by == told.order(order).complete_by == date(2026, 8, 29)
    told.after(days=200)
    night(told, date(2026, 8, 30))
    night(told, date(2026, 8, 30), expire_orders)
    assert told.order(order).state == "captured"


def test_of_a_revoked_voucher_nothing_is_taken_by_itself_but_disputed(told: Told) -> None:
    asking(told, "[confirm_days]\nvalue = 10", '[unconfirmed]\nvalue = "capture"')
    order = delivered(told)

    def revoke(session: Session, _at: datetime) -> None:
        for row in session.scalars(select(Voucher)):
            row.state = VoucherState.REVOKED.value

    told.do(revoke)
    night(told, FAR)
    assert told.order(order).state == "disputed"
    assert told.one(Dispute).opened_side == "system"


@pytest.mark.parametrize("side", ["firm", "platform"])
def test_whoever_has_an_interest_in_a_side_decides_no_dispute(told: Told, side: str) -> None:
    order, reviewer = delivered(told), told.world.reviewer
    told.do(
        lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=told.world.firm.actor, at=at)
    )
    uscc = told.world.firm.uscc if side == "firm" else told.world.platform.uscc
    interest = RecusalRequest(reviewer.person_id, uscc, "配偶任职")
    told.do(lambda s, at: only(recuse(s, [interest], actor=reviewer, at=at)))
    back = Outcome(DisputeOutcome.RELEASE, None, "机构无法履行")
    refuses(told, Code.RECUSED, lambda s, at: dispute.decide_dispute(s, order, back, actor=reviewer, at=at))
    assert told.order(order).state == "disputed"


def test_a_dispute_stops_time_and_ends_as_it_is_decided(told: Told) -> None:
    order, firm, reviewer = delivered(told), told.world.firm.actor, told.world.reviewer
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=firm, at=at))
    night(told, FAR, expire_orders)
    assert (told.order(order).state, cap_of(told).reserved_fen) == ("disputed", 50_000_00)
    decided = Outcome(DisputeOutcome.CAPTURE, Fen(50_000_01), "全部完成")
    refuses(
        told,
        Code.CAPTURE_ABOVE_HOLD,
        lambda s, at: dispute.decide_dispute(s, order, decided, actor=reviewer, at=at),
    )
    resumed = Outcome(DisputeOutcome.RESUME, None, "补充试验")
    told.do(lambda s, at: dispute.decide_dispute(s, order, resumed, actor=reviewer, at=at))
    assert told.order(order).state == "held"
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "仍不符"), actor=firm, at=at))
    back = Outcome(DisputeOutcome.RELEASE, None, "机构无法履行")
    told.do(lambda s, at: dispute.decide_dispute(s, order, back, actor=reviewer, at=at))
    assert (told.order(order).state, cap_of(told).reserved_fen) == ("released", 0)
    refuses(told, Code.NOT_FOUND, lambda s, at: dispute.decide_dispute(s, order, back, actor=reviewer, at=at))
    with told.database.read() as session:
        told_of = session.scalars(select(Message.event).where(Message.subject == order)).all()
    assert {"dispute_opened", "dispute_ended"} <= set(told_of)
    sound(told)


def escalated(told: Told) -> int:
    return told.do(lambda s, at: escalate_disputes(s, actor=SYSTEM, at=at))


def messages(told: Told, event: str) -> list[int | None]:
    return [row.person_id for row in told.rows(Message) if row.event == event]


def test_a_dispute_that_the_sides_do_not_settle_in_their_days_goes_to_the_authority_once(told: Told) -> None:
    asking(told, "[dispute_days]\nvalue = 5")
    order, world = delivered(told), told.world
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=world.firm.actor, at=at))
    settle_by = told.one(Dispute).settle_by
    assert settle_by == date(2026, 3, 9), "the fifth working day after Monday 2 March"
    assert told.do(lambda s, at: remind(s, at=at)) == 0
    told.after(days=4)
    told.do(lambda s, at: remind(s, at=at))
    sides = {world.firm.actor.person_id, world.platform.manager.person_id, world.platform.scanner.person_id}
    assert set(messages(told, "dispute_near")) == sides
    assert len(messages(told, "dispute_near")) == len(sides)
    told.after(days=3)
    assert (business_date(told.at), escalated(told)) == (settle_by, 0)
    told.after(days=1)
    assert (escalated(told), escalated(told)) == (1, 0)
    assert set(messages(told, "dispute_escalated")) >= sides | {world.reviewer.person_id}
    with told.database.read() as session:
        (line,) = disputes(session, world.reviewer, standing=DisputeStanding.ESCALATED).rows
        assert (line.order_number, line.held_fen) == (order, 50_000_00)
        assert disputes(session, world.reviewer, standing=DisputeStanding.SETTLING).rows == []
    part = Outcome(DisputeOutcome.CAPTURE, Fen(20_000_00))
    told.do(lambda s, at: dispute.offer(s, order, part, actor=world.platform.manager, at=at))
    told.do(lambda s, at: dispute.agree(s, order, part, actor=world.firm.actor, at=at))
    assert told.order(order).state == "captured", "the sides may still agree before the authority decides"
    assert escalated(told) == 0


def test_without_days_in_the_policy_or_once_it_ended_a_dispute_is_not_escalated(told: Told) -> None:
    order, world = delivered(told), told.world
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=world.firm.actor, at=at))
    assert told.one(Dispute).settle_by is None
    told.after(days=90)
    assert escalated(told) == 0
    asking(told, "[dispute_days]\nvalue = 5")
    second = delivered(told)
    told.do(lambda s, at: dispute.open_dispute(s, Statement(second, "不符"), actor=world.firm.actor, at=at))
    back = Outcome(DisputeOutcome.RELEASE, None, "机构无法履行")
    told.do(lambda s, at: dispute.decide_dispute(s, second, back, actor=world.reviewer, at=at))
    told.after(days=90)
    assert escalated(told) == 0


def test_an_offer_that_was_replaced_is_not_agreed_to_by_mistake(told: Told) -> None:
    order, firm, manager = delivered(told), told.world.firm.actor, told.world.platform.manager
    told.do(lambda s, at: dispute.open_dispute(s, Statement(order, "不符"), actor=firm, at=at))
    first, second = (Outcome(DisputeOutcome.CAPTURE, Fen(fen)) for fen in (10_000_00, 20_000_00))
    told.do(lambda s, at: dispute.offer(s, order, first, actor=manager, at=at))
    told.do(lambda s, at: dispute.offer(s, order, second, actor=manager, at=at))
    refuses(told, Code.STATE_CHANGED, lambda s, at: dispute.agree(s, order, first, actor=firm, at=at))
    told.do(lambda s, at: dispute.agree(s, order, second, actor=firm, at=at))
    assert told.order(order).captured_fen == 20_000_00
    sound(told)


def test_an_extension_needs_the_policy_a_later_day_and_a_held_order(told: Told) -> None:
    order, manager, firm = told.held_order(), told.world.platform.manager, told.world.firm.actor

    def ask(on_day: date) -> Callable[[Session, datetime], object]:
        wanted = extend_order.ExtensionRequest(order, on_day, "检修")
        return lambda s, at: extend_order.ask_extension(s, wanted, actor=manager, at=at)

    refuses(told, Code.COMPLETE_BY_INVALID, ask(date(2026, 9, 1)), reason="not_extendable")
    asking(told, "[extension_days]\nvalue = 10")
    refuses(told, Code.COMPLETE_BY_INVALID, ask(date(2026, 8, 29)), reason="not_later")
    refuses(told, Code.COMPLETE_BY_INVALID, ask(date(2026, 9, 9)), reason="beyond", latest_on="2026-09-08")
    told.do(ask(date(2026, 9, 8)))
    no = extend_order.ExtensionAnswer(order, False, "来不及")
    told.do(lambda s, at: extend_order.answer_extension(s, no, actor=firm, at=at))
    assert told.order(order).complete_by == date(2026, 8, 29)
    yes = extend_order.ExtensionAnswer(order, True)
    refuses(told, Code.NOT_FOUND, lambda s, at: extend_order.answer_extension(s, yes, actor=firm, at=at))
    told.at = datetime.fromisoformat("2026-08-30T00:00+08:00")
    assert business_date(told.at) > date(2026, 8, 29)
    refuses(told, Code.STATE_CHANGED, ask(date(2026, 9, 8)))
