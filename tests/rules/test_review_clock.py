"""The clock of a review counts our working days and stops while the firm has the case."""

from __future__ import annotations

from datetime import date

import pytest

from voucher.rules.review_clock import Clock, Pause, clock
from voucher.rules.working_days import Calendar

WEEKS = Calendar()
MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("today", "used", "left", "due_on"),
    [
        (date(2026, 3, 2), 0, 5, date(2026, 3, 9)),
        (date(2026, 3, 6), 4, 1, date(2026, 3, 9)),
        (date(2026, 3, 8), 4, 1, date(2026, 3, 9)),
        (date(2026, 3, 9), 5, 0, date(2026, 3, 9)),
        (date(2026, 3, 10), 6, -1, None),
    ],
)
def test_the_day_it_came_in_is_not_counted_and_weekends_are_not(
    today: date, used: int, left: int, due_on: date | None
) -> None:
    found = clock(WEEKS, MONDAY, [], days=5, today=today)
    assert (found.used, found.left, found.due_on, found.overdue) == (used, left, due_on, left < 0)


def test_the_time_at_the_firm_is_not_ours() -> None:
    # Two days with us, eight working days at the firm, one with us.
    pause = Pause(date(2026, 3, 4), date(2026, 3, 16))
    found = clock(WEEKS, MONDAY, [pause], days=5, today=date(2026, 3, 17))
    assert (found.used, found.paused, found.due_on) == (3, False, date(2026, 3, 19))


def test_while_the_firm_has_it_the_clock_stands() -> None:
    pause = Pause(date(2026, 3, 4))
    found = clock(WEEKS, MONDAY, [pause], days=5, today=date(2026, 12, 1))
    assert found == Clock(used=2, days=5, paused=True, due_on=None)


def test_two_rounds_are_both_left_out_whatever_their_order() -> None:
    rounds = [Pause(date(2026, 3, 11), date(2026, 3, 12)), Pause(date(2026, 3, 3), date(2026, 3, 10))]
    assert clock(WEEKS, MONDAY, rounds, days=None, today=date(2026, 3, 13)).used == 1 + 1 + 1


def test_a_policy_without_days_is_never_overdue() -> None:
    found = clock(WEEKS, MONDAY, [], days=None, today=date(2027, 3, 2))
    assert (found.left, found.overdue, found.due_on) == (None, False, None)


def test_a_holiday_and_a_worked_weekend_count_as_the_table_says() -> None:
    table = Calendar(rest=frozenset({date(2026, 3, 3)}), work=frozenset({date(2026, 3, 7)}))
    assert clock(table, MONDAY, [], days=9, today=date(2026, 3, 8)).used == 4
