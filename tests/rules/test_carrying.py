"""Unused allowance that is carried: what one more charge in a year may take (余杭; domain 0.2)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from voucher.rules.carrying import room_in

EACH_YEAR = {2024: 20, 2025: 20, 2026: 20, 2027: 20}


def test_what_is_left_of_a_year_is_added_to_the_years_after_it_and_then_gone() -> None:
    assert room_in(EACH_YEAR, {}, years=2, year=2024) == 20
    assert room_in(EACH_YEAR, {}, years=2, year=2025) == 40
    assert room_in(EACH_YEAR, {}, years=2, year=2026) == 60
    assert room_in(EACH_YEAR, {}, years=2, year=2027) == 60
    assert room_in(EACH_YEAR, {2024: 5, 2025: 30}, years=2, year=2026) == 25
    assert room_in(EACH_YEAR, {2024: 5, 2025: 10}, years=1, year=2026) == 40


def test_the_oldest_is_used_first_so_that_nothing_is_lost_that_could_be_used() -> None:
    assert room_in({2025: 20, 2026: 20}, {2026: 20}, years=1, year=2026) == 20
    assert room_in({2025: 20, 2026: 20, 2027: 20}, {2026: 20}, years=1, year=2027) == 40


def test_a_late_charge_of_an_earlier_year_finds_only_what_later_years_left() -> None:
    assert room_in({2025: 20, 2026: 20}, {2026: 35}, years=1, year=2025) == 5
    assert room_in({2025: 20, 2026: 20}, {2026: 40}, years=1, year=2025) == 0
    assert room_in({2025: 20, 2026: 20}, {2026: 10}, years=1, year=2025) == 20


def test_more_used_than_a_lowered_allowance_leaves_nothing_and_never_less() -> None:
    assert room_in({2026: 10}, {2026: 30}, years=3, year=2026) == 0
    assert room_in({}, {}, years=1, year=2026) == 0


def served(entitled: dict[int, int], used: dict[int, int], years: int) -> bool:
    """Whether uses, year by year, find allowances that are old enough and not too old, the oldest first."""
    left = dict(entitled)
    for year in sorted(used):
        wanted = used[year]
        for source in sorted(left):
            if year - years <= source <= year:
                part = min(left[source], wanted)
                left[source] -= part
                wanted -= part
        if wanted:
            return False
    return True


@settings(max_examples=150)
@given(
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
    st.integers(1, 3),
    st.integers(0, 4),
)
def test_the_room_is_exactly_what_can_be_served_by_taking_the_oldest_first(
    given_: list[int], taken: list[int], years: int, year: int
) -> None:
    entitled, used = dict(enumerate(given_)), dict(enumerate(taken))
    if not served(entitled, used, years):
        return
    room = room_in(entitled, used, years=years, year=year)
    assert served(entitled, used | {year: used[year] + room}, years)
    assert not served(entitled, used | {year: used[year] + room + 1}, years)
