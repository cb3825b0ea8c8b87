"""Orders in instalments: each part delivered, confirmed and captured by itself, the rest held again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations import contract_world as on
from tests.operations.counter import cap_of, refuses, standing
from tests.operations.stories import Told
from tests.rules.policies import policy
from voucher.cli.context import SYSTEM
from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.contracts import Instalment
from voucher.models.deliveries import Delivery
from voucher.money import Fen
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.capture import Captured
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.deliver import DeliverRequest, SendBackRequest, deliver, send_back
from voucher.operations.expire import Slice, expire_orders
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import only
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.rules.contracts import Part, check_parts, split
from voucher.terms import Rounding

THREE = "[instalments_max]\nvalue = 3"
Work = Callable[[Session, datetime], object]


@pytest.fixture
def told(told: Told) -> Told:
    """The world under a policy that lets orders be delivered in up to three parts."""
    on.set_fills(told, THREE)
    return told


def parts(told: Told, *amounts: int) -> tuple[Part, ...]:
    today = business_date(told.at)
    return tuple(
        Part(f"第{place}期", Fen(amount), today + timedelta(days=30 * place))
        for place, amount in enumerate(amounts, start=1)
    )


def filing(told: Told, order: str, proposed: tuple[Part, ...]) -> Work:
    whole = Fen(sum(part.amount_fen for part in proposed))
    request = ContractRequest(order, "HT-1", business_date(told.at), whole, parts=proposed)
    manager = told.world.platform.manager
    return lambda s, at: only(file_contract(s, [request], actor=manager, at=at))


def held(told: Told, *amounts: int, voucher: str = "") -> str:
    order = on.accepted_at(told, voucher or told.voucher(), told.world.platform, 100_000_00)
    told.do(filing(told, order, parts(told, *amounts)))
    return order


def delivering(told: Told, order: str, **more: object) -> Work:
    request, scanner = DeliverRequest(order, **more), told.world.platform.scanner  # type: ignore[arg-type]
    return lambda s, at: only(deliver(s, [request], actor=scanner, at=at))


def confirming(told: Told, order: str, fen: int | None = None, part: int | None = None) -> Work:
    request = ConfirmRequest(order, None if fen is None else Fen(fen), part)
    return lambda s, at: only(confirm_order(s, [request], actor=told.world.firm.actor, at=at))


def confirmed(told: Told, order: str, fen: int | None = None) -> Captured:
    told.do(delivering(told, order))
    answer = told.do(confirming(told, order, fen))
    assert isinstance(answer, Captured)
    return answer


def rows(told: Told, order: str) -> list[Instalment]:
    with told.database.read() as session:
        query = select(Instalment).where(Instalment.order_id == told.order(order).id)
        return list(session.scalars(query.order_by(Instalment.position)))


def sound(told: Told) -> None:
    with told.database.read() as session:
        assert verify(session).faults == ()


def test_each_part_is_captured_and_the_rest_held_again_until_the_last(told: Told) -> None:
    voucher = told.voucher()
    order = held(told, 60_000_00, 30_000_00, 10_000_00, voucher=voucher)
    assert [row.subsidy_fen for row in rows(told, order)] == [30_000_00, 15_000_00, 5_000_00]
    first_hold = told.order(order).hold_posting
    for captured, left, state in (
        (30_000_00, 20_000_00, "held"),
        (45_000_00, 5_000_00, "held"),
        (50_000_00, 0, "captured"),
    ):
        assert confirmed(told, order).captured_fen
        row = told.order(order)
        assert (row.captured_fen, row.held_fen, row.state) == (captured, left, state)
        assert told.balance(accounts.order(order)) == captured
        assert standing(told, accounts.voucher(voucher)).reserved_fen == left
        assert (cap_of(told).reserved_fen, on.ceiling(told).reserved_fen) == (left, left)
        assert row.hold_posting != first_hold
        sound(told)
    assert {row.state for row in rows(told, order)} == {"confirmed"}
    claim = told.claimed(order=order)
    assert claim
    sound(told)


def test_less_than_a_parts_share_gives_the_difference_back_and_keeps_the_other_parts(told: Told) -> None:
    voucher = told.voucher()
    order = held(told, 60_000_00, 40_000_00, voucher=voucher)
    told.do(delivering(told, order))
    refuses(told, Code.CAPTURE_ABOVE_HOLD, confirming(told, order, 30_000_01), held_fen=30_000_00)
    told.do(confirming(told, order, 25_000_00))
    left = standing(told, accounts.voucher(voucher))
    assert (left.available_fen, left.reserved_fen) == (155_000_00, 20_000_00)
    assert on.ceiling(told).available_fen == 5_000_00
    confirmed(told, order)
    assert told.order(order).captured_fen == 45_000_00
    sound(told)


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_ending_in_the_middle_keeps_what_was_taken_and_gives_the_rest_back(told: Told, how: str) -> None:
    voucher = told.voucher()
    order = held(told, 60_000_00, 40_000_00, voucher=voucher)
    confirmed(told, order)
    if how == "cancelled":
        manager = told.world.platform.manager
        told.do(lambda s, at: only(cancel_order(s, [CancelRequest(order, "不再需要")], actor=manager, at=at)))
    else:
        told.do(lambda s, at: expire_orders(s, Slice(date(2027, 1, 1)), actor=SYSTEM, at=at))
    row = told.order(order)
    assert (row.state, row.captured_fen, row.held_fen, row.closed_at) == ("captured", 30_000_00, 0, None)
    assert standing(told, accounts.voucher(voucher)).available_fen == 170_000_00
    assert [each.state for each in rows(told, order)] == ["confirmed", "dropped"]
    assert on.ceiling(told).available_fen == 20_000_00
    sound(told)


def test_a_reversal_gives_every_part_back(told: Told) -> None:
    voucher = told.voucher()
    order = held(told, 60_000_00, 40_000_00, voucher=voucher)
    for _ in range(2):
        confirmed(told, order)
    back, manager = ReverseRequest(order, "退货"), told.world.platform.manager
    told.do(lambda s, at: only(reverse(s, [back], actor=manager, at=at)))
    assert standing(told, accounts.voucher(voucher)).available_fen == 200_000_00
    assert (cap_of(told).available_fen, on.ceiling(told).available_fen) == (200_000_00, 50_000_00)
    sound(told)


def test_a_part_is_sent_back_with_a_reason_and_delivered_again(told: Told) -> None:
    order = held(told, 60_000_00, 40_000_00)
    told.do(delivering(told, order, provider_ref="WT-1"))
    firm = told.world.firm.actor
    refuses(
        told,
        Code.REASON_MISSING,
        lambda s, at: only(send_back(s, [SendBackRequest(order, " ")], actor=firm, at=at)),
    )
    told.do(lambda s, at: only(send_back(s, [SendBackRequest(order, "缺少附录")], actor=firm, at=at)))
    assert (told.order(order).state, rows(told, order)[0].state) == ("held", "planned")
    refuses(told, Code.STATE_CHANGED, confirming(told, order))
    told.do(delivering(told, order))
    refuses(told, Code.STATE_CHANGED, confirming(told, order, part=2))
    told.do(confirming(told, order, part=1))
    with told.database.read() as session:
        answers = session.scalars(select(Delivery.answer).order_by(Delivery.id)).all()
    assert answers == ["sent_back", "confirmed"]


def test_parts_too_small_for_a_share_are_confirmed_without_moving_money(told: Told) -> None:
    voucher = told.voucher()
    order = held(told, 1, 60_000_00, 1, voucher=voucher)
    assert [row.subsidy_fen for row in rows(told, order)] == [0, 30_000_00, 1]
    confirmed(told, order)
    assert (told.order(order).state, told.order(order).held_fen) == ("held", 30_000_01)
    confirmed(told, order)
    confirmed(told, order)
    assert (told.order(order).state, told.order(order).captured_fen) == ("captured", 30_000_01)
    sound(told)


def test_parts_must_be_offered_and_add_up_and_come_in_order(told: Told) -> None:
    order = on.accepted_at(told, told.voucher(), told.world.platform, 100_000_00)
    good = parts(told, 60_000_00, 40_000_00)
    refuses(
        told,
        Code.INSTALMENTS_INVALID,
        filing(told, order, parts(told, *[1_000_00] * 4)),
        reason="too_many",
        most=3,
    )
    refuses(told, Code.INSTALMENTS_INVALID, filing(told, order, good[::-1]), reason="due_order")
    late = (good[0], Part("末期", Fen(40_000_00), business_date(told.at) + timedelta(days=181)))
    refuses(told, Code.INSTALMENTS_INVALID, filing(told, order, late), reason="due_order")
    request = ContractRequest(order, "HT-1", business_date(told.at), Fen(99_000_00), parts=good)
    manager = told.world.platform.manager
    refuses(
        told,
        Code.INSTALMENTS_INVALID,
        lambda s, at: only(file_contract(s, [request], actor=manager, at=at)),
        reason="sum",
        total_fen=100_000_00,
        contract_fen=99_000_00,
    )


def test_a_policy_that_says_nothing_offers_no_instalments() -> None:
    with pytest.raises(Refusal) as refusal:
        check_parts(
            policy(), [Part("一", Fen(1), date(2026, 1, 2))], contract_fen=Fen(1), last_on=date(2026, 2, 1)
        )
    assert refusal.value.facts["reason"] == "not_offered"


@given(
    held_fen=st.integers(0, 10**9),
    amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=60),
    rounding=st.sampled_from(Rounding),
)
def test_shares_add_up_to_what_was_held_and_are_never_negative(
    held_fen: int, amounts: list[int], rounding: Rounding
) -> None:
    proposed = [Part("期", Fen(amount), date(2026, 1, 1)) for amount in amounts]
    shares = split(policy(rounding=rounding), Fen(held_fen), proposed)
    assert sum(shares) == held_fen and min(shares) >= 0
