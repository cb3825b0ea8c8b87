"""Vouchers and yearly caps over several redemptions: the golden cases of the domain, section 3.4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import cap_of, refuses, standing
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.money import Fen
from voucher.operations import file_contract, reverse
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.terms import OrderState, PostingKind


def proposing(told: Told, session_number: str, gross_fen: int) -> Callable[[Session, datetime], object]:
    scanner, request = told.world.platform.scanner, counter.request_of(session_number, gross_fen)
    return lambda session, at: only(propose(session, [request], actor=scanner, at=at))


def reversing(told: Told, order: str) -> Callable[[Session, datetime], Order]:
    request, actor = reverse.ReverseRequest(order, "金额有误"), told.world.platform.manager
    return lambda session, at: only(reverse.reverse(session, [request], actor=actor, at=at))


def filing(told: Told, order: str, contract_fen: int) -> Callable[[Session, datetime], object]:
    manager = told.world.platform.manager

    def work(session: Session, at: datetime) -> object:
        on = business_date(at)
        request = file_contract.ContractRequest(order, f"HT-{order}", on, Fen(contract_fen))
        return only(file_contract.file_contract(session, [request], actor=manager, at=at))

    return work


def test_50_000_on_a_cap_of_which_180_000_are_counted_is_clamped_to_20_000_and_the_next_is_refused(
    told: Told,
) -> None:
    counter.redeemed(told, told.voucher(), 360_000_00)
    assert cap_of(told).available_fen == 20_000_00
    voucher = told.voucher()
    made = counter.proposed(told, voucher, 100_000_00)
    assert made.held_fen == 20_000_00
    (cut,) = made.reductions
    assert (cut["limit"], cut["by_fen"], cut["left_fen"]) == ("cap", 30_000_00, 20_000_00)
    order = told.order(made.order)
    assert (order.wanted_fen, order.held_fen, order.reductions) == (50_000_00, 20_000_00, [cut])
    following = counter.scanned(told, voucher)
    refuses(
        told,
        Code.CAP_EXCEEDED,
        proposing(told, following, 100_000_00),
        cap_fen=200_000_00,
        used_fen=200_000_00,
        left_fen=0,
        year=2026,
    )


def test_a_voucher_is_used_in_parts_until_nothing_is_left(told: Told) -> None:
    voucher = told.voucher(face_fen=50_000_00)
    assert counter.redeemed(told, voucher, 40_000_00).held_fen == 20_000_00
    assert counter.redeemed(told, voucher, 40_000_00).held_fen == 20_000_00
    third = counter.redeemed(told, voucher, 40_000_00)
    assert (third.held_fen, third.reductions[0]["limit"], third.reductions[0]["by_fen"]) == (
        10_000_00,
        "voucher",
        10_000_00,
    )
    following = counter.scanned(told, voucher)
    refuses(
        told,
        Code.VOUCHER_EXHAUSTED,
        proposing(told, following, 40_000_00),
        face_fen=50_000_00,
        used_fen=50_000_00,
        left_fen=0,
    )


def test_a_reversal_gives_voucher_and_cap_back_and_twice_is_once(told: Told) -> None:
    voucher = told.voucher()
    counter.redeemed(told, voucher, 20_000_00)
    made = counter.redeemed(told, voucher, 100_000_00)
    assert told.do(reversing(told, made.order)).state == OrderState.REVERSED.value
    assert cap_of(told).available_fen == 190_000_00
    assert told.balance(accounts.voucher(voucher)) == 190_000_00
    assert told.balance(accounts.order(made.order)) == 0
    refuses(told, Code.STATE_CHANGED, reversing(told, made.order), state="reversed")
    assert cap_of(told).available_fen == 190_000_00


def test_a_version_that_raises_or_lowers_the_cap_adjusts_it_before_the_next_charge(told: Told) -> None:
    voucher = told.voucher()
    counter.redeemed(told, voucher, 300_000_00)
    lowered = ("amount_fen = 20_000_000", "amount_fen = 10_000_000")
    counter.publish(told, "V-LOW", lowered, ("2022-03-11", "2026-03-10"))
    raised = ("amount_fen = 20_000_000", "amount_fen = 30_000_000")
    counter.publish(told, "V-HIGH", raised, ("2022-03-11", "2026-03-20"))
    told.at = datetime.fromisoformat("2026-03-10T10:00+08:00")
    following = counter.scanned(told, voucher)
    refuses(
        told,
        Code.CAP_EXCEEDED,
        proposing(told, following, 10_000_00),
        cap_fen=100_000_00,
        used_fen=150_000_00,
        left_fen=0,
    )
    told.at = datetime.fromisoformat("2026-03-20T10:00+08:00")
    counter.redeemed(told, voucher, 80_000_00)
    assert cap_of(told).available_fen == 300_000_00 - 150_000_00 - 40_000_00


def test_two_versions_may_take_turns_on_one_cap_in_one_day(told: Told) -> None:
    voucher = told.voucher()
    old = [told.do(lambda s, at: placed(s, told.world, voucher, at=at)) for _ in range(2)]
    lowered = ("amount_fen = 20_000_000", "amount_fen = 10_000_000")
    counter.publish(told, "V-LOW", lowered, ("2022-03-11", "2026-03-10"))
    told.at = datetime.fromisoformat("2026-03-10T10:00+08:00")
    left = []
    for order in old:
        counter.redeemed(told, voucher, 20_000_00)
        left.append(cap_of(told).available_fen)
        told.do(filing(told, order, 20_000_00))
        left.append(cap_of(told).available_fen)
    assert left == [90_000_00, 180_000_00, 70_000_00, 160_000_00]


def test_a_cap_lowered_below_what_is_used_shrinks_with_what_comes_back(told: Told) -> None:
    voucher = told.voucher()
    made = counter.redeemed(told, voucher, 300_000_00)
    counter.publish(
        told, "V-LOW", ("amount_fen = 20_000_000", "amount_fen = 10_000_000"), ("2022-03-11", "2026-03-10")
    )
    told.at = datetime.fromisoformat("2026-03-10T10:00+08:00")
    told.do(reversing(told, made.order))
    assert counter.redeemed(told, voucher, 400_000_00).held_fen == 100_000_00
    assert cap_of(told).available_fen == 0


def test_two_programmes_of_one_cap_family_share_one_cap(told: Told) -> None:
    other, world = "CN-140000-OTHER", told.world

    def second(session: Session, at: datetime) -> str:
        programme = factories.programme(session, world.book_id, code=other, name="另一种券")
        line = factories.budget_line(session, programme, maker=world.maker, at=at)
        holder = session.get_one(Holder, world.firm.holder_id)
        factories.qualification(session, holder, by=world.reviewer, year=2026, programme_code=other, at=at)
        return line.code

    line = told.do(second)
    counter.publish(told, "V-OTHER", (f'programme = "{factories.PROGRAMME}"', f'programme = "{other}"'))
    request = IssueRequest(world.firm.holder_ref, Fen(200_000_00))
    voucher = told.do(
        lambda session, at: only(issue(session, line, [request], actor=world.officer, at=at)).number
    )
    counter.redeemed(told, told.voucher(), 360_000_00)
    made = counter.redeemed(told, voucher, 100_000_00)
    assert (made.held_fen, cap_of(told).available_fen) == (20_000_00, 0)


def test_a_cap_is_opened_by_the_first_charge_and_once(told: Told) -> None:
    voucher = told.voucher()
    ref = accounts.cap(factories.PROGRAMME, told.world.firm.holder_ref, 2026)
    assert standing(told, ref).opened_fen == 0
    counter.redeemed(told, voucher, 20_000_00)
    counter.redeemed(told, voucher, 20_000_00)
    opening = told.one(Posting, kind=PostingKind.CAP_ADJUST.value)
    assert (opening.fiscal_year, opening.rule_version, opening.event_on) == (
        2026,
        factories.POLICY,
        date(2026, 3, 2),
    )
    assert standing(told, ref).opened_fen == 200_000_00


def test_a_subsidy_that_comes_to_nothing_is_refused(told: Told) -> None:
    following = counter.scanned(told, told.voucher())
    refuses(told, Code.SUBSIDY_ZERO, proposing(told, following, 1), contract_fen=1)
