"""The job that reads one file: `read_job MEDIA_TYPE FILE` writes its invoice, or hashes of its text, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pypdf import PdfReader

from voucher.media import OFD, PDF, XML
from voucher.originals.apart import answer
from voucher.originals.invoice import EInvoice, invoice_facts
from voucher.originals.ofd_invoice import ofd_invoice
from voucher.originals.pdf_invoice import pdf_invoice
from voucher.originals.xml_invoice import xml_invoice
from voucher.rules.shingles import minima
from voucher.safe_xml import parsed

INVOICE: Final = "invoice"
TEXT: Final = "minima"
_PAGES_OF_TEXT: Final = 10


def parsed_invoice(place: Path, media_type: str) -> EInvoice | None:
    """The invoice of a file, read here and now; a broken file may raise anything."""
    if media_type == XML:
        return xml_invoice(parsed(place.read_bytes()))
    if media_type == OFD:
        return ofd_invoice(place)
    return pdf_invoice(place) if media_type == PDF else None


def text_minima(place: Path, media_type: str) -> list[str]:
    """Hashes that the text of a PDF can be recognised by (`rules/shingles.py`); none without a text layer."""
    if media_type != PDF:
        return []
    with PdfReader(place) as reader:
        if reader.is_encrypted:
            return []
        pages = range(min(_PAGES_OF_TEXT, len(reader.pages)))
        return list(minima("\n".join(reader.pages[page].extract_text() for page in pages)))


def _read(arguments: Sequence[str]) -> bytes:
    place, media_type = Path(arguments[1]), arguments[0]
    invoice = parsed_invoice(place, media_type)
    if invoice is not None:
        return json.dumps({INVOICE: invoice_facts(invoice)}, ensure_ascii=False).encode()
    found = text_minima(place, media_type)
    return json.dumps({TEXT: found}).encode() if found else b""


if __name__ == "__main__":
    answer(_read)
