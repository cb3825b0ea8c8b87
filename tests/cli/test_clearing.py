"""Several books from the command line: a pledge, a remittance by two persons on each side, the statement."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from tests.operations.cofunding_world import Shared
from tests.operations.test_settlement import settled
from voucher.cli import main
from voucher.clock import wall_now
from voucher.db import Database
from voucher.models.people import Person
from voucher.rules.permissions import Actor


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, database: Database, database_url: str) -> Shared:
    """One order of 50,000.00 is settled; the co-funder owes 16,666.67."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    told = Shared(database, at=wall_now())
    settled(told, told.approved(order=told.captured_order(contract_fen=100_000_00)))
    return told


def run(shared: Shared, actor: Actor, *words: str) -> Result:
    """What `voucher clearing` answers to somebody."""
    with shared.database.read() as session:
        login = session.scalars(select(Person.login).where(Person.id == actor.person_id)).one()
    return CliRunner().invoke(main, ["clearing", *words, "--by", login])


def test_a_pledge_a_remittance_and_the_statement(shared: Shared) -> None:
    other, world = shared.other, shared.world
    words = ("pledge", "330100", world.programme_code, str(world.year), "500", "--document", "配套8号")
    assert "已登记" in run(shared, other.maker, *words).output
    assert "此前已登记" in run(shared, other.maker, *words).output
    made = run(shared, other.maker, "remit", "330100", "140000", "10000", "--document", "付1号")
    assert "10,000.00 元，待复核" in made.output
    number = made.output.split("：")[0].removeprefix("汇款单 ")
    assert run(shared, other.maker, "send", number).exit_code == 2
    assert "在途" in run(shared, other.checker, "send", number).output
    told = run(shared, world.maker, "statement", "140000", "330100").output
    assert (
        "应付 16,666.67 元，已汇出 10,000.00 元，对方已收 0.00 元，在途 10,000.00 元，未付 6,666.67 元"
        in told
    )
    assert "两本账簿一致" in told
    assert "收款待确认" in run(shared, world.maker, "note", number, "--receipt", "回单1").output
    assert "已收款" in run(shared, world.checker, "receive", number).output
    assert run(shared, world.checker, "receive", number).exit_code == 2
