"""Reading what was stored: facts of invoices, and photos joined into one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from voucher.errors import Code, Refusal
from voucher.media import HEIC, OFD, PDF, PHOTOS, XML
from voucher.originals.apart import Bounds, TookTooLong, run_apart
from voucher.originals.invoice import EInvoice, invoice_of
from voucher.store import LONGEST_NAME, Stored, place_of, save

MOST_PHOTOS: Final = 20

_READING: Final = Bounds(wall_seconds=6, cpu_seconds=1.7, memory_mib=768)
_JOINING: Final = Bounds(wall_seconds=25, cpu_seconds=25, memory_mib=2048)
_READABLE: Final = frozenset({XML, OFD, PDF})
_MOST_KEPT: Final = 200
_LARGEST: Final = 5 * 1024 * 1024  # an invoice has no pictures; a scanned contract is not worth a look


def read_invoice(place: Path, media_type: str) -> EInvoice | None:
    """The invoice that a file is, within 1.7 seconds of a processor; None for any other file, a broken one, or one
    that takes longer.

    `place` must be a file of the store: what was read of it is kept for the next call.
    """
    if media_type not in _READABLE or place.stat().st_size > _LARGEST:
        return None
    try:
        said = _said(str(place), media_type)
    except TookTooLong:
        return None
    return invoice_of(json.loads(said)) if said else None


def with_facts(stored: Stored, folder: Path) -> Stored:
    """The stored file with what its original says: its invoice (`facts["invoice"]`), or hashes of its text (`minima`)."""
    if stored.media_type not in _READABLE or stored.size_bytes > _LARGEST:
        return stored
    try:
        said = _said(str(place_of(folder, stored.sha256)), stored.media_type)
    except TookTooLong:
        return stored
    read: dict[str, Any] = json.loads(said) if said else {}
    return replace(stored, facts={**stored.facts, **read})


def joined(files: Sequence[Stored], folder: Path, *, max_bytes: int) -> list[Stored]:
    """The files with all photos among them as one PDF, whose parts they are; one photo stays unless it is HEIC.

    Refused as `file_refused`: a photo that is broken (`unreadable`), more than 20 of them (`photos`), photos that
    take longer than 25 seconds (`slow`), a PDF that would be too large (`too_large`).
    """
    photos = [each for each in files if each.media_type in PHOTOS]
    if len(photos) < 2 and not any(each.media_type == HEIC for each in photos):
        return list(files)
    name = photos[0].file_name
    if len(photos) > MOST_PHOTOS:
        raise Refusal(Code.FILE_REFUSED, reason="photos", file=name)
    try:
        made = run_apart("photo_job", [str(place_of(folder, each.sha256)) for each in photos], _JOINING)
    except TookTooLong:
        raise Refusal(Code.FILE_REFUSED, reason="slow", file=name) from None
    if made is None:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable", file=name)
    pdf = save(BytesIO(made), folder, file_name=_pdf_name(photos), max_bytes=max_bytes)
    whole = replace(pdf, parts=tuple(photos))
    return [*(each for each in files if each.media_type not in PHOTOS), whole]


def _pdf_name(photos: Sequence[Stored]) -> str:
    stem = photos[0].file_name.rpartition(".")[0][: LONGEST_NAME - 20]
    return f"{stem}.pdf" if len(photos) == 1 else f"{stem}等{len(photos)}张照片.pdf"


@lru_cache(_MOST_KEPT)
def _said(place: str, media_type: str) -> bytes | None:
    return run_apart("read_job", [media_type, place], _READING)
