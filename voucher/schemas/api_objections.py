"""Objections to public notices in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from voucher.clock import iso
from voucher.models.notices import Objection
from voucher.queries.notices import (
    ObjectionFile,
    ObjectionLine,
)
from voucher.schemas.api_fields import (
    PageAnswer,
    PageQuery,
    amount,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, TextField
from voucher.terms import (
    ObjectionChannel,
    ObjectionState,
)


class ObjectionBody(Body):
    """An objection to one line of a notice."""

    subject = CodeField(required=True, maximum=40, metadata={"description": "公示中的申请编号"})
    objector = TextField(required=True, maximum=60)
    contact = TextField(required=True, maximum=120)
    body = TextField(required=True, maximum=2000, minimum=5, multiline=True)


class RecordedBody(ObjectionBody):
    """An objection that an official writes down."""

    via = ChoiceField(ObjectionChannel, required=True)

    @validates_schema
    def not_by_page(self, data: Mapping[str, Any], **_: Any) -> None:
        """What is written down came by telephone or at the counter."""
        if data.get("via") is ObjectionChannel.PAGE:
            raise ValidationError("应为 telephone 或 counter。", "via")


class ObjectionAnswerBody(Body):
    """What the bureau makes of an objection. The reason is published."""

    verdict = ChoiceField(ObjectionState, required=True)
    reason = TextField(required=True, maximum=500, minimum=2)

    @validates_schema
    def decided(self, data: Mapping[str, Any], **_: Any) -> None:
        """An answer is a yes or a no."""
        if data.get("verdict") is ObjectionState.LODGED:
            raise ValidationError("应为 dismissed 或 upheld。", "verdict")


class LookUpBody(Body):
    """The number of an objection and its word."""

    number = CodeField(required=True, maximum=32)
    word = CodeField(required=True, maximum=12)


class ObjectionsQuery(PageQuery):
    """Which objections."""

    state = ChoiceField(ObjectionState)


class ObjectionMadeAnswer(Body):
    """An objection that was made: what it is followed by."""

    number = fields.String(required=True)
    word = fields.String(required=True, metadata={"description": "查询口令"})


class ObjectionLineAnswer(Body):
    """An objection in the bureau's list."""

    number = fields.String(required=True)
    notice_no = fields.String(required=True)
    subject = fields.String(required=True)
    via = state(ObjectionChannel)
    state = state(ObjectionState)
    made_at = moment()


class ObjectionsAnswer(PageAnswer):
    """Objections, the newest first."""

    objections = fields.List(fields.Nested(ObjectionLineAnswer), required=True)


class ObjectionDetailAnswer(ObjectionLineAnswer):
    """An objection as the bureau works on it."""

    objector = fields.String(required=True)
    contact = fields.String(required=True)
    body = fields.String(required=True)
    decided_at = moment(none=True)
    reason = fields.String(required=True)


class ObjectionStandingAnswer(Body):
    """How an objection stands, for whoever knows its word."""

    number = fields.String(required=True)
    state = state(ObjectionState)
    made_at = moment()
    decided_at = moment(none=True)
    reason = fields.String(required=True)


class ObjectionDecidedAnswer(Body):
    """An objection after it was answered."""

    number = fields.String(required=True)
    state = state(ObjectionState)
    claim_state = fields.String(required=True)
    given_back_fen = amount("退回金额")


def objection_line(line: ObjectionLine) -> dict[str, Any]:
    """An `ObjectionLineAnswer`."""
    return {
        "number": line.number,
        "notice_no": line.notice_number,
        "subject": line.subject,
        "via": line.via.value,
        "state": line.state.value,
        "made_at": iso(line.made_at),
    }


def objection_detail(file: ObjectionFile) -> dict[str, Any]:
    """An `ObjectionDetailAnswer`."""
    row = file.objection
    return {
        "notice_no": file.notice.number,
        "subject": file.line.subject,
        "via": file.via.value,
        "objector": row.objector,
        "contact": row.contact,
        "body": row.body,
        **objection_standing(row),
    }


def objection_standing(row: Objection) -> dict[str, Any]:
    """An `ObjectionStandingAnswer`."""
    return {
        "number": row.number,
        "state": row.state,
        "made_at": iso(row.made_at),
        "decided_at": iso(row.decided_at) if row.decided_at else None,
        "reason": row.reason,
    }
