"""The holiday table as operations count with it (pages read it through `queries/holidays.py`)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.messages import Holiday
from voucher.rules.working_days import Calendar, add_working_days
from voucher.terms import DayKind


def working_day_after(session: Session, start_on: date, days: int) -> date:
    """The last of `days` working days after a day, by the holiday table; where it has no days, by weekends."""
    furthest = start_on + timedelta(days=2 * days + 30)
    query = select(Holiday.day, Holiday.kind).where(Holiday.day > start_on, Holiday.day <= furthest)
    rows = session.execute(query).all()
    rest = frozenset(row.day for row in rows if row.kind == DayKind.REST.value)
    work = frozenset(row.day for row in rows if row.kind == DayKind.WORK.value)
    return add_working_days(Calendar(rest, work), start_on, days)
