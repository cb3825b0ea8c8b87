"""Invoices: one key for one invoice however it is written, and whose invoice it must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from voucher.errors import Code
from voucher.rules.eligibility import Finding

_NOISE = re.compile(
    r"[\s\-\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff]+|(?i:no\.?:?)|(?:发票|票据)?(?:号码|代码)|号|:"
)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_WHOLE_LENGTHS = (18, 20)
_SPLIT_LENGTHS = ((10, 8), (12, 8), (8, 10))


class InvoiceError(ValueError):
    """What was written is no invoice number; `reason` is the Chinese sentence for the field."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalise(number: str, code: str | None = None) -> str:
    """The key of an invoice, unique over all programmes and regions: its 18 or 20 digits without anything else.

    A fully digital invoice has one number of 20 digits. Others have a code (10 or 12 digits) and a number of
    8, a fiscal bill a code of 8 and a number of 10; both parts written into the number field give the same key.
    Full-width digits, blanks, hyphens, the label and "No." are folded; anything else raises InvoiceError.
    """
    digits, lead = _digits(number, "发票号码"), _digits(code, "发票代码") if code and code.strip() else ""
    if lead:
        if (len(lead), len(digits)) in _SPLIT_LENGTHS:
            return lead + digits
        if len(digits) in _WHOLE_LENGTHS and digits.startswith(lead):
            return digits
        raise InvoiceError("发票代码应为 10 或 12 位、号码 8 位（财政票据：代码 8 位、号码 10 位）")
    if len(digits) in _WHOLE_LENGTHS:
        return digits
    if len(digits) in (8, 10):
        raise InvoiceError("这种发票还要填写发票代码")
    raise InvoiceError("数电发票号码应为 20 位数字")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice as claimed: who bought, who sold (USCC), and its date."""

    buyer_uscc: str
    seller_uscc: str
    issued_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an invoice says wherever it is used: two claims that use it must agree on all of it."""

    issued_on: date
    net_fen: int
    buyer_uscc: str
    seller_uscc: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the form says something else than the original: the field, what the form says, what the file says."""

    field: str
    said: str | int
    original: str | int


def recorded(head: Head, before: Head) -> Finding:
    """`invoice_mismatch` where an invoice is described otherwise than by a claim that uses it already.

    `field` is recorded_date, recorded_net, recorded_buyer or recorded_seller.
    """
    pairs = (
        ("recorded_date", head.issued_on, before.issued_on),
        ("recorded_net", head.net_fen, before.net_fen),
        ("recorded_buyer", head.buyer_uscc, before.buyer_uscc),
        ("recorded_seller", head.seller_uscc, before.seller_uscc),
    )
    field = next((name for name, now, then in pairs if now != then), None)
    return None if field is None else (Code.INVOICE_MISMATCH, {"field": field, "expected": ""})


def differences(head: Head, original: Mapping[str, Any] | None) -> list[Difference]:
    """Where the facts of an invoice differ from its original, as far as the original gives them.

    `original` has issued_on (ISO), net_fen, buyer_uscc, seller_uscc; one that is missing or empty is not compared.
    """
    if original is None:
        return []
    pairs: tuple[tuple[str, str | int], ...] = (
        ("issued_on", head.issued_on.isoformat()),
        ("net_fen", head.net_fen),
        ("buyer_uscc", head.buyer_uscc),
        ("seller_uscc", head.seller_uscc),
    )
    return [
        Difference(name, said, original[name])
        for name, said in pairs
        if original.get(name) not in (None, "", said)
    ]


def mismatch(
    invoice: Invoice, *, enterprise_uscc: str, host_uscc: str | None, contract_on: date | None
) -> Finding:
    """None if the invoice is the enterprise's, from the provider's host, and not older than the contract.

    Otherwise `invoice_mismatch` with `field` buyer, seller or date.
    """
    if invoice.buyer_uscc != enterprise_uscc:
        return Code.INVOICE_MISMATCH, {"field": "buyer", "expected": enterprise_uscc}
    if host_uscc is not None and invoice.seller_uscc != host_uscc:
        return Code.INVOICE_MISMATCH, {"field": "seller", "expected": host_uscc}
    if contract_on is not None and invoice.issued_on < contract_on:
        return Code.INVOICE_MISMATCH, {"field": "date", "expected": contract_on.isoformat()}
    return None


def _digits(written: str, name: str) -> str:
    bare = _NOISE.sub("", unicodedata.normalize("NFKC", written))
    if not _DIGITS.fullmatch(bare):
        raise InvoiceError(f"{name}只能是数字")
    return bare
