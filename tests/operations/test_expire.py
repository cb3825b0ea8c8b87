"""What time, the holder and the authority take back, and what they leave alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told, placed, snapshot, stranger
from voucher.clock import business_date, fiscal_year
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.balances import free_credits
from voucher.models.parties import Organisation
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.operations.expire import (
    Slice,
    Step,
    TakeBackRequest,
    expire_orders,
    expire_vouchers,
    give_back,
    revoke,
)
from voucher.operations.sweep import SYSTEM
from voucher.terms import OrderState, VoucherState


def expire(told: Told, *, limit: int = 500, after: int = 0) -> Step:
    part = Slice(business_date(told.at), after, limit)
    return told.do(lambda session, at: expire_vouchers(session, part, actor=SYSTEM, at=at))


def complete(told: Told) -> Step:
    part = Slice(business_date(told.at))
    return told.do(lambda session, at: expire_orders(session, part, actor=SYSTEM, at=at))


def next_roster(told: Told) -> Callable[[Session, datetime], None]:
    def work(session: Session, at: datetime) -> None:
        owner = session.get_one(Organisation, told.world.firm.organisation_id)
        factories.on_roster(session, owner, by=told.world.reviewer, year=fiscal_year(at), at=at)

    return work


def state(told: Told, number: str) -> str:
    return told.one(Voucher, number=number).state


def budget(told: Told) -> int:
    return told.balance(accounts.budget(told.world.line_code, told.world.year))


def test_a_voucher_expires_after_its_last_day_and_not_on_it(told: Told) -> None:
    before = budget(told)
    number = told.voucher(face_fen=50_000_00)
    last = told.one(Voucher, number=number).use_by
    told.after(days=(last - business_date(told.at)).days)
    assert expire(told).done == 0
    told.after(days=1)
    assert expire(told) == Step(1, 1, None)
    assert (state(told, number), budget(told)) == (VoucherState.EXPIRED.value, before)
    assert told.balance(accounts.voucher(number)) == 0


def test_expiring_again_changes_nothing(told: Told) -> None:
    told.voucher()
    told.after(days=400)
    expire(told)
    before = snapshot(told.database)
    assert expire(told) == Step(0, 0, None)
    assert snapshot(told.database) == before


def test_what_was_captured_stays_with_its_order(told: Told) -> None:
    before, number = budget(told), told.voucher()
    order = told.captured_order(voucher=number)
    told.after(days=400)
    expire(told)
    assert budget(told) == before - 50_000_00
    assert told.balance(accounts.order(order)) == 50_000_00


def test_a_voucher_that_is_used_up_expires_without_a_posting(told: Told) -> None:
    number = told.voucher(face_fen=50_000_00)
    told.captured_order(voucher=number)
    told.after(days=400)
    expire(told)
    assert state(told, number) == VoucherState.EXPIRED.value


def test_money_of_a_closed_line_lapses(told: Told) -> None:
    told.voucher(face_fen=50_000_00)
    before = budget(told)

    def close(session: Session, at: datetime) -> None:
        session.get_one(BudgetLine, told.world.line_id).closed_on = date(2026, 12, 31)

    told.do(close)
    told.after(days=400)
    expire(told)
    with told.database.read() as session:
        lapsed = free_credits(session, told.world.book_id, accounts.lapsed(told.world.year))
    assert (lapsed, budget(told)) == (50_000_00, before)


def test_a_long_run_goes_on_where_it_stopped(told: Told) -> None:
    numbers = [told.voucher(face_fen=10_000_00) for _ in range(5)]
    told.after(days=400)
    first = expire(told, limit=2)
    assert (first.seen, first.done) == (2, 2)
    assert first.after is not None
    second = expire(told, limit=2, after=first.after)
    assert expire(told, limit=2, after=second.after or 0) == Step(1, 1, None)
    assert {state(told, number) for number in numbers} == {VoucherState.EXPIRED.value}


def test_an_open_hold_keeps_its_voucher_until_the_hold_ends(told: Told) -> None:
    number = told.voucher()
    told.after(days=360)
    told.do(next_roster(told))
    order = told.held_order(voucher=number)
    told.after(days=40)
    assert expire(told) == Step(1, 0, None)
    assert state(told, number) == VoucherState.LIVE.value
    told.after(days=180)
    assert complete(told).done == 1
    assert told.order(order).state == OrderState.EXPIRED.value
    assert expire(told).done == 1
    assert told.balance(accounts.voucher(number)) == 0


def test_an_order_past_its_completion_day_gives_money_and_cap_back(told: Told) -> None:
    number = told.voucher()
    order = told.held_order(voucher=number)
    cap = accounts.cap("CN-140000-INNO", told.world.firm.holder_ref, told.world.year)
    told.after(days=180)
    assert complete(told).done == 0
    told.after(days=1)
    assert complete(told) == Step(1, 1, None)
    assert complete(told) == Step(0, 0, None)
    row = told.order(order)
    assert (row.state, row.held_fen, row.hold_posting) == (OrderState.EXPIRED.value, 0, None)
    assert told.balance(accounts.voucher(number)) == told.balance(cap) == 200_000_00
    assert told.held_order(voucher=number), "what was released can be held again"


def test_an_order_that_holds_nothing_ends_with_its_voucher(told: Told) -> None:
    number = told.voucher()
    order = told.do(lambda session, at: placed(session, told.world, number, at=at))
    told.after(days=400)
    expire(told)
    assert told.order(order).state == OrderState.EXPIRED.value


def giving_back(told: Told, number: str) -> Callable[[Session, datetime], list[object]]:
    request = TakeBackRequest(number, "不再需要")
    return lambda session, at: list(give_back(session, [request], actor=told.world.firm.actor, at=at))


def revoking(told: Told, number: str, reason: str) -> Callable[[Session, datetime], list[object]]:
    request = TakeBackRequest(number, reason)
    return lambda session, at: list(revoke(session, [request], actor=told.world.officer, at=at))


def test_a_holder_gives_a_voucher_back(told: Told) -> None:
    before, number = budget(told), told.voucher()
    told.do(giving_back(told, number))
    assert (state(told, number), budget(told)) == (VoucherState.RETURNED.value, before)
    told.refuses(Code.STATE_CHANGED, giving_back(told, number))


def test_the_authority_revokes_with_a_reason(told: Told) -> None:
    before, number = budget(told), told.voucher()
    told.refuses(Code.REASON_MISSING, revoking(told, number, " "))
    told.do(revoking(told, number, "申报材料不实"))
    row = told.one(Voucher, number=number)
    assert (row.state, row.state_reason) == (VoucherState.REVOKED.value, "申报材料不实")
    assert budget(told) == before


def test_a_voucher_with_money_on_hold_is_neither_given_back_nor_revoked(told: Told) -> None:
    number = told.voucher()
    told.held_order(voucher=number)
    told.refuses(Code.VOUCHER_NOT_USABLE, giving_back(told, number), held_fen=50_000_00)
    told.refuses(Code.VOUCHER_NOT_USABLE, revoking(told, number, "撤销"), held_fen=50_000_00)


def test_nobody_else_gives_a_voucher_back_or_revokes_it(told: Told) -> None:
    number, world = told.voucher(), told.world
    request = TakeBackRequest(number, "不再需要")
    other, officer = stranger(told, like=world.firm.actor), replace(world.officer, book_ids=frozenset())
    told.refuses(Code.NOT_FOUND, lambda session, at: give_back(session, [request], actor=other, at=at))
    told.refuses(Code.NOT_FOUND, lambda session, at: revoke(session, [request], actor=officer, at=at))
