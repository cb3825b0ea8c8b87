"""What hangs on an order, in JSON: contract, instalments, deliveries, extensions, disputes; and what is sent about them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validates_schema
from marshmallow.exceptions import ValidationError

from voucher.clock import iso
from voucher.models.contracts import Instalment, Supplement
from voucher.models.deliveries import Delivery, Extension
from voucher.queries.order_cases import ContractView, DisputeView, OrderCase
from voucher.schemas.api_disputes import DisputeAnswer, dispute_answer
from voucher.schemas.api_fields import (
    FlagField,
    JsonDayField,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.api_files import StoredBody
from voucher.schemas.api_orders import OrderAnswer, OrderFileBody, order_answer
from voucher.schemas.base import Body, ChoiceField, FenField, TextField
from voucher.terms import (
    AskState,
    DeliveryAnswer,
    DisputeOutcome,
    InstalmentState,
    OrderFileKind,
    OrderSide,
)


class ExtensionBody(Body):
    """Until which day, and why."""

    until_on = JsonDayField(required=True, metadata={"description": "延至哪一天"})
    reason = TextField(required=True, maximum=200, metadata={"description": "理由"})


class AskAnswerBody(Body):
    """Yes or no; no needs a reason."""

    granted = FlagField(required=True, metadata={"description": "是否同意"})
    reason = TextField(load_default="", maximum=200, metadata={"description": "不同意的理由"})


class SupplementBody(Body):
    """A signed supplement, and the contract's whole amount after it."""

    number = TextField(required=True, maximum=60, metadata={"description": "补充协议编号"})
    signed_on = JsonDayField(required=True, metadata={"description": "签订日期"})
    amount_fen = FenField(required=True, metadata={"description": "变更后的合同总额（分）"})
    reason = TextField(required=True, maximum=200, metadata={"description": "变更原因"})
    file = fields.Nested(StoredBody, load_default=None, allow_none=True)


class StatementBody(Body):
    """What a side says, and its files."""

    body = TextField(required=True, maximum=2000, multiline=True, metadata={"description": "陈述"})
    files = fields.List(fields.Nested(OrderFileBody), load_default=list, validate=bounded(0, 20))


class OutcomeBody(Body):
    """How a dispute ends; a capture names its amount."""

    outcome = ChoiceField(DisputeOutcome, required=True)
    amount_fen = FenField(
        load_default=None, allow_none=True, metadata={"description": "核销金额（分），仅 capture"}
    )
    reason = TextField(load_default="", maximum=500, metadata={"description": "理由"})

    @validates_schema
    def amount_with_a_capture_only(self, data: dict[str, Any], **_rest: Any) -> None:
        """A capture, and nothing else, names an amount."""
        if (data.get("outcome") is DisputeOutcome.CAPTURE) != (data.get("amount_fen") is not None):
            raise ValidationError("核销一部分时填写金额，其他情形不填。", "amount_fen")


class SupplementAnswer(Body):
    """A supplement to a contract."""

    number = fields.String(required=True)
    signed_on = day()
    was_fen = amount("原合同金额")
    amount_fen = amount("变更后的合同金额")
    reason = fields.String(required=True)
    state = state(AskState)
    answer_reason = fields.String(required=True)


class ContractAnswer(Body):
    """A contract on file and its ceiling."""

    contract_no = fields.String(required=True)
    amount_fen = amount("合同总额")
    signed_on = day()
    file_sha256 = fields.String(required=True, allow_none=True)
    opened_fen = amount("可补助的上限")
    left_fen = amount("上限剩余")
    orders = fields.Integer(required=True, metadata={"description": "使用该合同的订单数"})
    supplements = fields.List(fields.Nested(SupplementAnswer), required=True)


class InstalmentAnswer(Body):
    """One part of an order."""

    part = fields.Integer(required=True)
    title = fields.String(required=True)
    amount_fen = amount("本期合同金额")
    due_on = day()
    subsidy_fen = amount("本期补助份额")
    captured_fen = amount("本期核销")
    state = state(InstalmentState)


class CaseFileAnswer(Body):
    """A file of an order."""

    id = fields.Integer(required=True)
    kind = state(OrderFileKind)
    file_name = fields.String(required=True)
    media_type = fields.String(required=True)
    sha256 = fields.String(required=True)


class DeliveryAnswered(Body):
    """One delivery and the firm's answer."""

    part = fields.Integer(required=True, metadata={"description": "第几期，0 为整个订单"})
    provider_ref = fields.String(required=True)
    note = fields.String(required=True)
    report_sha256 = fields.String(required=True, allow_none=True)
    delivered_at = moment()
    confirm_by = day(none=True)
    answer = fields.String(
        required=True, allow_none=True, metadata={"enum": [*map(str, DeliveryAnswer), None]}
    )
    answer_reason = fields.String(required=True)
    files = fields.List(fields.Nested(CaseFileAnswer), required=True)


class ExtensionAnswered(Body):
    """One request to complete later, and its answer."""

    until_on = day()
    reason = fields.String(required=True)
    state = state(AskState)
    asked_at = moment()
    answer_reason = fields.String(required=True)


class StatementAnswer(Body):
    """What a side said."""

    side = state(OrderSide)
    body = fields.String(required=True)
    said_at = moment()
    files = fields.List(fields.Nested(CaseFileAnswer), required=True)


class DisputeDetail(DisputeAnswer):
    """A dispute with what was said."""

    statements = fields.List(fields.Nested(StatementAnswer), required=True)


class CaseAnswer(Body):
    """Everything about one order."""

    order = fields.Nested(OrderAnswer, required=True)
    contract = fields.Nested(ContractAnswer, required=True, allow_none=True)
    instalments = fields.List(fields.Nested(InstalmentAnswer), required=True)
    deliveries = fields.List(fields.Nested(DeliveryAnswered), required=True)
    extensions = fields.List(fields.Nested(ExtensionAnswered), required=True)
    disputes = fields.List(fields.Nested(DisputeDetail), required=True)


def supplement_answer(row: Supplement) -> dict[str, Any]:
    """What `SupplementAnswer` says."""
    names = ("number", "was_fen", "amount_fen", "reason", "state", "answer_reason")
    said = {name: getattr(row, name) or "" for name in names}
    return {**said, "signed_on": row.signed_on.isoformat()}


def extension_answer(row: Extension) -> dict[str, Any]:
    """What `ExtensionAnswered` says."""
    return {
        "until_on": row.until_on.isoformat(),
        "reason": row.reason,
        "state": row.state,
        "asked_at": iso(row.asked_at),
        "answer_reason": row.answer_reason or "",
    }


def case_answer(case: OrderCase) -> dict[str, Any]:
    """What `CaseAnswer` says of an order and all that hangs on it."""
    return {
        "order": order_answer(case.order),
        "contract": _contract(case.contract) if case.contract else None,
        "instalments": [_instalment(row) for row in case.instalments],
        "deliveries": [_delivery(case, row) for row in case.deliveries],
        "extensions": [extension_answer(row) for row in case.extensions],
        "disputes": [_dispute(case, view) for view in case.disputes],
    }


def _contract(view: ContractView) -> dict[str, Any]:
    row = view.contract
    return {
        "contract_no": row.number,
        "amount_fen": row.amount_fen,
        "signed_on": row.signed_on.isoformat(),
        "file_sha256": row.file_sha256,
        "opened_fen": view.ceiling_fen,
        "left_fen": view.left_fen,
        "orders": view.orders,
        "supplements": [supplement_answer(each) for each in view.supplements],
    }


def _instalment(row: Instalment) -> dict[str, Any]:
    names = ("title", "amount_fen", "subsidy_fen", "captured_fen", "state")
    said = {name: getattr(row, name) for name in names}
    return {**said, "part": row.position, "due_on": row.due_on.isoformat()}


def _delivery(case: OrderCase, row: Delivery) -> dict[str, Any]:
    return {
        "part": row.position,
        "provider_ref": row.provider_ref,
        "note": row.note,
        "report_sha256": row.report_sha256,
        "delivered_at": iso(row.delivered_at),
        "confirm_by": row.confirm_by.isoformat() if row.confirm_by else None,
        "answer": row.answer,
        "answer_reason": row.answer_reason,
        "files": _files(case, delivery_id=row.id),
    }


def _dispute(case: OrderCase, view: DisputeView) -> dict[str, Any]:
    said = [
        {
            "side": row.side,
            "body": row.body,
            "said_at": iso(row.said_at),
            "files": _files(case, statement_id=row.id),
        }
        for row in view.statements
    ]
    return {**dispute_answer(view.dispute), "statements": said}


def _files(case: OrderCase, **of: int) -> list[dict[str, Any]]:
    ((name, key),) = of.items()
    shown = ("id", "kind", "file_name", "media_type", "sha256")
    return [{each: getattr(row, each) for each in shown} for row in case.files if getattr(row, name) == key]
