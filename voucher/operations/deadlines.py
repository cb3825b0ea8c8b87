"""Deadlines in working days, counted with the editable table of holidays."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.messages import Holiday
from voucher.rules.working_days import Calendar, add_working_days
from voucher.terms import DayKind


def deadline(session: Session, start_on: date, days: int) -> date:
    """The last of `days` working days after `start_on`; a year that the table does not know has weekends only."""
    query = select(Holiday.day, Holiday.kind).where(
        Holiday.day >= start_on, Holiday.day <= date(start_on.year + 2, 12, 31)
    )
    rows = session.execute(query).all()
    calendar = Calendar(
        rest=frozenset(day for day, kind in rows if kind == DayKind.REST),
        work=frozenset(day for day, kind in rows if kind == DayKind.WORK),
    )
    return add_working_days(calendar, start_on, days)
