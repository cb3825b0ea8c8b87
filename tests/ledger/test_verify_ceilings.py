"""`verify` adds up what several orders share: one contract, one agreement, one controller's cap."""

from __future__ import annotations

import pytest

from tests.ledger.test_verify import tampered
from tests.operations import contract_world as on
from tests.operations import counter
from tests.operations.recognition_world import recognised
from tests.operations.shapes import shaped, sound
from tests.operations.stories import Told
from tests.operations.test_group_and_carry import GROUP, sister
from voucher.db import Database
from voucher.ledger.events import posting_id
from voucher.ledger.verify import verify
from voucher.ledger.verify_sql import Fault
from voucher.models.agreements import AgreementVersion
from voucher.terms import Phase


@pytest.fixture
def told(sqlite_database: Database) -> Told:
    return Told(sqlite_database)


def faults(told: Told, *changes: str) -> dict[str, Fault]:
    return {fault.check: fault for fault in tampered(told.database, *changes).faults}


def on_contract(told: Told, part_fen: int, **how: object) -> str:
    order = on.accepted_at(told, told.voucher(), told.world.platform, 100_000_00)
    return told.do(on.filing(told, order, part_fen, **how)).order.number  # type: ignore[arg-type]


def test_orders_that_together_take_more_than_the_rate_gives_on_their_contract_are_named(told: Told) -> None:
    on_contract(told, 40_000_00, whole_fen=100_000_00)
    last = on_contract(told, 60_000_00)
    assert sound(told)
    fault = faults(told, "UPDATE contract SET amount_fen = 9999900")["rule_contract"]
    assert fault.row == f"posting 1/{posting_id('hold', last)}.legs"
    assert fault.found == f"5000000 with {last}"
    assert fault.expected.startswith("at most 4999950, by ")


def test_an_only_order_that_takes_a_part_stays_within_its_contract(told: Told) -> None:
    order = on_contract(told, 40_000_00, whole_fen=100_000_00)
    assert sound(told)
    fault = faults(told, "UPDATE contract SET amount_fen = 3999900")["rule_contract"]
    assert fault.found == f"2000000 with {order}"


def test_several_programmes_on_one_contract_take_no_more_than_the_highest_of_them_gives(told: Told) -> None:
    second = on.second(told)
    on_contract(told, 60_000_00, whole_fen=100_000_00)
    order = on.accepted_at(told, on.voucher_of(told, second.line_code), told.world.platform, 100_000_00)
    told.do(on.filing(told, order, 40_000_00))
    assert sound(told)
    fault = faults(told, "UPDATE contract SET amount_fen = 7000000")["rule_contract"]
    assert (fault.found, fault.expected[:15]) == (f"4200000 with {order}", "at most 3500000")


def test_orders_above_the_firms_or_the_total_ceiling_of_their_agreement_are_named_with_its_item(
    told: Told,
) -> None:
    recognised(told)
    told.captured_order(contract_fen=60_000_00)
    last = told.held_order(contract_fen=40_000_00)
    assert sound(told)
    (version,) = told.rows(AgreementVersion)
    for height, at_most in (("6_000_000", 4_900_000), ("100_000_000", 4_900_001)):
        assert height in version.text
        change = f"UPDATE agreement_version SET text = replace(text, '{height}', '{at_most}')"
        fault = faults(told, change)["rule_quota"]
        assert fault.row == f"posting 1/{posting_id('hold', last)}.legs"
        assert fault.found == f"5000000 with {last}"
        assert fault.expected == f"at most {at_most}, by 6"


def test_a_groups_cap_is_opened_to_what_the_version_says_and_charged_by_every_member(told: Told) -> None:
    shaped(told, GROUP)
    other = sister(told)
    order = counter.redeemed(told, told.voucher(), 300_000_00).order
    counter.redeemed(told, told.voucher(holder_ref=other.holder_ref), 200_000_00, actor=other.actor)
    assert sound(told)
    group = "SELECT id FROM account WHERE code = 'cap' AND owner_ref LIKE '%|group:%'"
    opened = f"UPDATE transfer SET amount = amount + 1 WHERE credit_id IN ({group}) AND phase = 'single'"
    assert faults(told, opened)["rule_cap"].expected == "20000000"
    hold = posting_id("hold", order)
    moved = (
        f"UPDATE transfer SET debit_id = 1 WHERE debit_id IN ({group}) AND phase = '{Phase.PENDING.value}' "
        f"AND posting_id = '{hold.hex}'"
    )
    fault = faults(told, moved)["rule_charged"]
    assert fault.row == f"posting 1/{hold}.legs"
    assert fault.expected.startswith("15000000 of the cap of 2026, and of its group's, by ")


def test_orders_that_charged_no_group_are_named_once_their_version_asks_for_it(told: Told) -> None:
    told.held_order()
    assert sound(told)
    shaped(told, GROUP)
    with told.database.read() as session:
        checks = [fault.check for fault in verify(session).faults]
    assert "rule_charged" in checks
