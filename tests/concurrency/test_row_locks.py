"""What a hold and a capture lock: nobody changes voucher, certification, order or session until they are done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.operations import counter
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database, sqlstate
from voucher.money import Fen
from voucher.operations import confirm_order, deliver, file_contract, reverse
from voucher.operations.confirm_session import confirm_session
from voucher.operations.outcome import only
from voucher.operations.propose import propose

Work = Callable[[Session, datetime], object]

TABLES = ("redemption_session", "voucher", "service_order", "certification")


def held_back(told: Told, work: Work) -> set[str]:
    """The tables of which another transaction cannot change a row while `work` is not committed."""

    def during(session: Session, at: datetime) -> set[str]:
        work(session, at)
        return {table for table in TABLES if not _changeable(told.database, table)}

    return told.do(during)


def _changeable(database: Database, table: str) -> bool:
    """Whether every row of the table could be updated now. FOR NO KEY UPDATE is what an UPDATE takes."""
    with database.engine.connect() as connection:
        try:
            connection.execute(text(f"SELECT 1 FROM {table} FOR NO KEY UPDATE NOWAIT"))
        except DBAPIError as failure:
            if sqlstate(failure) != "55P03":
                raise
            return False
        return True


@pytest.fixture
def told(pg_database: Database) -> Told:
    """The Shanxi world on PostgreSQL."""
    return Told(pg_database)


def test_nothing_is_locked_where_nothing_is_done(told: Told) -> None:
    told.held_order()
    assert held_back(told, lambda _session, _at: None) == set()


def test_a_proposal_locks_session_voucher_and_certification(told: Told) -> None:
    number, scanner = counter.scanned(told, told.voucher()), told.world.platform.scanner
    request = counter.request_of(number, 40_000_00)
    locked = held_back(told, lambda s, at: only(propose(s, [request], actor=scanner, at=at)))
    assert locked == {"redemption_session", "voucher", "certification"}


def test_a_confirmation_at_the_counter_locks_all_four(told: Told) -> None:
    made, firm = counter.proposed(told, told.voucher(), 40_000_00), told.world.firm.actor
    locked = held_back(told, lambda s, at: only(confirm_session(s, [made.session], actor=firm, at=at)))
    assert locked == set(TABLES)


def test_filing_a_contract_locks_voucher_order_and_certification(told: Told) -> None:
    voucher, manager = told.voucher(), told.world.platform.manager
    order = told.do(lambda s, at: placed(s, told.world, voucher, at=at))
    request = file_contract.ContractRequest(order, "HT-1", business_date(told.at), Fen(40_000_00))
    locked = held_back(
        told, lambda s, at: only(file_contract.file_contract(s, [request], actor=manager, at=at))
    )
    assert locked == {"voucher", "service_order", "certification"}


def test_a_remote_confirmation_locks_voucher_order_and_certification(told: Told) -> None:
    order, world = told.held_order(), told.world
    done, confirmed = deliver.DeliverRequest(order), confirm_order.ConfirmRequest(order)
    told.do(lambda s, at: only(deliver.deliver(s, [done], actor=world.platform.scanner, at=at)))
    locked = held_back(
        told, lambda s, at: only(confirm_order.confirm_order(s, [confirmed], actor=world.firm.actor, at=at))
    )
    assert locked == {"voucher", "service_order", "certification"}


def test_a_reversal_locks_voucher_and_order(told: Told) -> None:
    order, manager = told.captured_order(), told.world.platform.manager
    request = reverse.ReverseRequest(order, "退货")
    locked = held_back(told, lambda s, at: only(reverse.reverse(s, [request], actor=manager, at=at)))
    assert locked == {"voucher", "service_order"}
