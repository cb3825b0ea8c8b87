"""Further limits and other payers of an order: charged by the hold, and given back by whatever gives the order back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import standings
from voucher.ledger.events import Event, Leg, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.capture import CaptureRequest, capture, release
from voucher.operations.hold import Draw, Held, HoldRequest, hold
from voucher.operations.outcome import Refused, only
from voucher.operations.policies import policy_of
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.rules.clamp import LimitName
from voucher.terms import OrderState, PostingKind


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that an agreement pays, in fen or in times."""

    account: Ref
    source: Ref
    used: Ref
    amount_fen: Fen
    name: LimitName = "quota"
    period: int = 2026
    set_by: tuple[str, str] = ("AGREEMENT", "")
    keeps: bool = False


def quota(amount_fen: int) -> Quota:
    """An agreement's quota in fen."""
    names = [Ref(code, owner, 2026) for code, owner in
             (("quota", "A|"), ("quota_source", "A"), ("quota_used", "A"))]  # fmt: skip
    return Quota(names[0], names[1], names[2], Fen(amount_fen))


def times(most: int) -> Quota:
    """A count."""
    names = [Ref(code, "A", 2026) for code in ("count", "count_source", "count_used")]
    return Quota(names[0], names[1], names[2], Fen(most), name="count")


@pytest.fixture
def told(database: Database) -> Told:
    """The Shanxi world."""
    return Told(database)


def left(told: Told, ref: Ref) -> int:
    """What an account still leaves."""
    with told.database.read() as session:
        return standings(session, told.world.book_id, [ref])[ref].available_fen


def held(told: Told, *limits: Quota, draws: tuple[Draw, ...] = (), voucher: str = "") -> Held | Refused:
    """What holding 50,000.00 for a new order under these limits answers."""
    number = voucher or told.voucher()

    def work(session: Session, at: datetime) -> Held | Refused:
        order_number = placed(session, told.world, number, at=at)
        order = session.scalars(select(Order).where(Order.number == order_number)).one()
        row = session.scalars(select(Voucher).where(Voucher.number == number)).one()
        policy = policy_of(session, order.policy_code)
        order.contract_fen = 100_000_00
        request = HoldRequest(order, row, policy, "140000", Fen(100_000_00), limits=limits, draws=draws)
        (answer,) = hold(session, [request], actor=told.world.platform.manager, at=at)
        return answer

    return told.do(work)


def order_of(answer: Held | Refused) -> str:
    """The number of the order that holds."""
    assert isinstance(answer, Held)
    return answer.order.number


def captured(told: Told, number: str, amount_fen: int, keep_fen: int = 0) -> None:
    """Take a part of an order's hold."""

    def work(session: Session, at: datetime) -> None:
        order = session.scalars(select(Order).where(Order.number == number).with_for_update()).one()
        order.instalments = 2 if keep_fen else order.instalments
        request = CaptureRequest(order, Fen(amount_fen), Fen(keep_fen), last=not keep_fen)
        only(capture(session, [request], actor=told.world.platform.manager, at=at))

    told.do(work)


def reversed_(told: Told, number: str) -> None:
    """Reverse an order."""
    actor, request = told.world.platform.manager, ReverseRequest(number, "退货")
    told.do(lambda session, at: only(reverse(session, [request], actor=actor, at=at)))


def allotted(told: Told, voucher: str, *amounts: int) -> tuple[Ref, ...]:
    """Allotments of a voucher."""
    refs = tuple(accounts.allot(voucher, f"T{place}") for place in range(len(amounts)))

    def work(session: Session, at: datetime) -> None:
        payer = accounts.voucher(voucher)
        event = Event(
            id=posting_id("test-allot", voucher), kind=PostingKind.ALLOT,
            legs=tuple(Leg(payer, ref, amount) for ref, amount in zip(refs, amounts, strict=True)),
            fiscal_year=2026, event_on=business_date(at), rule_version="", actor_ref="test",
        )  # fmt: skip
        post(session, lock(session, told.world.book_id, [payer, *refs]), [event], at=at)

    told.do(work)
    return refs


def test_a_further_limit_cuts_the_hold_and_a_reversal_gives_it_back(told: Told) -> None:
    first = held(told, quota(60_000_00), times(2))
    second = held(told, quota(60_000_00), times(2))
    assert isinstance(second, Held) and second.held_fen == 10_000_00
    assert second.reductions[0]["limit"] == "quota"
    third = held(told, quota(60_000_00), times(3))
    assert isinstance(third, Refused) and third.code is Code.QUOTA_EXCEEDED
    assert third.facts["quota_fen"] == 60_000_00 and third.facts["left_fen"] == 0
    number = order_of(first)
    captured(told, number, 40_000_00)
    assert left(told, quota(0).account) == 10_000_00
    assert left(told, times(0).account) == 0
    reversed_(told, number)
    assert left(told, quota(0).account) == 50_000_00
    assert left(told, times(0).account) == 1


def test_a_count_that_is_used_up_refuses_with_its_number(told: Told) -> None:
    held(told, times(1))
    answer = held(told, times(1))
    assert isinstance(answer, Refused) and answer.code is Code.COUNT_EXCEEDED
    assert answer.facts["limit"] == 1 and answer.facts["used"] == 1


def test_an_order_in_parts_counts_once(told: Told) -> None:
    number = order_of(held(told, times(1)))
    captured(told, number, 20_000_00, keep_fen=30_000_00)
    captured(told, number, 30_000_00)
    reversed_(told, number)
    assert left(told, times(1).account) == 1


def test_several_allotments_pay_in_proportion_and_get_back_what_they_paid(told: Told) -> None:
    voucher = told.voucher()
    refs = allotted(told, voucher, 30_000_00, 15_000_00, 40_000_00)
    draws = tuple(Draw(ref, Fen(15_000_00)) for ref in refs)
    answer = held(told, draws=draws, voucher=voucher)
    assert isinstance(answer, Held) and answer.held_fen == 45_000_00
    assert answer.reductions[0]["limit"] == "allotment"
    captured(told, answer.order.number, 10_000_00)
    assert [left(told, ref) for ref in refs] == [26_666_66, 11_666_67, 36_666_67]
    reversed_(told, answer.order.number)
    assert [left(told, ref) for ref in refs] == [30_000_00, 15_000_00, 40_000_00]


def test_a_release_gives_every_allotment_and_limit_back(told: Told) -> None:
    voucher = told.voucher()
    refs = allotted(told, voucher, 30_000_00, 15_000_00)
    draws = tuple(Draw(ref, Fen(20_000_00)) for ref in refs)
    number = order_of(held(told, quota(50_000_00), draws=draws, voucher=voucher))
    assert [left(told, ref) for ref in refs] == [10_000_00, 0]

    def work(session: Session, at: datetime) -> None:
        order = session.scalars(select(Order).where(Order.number == number).with_for_update()).one()
        actor = told.world.platform.manager
        only(release(session, [order], state=OrderState.RELEASED, actor=actor, at=at))

    told.do(work)
    assert [left(told, ref) for ref in refs] == [30_000_00, 15_000_00]
    assert left(told, quota(0).account) == 50_000_00
