"""Invoices in PDF: what the document says of itself, and its text layer by the labels that every invoice prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from typing import Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from voucher.codes import is_uscc
from voucher.originals.invoice import EInvoice, amount, made_invoice
from voucher.originals.xml_invoice import FIELDS

MOST_PAGES: Final = 10
_READ_PAGES: Final = 2
_MOST_TEXT: Final = 50_000
_MOST_AMOUNTS: Final = 40
_TITLE: Final = re.compile(r"发\s*票")
_MONEY: Final = r"[¥￥]?\s*(-?[0-9][0-9,]{0,15}\.[0-9]{2})"
_NUMBER: Final = re.compile(r"发票号码\s*[:：]?\s*([0-9]{20}|[0-9]{8})(?![0-9])")
_LONG_NUMBER: Final = re.compile(r"(?<![0-9A-Z])([0-9]{20})(?![0-9A-Z])")
_CODE: Final = re.compile(r"发票代码\s*[:：]?\s*([0-9]{12}|[0-9]{10})(?![0-9])")
_DATE: Final = re.compile(r"(20[0-9]{2}\s*年\s*[0-9]{1,2}\s*月\s*[0-9]{1,2}\s*日)")
_DATED: Final = re.compile(rf"开票日期\s*[:：]?\s*{_DATE.pattern}")
_PARTY: Final = re.compile(r"(?<![\w])名\s{0,4}称\s*[:：]\s*([^\s:：]{2,60})")
_TAX_ID: Final = re.compile(r"(?<![0-9A-Z])([0-9A-Z]{18})(?![0-9A-Z])")
_SMALL: Final = re.compile(rf"[（(]\s*小写\s*[）)]\s*{_MONEY}")
_SUMS: Final = re.compile(rf"合\s*计\s*{_MONEY}\s+{_MONEY}")
_AMOUNT: Final = re.compile(rf"[¥￥]\s*{_MONEY[6:]}")
_NAME_END: Final = re.compile(r"(统一社会信用代码|纳税人识别号|销售方|购买方|购\s*买|销\s*售).*$")


def pdf_invoice(place: Path) -> EInvoice | None:
    """The invoice of a PDF file; None for another document, a long one, or one without a text layer.

    Raises what pypdf raises for a broken or hostile file.
    """
    with PdfReader(place) as reader:
        if reader.is_encrypted or not 0 < len(reader.pages) <= MOST_PAGES:
            return None
        texts = (reader.pages[page].extract_text() for page in range(min(_READ_PAGES, len(reader.pages))))
        text = "\n".join(texts)[:_MOST_TEXT]
        own = _own_words(reader)
    return text_invoice(text, own)


def text_invoice(text: str, own: Mapping[str, str]) -> EInvoice | None:
    """The invoice of a text layer; `own` is what the document's own entries say, and comes first."""
    if not own and not _TITLE.search(text):
        return None
    said = {**_labelled(text), **{field: value for field, value in own.items() if value}}
    if not said.get("number"):
        return None
    return made_invoice(said, (), source="pdf")


def _own_words(reader: PdfReader) -> dict[str, str]:
    """The entries of the document's information under the names of the digital invoice's elements."""
    try:
        entries = {str(key).lstrip("/"): str(value) for key, value in (reader.metadata or {}).items()}
    except (PyPdfError, ValueError, TypeError, AttributeError):
        return {}
    found = {
        field: next((entries[element] for element in elements if entries.get(element)), "")
        for field, elements in FIELDS.items()
    }
    return found if found["number"] and (found["net"] or found["total"]) else {}


def _labelled(text: str) -> dict[str, str]:
    number = _first(_NUMBER, text) or _first(_LONG_NUMBER, text)
    parties = [_NAME_END.sub("", each) for each in _PARTY.findall(text)]
    tax_ids = [each for each in _TAX_ID.findall(text) if is_uscc(each)]
    said = {
        "number": number,
        "code": _first(_CODE, text),
        "date": _first(_DATED, text) or _first(_DATE, text),
        **dict(zip(("buyer_name", "seller_name"), parties, strict=False)),
        **dict(zip(("buyer_uscc", "seller_uscc"), tax_ids, strict=False)),
    }
    return said | _sums(text)


def _sums(text: str) -> dict[str, str]:
    """Net, tax and total: as labelled, or the amounts of which two make up the third."""
    total, sums = _first(_SMALL, text), _SUMS.search(text)
    if total and sums:
        return {"net": sums[1], "tax": sums[2], "total": total}
    written = list(dict.fromkeys(_AMOUNT.findall(text)))[:_MOST_AMOUNTS]
    amounts = {each: fen for each in written if (fen := amount(each)) is not None}
    fits = [
        (net, tax, both)
        for net, tax in permutations(amounts, 2)
        for both in amounts
        if amounts[net] + amounts[tax] == amounts[both] and abs(amounts[net]) >= abs(amounts[tax]) > 0
    ]
    fits = [each for each in fits if not total or amount(each[2]) == amount(total)]
    if len(fits) == 1:
        return dict(zip(("net", "tax", "total"), fits[0], strict=True))
    return {"total": total}


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
