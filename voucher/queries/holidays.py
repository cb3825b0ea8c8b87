"""The holiday table, as a calendar to count with and as a list to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.messages import Holiday
from voucher.rules.working_days import Calendar, calendar_of


@dataclass(frozen=True, slots=True)
class YearOfHolidays:
    """One year of the table. `known` is False for a year without a single day: only weekends count there."""

    year: int
    days: tuple[Holiday, ...]

    @property
    def known(self) -> bool:
        return bool(self.days)


def calendar(session: Session, year_from: int, year_to: int) -> Calendar:
    """What the table says of these years (both included)."""
    query = select(Holiday.day, Holiday.kind).where(
        Holiday.day >= date(year_from, 1, 1), Holiday.day <= date(year_to, 12, 31)
    )
    return calendar_of((day, kind) for day, kind in session.execute(query))


def holidays_of(session: Session, year: int) -> YearOfHolidays:
    """The days of one year, in order."""
    query = select(Holiday).where(Holiday.day >= date(year, 1, 1), Holiday.day <= date(year, 12, 31))
    return YearOfHolidays(year, tuple(session.scalars(query.order_by(Holiday.day))))
