"""Deadlines in working days, counted with the editable table of holidays."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.messages import Holiday
from voucher.rules.working_days import Calendar, add_working_days, calendar_of


def deadline(session: Session, start_on: date, days: int) -> date:
    """The last of `days` working days after `start_on`; a year that the table does not know has weekends only."""
    return add_working_days(calendar_from(session, start_on), start_on, days)


def calendar_from(session: Session, start_on: date) -> Calendar:
    """What the table says of the year of a day and of the two after it."""
    query = select(Holiday.day, Holiday.kind).where(
        Holiday.day >= date(start_on.year, 1, 1), Holiday.day <= date(start_on.year + 2, 12, 31)
    )
    return calendar_of((day, kind) for day, kind in session.execute(query))
