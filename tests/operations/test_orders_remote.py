"""Remote orders: placed, accepted, contract filed, delivered, confirmed; and every way out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.counter import cap_of, refuses, standing
from tests.operations.stories import Told, placed
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.events import Accepted, Event, Leg, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.parties import Certification
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import (
    answer_order,
    cancel_order,
    confirm_order,
    deliver,
    file_contract,
    place_order,
    reverse,
)
from voucher.operations.file_contract import ContractRequest
from voucher.operations.outcome import Refused, only
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, OrderState, PostingKind, VoucherState

Work = Callable[[Session, datetime], object]
TODAY = date(2026, 3, 2)


def accepted(told: Told, voucher: str = "") -> str:
    number = voucher or told.voucher()
    return told.do(lambda session, at: placed(session, told.world, number, at=at))


def filing(
    told: Told, order: str, fen: int = 100_000_00, *, on: date = TODAY, actor: Actor | None = None
) -> Work:
    request, manager = ContractRequest(order, "HT-1", on, Fen(fen)), actor or told.world.platform.manager
    return lambda session, at: only(file_contract.file_contract(session, [request], actor=manager, at=at))


def delivering(told: Told, order: str) -> Work:
    request, scanner = deliver.DeliverRequest(order, "WT-7"), told.world.platform.scanner
    return lambda session, at: only(deliver.deliver(session, [request], actor=scanner, at=at))


def confirming(told: Told, order: str, fen: int | None = None, *, actor: Actor | None = None) -> Work:
    request = confirm_order.ConfirmRequest(order, None if fen is None else Fen(fen))
    firm = actor or told.world.firm.actor
    return lambda session, at: only(confirm_order.confirm_order(session, [request], actor=firm, at=at))


def cancelling(told: Told, order: str, actor: Actor | None = None) -> Work:
    request, firm = cancel_order.CancelRequest(order, "不再需要"), actor or told.world.firm.actor
    return lambda session, at: only(cancel_order.cancel_order(session, [request], actor=firm, at=at))


def held(told: Told, voucher: str) -> str:
    return told.held_order(voucher=voucher)


def delivered(told: Told, voucher: str = "") -> str:
    order = told.held_order(voucher=voucher)
    told.do(delivering(told, order))
    return order


def test_an_order_goes_from_placing_to_capture_and_its_money_with_it(told: Told) -> None:
    voucher = told.voucher()
    order = accepted(told, voucher)
    assert standing(told, accounts.voucher(voucher)).available_fen == 200_000_00
    told.do(filing(told, order))
    row = told.order(order)
    assert (row.state, row.held_fen, row.contract_no, row.contract_fen) == (
        "held",
        50_000_00,
        "HT-1",
        100_000_00,
    )
    assert row.complete_by == TODAY + timedelta(days=180)
    assert standing(told, accounts.voucher(voucher)).reserved_fen == 50_000_00
    told.do(delivering(told, order))
    assert told.order(order).provider_ref == "WT-7"
    told.do(confirming(told, order))
    row = told.order(order)
    assert (row.state, row.held_fen, row.captured_fen, row.hold_posting) == ("captured", 0, 50_000_00, None)
    assert told.balance(accounts.order(order)) == 50_000_00
    assert told.balance(accounts.voucher(voucher)) == 150_000_00
    assert (cap_of(told).available_fen, cap_of(told).reserved_fen) == (150_000_00, 0)


def test_a_declined_order_never_held_anything(told: Told) -> None:
    world, voucher = told.world, told.voucher()
    request = place_order.PlaceRequest(voucher, world.platform.platform_id, factories.SERVICES[0])
    order = told.do(
        lambda s, at: only(place_order.place_order(s, [request], actor=world.firm.actor, at=at)).number
    )
    no = answer_order.DeclineRequest(order, "设备检修")

    def decline(session: Session, at: datetime) -> object:
        return only(answer_order.decline_order(session, [no], actor=world.platform.manager, at=at))

    told.do(decline)
    assert (told.order(order).state, told.order(order).close_reason) == ("declined", "设备检修")
    refuses(told, Code.STATE_CHANGED, decline, state="declined")
    refuses(told, Code.STATE_CHANGED, filing(told, order), state="declined")


@pytest.mark.parametrize("state", ["accepted", "held", "delivered"])
@pytest.mark.parametrize("side", ["holder", "platform"])
def test_cancelling_gives_everything_back_at_each_state(told: Told, state: str, side: str) -> None:
    voucher = told.voucher()
    order = {"accepted": accepted, "held": held, "delivered": delivered}[state](told, voucher)
    actor = told.world.firm.actor if side == "holder" else told.world.platform.manager
    told.do(cancelling(told, order, actor))
    assert told.order(order).state == ("cancelled" if state == "accepted" else "released")
    assert standing(told, accounts.voucher(voucher)).available_fen == 200_000_00
    assert cap_of(told).reserved_fen == 0
    refuses(told, Code.STATE_CHANGED, cancelling(told, order, actor))
    assert told.held_order(voucher=voucher) != order


def test_a_captured_order_is_not_cancelled_but_reversed(told: Told) -> None:
    order = told.captured_order()
    refuses(told, Code.STATE_CHANGED, cancelling(told, order), state="captured")
    request, manager = reverse.ReverseRequest(order, "退货"), told.world.platform.manager
    told.do(lambda s, at: only(reverse.reverse(s, [request], actor=manager, at=at)))
    assert (cap_of(told).available_fen, told.order(order).state) == (200_000_00, "reversed")


def test_a_contract_is_dated_between_order_and_today_and_stays_within_the_quote(told: Told) -> None:
    order = accepted(told)
    told.after(days=3)
    before, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=4)
    for on in (before, tomorrow):
        refuses(told, Code.CONTRACT_DATE_INVALID, filing(told, order, on=on), order_on=TODAY.isoformat())
    refuses(
        told,
        Code.CONTRACT_EXCEEDED,
        filing(told, order, 100_000_01),
        contract_fen=100_000_01,
        left_fen=100_000_00,
    )
    told.do(filing(told, order, on=TODAY + timedelta(days=3)))
    refuses(told, Code.STATE_CHANGED, filing(told, order), state="held")


def test_after_the_complete_by_day_nothing_is_captured(told: Told) -> None:
    order = delivered(told)
    told.at = datetime.fromisoformat("2026-08-30T00:00+08:00")
    refuses(told, Code.STATE_CHANGED, confirming(told, order), event="complete_by", on="2026-08-29")
    told.at -= timedelta(microseconds=1)
    told.do(confirming(told, order))


def test_a_platform_suspended_or_a_voucher_revoked_after_the_hold_stops_the_capture(told: Told) -> None:
    voucher = told.voucher()
    order, waiting = delivered(told, voucher), accepted(told, voucher)

    def suspend(session: Session, _at: datetime) -> None:
        row = session.get_one(Certification, told.world.platform.certification_id)
        row.state = CertificationState.SUSPENDED.value

    def revoke(session: Session, _at: datetime) -> None:
        row = session.scalars(select(Voucher).where(Voucher.number == voucher)).one()
        row.state = VoucherState.REVOKED.value

    told.do(suspend)
    refuses(told, Code.PROVIDER_SUSPENDED, confirming(told, order), state="suspended")
    refuses(told, Code.PROVIDER_SUSPENDED, filing(told, waiting), state="suspended")
    told.do(revoke)
    refuses(told, Code.VOUCHER_REVOKED, confirming(told, order))
    refuses(told, Code.VOUCHER_REVOKED, filing(told, waiting))


def test_another_firms_or_platforms_order_does_not_exist(told: Told) -> None:
    order = delivered(told)
    other = told.do(lambda s, at: factories.firm(s, reviewer=told.world.reviewer, at=at)).actor
    elsewhere = told.do(lambda s, at: factories.provider(s, at=at)).manager
    voucher = told.voucher()
    request = place_order.PlaceRequest(voucher, told.world.platform.platform_id, factories.SERVICES[0])
    back = reverse.ReverseRequest(order, "退货")
    works: list[Work] = [
        confirming(told, order, actor=other),
        cancelling(told, order, other),
        cancelling(told, order, elsewhere),
        filing(told, order, actor=elsewhere),
        lambda s, at: only(deliver.deliver(s, [deliver.DeliverRequest(order)], actor=elsewhere, at=at)),
        lambda s, at: only(reverse.reverse(s, [back], actor=elsewhere, at=at)),
        lambda s, at: only(place_order.place_order(s, [request], actor=other, at=at)),
        confirming(told, "O202600000000"),
    ]
    for work in works:
        refuses(told, Code.NOT_FOUND, work)


def test_a_partial_capture_gives_the_rest_back_at_once_and_more_than_held_is_refused(told: Told) -> None:
    voucher = told.voucher()
    order = delivered(told, voucher)
    refuses(
        told,
        Code.CAPTURE_ABOVE_HOLD,
        confirming(told, order, 50_000_01),
        held_fen=50_000_00,
        asked_fen=50_000_01,
    )
    told.do(confirming(told, order, 30_000_00))
    assert told.order(order).captured_fen == 30_000_00
    left = standing(told, accounts.voucher(voucher))
    assert (left.available_fen, left.reserved_fen) == (170_000_00, 0)
    assert (cap_of(told).available_fen, cap_of(told).reserved_fen) == (170_000_00, 0)


def test_an_order_that_was_not_delivered_is_not_confirmed(told: Told) -> None:
    order = told.held_order()
    refuses(told, Code.STATE_CHANGED, confirming(told, order), state="held")


def test_one_request_of_a_sequence_is_refused_alone(told: Told) -> None:
    voucher, manager = told.voucher(), told.world.platform.manager
    first, second = accepted(told, voucher), accepted(told, voucher)
    contracts = [
        ContractRequest(first, "HT-1", TODAY, Fen(300_000_00)),
        ContractRequest(first, "HT-2", TODAY, Fen(40_000_00)),
        ContractRequest(first, "HT-3", TODAY, Fen(60_000_00)),
        ContractRequest("O202600000000", "HT-4", TODAY, Fen(60_000_00)),
        ContractRequest(second, "HT-5", TODAY, Fen(20_000_00)),
    ]
    answers = told.do(lambda s, at: file_contract.file_contract(s, contracts, actor=manager, at=at))
    codes = [answer.code if isinstance(answer, Refused) else None for answer in answers]
    assert codes == [Code.CONTRACT_EXCEEDED, None, Code.STATE_CHANGED, Code.NOT_FOUND, None]
    assert (told.order(first).contract_no, told.order(first).held_fen) == ("HT-2", 20_000_00)
    assert told.order(second).state == OrderState.HELD.value
    assert cap_of(told).reserved_fen == 30_000_00
    cancels = [cancel_order.CancelRequest(number) for number in (second, second, first)]
    ended = told.do(lambda s, at: cancel_order.cancel_order(s, cancels, actor=manager, at=at))
    assert [isinstance(answer, Refused) for answer in ended] == [False, True, False]
    assert cap_of(told).reserved_fen == 0


def test_an_order_whose_money_is_gone_is_not_reversed_whatever_its_row_says(told: Told) -> None:
    order, world = told.captured_order(), told.world

    def settled(session: Session, at: datetime) -> None:
        refs = accounts.order(order), accounts.payable("P-1")
        event = Event(
            posting_id("test", order),
            PostingKind.SETTLE,
            (Leg(*refs, 50_000_00),),
            2026,
            TODAY,
            factories.POLICY,
            world.checker.ref,
        )
        (answer,) = post(session, lock(session, world.book_id, refs), [event], at=at)
        assert isinstance(answer, Accepted)

    told.do(settled)
    request = reverse.ReverseRequest(order, "退货")
    refuses(
        told,
        Code.ALREADY_SETTLED,
        lambda s, at: only(reverse.reverse(s, [request], actor=world.platform.manager, at=at)),
        order=order,
        left_fen=0,
    )
