"""Forms of applying: the wish, the decision, windows, undertakings, appeals, and what could be got."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from voucher.clock import SHANGHAI
from voucher.schemas.base import ChoiceField, CodeField, Form, IdField, TextField, YuanField
from voucher.terms import (
    AppealChannel,
    AppealState,
    ApplicationState,
    ApplicationVerdict,
    HolderClass,
)

_MOMENT: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[T ]([0-9]{1,2}):([0-9]{2})", re.ASCII)
MOST_DECIDED: Final = 200


class MomentField(fields.Field[datetime]):
    """A minute in Shanghai, written 2026-03-01 09:00 or as a browser's field writes it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        text = unicodedata.normalize("NFKC", value[:40]).strip() if isinstance(value, str) else ""
        match = _MOMENT.fullmatch(text)
        try:
            if match is None:
                raise ValueError(text)
            year, month, day, hour, minute = (int(part) for part in match.groups())
            moment = datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)
        except ValueError as error:
            raise ValidationError("时间应写作 2026-03-01 09:00 的形式，并且确有这一刻。") from error
        if not 2000 <= year <= 2199:
            raise ValidationError("时间的年份不合理。")
        return moment


class ApplyForm(Form):
    """A wish for a voucher, before the undertaking is signed."""

    programme = CodeField(required=True)
    holder_ref = CodeField(load_default="")
    holder_class = ChoiceField(HolderClass, load_default=None)
    wanted = YuanField(required=True)
    purpose = TextField(required=True, maximum=500, multiline=True)
    undertaking = IdField(load_default=None)
    signed_name = TextField(load_default="", maximum=40)


class MendForm(Form):
    """A returned application, mended."""

    wanted = YuanField(required=True)
    purpose = TextField(required=True, maximum=500, multiline=True)


class DecideForm(Form):
    """A decision on the ticked applications; `single`: the form stood on the page of one."""

    numbers = fields.List(CodeField(), load_default=list)
    single = TextField(load_default="", maximum=3)
    verdict = ChoiceField(ApplicationVerdict, required=True)
    approved = YuanField(load_default=None)
    reason = TextField(load_default="", maximum=500, multiline=True)

    @validates_schema
    def whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """Something is ticked, an amount belongs to one approval, and every no has a reason."""
        if not 1 <= len(data["numbers"]) <= MOST_DECIDED:
            raise ValidationError(f"请勾选 1 至 {MOST_DECIDED} 件申领。", "numbers")
        approves = data["verdict"] is ApplicationVerdict.APPROVE
        if data["approved"] is not None and (not approves or len(data["numbers"]) > 1):
            raise ValidationError("只有同意发放一件申领时才能另定金额。", "approved")
        if not approves and not data["reason"]:
            raise ValidationError("请写明要补正的内容或不予发放的理由，企业将看到这段文字。", "reason")


class ApplicationSearch(Form):
    """The filter over applications."""

    programme = CodeField(load_default="")
    state = ChoiceField(ApplicationState, load_default=None)
    text = TextField(load_default="", maximum=60)
    page = IdField(load_default=1)


class WindowForm(Form):
    """An application window."""

    line_code = CodeField(required=True, maximum=60)
    opens = MomentField(required=True)
    closes = MomentField(load_default=None)
    document_no = TextField(required=True, maximum=80)

    @validates_schema
    def forward(self, data: Mapping[str, Any], **_: Any) -> None:
        """It closes after it opens, and opens in its line's year (the operation knows the line)."""
        if data["closes"] is not None and data["closes"] <= data["opens"]:
            raise ValidationError("截止时间应晚于开始时间。", "closes")


class CloseWindowForm(Form):
    """The end of a window."""

    closes = MomentField(required=True)
    document_no = TextField(required=True, maximum=80)


class UndertakingForm(Form):
    """A new version of an undertaking."""

    programme = CodeField(required=True)
    text = TextField(required=True, minimum=20, maximum=20_000, multiline=True)


class AppealForm(Form):
    """An appeal; `channel` is filled in by officials only."""

    subject = CodeField(required=True, maximum=24)
    text = TextField(required=True, maximum=2000, multiline=True)
    channel = ChoiceField(AppealChannel, load_default=AppealChannel.PAGE)


class AppealDecisionForm(Form):
    """What became of an appeal."""

    outcome = ChoiceField(AppealState, required=True)
    result = TextField(required=True, maximum=1000, multiline=True)

    @validates_schema
    def decided(self, data: Mapping[str, Any], **_: Any) -> None:
        """One of the two ends."""
        if data["outcome"] is AppealState.LODGED:
            raise ValidationError("请选择申诉成立或不成立。", "outcome")


class AppealSearch(Form):
    """The filter over appeals."""

    state = ChoiceField(AppealState, load_default=None)
    page = IdField(load_default=1)


class OfferSearch(Form):
    """What somebody asks of a programme before applying; a firm's people may name the holder they ask for."""

    holder_ref = CodeField(load_default="", maximum=40)
    holder_class = ChoiceField(HolderClass, load_default=None)
    service = CodeField(load_default="", maximum=64)
    contract = YuanField(load_default=None)
    voucher = YuanField(load_default=None)
    applicant_region = CodeField(load_default="", maximum=20)
    provider_region = CodeField(load_default="", maximum=20)
    platform = IdField(load_default=None)


class QueueSearch(Form):
    """Where in the public queue."""

    year = IdField(load_default=None)
    page = IdField(load_default=1)
