from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.money import Fen
from voucher.rules.shares import by_weight


def test_an_amount_is_shared_in_proportion_and_the_odd_fen_goes_to_the_largest_remainder() -> None:
    assert by_weight(Fen(100_00), [1, 1, 1]) == (33_34, 33_33, 33_33)
    assert by_weight(Fen(10), [1, 2, 4]) == (1, 3, 6)
    assert by_weight(Fen(10), [0, 5]) == (0, 10)


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any))
def test_the_parts_add_up_and_none_is_off_by_a_fen(whole: int, weights: list[int]) -> None:
    parts = by_weight(Fen(whole), weights)
    assert sum(parts) == whole
    total = sum(weights)
    assert all(
        0 <= part * total - whole * weight + total <= 2 * total
        for part, weight in zip(parts, weights, strict=True)
    )


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2]])
def test_nothing_is_shared_over_nothing(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="above zero"):
        by_weight(Fen(1), weights)
