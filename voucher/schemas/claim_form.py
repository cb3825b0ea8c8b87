"""The form for redemption claims: orders, invoices and payments, each read row by row and shared out over orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import EXCLUDE

from voucher.money import Fen
from voucher.rules.invoices import InvoiceError, normalise
from voucher.rules.shares import by_weight
from voucher.schemas.base import (
    ChoiceField,
    CodeField,
    DayField,
    Form,
    IdField,
    PartyField,
    TextField,
    UnitsField,
    UsccField,
    YuanField,
    load_form,
)
from voucher.terms import PaymentChannel

MOST_ROWS: Final = 20
INVOICE_FIELDS: Final = (
    "number", "code", "issued_on", "net", "buyer_uscc", "seller_uscc", "buyer_name", "seller_name",
)  # fmt: skip
PAYMENT_FIELDS: Final = (
    "paid_amount", "paid_on", "payer_name", "payer_account", "channel", "serial",
)  # fmt: skip
_TYPED: Final = ("number", "code", "issued_on", "net")
_PAID: Final = ("paid_amount", "paid_on", "serial")


class PayeeForm(Form):
    """Where the money goes."""

    payee_account_id = IdField(required=True)

    class Meta:
        unknown = EXCLUDE


class AmountForm(Form):
    """One amount."""

    amount = YuanField(required=True)


class AwardForm(Form):
    """What a post-subsidy is applied for."""

    service = CodeField(required=True)
    description = TextField(required=True, maximum=200, multiline=True)
    origin_region = CodeField(required=True, maximum=20)
    units = UnitsField(load_default=1)
    contract_no = TextField(load_default="", maximum=60)
    contract_on = DayField(load_default=None)

    class Meta:
        unknown = EXCLUDE


class InvoiceForm(Form):
    """One invoice as it is printed; the amount is without tax."""

    number = TextField(required=True, maximum=40)
    code = TextField(load_default="", maximum=20)
    issued_on = DayField(required=True)
    net = YuanField(required=True)
    buyer_uscc = PartyField(required=True)
    seller_uscc = UsccField(required=True)
    buyer_name = TextField(load_default="", maximum=120)
    seller_name = TextField(load_default="", maximum=120)


class PaymentForm(Form):
    """One payment as the bank's slip says it."""

    paid_amount = YuanField(required=True)
    paid_on = DayField(required=True)
    payer_name = TextField(required=True, maximum=120)
    payer_account = TextField(required=True, maximum=40)
    channel = ChoiceField(PaymentChannel, load_default=PaymentChannel.BANK_TRANSFER)
    serial = TextField(load_default="", maximum=60)


@dataclass(slots=True)
class Written:
    """What a form says: an amount of each order's contract; rows of invoices and payments with their shares by order.

    Amounts in fen. A share of None is the whole, where there is one order.
    """

    contracts: list[Fen] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    payee_account_id: int = 0


def numbered_field(name: str, place: int) -> str:
    """The name of a field in a row: the first row's without a number."""
    return f"{name}_{place}" if place else name


def invoice_rows(form: Mapping[str, str], orders: int = 1) -> list[dict[str, str]]:
    """The rows of invoices as typed, without those that nothing was typed into; at least one, where there is any."""
    names = (*INVOICE_FIELDS, *(f"share_{place}" for place in range(orders)))
    rows = [
        {name: form.get(_invoice_field(name, place), "") for name in names}
        for place in range(MOST_ROWS)
        if f"invoice_number_{place}" in form
    ]
    return [row for row in rows if any(row[name].strip() for name in _TYPED)] or rows[:1]


def payment_rows(form: Mapping[str, str], orders: int = 1) -> list[dict[str, str]]:
    """The rows of payments as typed, without those that nothing was typed into; at least one, where there is any."""
    names = (*PAYMENT_FIELDS, *(f"paid_share_{place}" for place in range(orders)))
    rows = [
        {name: form.get(_payment_field(name, place), "") for name in names}
        for place in range(MOST_ROWS)
        if numbered_field("paid_amount", place) in form
    ]
    return [row for row in rows if any(row[name].strip() for name in _PAID)] or rows[:1]


def load_claims(
    form: Mapping[str, str],
    invoices: Sequence[dict[str, str]],
    payments: Sequence[dict[str, str]],
    *,
    orders: int,
    contract_asked: bool = True,
) -> tuple[Written, dict[str, list[str]]]:
    """What a form says, and the errors by the name of the field as it stands on the page."""
    written, errors = Written(), dict[str, list[str]]()
    payee, wrong = load_form(PayeeForm, form)
    errors.update(wrong)
    written.payee_account_id = payee.get("payee_account_id", 0)
    for place in range(orders if contract_asked else 0):
        name = numbered_field("contract_amount", place)
        written.contracts.append(_amount(form.get(name, ""), name, errors))
    for place, row in enumerate(invoices):
        data, wrong = load_form(InvoiceForm, {name: row[name] for name in INVOICE_FIELDS})
        wrong = wrong or _number(data)
        errors.update({_invoice_field(name, place): said for name, said in wrong.items()})
        shares = [_share(row[f"share_{at}"], f"invoice_share_{place}_{at}", errors) for at in range(orders)]
        if not wrong:
            data["shares"] = _shared(shares, data["net"], written.contracts)
            if data["shares"] is None or sum(each or 0 for each in data["shares"]) > data["net"]:
                errors[f"invoice_share_{place}_0"] = ["各订单分摊的合计不能超过这张发票的不含税金额。"]
        written.invoices.append(data)
    for place, row in enumerate(payments):
        data, wrong = load_form(PaymentForm, {name: row[name] for name in PAYMENT_FIELDS})
        errors.update({_payment_field(name, place): said for name, said in wrong.items()})
        shares = [_share(row[f"paid_share_{at}"], f"paid_share_{place}_{at}", errors) for at in range(orders)]
        if not wrong:
            data["shares"] = _shared(shares, data["paid_amount"], written.contracts)
            if data["shares"] is None or sum(each or 0 for each in data["shares"]) > data["paid_amount"]:
                errors[f"paid_share_{place}_0"] = ["各订单分摊的合计不能超过这笔付款的金额。"]
        written.payments.append(data)
    return written, errors


def _shared(shares: Sequence[Fen | None], whole: Fen, contracts: Sequence[Fen]) -> list[Fen | None] | None:
    """The shares as typed; where none is, the whole for one order, and in proportion to the contracts for several."""
    if any(share is not None for share in shares):
        return list(shares)
    if len(shares) == 1:
        return [None]
    return list(by_weight(whole, contracts)) if sum(contracts) else None


def _share(typed: str, name: str, errors: dict[str, list[str]]) -> Fen | None:
    return _amount(typed, name, errors) if typed.strip() else None


def _amount(typed: str, name: str, errors: dict[str, list[str]]) -> Fen:
    data, wrong = load_form(AmountForm, {"amount": typed})
    if wrong:
        errors[name] = wrong.get("amount", ["请填写金额。"])
        return Fen(0)
    return Fen(data["amount"])


def _number(data: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        normalise(data["number"], data["code"])
    except InvoiceError as unreadable:
        return {"number": [f"{unreadable.reason}。"]}
    return {}


def _invoice_field(name: str, place: int) -> str:
    if name.startswith("share_"):
        return f"invoice_share_{place}_{name.removeprefix('share_')}"
    return f"invoice_{name}_{place}"


def _payment_field(name: str, place: int) -> str:
    if name.startswith("paid_share_"):
        return f"paid_share_{place}_{name.removeprefix('paid_share_')}"
    return numbered_field(name, place)
