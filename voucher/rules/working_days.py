"""Working days (工作日): weekends, statutory holidays, and the weekends that are worked instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from voucher.terms import DayKind

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that differ from the plain week: weekdays off, and weekend days that are worked.

    `years` are those that the table has days for; for every other year only weekends are known.
    """

    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether offices work on that day. A day in both lists is worked."""
        return day in self.work or (day.weekday() < _SATURDAY and day not in self.rest)


def calendar_of(days: Iterable[tuple[date, str]]) -> Calendar:
    """The calendar of days and their kinds, as the table of holidays holds them."""
    known = list(days)
    return Calendar(
        rest=frozenset(day for day, kind in known if kind == DayKind.REST),
        work=frozenset(day for day, kind in known if kind == DayKind.WORK),
        years=frozenset(day.year for day, _ in known),
    )


def add_working_days(calendar: Calendar, start_on: date, days: int) -> date:
    """The last of `days` working days after `start_on`, which is not counted itself.

    For 0 days that is `start_on`. Raises ValueError for a number below zero.
    """
    if days < 0:
        raise ValueError("working days are counted forward")
    day = start_on
    while days:
        day += _DAY
        days -= calendar.is_working(day)
    return day


def working_days_between(calendar: Calendar, a: date, b: date) -> int:
    """How many working days lie after `a` up to and including `b`; negative where `b` is before `a`."""
    if b < a:
        return -working_days_between(calendar, b, a)
    return sum(calendar.is_working(a + _DAY * n) for n in range(1, (b - a).days + 1))


def unknown_years(calendar: Calendar, start_on: date, end_on: date) -> tuple[int, ...]:
    """The years from start to end for which the table has no holidays: there only weekends were counted."""
    return tuple(year for year in range(start_on.year, end_on.year + 1) if year not in calendar.years)
