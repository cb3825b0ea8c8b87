"""Claims in JSON: files, papers, and the reviewer's decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from voucher.clock import iso
from voucher.queries.claims import ClaimFile, ClaimLine
from voucher.schemas.api_fields import (
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    PartyAnswer,
    amount,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.api_files import FileAnswer, StoredBody
from voucher.schemas.api_lines import StepLine, step_lines
from voucher.schemas.base import Body, ChoiceField, FenField, PartyField, TextField, UsccField
from voucher.terms import ClaimState, DocumentKind, PaymentChannel, TrimCause, Verdict


class InvoiceBody(Body):
    """One invoice. `code` is left out for a fully digital one (全电发票)."""

    number = TextField(required=True, maximum=20, metadata={"description": "发票号码；数电票 20 位"})
    code = TextField(maximum=12, load_default="", metadata={"description": "发票代码；数电票没有"})
    issued_on = JsonDayField(required=True)
    net_fen = FenField(required=True, metadata={"description": "不含税金额（分）"})
    buyer_uscc = PartyField(required=True, metadata={"type": "string"})
    seller_uscc = UsccField(required=True, metadata={"type": "string"})
    buyer_name = TextField(maximum=120, load_default="", metadata={"description": "购买方名称"})
    seller_name = TextField(maximum=120, load_default="", metadata={"description": "销售方名称"})
    allocated_fen = FenField(
        load_default=None, metadata={"description": "分摊到本订单的金额（分），可分摊到几笔；不填为全部"}
    )


class PaymentBody(Body):
    """One payment, or the part of it that belongs to this order."""

    amount_fen = FenField(required=True, metadata={"description": "付款金额（分）"})
    paid_on = JsonDayField(required=True)
    payer_name = TextField(required=True, maximum=120, metadata={"description": "付款账户户名，应为申请企业"})
    payer_account = TextField(required=True, maximum=40, metadata={"description": "付款账号"})
    channel = ChoiceField(PaymentChannel, load_default=PaymentChannel.BANK_TRANSFER)
    serial = TextField(maximum=60, load_default="", metadata={"description": "交易流水号"})


class DocumentBody(StoredBody):
    """A file sent before (POST /files), and what it is."""

    kind = ChoiceField(DocumentKind, required=True)


class ClaimBody(Body):
    """A claim for one captured order. Amounts in fen."""

    order_no = TextField(required=True, maximum=24)
    contract_fen = FenField(required=True, metadata={"description": "合同金额（分）"})
    invoices = fields.List(fields.Nested(InvoiceBody), required=True, validate=bounded(1, 50))
    payments = fields.List(fields.Nested(PaymentBody), required=True, validate=bounded(1, 50))
    documents = fields.List(fields.Nested(DocumentBody), required=True, validate=bounded(0, 50))
    payee_account_id = JsonIdField(
        required=True, metadata={"description": "收款账户，见 GET /orders/{number}/payee-accounts"}
    )


class MinutesBody(StoredBody):
    """The minutes or instruction that a decision cites; the file was sent before (POST /files)."""

    number = TextField(required=True, maximum=80)
    on = JsonDayField(required=True)


class DecisionBody(Body):
    """A reviewer's decision. `approved_fen` is for a trim, and for nothing else."""

    verdict = ChoiceField(Verdict, required=True)
    approved_fen = FenField(load_default=None, metadata={"description": "核减后的金额（分），核减时必填"})
    audited_fen = FenField(load_default=None, metadata={"description": "审核认定金额（分）"})
    cause = ChoiceField(TrimCause, load_default=TrimCause.OTHER)
    minutes = fields.Nested(MinutesBody, load_default=None)
    budget_line = TextField(
        maximum=60, load_default="", metadata={"description": "后补助通过时必填：支出的预算指标"}
    )
    reason = TextField(
        maximum=500, load_default="", multiline=True, metadata={"description": "核减、不同意时必填"}
    )

    @validates_schema
    def amount_fits(self, data: Mapping[str, Any], **_: Any) -> None:
        """A trim names its amount; the other two have none."""
        if (data["verdict"] is Verdict.TRIM) != (data["approved_fen"] is not None):
            raise ValidationError("核减时填写核定金额，其他情况不填。", "approved_fen")


class ClaimsQuery(PageQuery):
    """Which claims."""

    state = ChoiceField(ClaimState)
    text = TextField(maximum=60, metadata={"description": "申请号、订单号、单位名称或代码"})
    from_on = JsonDayField()
    to_on = JsonDayField()


class ClaimedAnswer(Body):
    """The claim that was made."""

    number = fields.String(required=True, metadata={"description": "申请号"})
    base_fen = amount("计算补助的基数")
    claimed_fen = amount("申请兑付")


class ReviewedAnswer(Body):
    """The decision that stands."""

    claim_no = fields.String(required=True)
    verdict = state(Verdict)
    approved_fen = amount("核定")
    given_back_fen = amount("退回创新券（或预算）")


class ClaimLineAnswer(Body):
    """A claim in a list."""

    number = fields.String(required=True)
    state = state(ClaimState)
    state_label = fields.String(required=True)
    submitted_at = moment()
    order_no = fields.String(required=True)
    holder = fields.Nested(PartyAnswer, required=True)
    platform_name = fields.String(required=True, allow_none=True)
    programme_name = fields.String(required=True)
    claimed_fen = amount("申请")
    approved_fen = amount("核定", none=True)


class ClaimsAnswer(PageAnswer):
    """A page of claims, oldest first."""

    claims = fields.List(fields.Nested(ClaimLineAnswer), required=True)


class DocumentAnswer(FileAnswer):
    """A file of a claim."""

    id = fields.Integer(required=True)
    kind = state(DocumentKind)


class InvoiceAnswer(Body):
    """An invoice of a claim."""

    key = fields.String(required=True)
    issued_on = day()
    net_fen = amount("不含税金额")
    allocated_fen = amount("用于本申请")
    verdict = fields.String(required=True, allow_none=True, metadata={"description": "最近一次税务查验结果"})
    buyer_uscc = fields.String(required=True)
    seller_uscc = fields.String(required=True)


class PaymentAnswer(Body):
    """A payment of a claim."""

    amount_fen = amount("付款")
    paid_on = day()
    payer_name = fields.String(required=True)
    payer_account = fields.String(required=True)
    channel = state(PaymentChannel)
    serial = fields.String(required=True)


class ClaimAnswer(ClaimLineAnswer):
    """A claim with its papers."""

    round = fields.Integer(required=True, metadata={"description": "退回过几次"})
    confirm_by = fields.String(required=True, allow_none=True, metadata={"description": "另一方确认的期限"})
    return_reason = fields.String(required=True)
    contract_fen = amount("合同", none=True)
    invoice_net_fen = amount("发票不含税合计")
    paid_fen = amount("实际支付")
    paid_on = day()
    base_fen = amount("计算补助的基数")
    policy_code = fields.String(required=True)
    steps = fields.List(fields.Nested(StepLine), required=True)
    invoices = fields.List(fields.Nested(InvoiceAnswer), required=True)
    payments = fields.List(fields.Nested(PaymentAnswer), required=True)
    documents = fields.List(fields.Nested(DocumentAnswer), required=True)
    verdict = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)


class PayeeAccountAnswer(Body):
    """An account that money may be paid to."""

    id = fields.Integer(required=True)
    account_name = fields.String(required=True)
    bank = fields.String(required=True)
    account_no = fields.String(required=True)


class PayeeAccountsAnswer(Body):
    """The accounts that the money of an order may be paid to."""

    accounts = fields.List(fields.Nested(PayeeAccountAnswer), required=True)


def claim_line(line: ClaimLine) -> dict[str, Any]:
    """What `ClaimLineAnswer` says of a claim."""
    return {
        "number": line.number,
        "state": line.state.value,
        "state_label": line.state.label,
        "submitted_at": iso(line.submitted_at),
        "order_no": line.order_number,
        "holder": {"ref": line.holder_ref, "name": line.holder_name},
        "platform_name": line.platform_name,
        "programme_name": line.programme_name,
        "claimed_fen": line.claimed_fen,
        "approved_fen": line.approved_fen,
    }


def claim_answer(file: ClaimFile) -> dict[str, Any]:
    """What `ClaimAnswer` says of a claim."""
    claim, review = file.claim, file.review
    return {
        "number": claim.number,
        "state": file.state.value,
        "state_label": file.state.label,
        "submitted_at": iso(claim.submitted_at),
        "order_no": file.order.number,
        "holder": {"ref": file.holder.ref, "name": file.holder.name},
        "platform_name": file.platform.name if file.platform is not None else None,
        "programme_name": file.programme_name,
        "claimed_fen": claim.claimed_fen,
        "approved_fen": claim.approved_fen,
        "round": claim.round,
        "confirm_by": claim.confirm_by.isoformat() if claim.confirm_by else None,
        "return_reason": claim.return_reason,
        "contract_fen": claim.contract_fen,
        "invoice_net_fen": claim.invoice_net_fen,
        "paid_fen": claim.paid_fen,
        "paid_on": claim.paid_on.isoformat(),
        "base_fen": claim.base_fen,
        "policy_code": file.policy.code,
        "steps": step_lines(file.lines),
        **_papers(file),
        "verdict": review.verdict if review else None,
        "reason": review.reason if review else "",
    }


def _papers(file: ClaimFile) -> dict[str, Any]:
    """Invoices, payments and files of a claim."""
    return {
        "invoices": [
            {
                "key": invoice.key,
                "issued_on": invoice.issued_on.isoformat(),
                "net_fen": invoice.net_fen,
                "allocated_fen": invoice.allocated_fen,
                "verdict": invoice.verdict.value if invoice.verdict else None,
                "buyer_uscc": invoice.buyer_uscc,
                "seller_uscc": invoice.seller_uscc,
            }
            for invoice in file.invoices
        ],
        "payments": [
            {
                "amount_fen": payment.amount_fen,
                "paid_on": payment.paid_on.isoformat(),
                "payer_name": payment.payer_name,
                "payer_account": payment.payer_account,
                "channel": payment.channel.value,
                "serial": payment.serial,
            }
            for payment in file.payments
        ],
        "documents": [
            {
                "id": document.id,
                "kind": kind.value,
                "sha256": document.sha256,
                "size_bytes": document.size_bytes,
                "media_type": document.media_type,
                "file_name": document.file_name,
            }
            for document, kind in file.documents
        ],
    }
