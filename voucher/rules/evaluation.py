"""Yearly evaluation (年度评价) of centres and platforms: points, grades, failed years in a row, quarterly reports.

The numbers are those of a published file (`EvaluationRules`), each with its clause; Lhasa 2019, 二（三）, has two years
and three years.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from voucher.errors import Code, Refusal
from voucher.rules.working_days import Calendar, add_working_days
from voucher.terms import EvaluationSubject, UnevaluatedYear

QUARTERS: Final = (1, 2, 3, 4)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clause:
    """What a number rests on: an item of the document with its words, or what the authority decided itself."""

    item: str = ""
    quote: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """A group of what is looked at, and how many points it brings at most."""

    key: str
    label: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRules:
    """How one region evaluates its centres or platforms, for years whose last day lies in [from_on, to_on).

    `grades` are the labels with the points from which they are given, best first; below all of them 不合格.
    `fails_in_row` failed years in a row take the certification away, and nothing new is certified for `lock_years`.
    A quarterly report is due `report_days` days after the quarter; an order of rectification gives
    `rectify_working_days`.
    """

    code: str
    title: str
    document_no: str
    document: str
    region: str
    subject: EvaluationSubject
    from_on: date
    to_on: date | None
    indicators: tuple[Indicator, ...]
    pass_points: int
    grades: tuple[tuple[str, int], ...]
    fails_in_row: int
    lock_years: int
    report_days: int
    rectify_working_days: int
    unevaluated_year: UnevaluatedYear
    clauses: Mapping[str, Clause]

    def clause(self, key: str) -> str:
        """How a refusal or decision cites the parameter: document and item, or the authority's own basis."""
        clause = self.clauses[key]
        return f"{self.document_no} {clause.item}" if clause.item else clause.basis


@dataclass(frozen=True, slots=True)
class Result:
    """What the points of a year come to."""

    total: int
    passed: bool
    grade: str


FAILED: Final = "不合格"


def result_of(rules: EvaluationRules, points: Mapping[str, int]) -> Result:
    """The sum, whether it passes, and the grade. Every indicator has points between 0 and its most.

    Refused as `points_invalid` with the `indicator`'s label and `most`.
    """
    for indicator in rules.indicators:
        given = points.get(indicator.key)
        if given is None or not 0 <= given <= indicator.points:
            raise Refusal(Code.POINTS_INVALID, indicator=indicator.label, most=indicator.points)
    if unknown := points.keys() - {indicator.key for indicator in rules.indicators}:
        raise Refusal(Code.POINTS_INVALID, indicator=min(unknown), most=0)
    total = sum(points.values())
    passed = total >= rules.pass_points
    grade = next((label for label, least in rules.grades if total >= least), FAILED)
    return Result(total, passed, grade if passed else FAILED)


def failed_in_row(rules: EvaluationRules, passed: Mapping[int, bool], year: int) -> int:
    """How many failed years in a row this one is among; 0 where it passed. `passed` are the published years.

    A year without a published result breaks the row, or is passed over where the rules say so.
    """
    if passed[year]:
        return 0
    return 1 + _failed_beside(rules, passed, year, -1) + _failed_beside(rules, passed, year, 1)


def _failed_beside(rules: EvaluationRules, passed: Mapping[int, bool], year: int, step: int) -> int:
    count = 0
    for _ in range(max(passed) - min(passed)):
        year += step
        result = passed.get(year)
        if result is None and rules.unevaluated_year is UnevaluatedYear.SKIPPED:
            continue
        if result is not False:
            return count
        count += 1
    return count


def years_later(day: date, years: int) -> date:
    """The same day so many years later; the 29th of February becomes the 1st of March where there is none."""
    if (day.month, day.day) == (2, 29) and not isleap(day.year + years):
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)


def quarter_begins(year: int, quarter: int) -> date:
    """The first day of a quarter. Raises ValueError for one that is none."""
    if quarter not in QUARTERS:
        raise ValueError("a year has four quarters")
    return date(year, 3 * quarter - 2, 1)


def report_due(rules: EvaluationRules, calendar: Calendar, year: int, quarter: int) -> date:
    """The last day for the report of a quarter; one on which offices are closed goes to the next working day."""
    following = quarter_begins(year, quarter + 1) if quarter < max(QUARTERS) else date(year + 1, 1, 1)
    due_on = following - _DAY + _DAY * rules.report_days
    return due_on if calendar.is_working(due_on) else add_working_days(calendar, due_on, 1)


def rectify_by(rules: EvaluationRules, calendar: Calendar, ordered_on: date) -> date:
    """The last day on which a centre may show that it put things right."""
    return add_working_days(calendar, ordered_on, rules.rectify_working_days)
