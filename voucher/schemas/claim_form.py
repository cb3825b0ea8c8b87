"""The firm's form for a redemption claim; its invoices are read row by row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import EXCLUDE

from voucher.rules.invoices import InvoiceError, normalise
from voucher.schemas.base import DayField, Form, IdField, TextField, UsccField, YuanField, load_form

MOST_INVOICES: Final = 20
INVOICE_FIELDS: Final = ("number", "code", "issued_on", "net", "buyer_uscc", "seller_uscc")
_TYPED: Final = ("number", "code", "issued_on", "net")


class ClaimForm(Form):
    """The amounts of contract and payment, and where the money goes."""

    contract_amount = YuanField(required=True)
    paid_amount = YuanField(required=True)
    paid_on = DayField(required=True)
    payer_account = TextField(required=True, maximum=40)
    payee_account_id = IdField(required=True)

    class Meta:
        unknown = EXCLUDE


class InvoiceForm(Form):
    """One invoice as it is printed; the amount is without tax."""

    number = TextField(required=True, maximum=40)
    code = TextField(load_default="", maximum=20)
    issued_on = DayField(required=True)
    net = YuanField(required=True)
    buyer_uscc = UsccField(required=True)
    seller_uscc = UsccField(required=True)


def invoice_rows(form: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of invoices as typed, without those that nothing was typed into; at least one."""
    rows = [
        {name: form.get(f"invoice_{name}_{place}", "") for name in INVOICE_FIELDS}
        for place in range(MOST_INVOICES)
        if f"invoice_number_{place}" in form
    ]
    return [row for row in rows if any(row[name].strip() for name in _TYPED)] or rows[:1]


def load_invoices(rows: list[dict[str, str]]) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """What the rows say, and the errors by the name of the field with its row."""
    loaded: list[dict[str, Any]] = []
    errors: dict[str, list[str]] = {}
    for place, row in enumerate(rows):
        data, wrong = load_form(InvoiceForm, row)
        if not wrong:
            try:
                normalise(data["number"], data["code"])
            except InvoiceError as unreadable:
                wrong = {"number": [f"{unreadable.reason}。"]}
        errors.update({f"invoice_{name}_{place}": sentences for name, sentences in wrong.items()})
        loaded.append(data)
    return loaded, errors
