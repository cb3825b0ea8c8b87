"""Budget lines in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.queries.budgets import LineStanding
from voucher.schemas.api_fields import CountField, amount, day
from voucher.schemas.base import Body, CodeField, FenField, TextField


class BudgetLineBody(Body):
    """A budget line to open."""

    code = CodeField(required=True, maximum=60, metadata={"description": "预算指标代码，全系统唯一"})
    programme_code = CodeField(required=True)
    year = CountField(required=True, minimum=2000, maximum=2100)
    name = TextField(required=True, maximum=80)


class FundBody(Body):
    """An appropriation document and its amount."""

    document_no = TextField(required=True, maximum=80, metadata={"description": "指标文号"})
    amount_fen = FenField(required=True)


class LinesQuery(Body):
    """Which lines."""

    year = CountField(minimum=2000, maximum=2100, text=True)


class OpenedAnswer(Body):
    """The line that stands now."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)


class FundedAnswer(Body):
    """The line that the money is on; `replayed`: this document had put it there already."""

    code = fields.String(required=True)
    replayed = fields.Boolean(required=True)


class BudgetLineAnswer(Body):
    """Where the money of a budget line is."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    year = fields.Integer(required=True)
    programme_code = fields.String(required=True)
    closed_on = day("关闭日期", none=True)
    funded_fen = amount("下达")
    issued_fen = amount("已发券面")
    available_fen = amount("可用")
    on_vouchers_fen = amount("券上余额")
    held_fen = amount("锁定")
    in_orders_fen = amount("已核销未结算")
    payable_fen = amount("待支付")
    paid_fen = amount("已支付")


class BudgetLinesAnswer(Body):
    """Every line of one's books."""

    budgets = fields.List(fields.Nested(BudgetLineAnswer), required=True)


def budget_answer(line: LineStanding) -> dict[str, Any]:
    """What `BudgetLineAnswer` says of a budget line."""
    names = [name for name in BudgetLineAnswer().fields if name != "closed_on"]
    closed_on = line.closed_on.isoformat() if line.closed_on else None
    return {**{name: getattr(line, name) for name in names}, "closed_on": closed_on}
