"""Orders in JSON: what both sides send, and what an order looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf

from voucher.clock import iso
from voucher.models.orders import Order
from voucher.schemas.api_fields import (
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PartyAnswer,
    SizedQuery,
    amount,
    day,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, TextField
from voucher.terms import OrderChannel, OrderState


class PlaceBody(Body):
    """A service wanted from a platform, to be paid in part by one voucher."""

    voucher_no = CodeField(required=True, maximum=24, metadata={"description": "券号"})
    platform_id = JsonIdField(required=True, metadata={"description": "服务平台编号，见 GET /platforms"})
    service = CodeField(required=True, metadata={"description": "服务代码，见 GET /platforms"})
    description = TextField(maximum=200, load_default="", metadata={"description": "服务说明"})


class AcceptBody(Body):
    """The full price that the platform quotes."""

    quote_fen = FenField(required=True, metadata={"description": "报价（含企业自付部分，分）"})


class ReasonBody(Body):
    """Why."""

    reason = TextField(required=True, maximum=200, metadata={"description": "理由"})


class CancelBody(Body):
    """Why, if there is something to say."""

    reason = TextField(maximum=200, load_default="", metadata={"description": "理由"})


class ContractBody(Body):
    """The signed contract."""

    contract_no = TextField(required=True, maximum=60, metadata={"description": "合同编号"})
    contract_on = JsonDayField(required=True, metadata={"description": "签订日期，不早于下单日"})
    contract_fen = FenField(required=True, metadata={"description": "合同金额（分）"})


class DeliverBody(Body):
    """The platform's own number for the work."""

    provider_ref = TextField(maximum=60, load_default="", metadata={"description": "委托单号、样品编号等"})


class ConfirmBody(Body):
    """How much of the hold to take; all of it where nothing is said."""

    amount_fen = FenField(load_default=None, metadata={"description": "核销金额（分），不填则为全部锁定额"})


class OrdersQuery(SizedQuery):
    """Which orders. `side`: as holder or as platform; needed only by somebody who is both."""

    side = fields.String(validate=OneOf(["holder", "platform"], error="应为 holder 或 platform。"))
    state = ChoiceField(OrderState)
    voucher_no = CodeField(maximum=24)
    text = TextField(maximum=60, metadata={"description": "订单号、合同编号或机构自有编号"})
    since_on = JsonDayField()
    until_on = JsonDayField()


class OrderAnswer(Body):
    """An order as it stands after a change. Amounts in fen."""

    number = fields.String(required=True, metadata={"description": "订单号"})
    state = state(OrderState)
    state_label = fields.String(required=True)
    channel = fields.String(required=True, metadata={"enum": [each.value for each in OrderChannel]})
    service = fields.String(required=True)
    policy_code = fields.String(required=True, metadata={"description": "适用的政策版本"})
    fiscal_year = fields.Integer(required=True, metadata={"description": "计入限额的年度"})
    quote_fen = amount("报价", none=True)
    contract_no = fields.String(required=True)
    contract_on = day("合同签订日期", none=True)
    contract_fen = amount("合同金额", none=True)
    wanted_fen = amount("按政策计算的补助")
    held_fen = amount("锁定")
    captured_fen = amount("核销")
    approved_fen = amount("核定")
    reductions = fields.List(fields.Dict(), required=True, metadata={"description": "因余额、限额减少的金额"})
    complete_by = day("服务完成期限", none=True)
    hold_expires_at = moment("锁定到期", none=True)
    provider_ref = fields.String(required=True)
    placed_at = moment()
    captured_at = moment(none=True)
    close_reason = fields.String(required=True)


class OrderDetailAnswer(OrderAnswer):
    """An order with its parties."""

    voucher_no = fields.String(required=True)
    holder = fields.Nested(PartyAnswer, required=True)
    platform_id = fields.Integer(required=True)
    platform = fields.Nested(PartyAnswer, required=True)
    description = fields.String(required=True)
    accepted_at = moment(none=True)
    held_at = moment(none=True)
    delivered_at = moment(none=True)
    closed_at = moment(none=True)


class OrdersAnswer(PageAnswer):
    """A page of orders, newest first."""

    orders = fields.List(fields.Nested(OrderDetailAnswer), required=True)


def order_answer(order: Order) -> dict[str, Any]:
    """What `OrderAnswer` says of an order: plain values, to be kept under an idempotency key."""
    return {
        "number": order.number,
        "state": order.state,
        "state_label": OrderState(order.state).label,
        "channel": order.channel,
        "service": order.service,
        "policy_code": order.policy_code,
        "fiscal_year": order.fiscal_year,
        "quote_fen": order.quote_fen,
        "contract_no": order.contract_no or "",
        "contract_on": order.contract_on.isoformat() if order.contract_on else None,
        "contract_fen": order.contract_fen,
        "wanted_fen": order.wanted_fen,
        "held_fen": order.held_fen,
        "captured_fen": order.captured_fen,
        "approved_fen": order.approved_fen,
        "reductions": order.reductions or [],
        "complete_by": order.complete_by.isoformat() if order.complete_by else None,
        "hold_expires_at": iso(order.hold_expires_at) if order.hold_expires_at else None,
        "provider_ref": order.provider_ref or "",
        "placed_at": iso(order.placed_at),
        "captured_at": iso(order.captured_at) if order.captured_at else None,
        "close_reason": order.close_reason or "",
    }


def order_detail(order: Order) -> Mapping[str, Any]:
    """What `OrderDetailAnswer` says of an order whose parties were read with it."""
    host = order.platform.organisation
    instants = ("accepted_at", "held_at", "delivered_at", "closed_at")
    return {
        **order_answer(order),
        "voucher_no": order.voucher.number,
        "holder": {"ref": order.holder.ref, "name": order.holder.name},
        "platform_id": order.platform_id,
        "platform": {"ref": host.uscc, "name": order.platform.name},
        "description": order.description,
        **{name: iso(at) if (at := getattr(order, name)) else None for name in instants},
    }
