"""Each of the five documents runs from publishing to payment, under its own rules and in its own books."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from voucher.cli.story import stage
from voucher.cli.story.cast import OFFICES, SHANXI
from voucher.cli.story.document_cast import LVLIANG, XINING, XINING_BASE, ZEZHOU, ZEZHOU_POST
from voucher.cli.story.lhasa_cast import LHASA, LHASA_STARTUP, NIMU, PARK
from voucher.cli.story.stage import Setting, Stage
from voucher.cli.story.town import Town
from voucher.cli.story.towns import tell_town
from voucher.db import Database
from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.ledger.verify import verify
from voucher.models.ledger import Book
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
    told = tell_town(setting, town, {})
    done = (version, OrderState.PAID.value, amount_fen, LineState.PAID.value)
    assert paid(setting, told) == [done] * len(town.firms)
    sound(setting)


def test_zezhous_post_subsidy_pays_30_percent_up_to_500_000_in_county_and_20_percent_otherwise(
    setting: Setting,
) -> None:
    told = tell_town(setting, ZEZHOU_POST, {})
    amounts = [(state, amount_fen) for _, state, amount_fen, _ in paid(setting, told)]
    assert amounts == [(OrderState.PAID.value, 500_000_00), (OrderState.PAID.value, 200_000_00)]
    sound(setting)


@pytest.mark.parametrize(
    ("town", "version", "amount_fen"),
    [
        # Half of 50,000.00, as the province's version says.
        pytest.param(LVLIANG, "CN-141100-INNO-2022", 25_000_00, id="Lvliang carries out the province's"),
        pytest.param(ZEZHOU, "CN-140525-INNO-2022", 20_000_00, id="Zezhou county carries out the province's"),
    ],
)
def test_a_child_of_the_provinces_version_pays_from_its_book_and_charges_its_cap(
    setting: Setting, town: Town, version: str, amount_fen: Fen
) -> None:
    offices = stage.offices(setting, SHANXI, OFFICES, {})
    stage.programme(setting, SHANXI, stage.by_role(OFFICES, offices), amount_fen=1_000_000_00)
    told = tell_town(setting, town, {})
    done = (version, OrderState.PAID.value, amount_fen, LineState.PAID.value)
    assert paid(setting, told) == [done] * len(town.firms)
    with setting.database.read() as session:
        book = session.scalars(select(Book).where(Book.code == "140000")).one()
        ref = accounts.cap("CN-140000-INNO", town.firms[0].uscc, told.year)
        assert standings(session, book.book_id, [ref])[ref].available_fen == 200_000_00 - amount_fen
    sound(setting)


def test_xinings_startup_voucher_is_spent_for_the_tenants_who_came(setting: Setting) -> None:
    told = tell_town(setting, XINING_BASE, {})
    # Half of 9,000.00 for three tenants; one of them did not come.
    assert [amount for _, _, amount, _ in paid(setting, told)] == [3_000_00]
    sound(setting)


def test_lhasas_county_and_park_run_their_own_vouchers_from_their_own_books(setting: Setting) -> None:
    amounts = {}
    for town in (LHASA, LHASA_STARTUP, NIMU, PARK):
        told = tell_town(setting, town, {})
        amounts[town.scheme.book, told.programme] = [amount for _, _, amount, _ in paid(setting, told)]
    assert amounts == {
        # The city: half of 24,000.00 and of 10,000.00.
        ("540100", "CN-540100-INNO"): [12_000_00, 12_000_00],
        ("540100", "CN-540100-STARTUP"): [5_000_00],
        # Two fifths, from books of their own; the county's centre stands on the city's ground, and its year got 90 %.
        ("540123", "CN-540123-INNO"): [7_200_00],
        ("540100-P1", "CN-540100-P1-STARTUP"): [4_000_00],
    }
    sound(setting)
