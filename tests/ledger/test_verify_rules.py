"""`verify` replays the rules: what the stored version would not give on the stored inputs is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.ledger.test_verify import tampered
from tests.operations.stories import Told
from voucher.db import Database
from voucher.ledger.events import posting_id
from voucher.ledger.verify import verify
from voucher.ledger.verify_sql import Fault
from voucher.models.orders import Order
from voucher.models.programmes import PolicyVersion


@dataclass(frozen=True)
class Story:
    """Orders of one firm: one as the version gives it, one that the cap cut, a claim that was trimmed, one refused."""

    database: Database
    orders: dict[str, str]
    claims: dict[str, str]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told once; tests change it in transactions that are rolled back."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("rules") / "voucher.db"
        file.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        database = Database(f"sqlite:///{file}")
    else:
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgresql_template")
        database = Database(server.url(server.create_database(template=template)))
    told = Told(database)
    orders = {
        "whole": told.captured_order(contract_fen=20_000_00),
        "trimmed": told.captured_order(contract_fen=60_000_00),
        "refused": told.captured_order(contract_fen=10_000_00),
    }
    for _ in range(3):
        told.held_order()
    orders["cut"] = told.held_order()
    claims = {"trimmed": told.approved(order=orders["trimmed"], amount_fen=60_000_00, approved_fen=21_000_00)}
    claims["whole"] = told.claimed(order=orders["whole"], amount_fen=20_000_00)
    yield Story(database, orders, claims)
    database.dispose()


def rules(faults: tuple[Fault, ...]) -> dict[str, Fault]:
    return {fault.check: fault for fault in faults if fault.check.startswith("rule_")}


def posted(which: str, *name: str) -> str:
    return f"posting 1/{posting_id(which, *name)}.legs"


def as_json(value: object) -> str:
    """A literal that both databases take."""
    return "'{}'".format(json.dumps(value, ensure_ascii=False).replace("'", "''").replace(":", "\\:"))


def literal(story: Story, key: UUID) -> str:
    return f"'{key.hex if story.database.engine.dialect.name == 'sqlite' else key}'"


def test_a_told_story_is_what_its_version_gives(story: Story) -> None:
    with story.database.read() as session:
        assert verify(session).faults == ()


@pytest.mark.parametrize(
    ("which", "change", "check"),
    [
        ("whole", "wanted_fen = wanted_fen + 100", "rule_wanted"),
        ("whole", "contract_fen = contract_fen - 1000", "rule_wanted"),
        ("cut", "contract_fen = contract_fen - 1000", "rule_wanted"),
    ],
)
def test_an_amount_that_the_version_does_not_give_on_the_contract_is_named(
    story: Story, which: str, change: str, check: str
) -> None:
    number = story.orders[which]
    faults = rules(
        tampered(story.database, f"UPDATE service_order SET {change} WHERE number = '{number}'").faults
    )
    assert faults[check].row == f"service_order {number}.wanted_fen"


def test_a_version_that_is_rewritten_gives_other_amounts_than_were_posted(story: Story) -> None:
    with story.database.read() as session:
        fills = session.scalars(select(PolicyVersion.fills)).one()
    assert "rate_bp = 5_000" in fills[0]
    rewritten = as_json([fills[0].replace("rate_bp = 5_000", "rate_bp = 4_000")])
    fault = rules(tampered(story.database, f"UPDATE policy_version SET fills = {rewritten}").faults)[
        "rule_wanted"
    ]
    assert fault.row == f"service_order {story.orders['whole']}.wanted_fen"
    assert (fault.found, fault.expected) == (str(10_000_00), str(8_000_00))


def test_a_hold_of_another_amount_than_the_version_gives_is_named(story: Story) -> None:
    hold = posting_id("hold", story.orders["whole"])
    change = (
        f"UPDATE transfer SET amount = amount + 100 WHERE posting_id = {literal(story, hold)} AND leg = 0"
    )
    fault = rules(tampered(story.database, change).faults)["rule_held"]
    assert fault.row == posted("hold", story.orders["whole"])
    assert (fault.found, fault.expected) == (str(10_001_00), f"{10_000_00} of {10_000_00} wanted")


def test_a_cut_that_its_limit_does_not_make_is_named(story: Story) -> None:
    number = story.orders["cut"]
    change = f"UPDATE service_order SET reductions = '[]' WHERE number = '{number}'"
    fault = rules(tampered(story.database, change).faults)["rule_held"]
    assert fault.row == posted("hold", number)


@pytest.mark.parametrize("field", ["by_fen", "left_fen", "opened_fen"])
def test_a_recorded_cut_is_what_its_limit_takes_away(story: Story, field: str) -> None:
    number = story.orders["cut"]
    with story.database.read() as session:
        (cut,) = session.scalars(select(Order.reductions).where(Order.number == number)).one()
    assert cut["limit"] == "cap"
    rewritten = as_json([cut | {field: cut[field] + 100}])
    change = f"UPDATE service_order SET reductions = {rewritten} WHERE number = '{number}'"
    fault = rules(tampered(story.database, change).faults)["rule_reductions"]
    assert fault.row == f"service_order {number}.reductions"


def test_a_posting_by_another_version_than_its_order_is_named(story: Story) -> None:
    capture = posting_id("capture", story.orders["trimmed"])
    change = f"UPDATE posting SET rule_version = 'another' WHERE id = {literal(story, capture)}"
    fault = rules(tampered(story.database, change).faults)["rule_version"]
    assert fault.row == f"posting 1/{capture}.rule_version"


def test_a_capture_of_another_amount_than_the_order_says_is_named(story: Story) -> None:
    number = story.orders["refused"]
    change = f"UPDATE service_order SET captured_fen = captured_fen + 1 WHERE number = '{number}'"
    fault = rules(tampered(story.database, change).faults)["rule_captured"]
    assert fault.row == posted("capture", number)


def test_a_trim_that_leaves_something_else_than_was_approved_is_named(story: Story) -> None:
    change = "UPDATE service_order SET approved_fen = approved_fen - 1 WHERE number = '{}'"
    fault = rules(tampered(story.database, change.format(story.orders["trimmed"])).faults)["rule_back"]
    assert fault.row == posted("review", story.claims["trimmed"])
    assert (fault.found, fault.expected) == (
        str(9_000_00),
        f"{9_000_01}, for {20_999_99} are approved",
    )


def test_a_claim_for_another_amount_than_the_version_gives_on_its_papers_is_named(story: Story) -> None:
    change = "UPDATE claim SET paid_fen = paid_fen - 100000 WHERE number = '{}'"
    fault = rules(tampered(story.database, change.format(story.claims["whole"])).faults)["rule_claimed"]
    assert fault.row == f"claim {story.claims['whole']}.claimed_fen"


def test_a_cap_that_was_opened_to_another_amount_than_the_version_says_is_named(story: Story) -> None:
    change = """UPDATE transfer SET amount = amount + 100 WHERE (book_id, posting_id) IN
                (SELECT book_id, id FROM posting WHERE kind = 'cap_adjust' AND rule_version <> '')
                AND debit_id IN (SELECT id FROM account WHERE code = 'cap_source')"""
    fault = rules(tampered(story.database, change).faults)["rule_cap"]
    assert fault.row.startswith("posting 1/")
    assert (fault.found, fault.expected) == ("opened to 20000100", "20000000")


def test_a_cap_that_the_version_charges_and_nobody_did_is_named(story: Story) -> None:
    hold = posting_id("hold", story.orders["whole"])
    cap = "SELECT id FROM account WHERE code = 'cap'"
    change = (
        f"UPDATE transfer SET amount = 1 WHERE posting_id = {literal(story, hold)} AND debit_id IN ({cap})"
    )
    fault = rules(tampered(story.database, change).faults)["rule_charged"]
    assert fault.row == posted("hold", story.orders["whole"])


def test_a_version_that_cannot_be_read_any_more_is_named(story: Story) -> None:
    change = "UPDATE policy_version SET text = 'policy = '"
    fault = rules(tampered(story.database, change).faults)["rule_readable"]
    assert fault.row.startswith("policy_version ")
