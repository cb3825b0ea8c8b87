"""Forms about settlement batches, as finance fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from voucher.schemas.base import ChoiceField, CodeField, Form, IdField, TextField
from voucher.terms import BatchState


class BatchSearch(Form):
    """The filter over the list of batches."""

    state = ChoiceField(BatchState, load_default=None)
    programme = CodeField(load_default="")
    page = IdField(load_default=1)


class NewBatchForm(Form):
    """A new batch of a programme; claims may be ticked at once."""

    programme = CodeField(required=True)
    claims = fields.List(CodeField(), load_default=list)


class ClaimsForm(Form):
    """Claims that join or leave a batch."""

    claims = fields.List(CodeField(), load_default=list)

    @validates_schema
    def some(self, data: Mapping[str, Any], **_: Any) -> None:
        """At least one is ticked."""
        if not data["claims"]:
            raise ValidationError("请至少勾选一件申请。", "claims")


class ApproveForm(Form):
    """The sha256 of the content that the checker saw."""

    content_sha256 = CodeField(required=True, maximum=64)


class BankResultForm(Form):
    """The bank's answer on one line."""

    seq = IdField(required=True)
    attempt = IdField(required=True)
    result = fields.String(
        required=True, validate=validate.OneOf(["paid", "bounced"], error="请选择银行回单的结果。")
    )
    serial = TextField(required=True, maximum=60)
    reason = TextField(load_default="", maximum=200)

    @validates_schema
    def explained(self, data: Mapping[str, Any], **_: Any) -> None:
        """A return has its reason."""
        if data["result"] == "bounced" and not data["reason"]:
            raise ValidationError("退汇请填写银行给出的原因。", "reason")


class RepayForm(Form):
    """A bounced line to be paid again, to this account."""

    seq = IdField(required=True)
    payee_account_id = IdField(required=True)
