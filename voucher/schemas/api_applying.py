"""Applying in JSON, what comes in: applications, decisions, questions, windows, undertakings, appeals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from voucher.schemas.api_fields import (
    CountField,
    PageQuery,
    bounded,
)
from voucher.schemas.applying import MOST_DECIDED
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, TextField
from voucher.terms import (
    AppealChannel,
    AppealState,
    ApplicationState,
    ApplicationVerdict,
    HolderClass,
)


class JsonMomentField(fields.Field[datetime]):
    """An instant in JSON: ISO 8601 with its offset, as 2026-03-01T09:00:00+08:00."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self.metadata = {**self.metadata, "type": "string", "format": "date-time"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            at = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        except ValueError:
            at = None
        if at is None or at.utcoffset() is None or not 2000 <= at.year <= 2199:
            raise ValidationError("时间应写作 2026-03-01T09:00:00+08:00 的形式。")
        return at


class ApplyBody(Body):
    """A wish for a voucher, with the undertaking signed where the programme has one."""

    programme_code = CodeField(required=True)
    wanted_fen = FenField(required=True, metadata={"description": "申领金额（分）"})
    purpose = TextField(required=True, maximum=500, multiline=True)
    holder_ref = CodeField(load_default="", metadata={"description": "为多个单位办理时必填"})
    holder_class = ChoiceField(HolderClass, load_default=None)
    undertaking_version = CountField(maximum=10_000, load_default=None)
    signed_name = TextField(load_default="", minimum=0, maximum=40)


class ApplicationMendBody(Body):
    """A returned application, mended."""

    wanted_fen = FenField(required=True)
    purpose = TextField(required=True, maximum=500, multiline=True)


class EmptyBody(Body):
    """Nothing but the deed itself."""


class DecisionItemBody(Body):
    """A decision on one application."""

    number = CodeField(required=True, maximum=24)
    verdict = ChoiceField(ApplicationVerdict, required=True)
    approved_fen = FenField(load_default=None, metadata={"description": "同意时的核定金额，缺省为全额"})
    reason = TextField(load_default="", minimum=0, maximum=500, multiline=True)


class DecisionsBody(Body):
    """Decisions, made in queue order whatever their order here."""

    decisions = fields.List(
        fields.Nested(DecisionItemBody), required=True, validate=bounded(longest=MOST_DECIDED)
    )


class ApplicationsQuery(PageQuery):
    """Which applications."""

    programme_code = CodeField(load_default="")
    state = ChoiceField(ApplicationState, load_default=None)
    text = TextField(load_default="", maximum=60)


class QueueQuery(PageQuery):
    """Which year of the public queue."""

    year = CountField(minimum=2000, maximum=2199, text=True, load_default=None)


class OfferQuery(Body):
    """What is asked of a programme."""

    holder_class = ChoiceField(HolderClass, load_default=None)
    service = CodeField(load_default="", maximum=64)
    contract_fen = CountField(maximum=10**13, text=True, load_default=None)
    voucher_fen = CountField(maximum=10**13, text=True, load_default=None)
    applicant_region = CodeField(load_default="", maximum=20)
    provider_region = CodeField(load_default="", maximum=20)


class StandingQuery(Body):
    """Whose standing: for somebody who acts for several."""

    holder_ref = CodeField(load_default="")


class WindowBody(Body):
    """An application window; without `closes_at` always open."""

    line_code = CodeField(required=True, maximum=60)
    opens_at = JsonMomentField(required=True)
    closes_at = JsonMomentField(load_default=None)
    document_no = TextField(required=True, maximum=80)

    @validates_schema
    def forward(self, data: Any, **_: Any) -> None:
        """It closes after it opens."""
        if data["closes_at"] is not None and data["closes_at"] <= data["opens_at"]:
            raise ValidationError("截止时间应晚于开始时间。", "closes_at")


class CloseWindowBody(Body):
    """The end of a window."""

    closes_at = JsonMomentField(required=True)
    document_no = TextField(required=True, maximum=80)


class UndertakingBody(Body):
    """A new version of an undertaking."""

    programme_code = CodeField(required=True)
    text = TextField(required=True, minimum=20, maximum=20_000, multiline=True)


class AppealBody(Body):
    """An appeal. `channel` other than page: written down by an official for one who called or came."""

    subject = CodeField(required=True, maximum=24)
    text = TextField(required=True, maximum=2000, multiline=True)
    channel = ChoiceField(AppealChannel, load_default=AppealChannel.PAGE)


class AppealDecisionBody(Body):
    """What became of an appeal."""

    is_upheld = fields.Boolean(required=True, truthy={True}, falsy={False})
    result = TextField(required=True, maximum=1000, multiline=True)


class AppealsQuery(PageQuery):
    """Which appeals."""

    state = ChoiceField(AppealState, load_default=None)


class GiveBackBody(Body):
    """Why a voucher is given back."""

    reason = TextField(required=True, maximum=200)
