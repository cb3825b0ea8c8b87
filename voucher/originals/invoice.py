"""An electronic invoice as its original says it, and the values that such files write in many ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from voucher.codes import normalise_uscc
from voucher.money import MAX_FEN
from voucher.rules.invoices import InvoiceError, normalise

MOST_LINES: Final = 20
LONGEST_NAME: Final = 120

_AMOUNT: Final = re.compile(r"(?P<sign>-?)(?P<yuan>[0-9]{1,13})(?:\.(?P<cents>[0-9]{1,2})0*)?", re.ASCII)
_NOT_AMOUNT: Final = re.compile(r"[¥￥,，\s元]")
_DATE: Final = re.compile(
    r"(20[0-9]{2})[年/.\-]?([0-9]{1,2})[月/.\-]?([0-9]{1,2})(?:日|[T ]|[0-9:]{0,9}$)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice: what was sold, without tax and its tax, in fen."""

    name: str
    net_fen: int | None
    tax_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """What was read from an original; None and the empty text are what it does not say. Amounts in fen.

    `code` is empty for a fully digital invoice. `red`: a red-letter invoice, whose amounts are below zero.
    `source` is the kind of file: xml, ofd or pdf.
    """

    number: str
    code: str
    issued_on: date | None
    net_fen: int | None
    tax_fen: int | None
    total_fen: int | None
    buyer_uscc: str
    buyer_name: str
    seller_uscc: str
    seller_name: str
    red: bool
    lines: tuple[Line, ...]
    source: str


def made_invoice(said: Mapping[str, str], lines: tuple[Line, ...], *, source: str) -> EInvoice | None:
    """The invoice of what a file says by name: number, code, date, net, tax, total, and both parties.

    None without an invoice number of one of the known lengths. Amounts that do not add up are not taken.
    """
    number, code = _digits(said.get("number", "")), _digits(said.get("code", ""))
    try:
        normalise(number, code)
    except InvoiceError:
        return None
    net, tax, total = _sums(*(amount(said.get(field, "")) for field in ("net", "tax", "total")))
    return EInvoice(
        number=number,
        code="" if len(number) == 20 else code,
        issued_on=day(said.get("date", "")),
        net_fen=net,
        tax_fen=tax,
        total_fen=total,
        buyer_uscc=_uscc(said.get("buyer_uscc", "")),
        buyer_name=name(said.get("buyer_name", "")),
        seller_uscc=_uscc(said.get("seller_uscc", "")),
        seller_name=name(said.get("seller_name", "")),
        red=(total or 0) < 0,
        lines=lines[:MOST_LINES],
        source=source,
    )


def _sums(net: int | None, tax: int | None, total: int | None) -> tuple[int | None, int | None, int | None]:
    """The three amounts, of which one may be made of the other two; none of them where they contradict."""
    if total is None and net is not None and tax is not None:
        total = net + tax
    elif tax is None and net is not None and total is not None:
        tax = total - net
    elif net is None and tax is not None and total is not None:
        net = total - tax
    if net is None or tax is None or total is None:
        return net, tax, total
    fits = net + tax == total and net * tax >= 0
    return (net, tax, total) if fits else (None, None, None)


def invoice_facts(invoice: EInvoice) -> dict[str, Any]:
    """The invoice as plain JSON values, as `facts["invoice"]` of a stored file keeps it."""
    issued_on = invoice.issued_on.isoformat() if invoice.issued_on is not None else None
    return {**asdict(invoice), "issued_on": issued_on, "lines": [asdict(line) for line in invoice.lines]}


def invoice_of(facts: Mapping[str, Any]) -> EInvoice | None:
    """The invoice of a stored file's facts; None where none was read."""
    said = facts.get("invoice")
    if not said:
        return None
    issued_on = date.fromisoformat(said["issued_on"]) if said["issued_on"] else None
    return EInvoice(
        **{**said, "issued_on": issued_on, "lines": tuple(Line(**line) for line in said["lines"])}
    )


def amount(text: str) -> int | None:
    """Fen of an amount in yuan as invoices write it (`¥1,234.50`, `-3`); None for anything else."""
    found = _AMOUNT.fullmatch(_NOT_AMOUNT.sub("", unicodedata.normalize("NFKC", text)))
    if found is None:
        return None
    fen = int(found["yuan"]) * 100 + int((found["cents"] or "").ljust(2, "0"))
    if fen > MAX_FEN:
        return None
    return -fen if found["sign"] else fen


def day(text: str) -> date | None:
    """The day of `2026年05月08日`, `20260508`, `2026-05-08 10:00:00`; None for anything else."""
    found = _DATE.match(re.sub(r"\s+(?=[年月日0-9])|(?<=[年月])\s+", "", text.strip()))
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def name(text: str) -> str:
    """A name on one line, without what cannot be seen."""
    seen = "".join(char for char in text if char.isprintable() or char.isspace())
    return " ".join(seen.split())[:LONGEST_NAME]


def _digits(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text) if char in "0123456789")[:20]


def _uscc(text: str) -> str:
    return normalise_uscc(name(text))[:20]
