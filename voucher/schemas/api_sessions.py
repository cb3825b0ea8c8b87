"""The counter in JSON: a session, its code, the scan, the proposal."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.sessions import RedemptionSession
from voucher.schemas.api_fields import CountField, JsonIdField, PartyAnswer, amount, moment, state
from voucher.schemas.api_orders import OrderAnswer, order_answer
from voucher.schemas.base import Body, CodeField, FenField, TextField
from voucher.terms import SessionState


class OpenBody(Body):
    """The voucher to show a code of."""

    voucher_no = CodeField(required=True, maximum=24, metadata={"description": "券号"})


class ScanBody(Body):
    """What the scanner read, and which platform reads it."""

    code = TextField(required=True, maximum=400, metadata={"description": "扫到的内容：网址或 20 位数字"})
    platform_id = JsonIdField(required=True, metadata={"description": "收券的平台"})


class ProposeBody(Body):
    """What was done, and its full price."""

    service = CodeField(required=True, metadata={"description": "服务代码"})
    gross_fen = FenField(required=True, metadata={"description": "服务总价（分）"})
    units = CountField(
        maximum=1_000_000,
        load_default=1,
        metadata={"description": "数量（人数、样品数等）；政策有单位最高额的才计算"},
    )
    contract_no = TextField(maximum=60, load_default="", metadata={"description": "属于某份合同的填合同编号"})
    whole_fen = FenField(
        load_default=None,
        allow_none=True,
        metadata={"description": "整份合同的金额（分）；不填则按已备案的，或与总价相同"},
    )
    provider_ref = TextField(maximum=60, load_default="", metadata={"description": "委托单号、样品编号等"})
    description = TextField(maximum=200, load_default="")


class EndBody(Body):
    """Why, if there is something to say."""

    reason = TextField(maximum=200, load_default="")


class SessionAnswer(Body):
    """A session as it stands after a change."""

    number = fields.String(required=True, metadata={"description": "九位会话号"})
    state = state(SessionState)
    state_label = fields.String(required=True)
    opened_at = moment()
    closes_at = moment("未提出金额时，到此失效")
    confirm_by = moment("企业须在此前确认", none=True)


class SessionDetailAnswer(SessionAnswer):
    """A session with its parties, its check word, and its order once there is a proposal."""

    voucher_no = fields.String(required=True)
    holder = fields.Nested(PartyAnswer, required=True)
    platform = fields.Nested(PartyAnswer, required=True, allow_none=True)
    check_word = fields.String(required=True, metadata={"description": "双方屏幕都显示的两个字"})
    order = fields.Nested(OrderAnswer, required=True, allow_none=True)


class CodeAnswer(Body):
    """The code to show now."""

    digits = fields.String(required=True, metadata={"pattern": "^[0-9]{20}$"})
    url = fields.String(required=True, metadata={"description": "二维码的内容"})
    next_in_ms = fields.Integer(required=True, metadata={"description": "多少毫秒后换下一个码"})


class HeldAnswer(Body):
    """What was proposed: the order and how much of the voucher it holds, until `hold_expires_at`."""

    order = fields.Nested(OrderAnswer, required=True)
    held_fen = amount("锁定")


class CapturedAnswer(Body):
    """What was captured."""

    order = fields.Nested(OrderAnswer, required=True)
    captured_fen = amount("核销")


def session_answer(row: RedemptionSession, state: SessionState) -> dict[str, Any]:
    """What `SessionAnswer` says of a session that is to be shown in this state."""
    return {
        "number": row.number,
        "state": state.value,
        "state_label": state.label,
        "opened_at": iso(row.opened_at),
        "closes_at": iso(row.closes_at),
        "confirm_by": iso(row.confirm_by) if row.confirm_by else None,
    }


def session_detail(row: RedemptionSession, state: SessionState, *, check_word: str) -> dict[str, Any]:
    """What `SessionDetailAnswer` says of a session whose parties and order were read with it."""
    platform = row.platform
    return {
        **session_answer(row, state),
        "voucher_no": row.voucher.number,
        "holder": {"ref": row.holder.ref, "name": row.holder.name},
        "platform": {"ref": platform.organisation.uscc, "name": platform.name} if platform else None,
        "check_word": check_word,
        "order": order_answer(row.order) if row.order else None,
    }
