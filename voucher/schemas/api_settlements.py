"""Settlement in JSON: batches, payments, the bank's answers."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.operations.batch import Batch
from voucher.queries.batches import BatchFile, BatchLine, PaymentLine
from voucher.schemas.api_fields import (
    CountField,
    DigestField,
    FlagField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    amount,
    bounded,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, TextField
from voucher.terms import BatchState, LineState

MOST_LINES = 1_000_000
_CLAIMS = {"description": "申请号"}


class BatchBody(Body):
    """A new batch of one programme."""

    programme_code = CodeField(required=True)
    claim_nos = fields.List(TextField(maximum=24), load_default=list, validate=bounded(0), metadata=_CLAIMS)


class ClaimNumbersBody(Body):
    """Claims that join or leave a batch."""

    claim_nos = fields.List(TextField(maximum=24), required=True, validate=bounded(), metadata=_CLAIMS)


class ApproveBody(Body):
    """The content that the checker saw."""

    content_sha256 = DigestField(required=True, metadata={"description": "提交时的内容指纹，见批次"})


class BankLineBody(Body):
    """What the bank says of one payment."""

    seq = CountField(required=True, maximum=MOST_LINES, metadata={"description": "批次内序号"})
    attempt = CountField(required=True, maximum=1_000, metadata={"description": "第几次支付"})
    paid = FlagField(required=True, metadata={"description": "true 已支付，false 退汇"})
    serial = TextField(required=True, maximum=60, metadata={"description": "银行流水号"})
    reason = TextField(maximum=200, load_default="", metadata={"description": "退汇原因"})


class ReconcileBody(Body):
    """The bank's answers for lines of one batch."""

    lines = fields.List(fields.Nested(BankLineBody), required=True, validate=bounded())


class PayAgainBody(Body):
    """Another account of the same payee, if there is one."""

    payee_account_id = JsonIdField(load_default=None)


class BatchesQuery(PageQuery):
    """Which batches."""

    state = ChoiceField(BatchState)
    programme_code = CodeField()


class BatchAnswer(Body):
    """A batch as it stands after a change."""

    number = fields.String(required=True, metadata={"description": "批次号"})
    state = state(BatchState)
    state_label = fields.String(required=True)
    line_count = fields.Integer(required=True)
    total_fen = amount("合计")
    content_sha256 = fields.String(required=True, metadata={"description": "提交后才有"})


class PaymentLineAnswer(Body):
    """One payment."""

    seq = fields.Integer(required=True)
    state = state(LineState)
    attempt = fields.Integer(required=True)
    claim_no = fields.String(required=True)
    order_no = fields.String(required=True)
    holder_name = fields.String(required=True)
    payee_ref = fields.String(required=True)
    payee_name = fields.String(required=True)
    bank = fields.String(required=True)
    account_no = fields.String(required=True)
    amount_fen = amount()
    bank_serial = fields.String(required=True)
    state_reason = fields.String(required=True)
    paid_at = moment(none=True)


class BatchDetailAnswer(BatchAnswer):
    """A batch with its payments."""

    programme_name = fields.String(required=True)
    maker = fields.String(required=True)
    checker = fields.String(required=True)
    lines = fields.List(fields.Nested(PaymentLineAnswer), required=True)


class BatchLineAnswer(Body):
    """A batch in a list."""

    number = fields.String(required=True)
    state = state(BatchState)
    programme_name = fields.String(required=True)
    line_count = fields.Integer(required=True)
    total_fen = amount()
    maker = fields.String(required=True)
    made_at = moment()
    checker = fields.String(required=True, allow_none=True)
    approved_at = moment(none=True)


class BatchesAnswer(PageAnswer):
    """A page of batches, newest first."""

    batches = fields.List(fields.Nested(BatchLineAnswer), required=True)


class InstructionAnswer(Body):
    """One payment that the bank is to make."""

    reference = fields.String(required=True, metadata={"description": "银行回单应带回的编号"})
    seq = fields.Integer(required=True)
    attempt = fields.Integer(required=True)
    payee_name = fields.String(required=True)
    payee_uscc = fields.String(required=True)
    bank = fields.String(required=True)
    account_no = fields.String(required=True)
    amount_fen = amount()
    claim_no = fields.String(required=True)
    order_no = fields.String(required=True)


class PaymentsAnswer(Body):
    """The payments of a batch that are still to be made."""

    batch_no = fields.String(required=True)
    exported_at = moment()
    content_sha256 = fields.String(required=True)
    total_fen = amount()
    instructions = fields.List(fields.Nested(InstructionAnswer), required=True)


class ReconciledLineAnswer(Body):
    """A line after the bank's answer, or why the answer was refused."""

    seq = fields.Integer(required=True)
    state = fields.String(required=True, allow_none=True)
    refused = fields.Dict(required=True, allow_none=True)


class ReconciledAnswer(Body):
    """Every line in the order of the request."""

    lines = fields.List(fields.Nested(ReconciledLineAnswer), required=True)


class RequeuedAnswer(Body):
    """A line that waits for the next payment file."""

    batch_no = fields.String(required=True)
    seq = fields.Integer(required=True)
    attempt = fields.Integer(required=True)


def batch_answer(batch: Batch) -> dict[str, Any]:
    """What `BatchAnswer` says of a batch."""
    return {
        "number": batch.number,
        "state": batch.state.value,
        "state_label": batch.state.label,
        "line_count": batch.line_count,
        "total_fen": batch.total_fen,
        "content_sha256": batch.content_sha256,
    }


def batch_detail(file: BatchFile) -> dict[str, Any]:
    """What `BatchDetailAnswer` says of a batch."""
    return {
        "number": file.batch.number,
        "state": file.state.value,
        "state_label": file.state.label,
        "line_count": file.batch.line_count,
        "total_fen": file.batch.total_fen,
        "content_sha256": file.batch.content_sha256 or "",
        "programme_name": file.programme_name,
        "maker": file.maker,
        "checker": file.checker,
        "lines": [_payment(line) for line in file.lines],
    }


def batch_line(line: BatchLine) -> dict[str, Any]:
    """What `BatchLineAnswer` says of a batch."""
    return {
        "number": line.number,
        "state": line.state.value,
        "programme_name": line.programme_name,
        "line_count": line.line_count,
        "total_fen": line.total_fen,
        "maker": line.maker,
        "made_at": iso(line.made_at),
        "checker": line.checker,
        "approved_at": iso(line.approved_at) if line.approved_at else None,
    }


def _payment(line: PaymentLine) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "state": line.state.value,
        "attempt": line.attempt,
        "claim_no": line.claim_number,
        "order_no": line.order_number,
        "holder_name": line.holder_name,
        "payee_ref": line.payee_ref,
        "payee_name": line.payee_name,
        "bank": line.bank,
        "account_no": line.account_no,
        "amount_fen": line.amount_fen,
        "bank_serial": line.bank_serial,
        "state_reason": line.state_reason,
        "paid_at": iso(line.paid_at) if line.paid_at else None,
    }
