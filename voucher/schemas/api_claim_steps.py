"""Steps of claims in JSON: looking before sending, confirming, mending, withdrawing, post-subsidies, tax checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.operations.claim_papers import Judged
from voucher.queries.tax_list import TaxLine
from voucher.rules.invoices import differences
from voucher.schemas.api_claims import ClaimBody, ClaimedAnswer, DocumentBody, InvoiceBody, PaymentBody
from voucher.schemas.api_fields import CountField, JsonDayField, JsonIdField, amount, bounded, day
from voucher.schemas.api_lines import StepLine, step_lines
from voucher.schemas.base import Body, ChoiceField, CodeField, FenField, TextField
from voucher.terms import ClaimState, TaxVerdict


class StepAnswer(Body):
    """Where a claim stands now."""

    number = fields.String(required=True)
    state = fields.String(required=True)


class AnswerBody(Body):
    """The other side's answer to a claim."""

    agreed = fields.Boolean(required=True, truthy={True}, falsy={False})
    reason = TextField(maximum=500, load_default="", multiline=True, metadata={"description": "不确认时必填"})

    @validates_schema
    def reasoned(self, data: Mapping[str, Any], **_: Any) -> None:
        """A denial says why."""
        if not data["agreed"] and not data["reason"]:
            raise ValidationError("不确认时请写明原因。", "reason")


class MendBody(Body):
    """What is new in a claim that came back; what is left out stays. Papers replace those of their kind."""

    contract_fen = FenField(load_default=None)
    invoices = fields.List(fields.Nested(InvoiceBody), load_default=None, validate=bounded(1, 50))
    payments = fields.List(fields.Nested(PaymentBody), load_default=None, validate=bounded(1, 50))
    payee_account_id = JsonIdField(load_default=None)
    documents = fields.List(fields.Nested(DocumentBody), load_default=list, validate=bounded(0, 50))


class CheckBody(ClaimBody):
    """A claim as it would be sent."""


class DifferenceLine(Body):
    """Where the claim says something else than the original of an invoice."""

    invoice = fields.String(required=True)
    field = fields.String(required=True)
    said = fields.Raw(required=True)
    original = fields.Raw(required=True)


class CheckedAnswer(Body):
    """What a claim would ask for, and why; nothing was written."""

    base_fen = amount("计算补助的基数")
    computed_fen = amount("按政策计算")
    claimed_fen = amount("可申请")
    steps = fields.List(fields.Nested(StepLine), required=True)
    differences = fields.List(fields.Nested(DifferenceLine), required=True)


class AwardBody(Body):
    """A post-subsidy applied for. Contract fields only where there is a contract."""

    programme_code = CodeField(required=True)
    holder_ref = CodeField(required=True, metadata={"description": "申请单位的统一社会信用代码"})
    service = CodeField(required=True)
    description = TextField(required=True, maximum=200)
    origin_region = CodeField(required=True, metadata={"description": "成果或服务来源地的行政区划代码"})
    units = CountField(
        maximum=1_000_000,
        load_default=1,
        metadata={"description": "数量（人数、样品数等）；政策有单位最高额的才计算"},
    )
    contract_no = TextField(maximum=60, load_default="")
    contract_on = JsonDayField(load_default=None)
    contract_fen = FenField(load_default=None)
    invoices = fields.List(fields.Nested(InvoiceBody), required=True, validate=bounded(1, 50))
    payments = fields.List(fields.Nested(PaymentBody), required=True, validate=bounded(1, 50))
    documents = fields.List(fields.Nested(DocumentBody), required=True, validate=bounded(0, 50))
    payee_account_id = JsonIdField(required=True)


class TaxListQuery(Body):
    """Which invoices: not looked up within these days; of submitted claims too."""

    days = fields.Integer(
        load_default=None, validate=validate.Range(1, 3660, error="天数应在 1 到 3660 之间。")
    )
    everything = fields.Boolean(load_default=False)


class TaxLineAnswer(Body):
    """An invoice to be looked up."""

    invoice = fields.String(required=True)
    issued_on = day()
    net_fen = amount("不含税金额")
    buyer_uscc = fields.String(required=True)
    seller_uscc = fields.String(required=True)
    claims = fields.Integer(required=True)
    verdict = fields.String(required=True, allow_none=True)
    checked_on = fields.String(required=True, allow_none=True)


class TaxListAnswer(Body):
    """The invoices to be looked up at the tax bureau's site."""

    invoices = fields.List(fields.Nested(TaxLineAnswer), required=True)


class TaxResultBody(Body):
    """What was found out about one invoice."""

    invoice = TextField(
        required=True, maximum=40, metadata={"description": "发票号码（数电票 20 位，其他含代码）"}
    )
    verdict = ChoiceField(TaxVerdict, required=True)
    checked_on = JsonDayField(required=True)
    note = TextField(maximum=200, load_default="")


class TaxChecksBody(Body):
    """Verdicts, all taken in or none."""

    results = fields.List(fields.Nested(TaxResultBody), required=True, validate=bounded(1, 1000))


class TaxChecksAnswer(Body):
    """How many invoices had which verdict."""

    recorded = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


def step_answer(number: str, state: ClaimState) -> dict[str, Any]:
    """What `StepAnswer` says."""
    return {"number": number, "state": state.value}


def checked_answer(judged: Judged, claimed_fen: int) -> dict[str, Any]:
    """What `CheckedAnswer` says."""
    return {
        "base_fen": judged.computation.base_fen,
        "computed_fen": judged.computation.amount_fen,
        "claimed_fen": claimed_fen,
        "steps": step_lines(judged.computation.steps),
        "differences": [
            {"invoice": each.key, "field": apart.field, "said": apart.said, "original": apart.original}
            for each in judged.invoices
            for apart in differences(each.head, each.original)
        ],
    }


def tax_line(line: TaxLine) -> dict[str, Any]:
    """What `TaxLineAnswer` says."""
    return {
        "invoice": line.key,
        "issued_on": line.issued_on.isoformat(),
        "net_fen": line.net_fen,
        "buyer_uscc": line.buyer_uscc,
        "seller_uscc": line.seller_uscc,
        "claims": line.claims,
        "verdict": line.verdict.value if line.verdict else None,
        "checked_on": line.checked_on.isoformat() if line.checked_on else None,
    }


class TogetherBody(Body):
    """Claims for several captured orders, at once."""

    claims = fields.List(fields.Nested(ClaimBody), required=True, validate=bounded(1, 20))


class TogetherAnswer(Body):
    """The claims that were made, in the order of the request."""

    claims = fields.List(fields.Nested(ClaimedAnswer), required=True)


class RevokeBody(Body):
    """Why an approval is taken back."""

    reason = TextField(required=True, maximum=500, multiline=True)


class RevokedAnswer(Body):
    """What went back to the budget line."""

    claim_no = fields.String(required=True)
    given_back_fen = amount("退回预算指标")
