"""The last and the first instant of a year and of a voucher, in Shanghai, with server and database in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from tests import factories
from tests.operations import counter
from tests.operations.counter import cap_of, refuses
from tests.operations.stories import Told, placed
from voucher.clock import SHANGHAI, business_date, day_bounds
from voucher.db import Database
from voucher.errors import Code
from voucher.models.ledger import Posting
from voucher.models.parties import Organisation
from voucher.money import Fen
from voucher.operations import file_contract, place_order, reverse
from voucher.operations.confirm_session import confirm_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.terms import PostingKind

NEW_YEAR = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
LAST = NEW_YEAR - timedelta(microseconds=1)


@pytest.fixture
def december(database: Database) -> Told:
    """The world in December 2026, its firm on the rosters of both years."""
    told = Told(database, at=NEW_YEAR - timedelta(days=10))

    def rostered(session: Session, at: datetime) -> None:
        owner = session.get_one(Organisation, told.world.firm.organisation_id)
        factories.on_roster(session, owner, by=told.world.reviewer, year=2027, at=at)

    told.do(rostered)
    return told


def propose_at(told: Told, voucher: str, at: datetime) -> counter.Proposed:
    """A proposal at exactly this instant, on a code scanned a minute before it."""
    told.at = at - timedelta(minutes=1)
    number, scanner = counter.scanned(told, voucher), told.world.platform.scanner
    request = counter.request_of(number, 40_000_00)
    held = told.do(lambda s, now: only(propose(s, [request], actor=scanner, at=now)), at=at)
    told.at = at
    return counter.Proposed(number, held.order.number, held.held_fen, held.reductions)


def confirming(told: Told, number: str) -> Callable[[Session, datetime], object]:
    firm = told.world.firm.actor
    return lambda session, at: only(confirm_session(session, [number], actor=firm, at=at))


def test_the_last_microsecond_of_december_charges_the_old_year_and_the_next_the_new_one(
    december: Told,
) -> None:
    assert (LAST.astimezone(SHANGHAI).isoformat(), LAST.year) == ("2026-12-31T23:59:59.999999+08:00", 2026)
    voucher = december.voucher()
    old = propose_at(december, voucher, LAST)
    assert (cap_of(december, 2026).available_fen, cap_of(december, 2027).opened_fen) == (180_000_00, 0)
    new = propose_at(december, voucher, NEW_YEAR)
    for year, made in ((2026, old), (2027, new)):
        assert cap_of(december, year).available_fen == 180_000_00
        assert december.order(made.order).fiscal_year == year
        december.do(confirming(december, made.session))
        hold = december.one(Posting, id=december.order(made.order).capture_posting)
        assert (hold.fiscal_year, hold.event_on) == (year, date(2027, 1, 1))
        assert made.order.startswith(f"O{year}")


def test_a_reversal_in_january_gives_decembers_room_back_and_leaves_january_alone(december: Told) -> None:
    voucher, manager = december.voucher(), december.world.platform.manager
    december.at = LAST
    made = counter.redeemed(december, voucher, 40_000_00)
    december.at = NEW_YEAR + timedelta(days=9)
    counter.redeemed(december, voucher, 20_000_00)
    request = reverse.ReverseRequest(made.order, "金额有误")
    december.do(lambda s, at: only(reverse.reverse(s, [request], actor=manager, at=at)))
    assert cap_of(december, 2026).available_fen == 200_000_00
    assert cap_of(december, 2027).available_fen == 190_000_00
    posting = december.one(Posting, kind=PostingKind.REVERSE.value)
    assert (posting.fiscal_year, posting.event_on) == (2026, date(2027, 1, 10))


def test_an_order_of_december_whose_contract_is_filed_in_january_charges_december(december: Told) -> None:
    voucher, manager = december.voucher(), december.world.platform.manager
    order = december.do(lambda s, at: placed(s, december.world, voucher, at=at), at=LAST)
    december.at = NEW_YEAR + timedelta(days=9)
    contract = file_contract.ContractRequest(order, "HT-1", business_date(december.at), Fen(40_000_00))
    december.do(lambda s, at: only(file_contract.file_contract(s, [contract], actor=manager, at=at)))
    assert cap_of(december, 2026).available_fen == 180_000_00
    assert cap_of(december, 2027).opened_fen == 0
    posting = december.one(Posting, kind=PostingKind.HOLD.value)
    assert (posting.fiscal_year, posting.event_on) == (2026, date(2027, 1, 10))


def test_a_firm_that_is_not_on_the_new_years_roster_buys_nothing_in_january(database: Database) -> None:
    told = Told(database, at=LAST)
    voucher = told.voucher()
    told.do(placing(told, voucher))
    told.at = NEW_YEAR
    refuses(told, Code.NOT_QUALIFIED, placing(told, voucher), reason="roster", year=2027)


def placing(told: Told, voucher: str) -> Callable[[Session, datetime], object]:
    request = place_order.PlaceRequest(voucher, told.world.platform.platform_id, factories.SERVICES[0])
    firm = told.world.firm.actor
    return lambda session, at: only(place_order.place_order(session, [request], actor=firm, at=at))


def test_a_voucher_lives_to_the_last_millisecond_of_its_last_day(december: Told) -> None:
    voucher, firm = december.voucher(), december.world.firm.actor
    issued_on = business_date(december.at)
    _, end = day_bounds(issued_on + timedelta(days=365))
    december.at = end - timedelta(milliseconds=1)
    assert december.at.astimezone(SHANGHAI).isoformat().endswith("T23:59:59.999000+08:00")
    december.do(placing(december, voucher))
    december.do(lambda s, at: open_session(s, voucher, actor=firm, at=at))
    december.at = end
    last_day = (issued_on + timedelta(days=365)).isoformat()
    refuses(december, Code.VOUCHER_EXPIRED, placing(december, voucher), use_by_on=last_day)
    refuses(december, Code.VOUCHER_EXPIRED, lambda s, at: open_session(s, voucher, actor=firm, at=at))
