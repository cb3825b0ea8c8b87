"""A team becomes a firm while it holds, redeems and is given a voucher, on PostgreSQL: never between the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier, Event
from time import sleep

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.operations.joining_world import FIRM, KEY, Joining
from voucher.clock import business_date
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.verify import verify
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.desk import DeskDecision, decide
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.terms import DeskKind, OrderState

OK = "ok"
Work = Callable[[Session, datetime], object]


def at_once(world: Joining, works: Sequence[Callable[[Session, datetime], object]]) -> list[str]:
    """Run all works in threads of their own that start together; `ok` or the code of the refusal for each."""
    start = Barrier(len(works))

    def run(work: Callable[[Session, datetime], object]) -> str:
        start.wait(60)
        try:
            world.do(work)
        except Refusal as refusal:
            return refusal.code.value
        return OK

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.parametrize("turn", range(4))
def test_a_hold_and_the_conversion_at_once_leave_one_of_two_whole_stories(
    pg_database: Database, turn: int
) -> None:
    """Held first: the conversion is refused. Converted first: the hold is refused, or held by the firm's cap."""
    world = Joining(pg_database)
    team_id, ref = world.team()
    member = world.member(team_id)
    vouchers = [world.voucher_of(ref) for _ in range(3)]
    orders = [world.placed(voucher, member, quote_fen=100_000_00) for voucher in vouchers]
    case = world.case(DeskKind.CONVERT, ref, uscc=FIRM, name="星火科技有限公司", legal_representative="甲")

    def file(order: str) -> Callable[[Session, datetime], object]:
        contract = ContractRequest(order, f"HT-{order}", business_date(world.at), Fen(100_000_00))
        manager = world.world.platform.manager
        return lambda session, at: only(file_contract(session, [contract], actor=manager, at=at))

    def convert(session: Session, at: datetime) -> object:
        return only(decide(session, [DeskDecision(case, True)], key=KEY, actor=world.second, at=at))

    works = [*map(file, orders), convert]
    answers = at_once(world, works[turn:] + works[:turn])
    said = dict(zip((works[turn:] + works[:turn]), answers, strict=True))
    holder = world.holder(ref)
    held = sum(world.order(order).held_fen for order in orders)
    assert held == 50_000_00 * sum(said[work] == OK for work in works[:3])
    if said[convert] == OK:
        assert holder.converted_into == world.holder(FIRM).id
        assert {said[work] for work in works[:3]} <= {OK, Code.STATE_CHANGED.value}
        assert world.balance(accounts.cap("CN-140000-INNO", ref, 2026)) == 0
    else:
        assert said[convert] == Code.CONVERSION_BLOCKED.value and holder.converted_into is None
    with world.database.read() as session:
        owners = set(
            session.scalars(
                select(Voucher.holder_id)
                .join(Order, Order.voucher_id == Voucher.id)
                .where(Order.state == OrderState.HELD.value)
            )
        )
        assert owners <= {holder.converted_into or holder.id}
        assert verify(session).faults == ()


def test_a_hold_that_is_under_way_is_waited_for_and_then_refuses_the_conversion(
    pg_database: Database,
) -> None:
    world, file, convert, order = _about_to(pg_database)
    answers = one_during_the_other(world, file, convert)
    assert answers == [OK, Code.CONVERSION_BLOCKED.value]
    assert world.order(order).held_fen == 50_000_00


def test_a_conversion_that_is_under_way_is_waited_for_and_then_refuses_the_hold(
    pg_database: Database,
) -> None:
    world, file, convert, order = _about_to(pg_database)
    answers = one_during_the_other(world, convert, file)
    assert answers == [OK, Code.STATE_CHANGED.value]
    assert world.order(order).holder_id == world.holder(FIRM).id
    world.do(file)
    with pg_database.read() as session:
        assert verify(session).faults == ()


def one_during_the_other(world: Joining, first: Work, second: Work) -> list[str]:
    """Begin the second when the first is done and not committed yet; `ok` or the code of the refusal for each."""
    done, answers = Event(), [OK, OK]

    def slow(session: Session, at: datetime) -> None:
        first(session, at)
        done.set()
        sleep(1)

    def run(place: int, work: Work) -> None:
        try:
            world.do(work)
        except Refusal as refusal:
            answers[place] = refusal.code.value

    with ThreadPoolExecutor(2) as pool:
        begun = pool.submit(run, 0, slow)
        assert done.wait(30)
        for task in (begun, pool.submit(run, 1, second)):
            task.result(60)
    return answers


def _about_to(database: Database) -> tuple[Joining, Work, Work, str]:
    """A team with an order whose contract is about to be filed, and a case of its conversion."""
    world = Joining(database)
    team_id, ref = world.team()
    order = world.placed(world.voucher_of(ref), world.member(team_id))
    said = {"uscc": FIRM, "name": "星火科技有限公司", "legal_representative": "甲"}
    case = world.case(DeskKind.CONVERT, ref, **said)
    contract = ContractRequest(order, f"HT-{order}", business_date(world.at), Fen(100_000_00))
    manager, second = world.world.platform.manager, world.second
    return (
        world,
        lambda session, at: only(file_contract(session, [contract], actor=manager, at=at)),
        lambda session, at: only(decide(session, [DeskDecision(case, True)], key=KEY, actor=second, at=at)),
        order,
    )


def test_a_voucher_issued_while_the_team_becomes_a_firm_is_never_the_teams(pg_database: Database) -> None:
    world = Joining(pg_database)
    _, ref = world.team()
    case = world.case(DeskKind.CONVERT, ref, uscc=FIRM, name="星火科技有限公司", legal_representative="甲")
    officer, line = world.world.officer, world.world.line_code

    def give(session: Session, at: datetime) -> object:
        return only(issue(session, line, [IssueRequest(ref, Fen(10_000_00))], actor=officer, at=at))

    def convert(session: Session, at: datetime) -> object:
        return only(decide(session, [DeskDecision(case, True)], key=KEY, actor=world.second, at=at))

    answers = at_once(world, [give, give, convert, give, give])
    assert answers[2] == OK, answers
    with world.database.read() as session:
        holders = set(session.scalars(select(Voucher.holder_id)))
    assert holders <= {world.holder(FIRM).id}
