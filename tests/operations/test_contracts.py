"""Contracts: one key over spellings, platforms and programmes; ceilings; supplements."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import contract_world as on
from tests.operations import counter
from tests.operations.counter import cap_of, refuses
from tests.operations.stories import Told
from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger.verify import verify
from voucher.models.contracts import Contract
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import Refused, only
from voucher.operations.propose import propose
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.operations.review import ReviewRequest, review
from voucher.operations.supplement import (
    SupplementAnswer,
    SupplementRequest,
    answer_supplement,
    file_supplement,
)
from voucher.rules.contracts import contract_key
from voucher.store import Stored
from voucher.terms import Verdict


def sound(told: Told) -> None:
    with told.database.read() as session:
        assert verify(session).faults == ()


def held(told: Told, part_fen: int, *, voucher: str = "", **how: object) -> str:
    """An order of the world's firm and platform on a contract."""
    order = on.accepted_at(told, voucher or told.voucher(), told.world.platform, 100_000_00)
    told.do(on.filing(told, order, part_fen, **how))  # type: ignore[arg-type]
    return order


@pytest.mark.parametrize(
    "spelling",
    [
        "HT-2026(1)",
        "ht2026（1）",
        "ＨＴ－２０２６〔1〕",
        " HT 2026【1】 ",
        "Ht—2026[1]",
        "HT\u00a02026(1)",
        "\u041d\u0422-2026(1)",
        "\u0397\u03a4-2026(1)",
        "H\u0323T2026(1)",
    ],
)
def test_spellings_of_one_contract_number_are_one(spelling: str) -> None:
    assert contract_key(spelling) == "HT2026(1)"


@pytest.mark.parametrize("number", ["-", " — ", "1" * 61])
def test_a_number_of_nothing_is_none(number: str) -> None:
    with pytest.raises(Refusal) as refusal:
        contract_key(number)
    assert refusal.value.code is Code.CONTRACT_NO_INVALID


def test_orders_on_one_contract_share_what_the_rate_gives_on_its_amount(told: Told) -> None:
    held(told, 60_000_00, whole_fen=100_000_00)
    second = held(told, 50_000_00, number="ht 1", whole_fen=100_000_00)
    row = told.order(second)
    assert (row.wanted_fen, row.held_fen) == (25_000_00, 20_000_00)
    assert [cut["limit"] for cut in row.reductions] == ["contract"]
    third = on.accepted_at(told, told.voucher(), told.world.platform, 100_000_00)
    refuses(
        told,
        Code.CONTRACT_EXCEEDED,
        on.filing(told, third, 10_000_00),
        contract_fen=50_000_00,
        used_fen=50_000_00,
        left_fen=0,
    )
    assert told.one(Contract).number == "HT-1"
    sound(told)


def test_a_programme_takes_no_more_than_its_own_rate_gives_and_all_no_more_than_the_highest(
    told: Told,
) -> None:
    """60,000.00: 30 % is 18,000.00 for the one programme, 50 % is 30,000.00 for both together."""
    other = on.second(told)
    held(told, 10_000_00, whole_fen=60_000_00)
    vouchers = [on.voucher_of(told, other.line_code) for _ in range(2)]
    lower = [on.accepted_at(told, number, other.sibling, 60_000_00) for number in vouchers]
    told.do(on.filing(told, lower[0], 60_000_00, by=other.sibling, whole_fen=60_000_00))
    assert told.order(lower[0]).held_fen == 18_000_00
    refuses(
        told,
        Code.CONTRACT_EXCEEDED,
        on.filing(told, lower[1], 1_000_00, by=other.sibling),
        contract_fen=18_000_00,
    )
    last = held(told, 40_000_00, whole_fen=60_000_00)
    assert told.order(last).held_fen == 7_000_00
    assert on.ceiling(told).available_fen == 0
    assert on.ceiling(told, programme=on.OTHER).opened_fen == 18_000_00
    sound(told)


def test_cancelling_trimming_rejecting_and_reversing_give_the_ceiling_back(told: Told) -> None:
    voucher, manager, world = told.voucher(), told.world.platform.manager, told.world
    cancelled = held(told, 20_000_00, voucher=voucher, whole_fen=200_000_00)
    told.do(lambda s, at: only(cancel_order(s, [CancelRequest(cancelled, "")], actor=manager, at=at)))
    assert on.ceiling(told).available_fen == 100_000_00
    captured = told.captured_order(voucher=voucher, contract_fen=40_000_00)
    number = told.order(captured).contract_no
    assert on.ceiling(told, number).available_fen == 0
    claim = told.claimed(order=captured)
    trim = ReviewRequest(claim, Verdict.TRIM, Fen(15_000_00), "超出约定")
    told.do(lambda s, at: only(review(s, [trim], actor=world.reviewer, at=at)))
    assert on.ceiling(told, number).available_fen == 5_000_00
    told.do(lambda s, at: only(reverse(s, [ReverseRequest(captured, "退货")], actor=manager, at=at)))
    for programme in ("", world.programme_code):
        assert on.ceiling(told, number, programme).available_fen == 20_000_00
    assert cap_of(told).available_fen == 200_000_00
    sound(told)


def test_what_was_filed_first_stands_and_another_book_is_refused(told: Told) -> None:
    held(told, 10_000_00, whole_fen=50_000_00)
    order = on.accepted_at(told, told.voucher(), told.world.platform, 100_000_00)
    filed = {"contract_fen": 50_000_00, "contract_on": business_date(told.at).isoformat()}
    refuses(told, Code.CONTRACT_DIFFERS, on.filing(told, order, 10_000_00, whole_fen=60_000_00), **filed)
    refuses(told, Code.CONTRACT_EXCEEDED, on.filing(told, order, 50_000_01), left_fen=50_000_00)
    request = ContractRequest(
        order,
        "HT-1",
        business_date(told.at),
        Fen(10_000_00),
        file=Stored("0" * 64, 5, "application/pdf", "合同.pdf"),
    )
    manager = told.world.platform.manager
    refuses(
        told,
        Code.CONTRACT_DIFFERS,
        lambda s, at: only(file_contract(s, [request], actor=manager, at=at)),
        **filed,
    )

    def elsewhere(session: Session, _at: datetime) -> None:
        other = factories.book(session, code="140100", authority="太原市财政局")
        session.execute(update(Contract).values(book_id=other.book_id))

    told.do(elsewhere)
    refuses(told, Code.CONTRACT_ELSEWHERE, on.filing(told, order, 10_000_00))


def test_an_order_placed_after_the_contract_was_filed_goes_on_it(told: Told) -> None:
    held(told, 10_000_00, whole_fen=50_000_00)
    signed = business_date(told.at)
    told.after(days=20)
    later = held(told, 10_000_00)
    assert told.order(later).contract_on == signed
    order = on.accepted_at(told, told.voucher(), told.world.platform, 100_000_00)
    refuses(told, Code.CONTRACT_DATE_INVALID, on.filing(told, order, 10_000_00, number="HT-2", on=signed))


def test_a_contract_on_which_nothing_is_held_in_the_end_is_not_on_file(told: Told) -> None:
    voucher = told.voucher(face_fen=10_000_00)
    held(told, 20_000_00, voucher=voucher)
    order = on.accepted_at(told, voucher, told.world.platform, 100_000_00)
    request = ContractRequest(order, "HT-9", business_date(told.at), Fen(20_000_00))
    manager = told.world.platform.manager
    (answer,) = told.do(lambda s, at: file_contract(s, [request], actor=manager, at=at))
    assert isinstance(answer, Refused) and answer.code is Code.VOUCHER_EXHAUSTED
    with told.database.read() as session:
        assert session.scalars(select(Contract.number)).all() == ["HT-1"]


def test_at_the_counter_a_contract_number_counts_too_and_none_is_needed(told: Told) -> None:
    voucher, scanner = told.voucher(), told.world.platform.scanner
    held(told, 15_000_00, voucher=voucher, whole_fen=20_000_00)
    number = counter.scanned(told, voucher)
    request = counter.request_of(number, 12_000_00, contract_no="ｈｔ-1")
    answer = told.do(lambda s, at: only(propose(s, [request], actor=scanner, at=at)))
    assert (answer.held_fen, answer.order.contract_ref) == (2_500_00, told.one(Contract).ref)
    told.after(hours=1)
    bare = counter.redeemed(told, voucher, 4_000_00)
    assert told.order(bare.order).contract_ref == ""
    fresh = counter.scanned(told, voucher)
    request = replace(counter.request_of(fresh, 3_000_00, contract_no="HT-77"), whole_fen=Fen(9_000_00))
    told.do(lambda s, at: only(propose(s, [request], actor=scanner, at=at)))
    assert on.ceiling(told, "HT77").opened_fen == 4_500_00
    sound(told)


def supplement(told: Told, order: str, amount_fen: int) -> SupplementRequest:
    return SupplementRequest(order, "补-1", business_date(told.at), Fen(amount_fen), "增加样品")


def test_a_supplement_changes_the_amount_only_when_the_firm_confirms_it(told: Told) -> None:
    order = held(told, 60_000_00, whole_fen=60_000_00)
    manager, firm = told.world.platform.manager, told.world.firm.actor
    raised = supplement(told, order, 80_000_00)
    told.do(lambda s, at: file_supplement(s, raised, actor=manager, at=at))
    assert on.ceiling(told).available_fen == 0
    refuses(
        told,
        Code.REASON_MISSING,
        lambda s, at: answer_supplement(s, SupplementAnswer(order, False), actor=firm, at=at),
    )
    told.do(lambda s, at: answer_supplement(s, SupplementAnswer(order, True), actor=firm, at=at))
    assert told.one(Contract).amount_fen == 80_000_00
    for programme in ("", told.world.programme_code):
        assert on.ceiling(told, programme=programme).available_fen == 10_000_00
    refuses(
        told,
        Code.NOT_FOUND,
        lambda s, at: answer_supplement(s, SupplementAnswer(order, True), actor=firm, at=at),
    )
    sound(told)


def test_a_supplement_below_what_is_subsidised_already_is_refused_and_one_above_lowers_the_rest(
    told: Told,
) -> None:
    order = held(told, 40_000_00, whole_fen=100_000_00)
    manager, firm = told.world.platform.manager, told.world.firm.actor
    told.do(lambda s, at: file_supplement(s, supplement(told, order, 39_999_98), actor=manager, at=at))
    yes = SupplementAnswer(order, True)
    refuses(
        told,
        Code.CONTRACT_EXCEEDED,
        lambda s, at: answer_supplement(s, yes, actor=firm, at=at),
        contract_fen=19_999_99,
        used_fen=20_000_00,
    )
    told.do(lambda s, at: file_supplement(s, supplement(told, order, 50_000_00), actor=manager, at=at))
    told.do(lambda s, at: answer_supplement(s, yes, actor=firm, at=at))
    assert on.ceiling(told).available_fen == 5_000_00
    second = held(told, 30_000_00)
    assert told.order(second).held_fen == 5_000_00
    sound(told)


def test_ten_orders_in_one_sequence_stay_within_the_ceiling(told: Told) -> None:
    voucher, manager = told.voucher(), told.world.platform.manager
    orders = [on.accepted_at(told, voucher, told.world.platform, 100_000_00) for _ in range(10)]
    requests = [
        ContractRequest(order, "HT-1", business_date(told.at), Fen(9_000_00), whole_fen=Fen(30_000_00))
        for order in orders
    ]
    answers = told.do(lambda s, at: file_contract(s, requests, actor=manager, at=at))
    assert sum(isinstance(answer, Refused) for answer in answers) == 6
    with told.database.read() as session:
        assert session.scalars(select(func.sum(Order.held_fen))).one() == 15_000_00
    sound(told)
