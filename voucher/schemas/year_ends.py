"""The end of a budget year, as finance types it and as JSON says it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.queries.year_ends import CarryRow, Decision, ExpiredRow
from voucher.schemas.api_fields import CountField, JsonIdField, amount, day, moment, state
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, Form, IdField, TextField
from voucher.terms import LiveVouchers, PostingKind, YearEndAction, YearEndState


class YearEndForm(Form):
    """What is proposed for a line; `step` says whether it was checked already."""

    step = fields.String(load_default="check")
    action = ChoiceField(YearEndAction, required=True)
    to = CodeField(load_default="", maximum=60)
    vouchers = ChoiceField(LiveVouchers, required=True)
    document_no = TextField(required=True, maximum=80)


class YearEndReplyForm(Form):
    """The second person's answer, with the amount that the page showed."""

    answer = CodeField(required=True)
    amount_fen = CodeField(required=True, maximum=20)
    proposal_id = IdField(required=True)


class YearEndBody(Body):
    """What is proposed for a budget line whose year is over."""

    budget_line = CodeField(required=True, maximum=60, metadata={"description": "预算指标代码"})
    action = ChoiceField(YearEndAction, required=True)
    to = CodeField(
        load_default="", maximum=60, metadata={"description": "结转到的下年指标代码；收回财政的不填"}
    )
    vouchers = ChoiceField(LiveVouchers, load_default=LiveVouchers.KEEP)
    document_no = TextField(required=True, maximum=80, metadata={"description": "文号"})


class YearEndReplyBody(Body):
    """A second person's answer, with the amount that they saw on the line."""

    approved = fields.Boolean(required=True, truthy={True}, falsy={False})
    amount_fen = FenField(required=True, minimum=0)
    proposal_id = JsonIdField(required=True, metadata={"description": "复核人看到的那一次提出"})


class YearQuery(Body):
    """Of which year."""

    year = CountField(required=True, minimum=2000, maximum=2199, text=True)


class ExpiredQuery(YearQuery):
    """Of which year, and which page."""

    page = CountField(load_default=1, minimum=1, maximum=1_000_000, text=True)


class DecisionAnswer(Body):
    """A decision on a budget line as it stands."""

    proposal_id = fields.Integer(required=True)
    budget_line = fields.String(required=True)
    action = state(YearEndAction)
    to = fields.String(required=True, allow_none=True)
    vouchers = state(LiveVouchers)
    document_no = fields.String(required=True)
    amount_fen = amount("提出时指标余额")
    state = state(YearEndState)
    state_label = fields.String(required=True)
    proposed_at = moment("提出时间")
    decided_at = moment("复核时间", none=True)


class DecisionsAnswer(Body):
    """The decisions of one's books."""

    decisions = fields.List(fields.Nested(DecisionAnswer), required=True)


class EndedAnswer(Body):
    """What one part of carrying out did; `closed`: the line is closed, there is no more to do."""

    fallen = fields.Integer(required=True, metadata={"description": "本次收回的券数"})
    closed = fields.Boolean(required=True)
    moved_fen = amount("结转或收回的金额")


class CarryRowAnswer(Body):
    """A line of the carry-over table."""

    programme_name = fields.String(required=True)
    funder = fields.String(required=True)
    line_code = fields.String(required=True)
    line_name = fields.String(required=True)
    opening_fen = amount("年初结转")
    in_fen = amount("本年下达")
    paid_fen = amount("已支付")
    expired_fen = amount("到期收回")
    lapsed_fen = amount("收回财政")
    carried_fen = amount("结转下年")
    closing_fen = amount("年末未用")
    difference_fen = amount("核对差额")
    closed_on = day("关闭日期", none=True)


class CarryTableAnswer(Body):
    """R19 年终结转表."""

    year = fields.Integer(required=True)
    rows = fields.List(fields.Nested(CarryRowAnswer), required=True)


class ExpiredRowAnswer(Body):
    """A voucher of which something went back."""

    number = fields.String(required=True)
    holder = fields.String(required=True)
    face_fen = amount("券面")
    used_fen = amount("已用")
    returned_fen = amount("收回")
    use_by = day("使用期限")
    returned_on = day("收回日期")
    line_code = fields.String(required=True)
    kind = state(PostingKind)


class ExpiredTableAnswer(Body):
    """R16 到期回收表, a page."""

    year = fields.Integer(required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)
    total = fields.Integer(required=True)
    rows = fields.List(fields.Nested(ExpiredRowAnswer), required=True)


def decision_answer(decision: Decision) -> dict[str, Any]:
    """A decision as it stands."""
    return {
        "proposal_id": decision.row.id,
        "budget_line": decision.line_code,
        "action": decision.action.value,
        "to": decision.to_code,
        "vouchers": decision.vouchers.value,
        "document_no": decision.row.document_no,
        "amount_fen": decision.row.amount_fen,
        "state": decision.state.value,
        "state_label": decision.state.label,
        "proposed_at": iso(decision.row.proposed_at),
        "decided_at": iso(decision.decided_at) if decision.decided_at else None,
    }


def carry_answer(row: CarryRow) -> dict[str, Any]:
    """A line of the carry-over table."""
    names = [name for name in CarryRowAnswer().fields if name != "closed_on"]
    closed_on = row.closed_on.isoformat() if row.closed_on else None
    return {**{name: getattr(row, name) for name in names}, "closed_on": closed_on}


def expired_answer(row: ExpiredRow) -> dict[str, Any]:
    """A voucher of which something went back."""
    days = {"use_by": row.use_by.isoformat(), "returned_on": row.returned_on.isoformat()}
    names = [name for name in ExpiredRowAnswer().fields if name not in {*days, "kind"}]
    return {**{name: getattr(row, name) for name in names}, **days, "kind": row.kind.value}
