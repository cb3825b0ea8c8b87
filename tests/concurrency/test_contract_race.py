"""One contract in many orders at once, on PostgreSQL: its subsidies never pass what the rate gives on its amount."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.operations import contract_world as on
from tests.operations.stories import Told
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger.verify import verify
from voucher.models.contracts import Contract
from voucher.models.orders import Order
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.outcome import only

OK = "ok"


def at_once(told: Told, works: Sequence[Callable[[Session, datetime], object]]) -> list[str]:
    """Run all works in threads of their own that start together; `ok` or the code of the refusal for each."""
    start = Barrier(len(works))

    def run(work: Callable[[Session, datetime], object]) -> str:
        start.wait(60)
        try:
            told.do(work)
        except Refusal as refusal:
            return refusal.code.value
        return OK

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_one_contract_in_30_orders_never_passes_its_ceiling(pg_database: Database) -> None:
    """Three vouchers, two platforms of one host, two programmes at 50 % and 30 % of a contract of 60,000.00."""
    told = Told(pg_database)
    world, other = told.world, on.second(told)
    vouchers = [told.voucher(), told.voucher(), on.voucher_of(told, other.line_code)]
    platforms = [world.platform, other.sibling]
    spellings = ["HT-2026/01", "ht 2026/01", "ＨＴ—2026／01", "HT2026/01", "Ht‐2026/01"]
    orders = [
        (on.accepted_at(told, vouchers[n % 3], platforms[n % 2], 10_000_00), platforms[n % 2])
        for n in range(30)
    ]
    works = [
        on.filing(told, order, 10_000_00, number=spellings[n % 5], whole_fen=60_000_00, by=platform)
        for n, (order, platform) in enumerate(orders)
    ]
    answers = Counter(at_once(told, works))
    assert set(answers) == {OK, Code.CONTRACT_EXCEEDED.value}, answers
    with told.database.read() as session:
        held: dict[str, int] = dict(
            session.execute(
                select(Order.programme_code, func.sum(Order.held_fen)).group_by(Order.programme_code)
            )
            .tuples()
            .all()
        )
        assert session.scalars(select(func.count()).select_from(Contract)).one() == 1
        assert verify(session).faults == ()
    assert sum(held.values()) == 30_000_00
    assert held.get(on.OTHER, 0) <= 18_000_00
    together = on.ceiling(told, spellings[0])
    assert (together.reserved_fen, together.available_fen, together.opened_fen) == (30_000_00, 0, 30_000_00)
    gone = [CancelRequest(order, "") for order, _ in orders if told.order(order).held_fen]
    both = [
        (request, platform) for request in gone for order, platform in orders if order == request.order_number
    ]
    told.do(lambda s, at: only(cancel_order(s, [both[0][0]], actor=both[0][1].manager, at=at)))
    assert on.ceiling(told, spellings[0]).available_fen > 0
