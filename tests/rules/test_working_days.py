"""Working days: weekends, holidays and the weekends that are worked instead, from the table or without it."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.rules.publicity import is_lookup_word, lookup_word, shown_name
from voucher.rules.working_days import (
    Calendar,
    add_working_days,
    calendar_of,
    unknown_years,
    working_days_between,
)
from voucher.terms import HolderKind

FILE = Path(__file__).resolve().parents[2] / "voucher/data/holidays.csv"
with FILE.open(encoding="utf-8", newline="") as rows:
    PUBLISHED = calendar_of((date.fromisoformat(row["day"]), row["kind"]) for row in csv.DictReader(rows))
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 14), 1, date(2026, 2, 24)),
        (date(2026, 9, 30), 2, date(2026, 10, 9)),
        (date(2025, 9, 30), 1, date(2025, 10, 9)),
        (date(2026, 12, 30), 5, date(2027, 1, 6)),
        (date(2026, 3, 7), 0, date(2026, 3, 7)),
    ],
)
def test_the_last_day_is_counted_with_the_published_holidays(start: date, days: int, last: date) -> None:
    assert add_working_days(PUBLISHED, start, days) == last


def test_a_notice_from_30_december_2026_goes_into_a_year_that_nobody_has_published() -> None:
    start = date(2026, 12, 30)
    end = add_working_days(PUBLISHED, start, 5)
    assert unknown_years(PUBLISHED, start, end) == (2027,)
    entered = Calendar(PUBLISHED.rest | {date(2027, 1, 1)}, PUBLISHED.work, PUBLISHED.years | {2027})
    assert add_working_days(entered, start, 5) == date(2027, 1, 7)
    assert unknown_years(entered, start, end) == ()


@pytest.mark.parametrize(
    ("year", "rest", "work"), [(2020, 30, 6), (2024, 28, 8), (2025, 28, 5), (2026, 33, 6)]
)
def test_the_shipped_table_holds_the_published_years(year: int, rest: int, work: int) -> None:
    assert sum(day.year == year for day in PUBLISHED.rest) == rest
    assert sum(day.year == year for day in PUBLISHED.work) == work


def test_only_weekend_days_are_listed_as_worked() -> None:
    assert all(day.weekday() >= 5 for day in PUBLISHED.work)
    assert PUBLISHED.years == set(range(2020, 2027))


@given(DAYS, st.integers(0, 40))
def test_counting_forward_and_between_agree(start: date, days: int) -> None:
    last = add_working_days(PUBLISHED, start, days)
    assert working_days_between(PUBLISHED, start, last) == days
    assert working_days_between(PUBLISHED, last, start) == -days


@given(DAYS)
def test_a_working_day_is_one_that_is_counted(day: date) -> None:
    counted = working_days_between(PUBLISHED, day - timedelta(days=1), day)
    assert counted == int(PUBLISHED.is_working(day))


def test_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        add_working_days(PUBLISHED, date(2026, 1, 1), -1)


def test_a_founder_is_published_by_family_name_only() -> None:
    assert shown_name("欧阳建国", HolderKind.FOUNDER) == "欧***"
    assert shown_name("太原某某有限公司", HolderKind.FIRM) == "太原某某有限公司"


def test_the_word_of_an_objection_is_its_own_and_typed_in_any_way() -> None:
    word = lookup_word("secret-of-one", "N202600000010-001")
    assert len(word) == 8
    assert is_lookup_word("secret-of-one", "N202600000010-001", f" {word[:4].lower()}-{word[4:]}")
    assert not is_lookup_word("secret-of-one", "N202600000010-002", word)
    assert not is_lookup_word("another", "N202600000010-001", word)
    assert not is_lookup_word("secret-of-one", "N202600000010-001", "口令")
