"""The factor of a year: which year a claim is of, when it is over, and the largest factor that the money bears."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.policies import policy
from voucher.money import Fen
from voucher.rules.prorata import first_day_after, largest_factor, round_of, total_after
from voucher.terms import YearBasis


@pytest.mark.parametrize("basis", [YearBasis.WINDOW, YearBasis.INVOICE_WINDOW])
def test_a_window_of_twelve_months_is_named_after_the_year_in_which_it_ends(basis: YearBasis) -> None:
    window = policy(year=basis, year_start=(7, 1))
    assert [round_of(window, date(2026, *day)) for day in ((6, 30), (7, 1))] == [2026, 2027]
    assert first_day_after(window, 2026) == date(2026, 7, 1)


def test_a_calendar_year_is_itself_and_so_is_a_policy_without_a_year() -> None:
    for version in (policy(), policy(year=None), policy(year=YearBasis.WINDOW, year_start=None)):
        assert [round_of(version, day) for day in (date(2026, 1, 1), date(2026, 12, 31))] == [2026, 2026]
        assert first_day_after(version, 2026) == date(2027, 1, 1)


def test_where_everything_fits_the_factor_is_one() -> None:
    assert largest_factor([Fen(100_00)], Fen(100_00)) == 10_000
    assert largest_factor([], Fen(0)) == 10_000
    assert largest_factor([Fen(100_00)], Fen(0)) == 99


@settings(max_examples=100)
@given(st.lists(st.integers(0, 10**8), max_size=8), st.integers(0, 10**9))
def test_the_next_larger_factor_would_cost_more_than_there_is(amounts: list[int], budget: int) -> None:
    claims = [Fen(each) for each in amounts]
    most = largest_factor(claims, Fen(budget))
    assert total_after(claims, most) <= budget
    assert most == 10_000 or total_after(claims, most + 1) > budget
