"""The job that reads one file: `read_job MEDIA_TYPE FILE` writes its invoice as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from voucher.media import OFD, PDF, XML
from voucher.originals.apart import answer
from voucher.originals.invoice import EInvoice, invoice_facts
from voucher.originals.ofd_invoice import ofd_invoice
from voucher.originals.pdf_invoice import pdf_invoice
from voucher.originals.xml_invoice import xml_invoice
from voucher.safe_xml import parsed


def parsed_invoice(place: Path, media_type: str) -> EInvoice | None:
    """The invoice of a file, read here and now; a broken file may raise anything."""
    if media_type == XML:
        return xml_invoice(parsed(place.read_bytes()))
    if media_type == OFD:
        return ofd_invoice(place)
    return pdf_invoice(place) if media_type == PDF else None


def _read(arguments: Sequence[str]) -> bytes:
    invoice = parsed_invoice(Path(arguments[1]), arguments[0])
    return json.dumps(invoice_facts(invoice), ensure_ascii=False).encode() if invoice else b""


if __name__ == "__main__":
    answer(_read)
