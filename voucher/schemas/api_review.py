"""The review in JSON: the desk, defects, cases in hand, opinions, reports, signatures, recusals, stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from voucher.clock import iso
from voucher.queries.opinions import Asked
from voucher.queries.review_desk import DeskLine
from voucher.queries.review_file import Round
from voucher.schemas.api_fields import (
    FlagField,
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.api_files import StoredBody
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, PartyField, TextField
from voucher.terms import ClaimItem, ClaimState, OpinionVerdict


class CaseDeskQuery(PageQuery):
    """Which cases of the desk."""

    side = CodeField(load_default="us", metadata={"description": "us 等我们，firm 等申请单位"})
    whose = CodeField(load_default="", metadata={"description": "mine 我的（含代办），free 无人办理"})
    overdue = CodeField(load_default="", metadata={"description": "yes 只看逾期"})
    text = TextField(maximum=60, load_default="")


class DeskCaseAnswer(Body):
    """A case with its clock, in working days."""

    number = fields.String(required=True)
    state = state(ClaimState)
    queued_at = moment("排队时间，退回补正不变")
    holder_name = fields.String(required=True)
    claimed_fen = amount("申请")
    reviewer = fields.String(required=True, allow_none=True)
    round = fields.Integer(required=True, metadata={"description": "退回补正的次数"})
    used_days = fields.Integer(required=True)
    allowed_days = fields.Integer(required=True, allow_none=True)
    overdue = fields.Boolean(required=True)
    due_on = day("审核期限；暂停时没有", none=True)
    firm_due_on = day("补正期限", none=True)


class DeskCasesAnswer(PageAnswer):
    """A page of the desk, by place in the queue."""

    cases = fields.List(fields.Nested(DeskCaseAnswer), required=True)


class DefectBody(Body):
    """One item to be mended, and how."""

    item = ChoiceField(ClaimItem, required=True)
    text = TextField(required=True, maximum=500, multiline=True)


class ReturnBody(Body):
    """Every defect of a claim, told at once."""

    defects = fields.List(fields.Nested(DefectBody), required=True, validate=bounded(1, len(ClaimItem)))
    contact = TextField(required=True, maximum=80, metadata={"description": "联系人和电话"})
    late_reason = TextField(
        maximum=500,
        load_default="",
        multiline=True,
        metadata={"description": "提出上一次没有提出的事项时，说明原因"},
    )

    @validates_schema
    def once(self, data: Mapping[str, Any], **_: Any) -> None:
        """No item stands twice."""
        items = [each["item"] for each in data["defects"]]
        if len(set(items)) < len(items):
            raise ValidationError("同一事项只写一次。", "defects")


class RoundAnswer(Body):
    """A notice of defects."""

    notice_no = fields.String(required=True)
    round = fields.Integer(required=True)
    defects = fields.List(fields.Nested(DefectBody), required=True)
    due_on = day("补正期限", none=True)
    late_reason = fields.String(required=True)
    contact = fields.String(required=True)
    returned_at = moment()
    answered_at = moment("重新提交", none=True)


class RoundsAnswer(Body):
    """All notices of a claim, the first one first."""

    rounds = fields.List(fields.Nested(RoundAnswer), required=True)


class InHandAnswer(Body):
    """Who has the case now."""

    claim_no = fields.String(required=True)
    person_id = fields.Integer(required=True, allow_none=True)


class HandOverBody(Body):
    """A colleague, and what they should know."""

    colleague_id = JsonIdField(required=True)
    note = TextField(maximum=500, load_default="", multiline=True)


class InviteBody(Body):
    """An expert, and the last day for the answer."""

    expert_id = JsonIdField(required=True)
    due_on = JsonDayField(required=True)


class OpinionBody(Body):
    """A verdict with text, or a conflict."""

    verdict = ChoiceField(OpinionVerdict, load_default=None)
    amount_fen = FenField(load_default=None, metadata={"description": "建议金额（分）"})
    text = TextField(maximum=2000, load_default="", multiline=True)
    conflict = TextField(maximum=200, load_default="", metadata={"description": "回避声明"})

    @validates_schema
    def one_of_both(self, data: Mapping[str, Any], **_: Any) -> None:
        """Either a verdict or a conflict."""
        if (data["verdict"] is None) != bool(data["conflict"]):
            raise ValidationError("给出评审意见，或只填写回避声明。", "verdict")


class ReportBody(StoredBody):
    """A third party's report; the file was sent before (POST /files)."""

    organisation = TextField(required=True, maximum=120)
    report_no = TextField(required=True, maximum=80)
    reported_on = JsonDayField(required=True)
    amount_fen = FenField(required=True, metadata={"description": "审定金额（分）"})
    text = TextField(maximum=2000, load_default="", multiline=True)


class SignBody(Body):
    """What an authority says."""

    function = CodeField(required=True, metadata={"description": "政策中的部门代码"})
    agreed = FlagField(required=True)
    text = TextField(maximum=500, load_default="", multiline=True)


class ClaimNumberAnswer(Body):
    """The claim that was worked on."""

    claim_no = fields.String(required=True)


class AskedAnswer(Body):
    """A claim that an expert was asked about."""

    number = fields.String(required=True)
    state = state(ClaimState)
    holder_name = fields.String(required=True)
    claimed_fen = amount("申请")
    due_on = day("答复期限")
    given_at = moment(none=True)


class AskedListAnswer(Body):
    """Every such claim, unanswered ones first."""

    claims = fields.List(fields.Nested(AskedAnswer), required=True)


class RecusalBody(Body):
    """In which organisation somebody has an interest; without a person, oneself."""

    person_id = JsonIdField(load_default=None)
    uscc = PartyField(required=True, metadata={"type": "string"})
    reason = TextField(required=True, maximum=200)


class RecusalAnswer(Body):
    """The interest as it is kept."""

    id = fields.Integer(required=True)
    organisation = fields.String(required=True)
    given_back = fields.Integer(required=True, metadata={"description": "放回待办的申请数"})


class StandInBody(Body):
    """Who stands in for oneself, from a day to the last day (both included)."""

    colleague_id = JsonIdField(required=True)
    from_on = JsonDayField(required=True)
    last_on = JsonDayField(required=True)

    @validates_schema
    def ordered(self, data: Mapping[str, Any], **_: Any) -> None:
        """The time has a beginning before its end."""
        if data["last_on"] < data["from_on"]:
            raise ValidationError("截止日期不能早于起始日期。", "last_on")


class StandInAnswer(Body):
    """The stand-in as it is kept."""

    id = fields.Integer(required=True)
    handed_back = fields.Integer(required=True, metadata={"description": "交还的申请数"})


def case_answer(line: DeskLine) -> dict[str, Any]:
    """What `DeskCaseAnswer` says of a line of the desk."""
    return {
        "number": line.case.number,
        "state": line.case.state.value,
        "queued_at": iso(line.case.queued_at),
        "holder_name": line.case.holder_name,
        "claimed_fen": line.case.claimed_fen,
        "reviewer": line.case.reviewer,
        "round": line.case.round,
        "used_days": line.clock.used,
        "allowed_days": line.clock.days,
        "overdue": line.clock.overdue or line.firm_overdue,
        "due_on": str(line.clock.due_on) if line.clock.due_on else None,
        "firm_due_on": str(line.firm_due_on) if line.firm_due_on else None,
    }


def round_answer(told: Round) -> dict[str, Any]:
    """What `RoundAnswer` says of a notice."""
    row = told.notice
    return {
        "notice_no": row.number,
        "round": row.round,
        "defects": [{"item": item, "text": text} for item, text in told.items],
        "due_on": str(row.due_on) if row.due_on else None,
        "late_reason": row.late_reason,
        "contact": row.contact,
        "returned_at": iso(row.returned_at),
        "answered_at": iso(row.answered_at) if row.answered_at else None,
    }


def asked_answer(row: Asked) -> dict[str, Any]:
    """What `AskedAnswer` says of a claim."""
    return {
        "number": row.number,
        "state": row.state.value,
        "holder_name": row.holder_name,
        "claimed_fen": row.claimed_fen,
        "due_on": str(row.due_on),
        "given_at": iso(row.given_at) if row.given_at else None,
    }
