from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.money import Fen
from voucher.rules.funding import after_window, one_whole, share_of, split
from voucher.rules.policy import Share

THIRDS = (Share("home", 2, 3), Share("provider", 1, 3))
amounts = st.integers(0, 10**13).map(Fen)
parts = st.lists(st.integers(1, 50), min_size=1, max_size=5)


def test_thirds_and_basis_points_may_stand_side_by_side() -> None:
    shares = (Share("a", 1, 3), Share("b", 1, 6), Share("c", 5_000))
    assert one_whole(shares)
    assert [each.amount_fen for each in split(shares, Fen(600), Fen(600))] == [200, 100, 300]
    assert not one_whole((Share("a", 3_333), Share("b", 6_666)))


def test_without_funders_nobody_pays() -> None:
    assert split((), Fen(100), Fen(100)) == ()


@given(amount=amounts, weights=parts)
def test_the_shares_add_up_to_the_subsidy_to_the_fen(amount: Fen, weights: list[int]) -> None:
    shares = [Share(str(place), weight, sum(weights)) for place, weight in enumerate(weights)]
    assert one_whole(shares)
    funded = split(shares, amount, amount)
    assert sum(each.amount_fen for each in funded) == amount
    assert all(
        abs(each.amount_fen * share.of - amount * share.parts) < share.of
        for each, share in zip(funded, shares, strict=True)
    )


@given(
    amount=amounts, ceilings=st.lists(st.integers(1, 10**12), min_size=3, max_size=3), spills=st.booleans()
)
def test_nobody_pays_above_its_ceiling_and_nothing_is_lost_from_sight(
    amount: Fen, ceilings: list[int], spills: bool
) -> None:
    shares = [
        Share("a", 1, 3, Fen(ceilings[0]), spill_to="c" if spills else None),
        Share("b", 1, 3, Fen(ceilings[1]), ceiling_bp=2_000),
        Share("c", 1, 3, Fen(ceilings[2])),
    ]
    funded = split(shares, amount, amount)
    assert sum(each.amount_fen + each.lost_fen for each in funded) == amount
    assert all(each.amount_fen <= ceiling for each, ceiling in zip(funded, ceilings, strict=True))
    assert funded[1].amount_fen <= amount * 2_000 // 10_000
    assert not spills or funded[0].lost_fen == 0


def test_the_factor_drops_what_is_less_than_a_yuan() -> None:
    assert after_window(Fen(100_50), 10_000) == 100_00
    assert after_window(Fen(100_00), 3_333) == 33_00
    assert after_window(Fen(100_00), 0) == 0


@pytest.mark.parametrize("factor", [-1, 10_001])
def test_a_factor_above_the_whole_is_a_fault_of_the_caller(factor: int) -> None:
    with pytest.raises(ValueError, match="between"):
        after_window(Fen(1), factor)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"bp": 1, "parts": 1, "of": 2},
        {"parts": 1},
        {"parts": 3, "of": 2},
        {"bp": 10_000, "spill_to": "b"},
    ],
)
def test_a_share_that_says_too_little_or_too_much_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"parts|spill_to"):
        share_of({"funder": "a"} | fields)


def test_a_share_is_written_in_basis_points_or_in_parts() -> None:
    assert share_of({"funder": "a", "bp": 5_000}) == Share("a", 5_000)
    assert share_of({"funder": "a", "parts": 2, "of": 3}) == Share("a", 2, 3)
    spilling = {"funder": "a", "parts": 2, "of": 3, "ceiling_bp": 3_000, "spill_to": "b"}
    assert share_of(spilling) == Share("a", 2, 3, ceiling_bp=3_000, spill_to="b")
