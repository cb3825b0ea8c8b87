"""Business days and years are those of Shanghai whatever the server's zone; every range is half-open."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from voucher.clock import (
    SHANGHAI,
    business_date,
    day_bounds,
    fiscal_year,
    iso,
    micros,
    wall_now,
    year_bounds,
)

days = st.dates(min_value=date(1992, 1, 1), max_value=date(2999, 12, 30))
instants = st.integers(min_value=0, max_value=10**15 * 32).map(
    lambda passed: datetime(1992, 1, 1, tzinfo=UTC) + timedelta(microseconds=passed)
)


def test_the_last_millisecond_of_a_shanghai_day_belongs_to_it() -> None:
    at = datetime(2026, 6, 30, 23, 59, 59, 999_000, tzinfo=SHANGHAI).astimezone(UTC)
    assert at.hour == 15
    assert business_date(at) == date(2026, 6, 30)
    assert business_date(at + timedelta(milliseconds=1)) == date(2026, 7, 1)


def test_a_voucher_valid_through_a_day_ends_at_shanghai_midnight() -> None:
    start, end = day_bounds(date(2026, 12, 31))
    assert start == datetime(2026, 12, 30, 16, tzinfo=UTC)
    assert end == datetime(2026, 12, 31, 16, tzinfo=UTC)


def test_new_year_in_shanghai_comes_eight_hours_before_new_year_in_utc() -> None:
    before = datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC)
    assert fiscal_year(before) == 2026
    assert fiscal_year(before + timedelta(microseconds=1)) == 2027


def test_a_year_reaches_from_its_first_instant_to_that_of_the_next() -> None:
    assert year_bounds(2026) == (
        datetime(2025, 12, 31, 16, tzinfo=UTC),
        datetime(2026, 12, 31, 16, tzinfo=UTC),
    )
    assert year_bounds(2026)[1] == year_bounds(2027)[0]


@given(days)
def test_days_follow_each_other_without_gap_or_overlap(day: date) -> None:
    start, end = day_bounds(day)
    assert end == day_bounds(day + timedelta(days=1))[0]
    assert business_date(start) == day
    assert business_date(end - timedelta(microseconds=1)) == day
    assert start.tzinfo is UTC


@given(instants)
def test_every_instant_lies_in_its_own_day_and_year(at: datetime) -> None:
    start, end = day_bounds(business_date(at))
    first, last = year_bounds(fiscal_year(at))
    assert first <= start <= at < end <= last


@given(instants)
def test_an_instant_written_is_read_back_unchanged(at: datetime) -> None:
    text = iso(at)
    assert text.endswith("+08:00")
    assert len(text) == 32
    assert datetime.fromisoformat(text) == at
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(at)) == at


def test_the_zone_in_which_an_instant_is_told_does_not_matter() -> None:
    at = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    elsewhere = at.astimezone(timezone(timedelta(hours=-11)))
    assert iso(elsewhere) == iso(at) == "2027-01-01T00:30:00.000000+08:00"
    assert micros(elsewhere) == micros(at)
    assert fiscal_year(elsewhere) == 2027


def test_a_naive_datetime_is_refused_everywhere() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    for function in (business_date, fiscal_year, iso, micros):
        with pytest.raises(ValueError, match="time zone"):
            function(naive)


def test_a_datetime_is_not_a_day() -> None:
    with pytest.raises(ValueError, match="not a datetime"):
        day_bounds(datetime(2026, 1, 1, tzinfo=UTC))


def test_days_and_years_beyond_the_calendar_are_refused_as_values() -> None:
    for day in (date.min, date.max):
        with pytest.raises(ValueError, match="no such business day"):
            day_bounds(day)
    for year in (0, 1, 9999, 10_000):
        with pytest.raises(ValueError, match=r".+"):
            year_bounds(year)


def test_the_wall_clock_is_aware_and_in_utc() -> None:
    with time_machine.travel(datetime(2026, 12, 31, 23, 59, tzinfo=SHANGHAI), tick=False):
        assert wall_now() == datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
        assert wall_now().utcoffset() == timedelta(0)
