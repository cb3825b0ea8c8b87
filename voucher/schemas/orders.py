"""Forms about orders, as people of both sides fill them in."""

from __future__ import annotations

from marshmallow import EXCLUDE, fields

from voucher.schemas.base import ChoiceField, CodeField, DayField, Form, IdField, TextField, YuanField
from voucher.terms import OrderState


class _Stepped(Form):
    """A form that is checked first: `step` says whether this is the sending after the check."""

    step = fields.String(load_default="check")


class PlaceForm(_Stepped):
    """What is wanted from the platform."""

    description = TextField(required=True, maximum=200, multiline=True)


class AcceptForm(Form):
    """The full price that the platform quotes."""

    quote = YuanField(required=True)


class ReasonForm(Form):
    """Why something is declined, called off or reversed."""

    reason = TextField(required=True, maximum=200)


class CancelForm(Form):
    """Why an order is called off; may stay empty."""

    reason = TextField(load_default="", maximum=200)


class ContractForm(_Stepped):
    """A signed contract: number, date, full amount."""

    contract_no = TextField(required=True, maximum=60)
    contract_on = DayField(required=True)
    contract_amount = YuanField(required=True)


class DeliverForm(Form):
    """The work is done; the platform's own number for it."""

    provider_ref = TextField(load_default="", maximum=60)


class ConfirmForm(_Stepped):
    """How much of the hold is taken."""

    amount = YuanField(required=True)


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
