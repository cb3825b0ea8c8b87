"""Forms about orders, as people of both sides fill them in."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields, validates_schema

from voucher.schemas.base import (
    ChoiceField,
    CodeField,
    DayField,
    Form,
    IdField,
    TextField,
    UnitsField,
    YuanField,
)
from voucher.terms import DisputeOutcome, DisputeStanding, OrderState, Term


class YesNo(Term):
    """An answer."""

    YES = "yes", "同意"
    NO = "no", "不同意"


class DigestTextField(TextField):
    """A sha256 as people paste it: 64 hexadecimal digits, in capitals or not."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(maximum=64, **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).lower()
        if not re.fullmatch(r"[0-9a-f]{64}", text, re.ASCII):
            raise ValidationError("SHA-256 是 64 位十六进制数字，请核对。")
        return text


class DisputeSearch(Form):
    """The filter over disputes."""

    standing = ChoiceField(DisputeStanding, load_default=None)
    page = IdField(load_default=1)


class _Stepped(Form):
    """A form that is checked first: `step` says whether this is the sending after the check."""

    step = fields.String(load_default="check")


class PlaceForm(_Stepped):
    """What is wanted from the platform."""

    description = TextField(required=True, maximum=200, multiline=True)
    units = UnitsField(load_default=1)
    entry = IdField(load_default=None)


class EntryChoice(Form):
    """Which catalogue entry an order is made from."""

    entry = IdField(load_default=None)


class AcceptForm(Form):
    """The full price that the platform quotes."""

    quote = YuanField(required=True)


class CancelForm(Form):
    """Why an order is called off; may stay empty."""

    reason = TextField(load_default="", maximum=200)


class ContractForm(_Stepped):
    """A signed contract: number, date, this order's amount, and the whole amount where that is more."""

    contract_no = TextField(required=True, maximum=60)
    contract_on = DayField(required=True)
    contract_amount = YuanField(required=True)
    whole_amount = YuanField(load_default=None)


class PartForm(Form):
    """One instalment."""

    title = TextField(required=True, maximum=80)
    amount = YuanField(required=True)
    due = DayField(required=True)


class DeliverForm(Form):
    """The work is done: the platform's own number for it, a note, and the hash of a report that stays with it."""

    provider_ref = TextField(load_default="", maximum=60)
    note = TextField(load_default="", maximum=500, multiline=True)
    report_sha256 = DigestTextField(load_default=None)


class ExtensionForm(Form):
    """Until which day, and why."""

    until = DayField(required=True)
    reason = TextField(required=True, maximum=200)


class SupplementForm(Form):
    """A supplement to the contract, and its whole amount after it."""

    number = TextField(required=True, maximum=60)
    signed_on = DayField(required=True)
    amount = YuanField(required=True)
    reason = TextField(required=True, maximum=200)


class AnswerForm(Form):
    """Yes or no, and why not."""

    granted = ChoiceField(YesNo, required=True)
    reason = TextField(load_default="", maximum=200)


class StatementForm(Form):
    """What a side says in a dispute."""

    body = TextField(required=True, maximum=2000, multiline=True)


class OutcomeForm(_Stepped):
    """How a dispute is to end; an amount for a capture, and for nothing else."""

    outcome = ChoiceField(DisputeOutcome, required=True)
    amount = YuanField(load_default=None)
    reason = TextField(load_default="", maximum=500)

    @validates_schema
    def amount_with_a_capture_only(self, data: dict[str, Any], **_rest: Any) -> None:
        """A capture, and nothing else, names an amount."""
        if (data.get("outcome") is DisputeOutcome.CAPTURE) != (data.get("amount") is not None):
            raise ValidationError("选择“核销一部分”时填写金额，其他情形不填。", "amount")


class EntryForm(Form):
    """An entry of the catalogue; without a price it is 面议."""

    platform_id = IdField(required=True)
    service = CodeField(required=True)
    title = TextField(required=True, maximum=80)
    delivers = TextField(required=True, maximum=500, multiline=True)
    unit = TextField(required=True, maximum=20)
    price = YuanField(load_default=None)
    usual_days = IdField(load_default=None)
    exclusions = TextField(load_default="", maximum=500, multiline=True)
    replaces = IdField(load_default=None)


class CatalogueForm(Form):
    """The filters of the catalogue, from the address."""

    text = TextField(load_default="", maximum=60)
    service = CodeField(load_default="")
    region = CodeField(load_default="", maximum=20)
    most = YuanField(load_default=None)
    page = IdField(load_default=1)

    class Meta:
        unknown = EXCLUDE


class ConfirmForm(_Stepped):
    """How much of the hold, or of the delivered instalment's share, is taken; `part` is that instalment."""

    amount = YuanField(load_default=None)
    part = IdField(load_default=None)


class OrderListForm(Form):
    """The filters of a list of orders, from the address; what it does not know is passed over."""

    state = ChoiceField(OrderState, load_default=None)
    text = TextField(load_default="", maximum=60)
    voucher = CodeField(load_default="")
    since = DayField(load_default=None)
    until = DayField(load_default=None)
    page = IdField(load_default=1)

    class Meta:
        unknown = EXCLUDE
