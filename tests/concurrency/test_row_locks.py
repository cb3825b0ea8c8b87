"""What a hold and a capture lock: nobody changes voucher, certification, order or session until they are done."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.operations import counter
from tests.operations.startup_world import Base
from tests.operations.stories import Told, placed
from voucher.clock import business_date
from voucher.db import Database, sqlstate
from voucher.errors import Code, Refusal
from voucher.money import Fen
from voucher.operations import cancel_order, confirm_order, deliver, file_contract, reverse, review
from voucher.operations.confirm_session import confirm_session, reject_session
from voucher.operations.group_order import place_for_tenants
from voucher.operations.outcome import only
from voucher.operations.propose import propose
from voucher.operations.sweep import sweep_holds
from voucher.terms import Verdict

Work = Callable[[Session, datetime], object]

TABLES = ("redemption_session", "voucher", "service_order", "certification")


def held_back(told: Told | Base, work: Work, tables: Sequence[str] = TABLES) -> set[str]:
    """The tables of which another transaction cannot change a row while `work` is not committed."""

    def during(session: Session, at: datetime) -> set[str]:
        work(session, at)
        return {table for table in tables if not _changeable(told.database, table)}

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


def test_ordering_filing_and_confirming_for_a_tenant_lock_the_centre_that_it_is_in(
    pg_database: Database,
) -> None:
    base, tables = Base(pg_database), ("centre", "tenancy")
    (number,) = base.allot(voucher := base.voucher(), [(base.tenant(), 1_000_00)])
    asked, manager = [base.asking(voucher, [(number, 100_00)])], base.manager
    locked = held_back(base, lambda s, at: only(place_for_tenants(s, asked, actor=manager, at=at)), tables)
    assert locked == set(tables)
    order, today = base.placed(voucher, [(number, 100_00)]), business_date(base.at)
    contract = [file_contract.ContractRequest(order, "HT-1", today, Fen(100_00))]
    filer = base.platform.manager
    filed = held_back(
        base, lambda s, at: only(file_contract.file_contract(s, contract, actor=filer, at=at)), tables
    )
    base.deliver(order)
    done = [confirm_order.ConfirmRequest(order)]
    confirmed = held_back(
        base, lambda s, at: only(confirm_order.confirm_order(s, done, actor=manager, at=at)), tables
    )
    assert "centre" in filed & confirmed


def test_a_reversal_locks_voucher_and_order(told: Told) -> None:
    order, manager = told.captured_order(), told.world.platform.manager
    request = reverse.ReverseRequest(order, "退货")
    locked = held_back(told, lambda s, at: only(reverse.reverse(s, [request], actor=manager, at=at)))
    assert locked == {"voucher", "service_order"}


def behind(told: Told, first: Work, second: Work) -> str:
    """How `second` ends when it comes while `first` is done and not committed, and so has to wait for it."""
    entered = Event()

    def work(session: Session, at: datetime) -> None:
        first(session, at)
        entered.set()
        _wait_for_a_waiter(told.database)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(told.do, work)
        assert entered.wait(30)
        with pytest.raises(Refusal) as caught:
            told.do(second)
        running.result()
    return caught.value.code.value


def _wait_for_a_waiter(database: Database) -> None:
    with database.engine.connect() as connection:
        for _ in range(400):
            waiting = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()
            connection.rollback()
            if waiting:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_confirmation_behind_a_rejection_finds_the_session_closed(told: Told) -> None:
    made, firm = counter.proposed(told, told.voucher(), 40_000_00), told.world.firm.actor
    answer = behind(
        told,
        lambda s, at: reject_session(s, made.session, reason="不对", actor=firm, at=at),
        lambda s, at: only(confirm_session(s, [made.session], actor=firm, at=at)),
    )
    assert answer == Code.SESSION_CLOSED.value


def test_a_remote_cancellation_behind_another_finds_the_state_changed(told: Told) -> None:
    order, firm = told.held_order(), told.world.firm.actor
    request = cancel_order.CancelRequest(order, "不再需要")

    def cancel(session: Session, at: datetime) -> object:
        return only(cancel_order.cancel_order(session, [request], actor=firm, at=at))

    assert behind(told, cancel, cancel) == Code.STATE_CHANGED.value


def test_the_sweep_passes_over_a_session_that_somebody_works_on(told: Told) -> None:
    made, firm = counter.proposed(told, told.voucher(), 40_000_00), told.world.firm.actor
    late = told.at + timedelta(minutes=10)

    def confirm(session: Session, at: datetime) -> int:
        only(confirm_session(session, [made.session], actor=firm, at=at))
        return told.do(lambda s, _at: sweep_holds(s, at=late))

    assert told.do(confirm) == 0
    assert told.order(made.order).state == "captured"


ORDER = ("redemption_session", "voucher", "service_order", "claim", "settlement_batch", "account")


def in_turn(told: Told, work: Work) -> list[str]:
    """The tables of the documented order whose rows `work` waits for, each time it begins with another one."""
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        named = (
            []
            if "SKIP LOCKED" in statement
            else re.findall(r"FOR (?:NO KEY UPDATE|UPDATE|SHARE)(?: OF (\w+))?", statement)
        )
        first = re.search(r"FROM (\w+)", statement)
        for table in (each or (first.group(1) if first else "") for each in named):
            if table in ORDER and seen[-1:] != [table]:
                seen.append(table)

    event.listen(told.database.engine, "before_cursor_execute", listen)
    told.do(work)
    event.remove(told.database.engine, "before_cursor_execute", listen)
    return seen


def test_rows_are_locked_in_the_order_of_the_page_on_locking(told: Told) -> None:
    world, voucher = told.world, told.voucher()
    number = counter.scanned(told, voucher)
    request = counter.request_of(number, 40_000_00)
    proposing = in_turn(told, lambda s, at: only(propose(s, [request], actor=world.platform.scanner, at=at)))
    confirming = in_turn(
        told, lambda s, at: only(confirm_session(s, [number], actor=world.firm.actor, at=at))
    )
    reversal = reverse.ReverseRequest(told.captured_order(voucher=voucher), "退货")
    reversing = in_turn(
        told, lambda s, at: only(reverse.reverse(s, [reversal], actor=world.platform.manager, at=at))
    )
    approval = review.ReviewRequest(told.claimed(), Verdict.TRIM, Fen(1_00), "超出")
    reviewing = in_turn(told, lambda s, at: only(review.review(s, [approval], actor=world.reviewer, at=at)))
    assert proposing == ["redemption_session", "voucher", "account"]
    assert confirming == ["redemption_session", "voucher", "service_order", "account"]
    assert reversing == ["voucher", "service_order", "claim", "account"]
    assert reviewing == ["voucher", "service_order", "claim", "account"]
