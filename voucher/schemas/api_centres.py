"""Centres and evaluations in JSON: what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.rules.lifecycle import Event
from voucher.schemas.api_fields import (
    CountField,
    JsonDayField,
    PageQuery,
    bounded,
)
from voucher.schemas.base import MAX_ID, Body, ChoiceField, CodeField, FenField, TextField, UsccField
from voucher.terms import (
    CentreKind,
    CertificationState,
    Certifier,
    EvaluationState,
    EvaluationSubject,
    RectificationState,
    TitleKind,
)


class CentresQuery(PageQuery):
    """Which centres."""

    text = TextField(maximum=60, load_default="")
    kind = ChoiceField(CentreKind, load_default=None)
    state = ChoiceField(CertificationState, load_default=None)


class YearQuery(Body):
    """Which year."""

    year = CountField(required=True, minimum=2015, maximum=2100, text=True)


class ResultsQuery(PageQuery):
    """Which results."""

    year = CountField(minimum=2015, maximum=2100, text=True, load_default=None)
    state = ChoiceField(EvaluationState, load_default=None)


class CentreBody(Body):
    """A centre to be certified; `to_on` is the first day on which it is not any more."""

    uscc = UsccField(required=True)
    name = TextField(required=True, maximum=120)
    kind = ChoiceField(CentreKind, required=True)
    authority = ChoiceField(Certifier, required=True)
    certifying_region = CodeField(required=True, maximum=20)
    location_region = CodeField(required=True, maximum=20)
    grade = TextField(load_default="", minimum=0, maximum=40)
    document_no = TextField(required=True, maximum=80)
    from_on = JsonDayField(required=True)
    to_on = JsonDayField(load_default=None, allow_none=True)
    titles = fields.List(ChoiceField(TitleKind), load_default=list, validate=bounded(0, len(TitleKind)))

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """It ends after it begins."""
        if data["to_on"] is not None and data["to_on"] <= data["from_on"]:
            raise ValidationError("应晚于开始日期。", "to_on")


class CentreChangeBody(Body):
    """What happens to a centre, and why."""

    event = fields.String(
        required=True, validate=validate.OneOf([Event.SUSPEND, Event.RESTORE, Event.REVOKE])
    )
    reason = TextField(required=True, maximum=200)


def _count() -> CountField:
    return CountField(required=True, minimum=0, maximum=1_000_000)


class QuarterReportBody(Body):
    """The figures of one quarter."""

    year = CountField(required=True, minimum=2015, maximum=2100)
    quarter = CountField(required=True, maximum=4)
    filed_tenants = _count()
    in_incubation = _count()
    graduated = _count()
    exited = _count()
    services = _count()
    financing_fen = FenField(required=True, minimum=0)
    activities = _count()
    text = TextField(load_default="", minimum=0, maximum=500, multiline=True)


class EvaluateBody(Body):
    """The points of a year."""

    subject = ChoiceField(EvaluationSubject, required=True)
    id = CountField(required=True, maximum=MAX_ID, metadata={"description": "载体编号，或平台认定记录的编号"})
    year = CountField(required=True, minimum=2015, maximum=2100)
    points = fields.Dict(
        keys=CodeField(maximum=24), values=CountField(minimum=0, maximum=1_000), required=True
    )
    remarks = TextField(load_default="", minimum=0, maximum=500, multiline=True)


class PublishResultBody(Body):
    """By which document, and what is to be put right."""

    document_no = TextField(required=True, maximum=80)
    demand = TextField(load_default="", minimum=0, maximum=500, multiline=True)


class AnswerOrderBody(Body):
    """What was done."""

    text = TextField(required=True, maximum=500, multiline=True)


class SettleOrderBody(Body):
    """What the authority makes of it."""

    outcome = ChoiceField(
        RectificationState,
        required=True,
        validate=validate.NoneOf([RectificationState.ANSWERED], error="请从列表中选择。"),
    )
    reason = TextField(load_default="", minimum=0, maximum=200)


class RulesBody(Body):
    """The text of an evaluation file."""

    text = fields.String(required=True, validate=validate.Length(1, 60_000))
