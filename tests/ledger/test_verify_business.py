"""`verify` sets the rows that people read against the accounts: a changed voucher, order or settlement line is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.ledger.test_verify import tampered
from tests.operations.stories import Told
from tests.operations.test_settlement import bank, exported, settled
from voucher.db import Database
from voucher.ledger.verify import verify


@dataclass(frozen=True)
class Story:
    """Orders of one firm, each stopped somewhere else on its way."""

    database: Database
    rows: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once; tests change it in transactions that are rolled back."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("business") / "voucher.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        database = Database(f"sqlite:///{file}")
    else:
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgresql_template")
        database = Database(server.url(server.create_database(template=template)))
    told = Told(database)
    small = {"contract_fen": 20_000_00}
    voucher = told.voucher()
    rows = {"voucher": voucher, "held": told.held_order(voucher=voucher, **small)}
    rows["captured"] = told.captured_order(voucher=voucher, **small)
    rows["approved"] = told.captured_order(voucher=voucher, **small)
    told.approved(order=rows["approved"], amount_fen=20_000_00, approved_fen=7_000_00)
    rows["settled"] = told.captured_order(voucher=voucher, **small)
    rows["paid"] = told.captured_order(voucher=voucher, **small)
    claims = [told.approved(order=rows[name], amount_fen=20_000_00) for name in ("settled", "paid")]
    number = settled(told, *claims)
    exported(told, number)
    bank(told, number, 2, paid=True)
    yield Story(database, rows)
    database.dispose()


def test_a_told_story_has_no_faults(story: Story) -> None:
    with story.database.read() as session:
        assert verify(session).faults == ()


@pytest.mark.parametrize(
    ("which", "change", "check", "column"),
    [
        ("voucher", "face_fen = face_fen + 1", "voucher_face", "face_fen"),
        ("voucher", "state = 'expired'", "voucher_state", "state"),
        ("held", "held_fen = held_fen + 1", "order_hold", "held_fen"),
        ("held", "state = 'accepted'", "order_hold", "held_fen"),
        ("held", "state = 'cancelled'", "order_hold", "held_fen"),
        ("captured", "captured_fen = captured_fen - 1", "order_balance", "captured_fen"),
        ("captured", "state = 'reversed'", "order_balance", "state"),
        ("captured", "state = 'paid'", "order_balance", "state"),
        ("approved", "approved_fen = approved_fen + 100", "order_balance", "approved_fen"),
        ("approved", "state = 'disallowed'", "order_balance", "state"),
        ("settled", "state = 'approved'", "order_balance", "approved_fen"),
        ("paid", "state = 'captured'", "order_balance", "captured_fen"),
    ],
)
def test_a_changed_voucher_or_order_is_named(
    story: Story, which: str, change: str, check: str, column: str
) -> None:
    table = "voucher" if which == "voucher" else "service_order"
    number = story.rows[which]
    faults = tampered(story.database, f"UPDATE {table} SET {change} WHERE number = '{number}'").faults
    named = [(each.check, each.row) for each in faults if not each.check.startswith("rule_")]
    assert named == [(check, f"{table} {number}.{column}")]


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        ("amount_fen = amount_fen + 1", {"line_settled", "line_unpaid"}),
        ("payee_ref = 'another'", {"line_settled", "line_unpaid"}),
        ("settled_at = NULL", {"line_settled", "line_unpaid"}),
        ("state = 'paid'", {"line_unpaid"}),
        ("order_id = order_id - 1", {"line_settled"}),
    ],
)
def test_a_changed_settlement_line_is_named(story: Story, change: str, checks: set[str]) -> None:
    faults = tampered(story.database, f"UPDATE settlement_line SET {change} WHERE seq = 1").faults
    assert {fault.check for fault in faults} == checks
    assert all(fault.row.startswith(("settlement_line ", "payable ")) for fault in faults)
