"""Filling a claim's form from the electronic invoices that were uploaded with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voucher.operations.documents import GivenDocument
from voucher.originals import EInvoice, invoice_of
from voucher.rules.invoices import InvoiceError, normalise
from voucher.terms import DocumentKind

_TYPED: Final = ("number", "code", "issued_on", "net")


def filled(
    rows: Sequence[dict[str, str]], files: Sequence[tuple[str, GivenDocument]]
) -> list[dict[str, str]]:
    """The rows, and one for each original whose number none of them has; an untouched row is filled first.

    What was typed is never overwritten: a difference from the original is shown, not mended.
    """
    result = [dict(row) for row in rows] or [{}]
    known = {_key(row.get("number", ""), row.get("code", "")) for row in result}
    for _, given in files:
        read = invoice_of(given.facts) if given.kind is DocumentKind.INVOICE else None
        if read is None or _key(read.number, read.code) in known:
            continue
        known.add(_key(read.number, read.code))
        free = next((row for row in result if not any(row.get(name, "").strip() for name in _TYPED)), None)
        if free is None:
            free = {}
            result.append(free)
        free.update(_row(read))
    return result


def _row(read: EInvoice) -> dict[str, str]:
    said: Mapping[str, Any] = {
        "number": read.number,
        "code": read.code,
        "issued_on": read.issued_on.isoformat() if read.issued_on else "",
        "net": f"{read.net_fen // 100}.{read.net_fen % 100:02d}" if read.net_fen else "",
        "buyer_uscc": read.buyer_uscc,
        "seller_uscc": read.seller_uscc,
        "buyer_name": read.buyer_name,
        "seller_name": read.seller_name,
    }
    return {name: value for name, value in said.items() if value}


def _key(number: str, code: str) -> str:
    try:
        return normalise(number, code)
    except InvoiceError:
        return number.strip()
