"""Orders in JSON: what both sides send, and what an order looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields
from marshmallow.validate import OneOf

from voucher.clock import iso
from voucher.models.orders import Order
from voucher.schemas.api_fields import (
    CountField,
    DigestField,
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PartyAnswer,
    SizedQuery,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.api_files import StoredBody
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, TextField
from voucher.terms import OrderChannel, OrderFileKind, OrderState


class PlaceBody(Body):
    """A service wanted from a platform, to be paid in part by one voucher."""

    voucher_no = CodeField(required=True, maximum=24, metadata={"description": "券号"})
    platform_id = JsonIdField(required=True, metadata={"description": "服务平台编号，见 GET /platforms"})
    service = CodeField(required=True, metadata={"description": "服务代码，见 GET /platforms"})
    description = TextField(maximum=200, load_default="", metadata={"description": "服务说明"})
    units = CountField(
        maximum=1_000_000,
        load_default=1,
        metadata={"description": "数量（人数、样品数等）；政策有单位最高额的才计算"},
    )
    entry_id = JsonIdField(
        load_default=None, allow_none=True, metadata={"description": "服务清单条目，见 GET /catalogue"}
    )


class AcceptBody(Body):
    """The full price that the platform quotes."""

    quote_fen = FenField(required=True, metadata={"description": "报价（含企业自付部分，分）"})


class ReasonBody(Body):
    """Why."""

    reason = TextField(required=True, maximum=200, metadata={"description": "理由"})


class CancelBody(Body):
    """Why, if there is something to say."""

    reason = TextField(maximum=200, load_default="", metadata={"description": "理由"})


class InstalmentBody(Body):
    """One instalment."""

    title = TextField(required=True, maximum=80, metadata={"description": "本期交付内容"})
    amount_fen = FenField(required=True, metadata={"description": "本期合同金额（分）"})
    due_on = JsonDayField(required=True, metadata={"description": "交付日期"})


class ContractBody(Body):
    """The signed contract, and this order's part of it."""

    contract_no = TextField(required=True, maximum=60, metadata={"description": "合同编号"})
    contract_on = JsonDayField(required=True, metadata={"description": "签订日期；首次备案时不早于下单日"})
    contract_fen = FenField(required=True, metadata={"description": "本订单在合同中的金额（分）"})
    whole_fen = FenField(
        load_default=None,
        allow_none=True,
        metadata={"description": "整份合同的金额（分）；不填则按已备案的，或与本订单相同"},
    )
    file = fields.Nested(StoredBody, load_default=None, allow_none=True)
    instalments = fields.List(
        fields.Nested(InstalmentBody),
        load_default=list,
        validate=bounded(0, 60),
        metadata={"description": "分期；合计等于本订单金额"},
    )


class OrderFileBody(StoredBody):
    """A file sent before (POST /files), and what it is."""

    kind = ChoiceField(OrderFileKind, required=True)


class DeliverBody(Body):
    """What was delivered: the platform's own number, the result, or its cover, conclusion and hash."""

    provider_ref = TextField(maximum=60, load_default="", metadata={"description": "委托单号、样品编号等"})
    note = TextField(maximum=500, load_default="", multiline=True, metadata={"description": "交付说明"})
    report_sha256 = DigestField(
        load_default=None, allow_none=True, metadata={"description": "不上传全文的报告：全文的 SHA-256"}
    )
    files = fields.List(fields.Nested(OrderFileBody), load_default=list, validate=bounded(0, 50))


class ConfirmBody(Body):
    """How much of the hold to take; all of it, or of the delivered instalment's share, where nothing is said."""

    amount_fen = FenField(
        load_default=None, metadata={"description": "核销金额（分），不填则为全部锁定额或本期份额"}
    )
    part = CountField(
        maximum=60,
        load_default=None,
        allow_none=True,
        metadata={"description": "第几期；不填则为已交付的一期"},
    )


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
    listed_fen = amount("服务清单标价", none=True)
    agreement_version_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "适用的互认协议版本；本地平台为空"}
    )
    recognised_region = fields.String(
        required=True, metadata={"description": "经互认的平台的认定地区；本地平台为空"}
    )
    price_differs = fields.Boolean(required=True, metadata={"description": "报价与服务清单标价不同"})
    instalments = fields.Integer(required=True, metadata={"description": "分期数，0 为不分期"})
    complete_by = day("服务完成期限", none=True)
    confirm_by = day("验收答复期限", none=True)
    cancel_asked_by = fields.String(
        required=True, metadata={"description": "请求取消、等待对方同意的一方：holder、platform 或空"}
    )
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
        "units": order.units,
        "wanted_fen": order.wanted_fen,
        "held_fen": order.held_fen,
        "captured_fen": order.captured_fen,
        "approved_fen": order.approved_fen,
        "reductions": order.reductions or [],
        "listed_fen": order.listed_fen,
        "agreement_version_id": order.agreement_version_id,
        "recognised_region": order.recognised_region,
        "price_differs": price_differs(order),
        "instalments": order.instalments or 0,
        "complete_by": order.complete_by.isoformat() if order.complete_by else None,
        "confirm_by": order.confirm_by.isoformat() if order.confirm_by else None,
        "cancel_asked_by": order.cancel_asked_by or "",
        "hold_expires_at": iso(order.hold_expires_at) if order.hold_expires_at else None,
        "provider_ref": order.provider_ref or "",
        "placed_at": iso(order.placed_at),
        "captured_at": iso(order.captured_at) if order.captured_at else None,
        "close_reason": order.close_reason or "",
    }


def price_differs(order: Order) -> bool:
    """Whether the quote is another price than the one that the catalogue listed when the order was placed."""
    return None not in (order.listed_fen, order.quote_fen) and order.listed_fen != order.quote_fen


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
