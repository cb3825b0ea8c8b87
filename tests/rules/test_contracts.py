"""When two contract numbers are one, and what parts an order may be delivered in."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rules.policies import policy
from voucher.errors import Code, Refusal
from voucher.money import Fen
from voucher.rules.contracts import Part, check_parts, contract_key, contract_ref, split
from voucher.terms import Rounding

LAST = date(2026, 12, 31)


def part(amount: int, month: int = 6) -> Part:
    return Part("一期", Fen(amount), date(2026, month, 1))


def test_a_number_is_the_same_however_it_is_written() -> None:
    spellings = ("HT-2026-01", "ｈｔ２０２６０１", "HT 2026—01", "\u041d\u04222026\u200b01")
    assert {contract_key(each) for each in spellings} == {"HT202601"}
    assert contract_key("合同〔2026〕1号") == contract_key("合同[2026]1号") == "合同(2026)1号"
    assert contract_ref("F", "H", "a|b") == "F|H|A/B"


@pytest.mark.parametrize("number", ["", " - ", "1" * 61])
def test_a_number_of_nothing_or_without_end_is_refused(number: str) -> None:
    with pytest.raises(Refusal) as refused:
        contract_key(number)
    assert refused.value.code is Code.CONTRACT_NO_INVALID


@pytest.mark.parametrize(
    ("most", "parts", "reason"),
    [
        (None, [part(50), part(50)], "not_offered"),
        (1, [part(50), part(50)], "too_many"),
        (2, [part(50), part(49)], "sum"),
        (2, [part(50, 7), part(50, 6)], "due_order"),
        (2, [part(50), Part("二期", Fen(50), date(2027, 1, 1))], "due_order"),
    ],
)
def test_parts_that_do_not_fit_say_why(most: int | None, parts: list[Part], reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_parts(policy(instalments_max=most), parts, contract_fen=Fen(100), last_on=LAST)
    assert refused.value.facts["reason"] == reason


def test_no_parts_and_parts_in_order_are_fine() -> None:
    check_parts(policy(), [], contract_fen=Fen(100), last_on=LAST)
    check_parts(policy(instalments_max=2), [part(50), part(50)], contract_fen=Fen(100), last_on=LAST)


def test_what_is_held_is_shared_over_the_parts_to_the_fen_and_in_whole_yuan_where_asked() -> None:
    parts = [part(1), part(1), part(1)]
    assert split(policy(), Fen(100_01), parts) == [33_33, 33_34, 33_34]
    assert split(policy(rounding=Rounding.YUAN), Fen(100_00), parts) == [33_00, 33_00, 34_00]
