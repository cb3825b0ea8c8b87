"""Budget lines and closed periods."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from tests import factories
from tests.factories import World
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.ledger import accounts
from voucher.ledger.locking import lock
from voucher.models.ledger import Posting
from voucher.models.programmes import BudgetDocument
from voucher.money import Fen
from voucher.operations.close_period import close_period
from voucher.operations.fund import AllotRequest, Funded, FundRequest, LineRequest, allot, fund, open_lines
from voucher.operations.outcome import Refused

AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(database: Database) -> World:
    return database.transaction(lambda s, at: factories.shanxi(s, at=at, funded_fen=0), at=AT)


def left(database: Database, world: World, code: str, year: int = 2026) -> int:
    ref = accounts.budget(code, year)
    return database.transaction(lambda s, at: lock(s, world.book_id, [ref]).available(ref))


def put(
    database: Database, world: World, amount: int, document_no: str = "晋财教〔2026〕7号"
) -> Funded | Refused:
    request = FundRequest(world.line_code, document_no, Fen(amount))
    return database.transaction(lambda s, at: fund(s, [request], actor=world.maker, at=at), at=AT)[0]


def line(database: Database, world: World, code: str, name: str = "二期") -> int | Refused:
    request = LineRequest(code, world.programme_code, 2026, name)
    return database.transaction(lambda s, at: open_lines(s, [request], actor=world.maker, at=at), at=AT)[0]


def test_a_document_puts_its_amount_on_a_line_once(database: Database, world: World) -> None:
    first, again = put(database, world, 300_000_00), put(database, world, 300_000_00)
    assert isinstance(first, Funded) and not first.replayed
    assert isinstance(again, Funded) and again.replayed
    assert left(database, world, world.line_code) == 300_000_00
    other = put(database, world, 300_000_01)
    assert isinstance(other, Refused) and other.code is Code.ALREADY_REGISTERED
    put(database, world, 50_000_00, "晋财教〔2026〕8号")
    assert left(database, world, world.line_code) == 350_000_00
    with database.read() as session:
        assert sorted(session.scalars(select(BudgetDocument.amount_fen))) == [50_000_00, 300_000_00]
        assert session.scalars(select(Posting.kind)).all() == ["fund", "fund"]


def test_one_document_entered_by_eight_at_once_counts_once(pg_database: Database) -> None:
    world = pg_database.transaction(lambda s, at: factories.shanxi(s, at=at, funded_fen=0), at=AT)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(put, pg_database, world, 300_000_00) for _ in range(8)]
    replayed = [answer.result().replayed for answer in answers]  # type: ignore[union-attr]
    assert sorted(replayed) == [False] + [True] * 7
    assert left(pg_database, world, world.line_code) == 300_000_00


def test_another_books_line_does_not_exist(database: Database, world: World) -> None:
    stranger = replace(world, maker=replace(world.maker, book_ids=frozenset()))
    for answer in (put(database, stranger, 1_00), line(database, stranger, "X")):
        assert isinstance(answer, Refused) and answer.code is Code.NOT_FOUND


def test_a_line_is_opened_once_and_its_code_and_name_are_its_own(database: Database, world: World) -> None:
    first = line(database, world, "L2")
    assert isinstance(first, int) and line(database, world, "L2") == first
    for taken in (line(database, world, "L2", "三期"), line(database, world, "L3", "二期")):
        assert isinstance(taken, Refused) and taken.code is Code.ALREADY_REGISTERED


def test_money_moves_between_lines_and_never_more_than_there_is(database: Database, world: World) -> None:
    put(database, world, 100_000_00)
    line(database, world, "L2")

    def move(amount: int, document_no: str) -> Funded | Refused:
        request = AllotRequest(world.line_code, "L2", document_no, Fen(amount))
        return database.transaction(lambda s, at: allot(s, [request], actor=world.maker, at=at), at=AT)[0]

    first, again = move(60_000_00, "分配1"), move(60_000_00, "分配1")
    assert isinstance(first, Funded) and isinstance(again, Funded) and again.replayed
    too_much = move(40_000_01, "分配2")
    assert isinstance(too_much, Refused) and too_much.code is Code.BUDGET_EXCEEDED
    assert too_much.facts["left_fen"] == 40_000_00
    assert (left(database, world, world.line_code), left(database, world, "L2")) == (40_000_00, 60_000_00)


def test_nothing_is_posted_into_a_closed_period_and_closing_never_goes_back(
    database: Database, world: World
) -> None:
    def close(through: date) -> date:
        return database.transaction(
            lambda s, at: close_period(s, world.book_code, through=through, actor=world.checker, at=at),
            at=datetime(2026, 7, 1, tzinfo=UTC),
        )

    assert close(date(2026, 6, 30)) == date(2026, 6, 30)
    late = put(database, world, 1_00)
    assert isinstance(late, Refused) and late.code is Code.PERIOD_CLOSED
    for through, code in ((date(2026, 6, 30), Code.PERIOD_CLOSED), (date(2026, 7, 1), Code.PERIOD_NOT_OVER)):
        with pytest.raises(Refusal) as refusal:
            close(through)
        assert refusal.value.code is code
    stranger = replace(world, checker=replace(world.checker, book_ids=frozenset()))
    with pytest.raises(Refusal) as refusal:
        database.transaction(
            lambda s, at: close_period(
                s, world.book_code, through=date(2026, 6, 30), actor=stranger.checker, at=at
            )
        )
    assert refusal.value.code is Code.NOT_FOUND
