"""Vouchers in JSON: one's own with their figures, issuing, and the register of those issued."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.operations.cap_room import CapRoom
from voucher.queries.issued import IssuedLine
from voucher.queries.vouchers import Movement, VoucherView
from voucher.schemas.api_fields import (
    PageAnswer,
    PageQuery,
    PartyAnswer,
    RefusedAnswer,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, TextField
from voucher.terms import PostingKind, VoucherState


class IssueItemBody(Body):
    """A voucher for one holder."""

    holder_ref = CodeField(required=True, metadata={"description": "统一社会信用代码，或临时编号"})
    face_fen = FenField(required=True, metadata={"description": "券面金额（分）"})


class IssueBody(Body):
    """Vouchers to issue from one budget line, 1 to 1000."""

    line_code = CodeField(required=True, maximum=60, metadata={"description": "预算指标代码"})
    vouchers = fields.List(fields.Nested(IssueItemBody), required=True, validate=bounded())


class VouchersQuery(Body):
    """Which of one's own vouchers."""

    state = ChoiceField(VoucherState)


class IssuedQuery(PageQuery):
    """Which issued vouchers."""

    state = ChoiceField(VoucherState)
    text = TextField(maximum=60, metadata={"description": "券号、持券单位名称或代码"})
    line_code = CodeField(maximum=60)


class IssuedItemAnswer(Body):
    """One voucher that was issued, or why it was refused."""

    holder_ref = fields.String(required=True)
    voucher_no = fields.String(required=True, allow_none=True)
    refused = fields.Nested(RefusedAnswer, required=True, allow_none=True)


class IssuedAnswer(Body):
    """Every request in its order."""

    vouchers = fields.List(fields.Nested(IssuedItemAnswer), required=True)


class VoucherAnswer(Body):
    """A voucher of one's own. Amounts in fen: face = left + allotted + held + used; what was returned is none of them."""

    number = fields.String(required=True, metadata={"description": "券号"})
    state = state(VoucherState)
    state_label = fields.String(required=True)
    programme_code = fields.String(required=True)
    programme_name = fields.String(required=True)
    policy_code = fields.String(required=True)
    holder = fields.Nested(PartyAnswer, required=True)
    face_fen = amount("券面")
    left_fen = amount("可用")
    allotted_fen = amount("已分配给入驻企业、尚未使用")
    held_fen = amount("锁定")
    used_fen = amount("已用")
    use_by = day("使用期限（含当日）")
    issued_at = moment()


class VouchersAnswer(Body):
    """All of one's own vouchers, those that end soonest first."""

    vouchers = fields.List(fields.Nested(VoucherAnswer), required=True)


class MovementAnswer(Body):
    """Something that happened to a voucher."""

    at = moment()
    kind = state(PostingKind)
    amount_fen = fields.Integer(required=True, metadata={"description": "资金变化（分，有正负）"})
    held_fen = fields.Integer(required=True, metadata={"description": "锁定变化（分，有正负）"})
    left_fen = amount("此后可用")
    order_no = fields.String(required=True)


class GroupAnswer(Body):
    """What firms of one controller may use together."""

    amount_fen = amount("限额")
    used_fen = amount("已用")
    held_fen = amount("锁定")
    left_fen = amount("还剩")


class CapAnswer(Body):
    """What the year's cap of the holder still allows. `year` 0: the cap of the whole programme.

    The limit holds what is carried from earlier years; what is left is also bounded by the group's.
    """

    year = fields.Integer(required=True)
    amount_fen = amount("限额")
    carried_fen = amount("其中以前年度结转")
    used_fen = amount("已用")
    held_fen = amount("锁定")
    left_fen = amount("还剩")
    group = fields.Nested(GroupAnswer, required=True, allow_none=True)


class VoucherDetailAnswer(VoucherAnswer):
    """A voucher with what happened to it, and the cap."""

    movements = fields.List(fields.Nested(MovementAnswer), required=True)
    cap = fields.Nested(CapAnswer, required=True, allow_none=True)


class IssuedLineAnswer(Body):
    """An issued voucher in a list."""

    number = fields.String(required=True)
    state = state(VoucherState)
    holder = fields.Nested(PartyAnswer, required=True)
    line_code = fields.String(required=True)
    issued_at = moment()
    use_by = day()
    face_fen = amount("券面")
    left_fen = amount("可用")
    allotted_fen = amount("已分配给入驻企业、尚未使用")
    held_fen = amount("锁定")


class IssuedPageAnswer(PageAnswer):
    """A page of issued vouchers, newest first."""

    vouchers = fields.List(fields.Nested(IssuedLineAnswer), required=True)


def voucher_answer(view: VoucherView) -> dict[str, Any]:
    """What `VoucherAnswer` says of a voucher."""
    voucher = view.voucher
    return {
        "number": voucher.number,
        "state": voucher.state,
        "state_label": VoucherState(voucher.state).label,
        "programme_code": voucher.programme_code,
        "programme_name": view.programme.name,
        "policy_code": voucher.policy_code,
        "holder": {"ref": voucher.holder.ref, "name": voucher.holder.name},
        "face_fen": voucher.face_fen,
        "left_fen": view.left_fen,
        "allotted_fen": view.allotted_fen,
        "held_fen": view.held_fen,
        "used_fen": view.used_fen,
        "use_by": voucher.use_by.isoformat(),
        "issued_at": iso(voucher.issued_at),
    }


def movement_answer(movement: Movement) -> dict[str, Any]:
    """What `MovementAnswer` says of a movement."""
    return {
        "at": iso(movement.at),
        "kind": movement.kind.value,
        "amount_fen": movement.amount_fen,
        "held_fen": movement.held_fen,
        "left_fen": movement.left_fen,
        "order_no": movement.order_number,
    }


def cap_answer(cap: CapRoom | None) -> dict[str, Any] | None:
    """What `CapAnswer` says of a cap; None where the policy has none."""
    if cap is None:
        return None
    said = {name: getattr(cap, name) for name in CapAnswer().fields if name != "group"}
    group = {name: getattr(cap.group, name) for name in GroupAnswer().fields} if cap.group else None
    return {**said, "group": group}


def issued_line(line: IssuedLine) -> dict[str, Any]:
    """What `IssuedLineAnswer` says of a voucher."""
    return {
        "number": line.number,
        "state": line.state.value,
        "holder": {"ref": line.holder_ref, "name": line.holder_name},
        "line_code": line.line_code,
        "issued_at": iso(line.issued_at),
        "use_by": line.use_by.isoformat(),
        "face_fen": line.face_fen,
        "left_fen": line.left_fen,
        "allotted_fen": line.allotted_fen,
        "held_fen": line.held_fen,
    }
