"""`voucher applications advance`, the worker that calls it, and `voucher give-back`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from tests.operations.applying import Applying
from voucher.cli import main
from voucher.clock import wall_now
from voucher.db import Database
from voucher.models.people import Person
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.fund import FundRequest, fund
from voucher.operations.outcome import only
from voucher.terms import ApplicationState


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database: Database) -> Callable[..., Result]:
    monkeypatch.setenv("DATABASE_URL", database.url.render_as_string(hide_password=False))
    return lambda *words: CliRunner().invoke(main, list(words))


def test_the_waiting_list_moves_up_and_an_unused_voucher_goes_back(
    run: Callable[..., Result], database: Database
) -> None:
    told = Applying(database, budget_fen=0, at=wall_now())
    told.decide(told.apply().number)
    told.decide(told.apply(told.firm()).number)
    assert "仍在候补 2 件" in run("applications", "advance").output
    request = FundRequest(told.line_code, "晋财教〔2026〕9号", Fen(50_000_00))
    told.do(lambda session, at: only(fund(session, [request], actor=told.world.maker, at=at)))
    assert run("worker", "--once").exit_code == 0
    assert told.states() == [ApplicationState.ISSUED, ApplicationState.WAITING]
    with database.read() as session:
        voucher = session.scalars(select(Voucher.number)).one()
        login = session.get_one(Person, told.world.firm.actor.person_id).login
    refused = run("give-back", voucher, "--reason", "不再需要", "--by", "person1")
    assert refused.exit_code == 2
    assert "50,000.00 元退回预算" in run("give-back", voucher, "--reason", "不再需要", "--by", login).output
    assert "发券 1 件" in run("applications", "advance").output
    assert told.states() == [ApplicationState.ISSUED, ApplicationState.ISSUED]
