"""One pledge wanted by many at once, and books named in opposite orders, on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.concurrency.test_contract_race import OK, at_once
from tests.factories import Firm
from tests.operations.cofunding_world import Shared
from tests.operations.test_remit import sent
from tests.operations.test_settlement import settled
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code
from voucher.money import Fen
from voucher.operations import answer_order, file_contract, place_order
from voucher.operations.outcome import only
from voucher.operations.remit import RemitRequest, prepare
from voucher.operations.reverse import ReverseRequest, reverse

Work = Callable[[Session, datetime], object]


def filing(shared: Shared, firm: Firm) -> Work:
    """The filing of a contract of 10,000.00 for a new order of a firm: 1,666.67 of it are the co-funder's."""
    voucher, world = shared.voucher(face_fen=10_000_00, holder_ref=firm.holder_ref), shared.world
    manager = world.platform.manager

    def place(session: Session, at: datetime) -> str:
        asked = place_order.PlaceRequest(voucher, world.platform.platform_id, factories.SERVICES[0])
        order = only(place_order.place_order(session, [asked], actor=firm.actor, at=at))
        accepted = [answer_order.AcceptRequest(order.number, Fen(10_000_00))]
        only(answer_order.accept_order(session, accepted, actor=manager, at=at))
        return order.number

    number = shared.do(place)
    on = business_date(shared.at)
    request = file_contract.ContractRequest(number, f"HT-{number}", on, Fen(10_000_00))
    return lambda s, at: only(file_contract.file_contract(s, [request], actor=manager, at=at))


def test_of_20_holds_on_a_pledge_for_10_exactly_10_succeed(pg_database: Database) -> None:
    shared = Shared(pg_database, pledged_fen=10 * 1_666_67)
    reviewer = shared.world.reviewer
    firms = [shared.do(lambda s, at: factories.firm(s, reviewer=reviewer, at=at)) for _ in range(5)]
    works = [filing(shared, firms[place % 5]) for place in range(20)]
    assert Counter(at_once(shared, works)) == {OK: 10, Code.PLEDGE_EXCEEDED.value: 10}
    assert shared.pledged() == 0
    shared.sound()


def test_reversals_and_holds_over_two_books_never_wait_in_a_ring(pg_database: Database) -> None:
    """Reversals give back to the pledge that holds take from, while the other book's limits go the other way."""
    shared = Shared(pg_database, pledged_fen=16_666_67 + 8 * 1_666_67)
    voucher = shared.voucher()
    order = shared.captured_order(voucher=voucher, contract_fen=100_000_00)
    firm = shared.do(lambda s, at: factories.firm(s, reviewer=shared.world.reviewer, at=at))
    actor = shared.world.platform.manager
    undo: Work = lambda s, at: only(reverse(s, [ReverseRequest(order, "退货")], actor=actor, at=at))  # noqa: E731
    works = [undo, *(filing(shared, firm) for _ in range(8))]
    assert at_once(shared, works) == [OK] * 9
    assert shared.pledged() == 16_666_67
    shared.sound()


def test_remittances_at_once_never_send_more_than_is_owed(pg_database: Database) -> None:
    shared = Shared(pg_database)
    settled(shared, shared.approved(order=shared.captured_order(contract_fen=100_000_00)))
    sent(shared, 6_666_67)
    request = RemitRequest("330100", "140000", Fen(2_000_00), "付1号")
    maker = shared.other.maker
    works: list[Work] = [lambda s, at: only(prepare(s, [request], actor=maker, at=at))] * 9
    assert Counter(at_once(shared, works)) == {OK: 5, Code.CLEARING_EXCEEDED.value: 4}
    shared.sound()
