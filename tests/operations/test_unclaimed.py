"""Captured orders whose money nobody claimed by the redeem-by day: not paid, and given back, once."""

from __future__ import annotations

from datetime import timedelta

from tests.operations.stories import Told, snapshot
from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.journal import Journal
from voucher.models.messages import Message
from voucher.models.vouchers import Voucher
from voucher.operations.claim import claim
from voucher.operations.expire import Slice, Step, expire_vouchers
from voucher.operations.policies import policy_of
from voucher.operations.sweep import SYSTEM
from voucher.operations.unclaimed import expire_unclaimed, unclaimed_due
from voucher.rules.validity import redeem_by
from voucher.terms import MessageEvent, OrderState, VoucherState


def night(told: Told, *, limit: int = 500) -> Step:
    part = Slice(business_date(told.at), limit=limit)
    return told.do(lambda session, at: expire_unclaimed(session, part, actor=SYSTEM, at=at))


def past_the_last_day(told: Told, order: str, *, days: int = 1) -> None:
    """Move the clock to so many days after the last day on which the order's money may be claimed."""
    row = told.order(order)
    assert row.captured_at is not None
    with told.database.read() as session:
        last = redeem_by(policy_of(session, row.policy_code), business_date(row.captured_at))
    told.after(days=(last - business_date(told.at)).days + days)


def test_nothing_is_taken_back_on_the_last_day_and_all_of_it_on_the_next(told: Told) -> None:
    voucher = told.voucher()
    order = told.captured_order(voucher=voucher, contract_fen=60_000_00)
    cap = accounts.cap("CN-140000-INNO", told.world.firm.holder_ref, told.world.year)
    past_the_last_day(told, order, days=0)
    assert night(told) == Step(0, 0, None)
    told.after(days=1)
    before = told.balance(cap)
    assert night(told) == Step(1, 1, None)
    row = told.order(order)
    assert (row.state, row.close_reason) == (OrderState.DISALLOWED.value, "redeem_by")
    assert (told.balance(accounts.order(order)), told.balance(accounts.voucher(voucher))) == (0, 200_000_00)
    assert told.balance(cap) == before + 30_000_00
    with told.database.read() as session:
        assert verify(session).faults == ()


def test_both_sides_are_told_and_the_deed_is_in_the_journal(told: Told) -> None:
    order = told.captured_order(contract_fen=60_000_00)
    past_the_last_day(told, order)
    night(told)
    (deed,) = [row for row in told.rows(Journal) if row.action == "order.unclaimed"]
    assert (deed.subject, deed.facts) == (order, {"captured_fen": 30_000_00})
    told_of = {row.person_id for row in told.rows(Message) if row.event == MessageEvent.ORDER_UNCLAIMED.value}
    assert told_of >= {told.world.firm.actor.person_id, told.world.platform.manager.person_id}


def test_doing_it_again_changes_nothing(told: Told) -> None:
    order = told.captured_order()
    past_the_last_day(told, order)
    night(told)
    before = snapshot(told.database)
    assert night(told) == Step(0, 0, None)
    assert snapshot(told.database) == before


def test_an_order_that_was_claimed_in_time_is_left_alone(told: Told) -> None:
    claimed, unclaimed = (
        told.captured_order(contract_fen=20_000_00),
        told.captured_order(contract_fen=20_000_00),
    )
    told.claimed(order=claimed, amount_fen=20_000_00)
    past_the_last_day(told, unclaimed)
    assert night(told) == Step(1, 1, None)
    assert told.order(claimed).state == OrderState.CLAIMED.value


def test_a_claim_after_the_last_day_is_refused_before_and_after_the_night(told: Told) -> None:
    order = told.captured_order()
    request = told.claim_request(order)
    past_the_last_day(told, order)
    ask = lambda session, at: claim(session, [request], actor=told.world.firm.actor, at=at)  # noqa: E731
    told.refuses(Code.CLAIM_LATE, ask)
    night(told)
    told.refuses(Code.STATE_CHANGED, ask)


def test_a_long_run_goes_on_where_it_stopped_and_says_how_much_there_is(told: Told) -> None:
    voucher = told.voucher()
    orders = [told.captured_order(voucher=voucher, contract_fen=10_000_00) for _ in range(3)]
    past_the_last_day(told, orders[0])
    with told.database.read() as session:
        assert unclaimed_due(session, business_date(told.at)) == 3
    first = night(told, limit=2)
    assert (first.seen, first.done, first.after is not None) == (2, 2, True)
    assert night(told, limit=2) == Step(1, 1, None)
    assert {told.order(order).state for order in orders} == {OrderState.DISALLOWED.value}


def test_the_money_of_a_voucher_that_expired_meanwhile_goes_on_to_its_budget_line(told: Told) -> None:
    line = accounts.budget(told.world.line_code, told.world.year)
    before = told.balance(line)
    voucher = told.voucher(face_fen=50_000_00)
    told.captured_order(voucher=voucher)
    last = told.one(Voucher, number=voucher).use_by
    told.after(days=(last - business_date(told.at)).days + 1)
    part = Slice(business_date(told.at))
    told.do(lambda session, at: expire_vouchers(session, part, actor=SYSTEM, at=at))
    assert told.one(Voucher, number=voucher).state == VoucherState.EXPIRED.value
    told.at += timedelta(days=400)
    assert night(told).done == 1
    assert told.balance(line) == before
