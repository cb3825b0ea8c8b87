"""Forms about centres: certifying, changing, scoring, publishing, reporting, putting right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import Range

from voucher.operations.centre_reports import FIGURES
from voucher.schemas.base import (
    ChoiceField,
    CodeField,
    DayField,
    Form,
    IdField,
    TextField,
    UsccField,
    YuanField,
)
from voucher.terms import (
    CentreKind,
    CertificationState,
    Certifier,
    EvaluationState,
    RectificationState,
    TitleKind,
)

_A_YEAR = Range(2015, 2100, error="应为 2015 至 2100 的年份。")


class CountField(fields.Integer):
    """A count as people write it, from 0 on."""

    default_error_messages = {"invalid": "应为不小于 0 的整数。"}  # noqa: RUF012

    def __init__(self, **rest: Any) -> None:
        super().__init__(required=True, validate=Range(0, 1_000_000, error="应为不小于 0 的整数。"), **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 8):
            raise self.make_error("invalid")
        return int(value)


class CentreSearch(Form):
    """The filter over the register."""

    text = TextField(load_default="", maximum=60)
    kind = ChoiceField(CentreKind, load_default=None)
    state = ChoiceField(CertificationState, load_default=None)
    page = IdField(load_default=1)


class CentreForm(Form):
    """A centre to be certified; the last day is included."""

    uscc = UsccField(required=True)
    name = TextField(required=True, maximum=120)
    kind = ChoiceField(CentreKind, required=True)
    authority = ChoiceField(Certifier, required=True)
    certifying_region = CodeField(required=True, maximum=20)
    location_region = CodeField(required=True, maximum=20)
    grade = TextField(load_default="", maximum=40)
    document_no = TextField(required=True, maximum=80)
    from_on = DayField(required=True)
    to_on = DayField(load_default=None)
    titles = fields.List(ChoiceField(TitleKind), load_default=list)

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """It ends after it begins."""
        if data["to_on"] is not None and data["to_on"] < data["from_on"]:
            raise ValidationError("截止日期不能早于起始日期。", "to_on")


class ResultSearch(Form):
    """The filter over results."""

    year = IdField(load_default=None, validate=_A_YEAR)
    state = ChoiceField(EvaluationState, load_default=None)
    orders = CodeField(load_default="")
    page = IdField(load_default=1)


class YearSearch(Form):
    """Which year."""

    year = IdField(load_default=None, validate=_A_YEAR)


class PublishResultForm(Form):
    """By which document a result is published, and what a failed one must put right."""

    document_no = TextField(required=True, maximum=80)
    demand = TextField(load_default="", maximum=500, multiline=True)


class SettleOrderForm(Form):
    """What the authority makes of an order to put right."""

    outcome = ChoiceField(RectificationState, required=True)
    reason = TextField(load_default="", maximum=200)


class AnswerOrderForm(Form):
    """What was done."""

    text = TextField(required=True, maximum=500, multiline=True)


class RulesForm(Form):
    """The text of an evaluation file."""

    text = fields.String(required=True)


class ReportForm(Form):
    """The figures of a quarter; financing in yuan."""

    year = IdField(required=True, validate=_A_YEAR)
    quarter = IdField(required=True, validate=Range(1, 4, error="应为 1 至 4。"))
    filed_tenants = CountField()
    in_incubation = CountField()
    graduated = CountField()
    exited = CountField()
    services = CountField()
    financing_fen = YuanField(required=True, minimum=0)
    activities = CountField()
    text = TextField(load_default="", maximum=500, multiline=True)


FIGURE_LABELS: Mapping[str, str] = dict(
    zip(
        FIGURES,
        (
            "备案企业（季末，家）",
            "在孵企业（季末，家）",
            "毕业企业（家）",
            "退出企业（家）",
            "孵化服务（次）",
            "投融资（元）",
            "活动（场）",
        ),
        strict=True,
    )
)
