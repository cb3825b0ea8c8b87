"""Each of the five documents runs from publishing to payment, under its own rules and in its own books."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from voucher.cli.story import stage
from voucher.cli.story.document_awards import tell_awards
from voucher.cli.story.document_cast import LHASA, XINING, ZEZHOU_POST, Town
from voucher.cli.story.documents import begun, tell_document
from voucher.cli.story.stage import Setting, Stage
from voucher.db import Database
from voucher.ledger.verify import verify
from voucher.models.orders import Order
from voucher.models.settlements import SettlementLine
from voucher.money import Fen
from voucher.terms import LineState, OrderState

BEGINS = datetime(2026, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def setting(database: Database, tmp_path: Path) -> Setting:
    made = Setting(database, tmp_path, BEGINS, "test")
    stage.divisions(made)
    return made


def paid(setting: Setting, told: Stage) -> list[tuple[str, str, int, str]]:
    """Version, state, amount and payment of every order of a programme."""
    query = (
        select(Order.policy_code, Order.state, SettlementLine.amount_fen, SettlementLine.state)
        .join(SettlementLine, SettlementLine.order_id == Order.id)
        .where(Order.programme_code == told.programme)
        .order_by(Order.id)
    )
    with setting.database.read() as session:
        return [tuple(row) for row in session.execute(query)]  # type: ignore[misc]


def sound(setting: Setting) -> None:
    with setting.database.read() as session:
        assert not verify(session).faults


@pytest.mark.parametrize(
    ("town", "version", "amount_fen"),
    [
        # Half of 60,000.00, below voucher and cap.
        pytest.param(XINING, "CN-630100-INNO-2018", 30_000_00, id="Xining's innovation voucher"),
        # Half of 24,000.00; ordered in 2020, in force until 2020-12-31.
        pytest.param(LHASA, "CN-540100-INNO-2019", 12_000_00, id="Lhasa's innovation voucher"),
    ],
)
def test_a_document_runs_from_publishing_to_payment(
    setting: Setting, town: Town, version: str, amount_fen: Fen
) -> None:
    told = tell_document(begun(setting, town), town, {})
    done = (version, OrderState.PAID.value, amount_fen, LineState.PAID.value)
    assert paid(setting, told) == [done] * len(town.firms)
    sound(setting)


def test_zezhous_post_subsidy_pays_30_percent_up_to_500_000_in_county_and_20_percent_otherwise(
    setting: Setting,
) -> None:
    told = tell_awards(setting, ZEZHOU_POST, {})
    amounts = [(state, amount_fen) for _, state, amount_fen, _ in paid(setting, told)]
    assert amounts == [(OrderState.PAID.value, 500_000_00), (OrderState.PAID.value, 200_000_00)]
    sound(setting)
