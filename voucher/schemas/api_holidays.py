"""The table of holidays in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.models.messages import Holiday
from voucher.queries.holidays import YearOfHolidays
from voucher.schemas.api_fields import (
    CountField,
    JsonDayField,
    bounded,
    day,
    state,
)
from voucher.schemas.base import Body, ChoiceField, TextField
from voucher.terms import (
    DayKind,
)


class HolidayBody(Body):
    """A day off, or a weekend day that is worked, and the document that says so."""

    day = JsonDayField(required=True)
    kind = ChoiceField(DayKind, required=True)
    name = TextField(required=True, maximum=40)
    document_no = TextField(required=True, maximum=80)


class HolidaysBody(Body):
    """Days to be entered."""

    days = fields.List(fields.Nested(HolidayBody), required=True, validate=bounded(1, 100))


class HolidayDaysBody(Body):
    """Days to be taken out."""

    days = fields.List(JsonDayField(), required=True, validate=bounded(1, 100))


class HolidaysQuery(Body):
    """Which year."""

    year = CountField(minimum=2000, maximum=2199, text=True, required=True)


class HolidayAnswer(Body):
    """A day that differs from the plain week."""

    day = day()
    kind = state(DayKind)
    name = fields.String(required=True)
    document_no = fields.String(required=True)


class HolidaysAnswer(Body):
    """The days of a year; `known` is false for a year that nobody has entered: only weekends count there."""

    year = fields.Integer(required=True)
    known = fields.Boolean(required=True)
    days = fields.List(fields.Nested(HolidayAnswer), required=True)


def holidays_answer(year: YearOfHolidays) -> dict[str, Any]:
    """A `HolidaysAnswer`."""
    return {"year": year.year, "known": year.known, "days": [_holiday(day) for day in year.days]}


def _holiday(row: Holiday) -> dict[str, Any]:
    return {
        "day": row.day.isoformat(),
        "kind": row.kind,
        "name": row.name,
        "document_no": row.document_no,
    }
