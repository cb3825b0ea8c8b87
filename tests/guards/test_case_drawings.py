"""docs/cases.md is what the product's own tables draw."""

from __future__ import annotations

from click.testing import CliRunner

from tests.guards.source import ROOT
from voucher.cli import main
from voucher.reports.cases import BEGINNINGS, EVENTS, TITLES
from voucher.rules.lifecycle import TABLES, Event


def test_the_committed_drawings_are_those_that_the_tables_give() -> None:
    printed = CliRunner().invoke(main, ["docs", "cases"])
    assert printed.exit_code == 0, printed.output
    assert (ROOT / "docs/cases.md").read_text("utf-8") == printed.output, (
        "run: voucher docs cases > docs/cases.md"
    )


def test_every_machine_and_every_event_has_a_chinese_name() -> None:
    assert set(TITLES) == set(TABLES) == set(BEGINNINGS)
    assert set(EVENTS) == set(Event)


def test_every_state_can_be_reached_from_a_beginning() -> None:
    for states, table in TABLES.items():
        reached = set(BEGINNINGS[states])
        while more := {after for state in reached for after in table.get(state, {}).values()} - reached:
            reached |= more
        assert reached == set(states), states
