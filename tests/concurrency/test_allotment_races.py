"""The last yuan of a base, on PostgreSQL: of a voucher wanted for two tenants, and of a tenant wanted by two orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier

from sqlalchemy.orm import Session

from tests.operations.startup_world import Base
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.allot import AllotRequest, allot
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.outcome import only
from voucher.operations.tenancies import LeaveRequest, leave
from voucher.terms import OrderState

OK = "ok"


def at_once(base: Base, works: Sequence[Callable[[Session, datetime], object]]) -> list[str]:
    """Run all works in threads of their own that start together; `ok` or the code of the refusal for each."""
    start = Barrier(len(works))

    def run(work: Callable[[Session, datetime], object]) -> str:
        start.wait(60)
        try:
            base.do(work)
        except Refusal as refusal:
            return refusal.code.value
        return OK

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_tenants_at_once_on_the_vouchers_last_yuan_one_gets_it(pg_database: Database) -> None:
    base = Base(pg_database)
    tenants = [base.tenant() for _ in range(2)]
    for _ in range(5):
        voucher = base.voucher(face_fen=1_000_00)

        def work(place: int, number: str = voucher) -> Callable[[Session, datetime], object]:
            asked = [AllotRequest(tenants[place].tenancy_id, Fen(1_000_00))]
            return lambda s, at: only(allot(s, number, asked, actor=base.manager, at=at))

        answers = Counter(at_once(base, [work(0), work(1)]))
        assert answers == {OK: 1, Code.VOUCHER_EXHAUSTED.value: 1}
        assert base.free(accounts.voucher(voucher)) == 0
    base.sound()


def test_of_two_orders_at_once_on_a_tenants_last_yuan_one_gets_it(pg_database: Database) -> None:
    base = Base(pg_database)
    tenant = base.tenant()
    for _ in range(3):
        voucher = base.voucher(face_fen=1_000_00)
        (number,) = base.allot(voucher, [(tenant, 500_00)])
        orders = [base.placed(voucher, [(number, 1_000_00)]) for _ in range(2)]

        def work(order: str) -> Callable[[Session, datetime], object]:
            on = business_date(base.at)
            asked = [ContractRequest(order, f"HT-{order}", on, Fen(1_000_00))]
            return lambda s, at: only(file_contract(s, asked, actor=base.platform.manager, at=at))

        answers = Counter(at_once(base, [work(order) for order in orders]))
        assert answers == {OK: 1, Code.ALLOTMENT_EXHAUSTED.value: 1}
        assert base.left(number) == 0
    base.sound()


def test_an_exit_against_a_hold_that_is_given_back_leaves_nothing_with_the_tenant(
    pg_database: Database,
) -> None:
    base = Base(pg_database)
    for _ in range(5):
        tenant, voucher = base.tenant(), base.voucher(face_fen=1_000_00)
        (number,) = base.allot(voucher, [(tenant, 1_000_00)])
        order = base.held(voucher, [(number, 1_000_00)])
        gone = [LeaveRequest(tenant.tenancy_id, date(2026, 3, 2))]
        called_off = [CancelRequest(order, "取消")]

        def leaving(s: Session, at: datetime, asked: list[LeaveRequest] = gone) -> object:
            return only(leave(s, asked, actor=base.manager, at=at))

        def cancelling(s: Session, at: datetime, asked: list[CancelRequest] = called_off) -> Order:
            return only(cancel_order(s, asked, actor=base.manager, at=at))

        assert at_once(base, [leaving, cancelling]) == [OK, OK]
        assert base.order(order).state == OrderState.RELEASED.value
        assert (base.left(number), base.free(accounts.voucher(voucher))) == (0, 1_000_00)
    base.sound()
