"""What a file is, by its bytes and never by its name, and whether it is safe to keep.

A picture's size is read from its head, so that nothing is unpacked that would fill the memory; an archive is unpacked
once within bounds; XML is an invoice or it is refused; a file that is two things at once is refused.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Final

from voucher.errors import Code, Refusal
from voucher.safe_xml import MOST_BYTES as MOST_XML
from voucher.safe_xml import XmlError, local_name, parsed

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
HEIC: Final = "image/heic"
OFD: Final = "application/ofd"
XML: Final = "application/xml"
PHOTOS: Final = frozenset({PNG, JPEG, HEIC})
EXTENSIONS: Final = {
    PDF: ("pdf",),
    PNG: ("png",),
    JPEG: ("jpg", "jpeg"),
    HEIC: ("heic", "heif"),
    OFD: ("ofd",),
    XML: ("xml",),
}

MOST_PIXELS: Final = 50_000_000
MOST_UNPACKED: Final = 64 * 1024 * 1024
MOST_MEMBERS: Final = 2_000
MOST_RATIO: Final = 60
_PLAIN_UNPACKED: Final = 8 * 1024 * 1024
_HEAD: Final = 64 * 1024
_TAIL: Final = 64 * 1024
_HEIC_HEAD: Final = 1024 * 1024
_CHUNK: Final = 256 * 1024

_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"})
_JPEG_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKUP: Final = (b"<script", b"<html", b"<!doctype", b"<svg", b"<iframe", b"<?php", b"javascript:")
_RUNNABLE: Final = (".html", ".htm", ".xhtml", ".svg", ".js", ".exe", ".dll", ".bat", ".cmd", ".sh", ".jar")
_INVOICES: Final = frozenset({"EInvoice", "eInvoice"})
_ACTIVE_SPACES: Final = ("{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}")


def checked_type(place: Path, name: str) -> str:
    """The media type of a file.

    Refused as `file_refused` with `reason`: `type` (none that is taken), `extension` (the name says another type),
    `pixels` (above 50 million), `unpacked` (an archive that grows), `script` (markup or a program inside), `mixed`
    (an archive hidden behind something else), `not_invoice` (XML of another kind), `unreadable` (broken).
    """
    try:
        media_type = _type_of(place)
    except _Unfit as unfit:
        raise Refusal(Code.FILE_REFUSED, reason=unfit.reason, file=name) from None
    if Path(name).suffix[1:].lower() not in EXTENSIONS[media_type]:
        raise Refusal(Code.FILE_REFUSED, reason="extension", file=name)
    return media_type


class _Unfit(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _type_of(place: Path) -> str:
    with place.open("rb") as stream:
        head = stream.read(_HEAD)
        if head.startswith(b"%PDF-"):
            _plain(head[:4096])
            _single(place)
            return PDF
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _picture(place, stream, PNG)
        if head.startswith(b"\xff\xd8\xff"):
            return _picture(place, stream, JPEG)
        if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
            return _picture(place, stream, HEIC)
    if head.startswith(b"PK\x03\x04"):
        _archive(place)
        return OFD
    return _text(place, head)


def _plain(part: bytes) -> None:
    lowered = part.lower()
    if any(mark in lowered for mark in _MARKUP):
        raise _Unfit("script")


def _single(place: Path) -> None:
    """Refuse what is an archive as well: its directory stands at the end, whatever it begins with."""
    if zipfile.is_zipfile(place):
        raise _Unfit("mixed")


def _picture(place: Path, stream: BinaryIO, media_type: str) -> str:
    stream.seek(0)
    try:
        pixels = _SIZES[media_type](stream)
    except (struct.error, IndexError, ValueError):
        raise _Unfit("unreadable") from None
    if pixels <= 0:
        raise _Unfit("unreadable")
    if pixels > MOST_PIXELS:
        raise _Unfit("pixels")
    stream.seek(0)
    _plain(stream.read(_HEAD))
    stream.seek(max(0, place.stat().st_size - _TAIL))
    _plain(stream.read(_TAIL))
    _single(place)
    return media_type


def _png_pixels(stream: BinaryIO) -> int:
    length, kind, width, height = struct.unpack(">8xI4sII", stream.read(24))
    return int(width) * int(height) if kind == b"IHDR" and length == 13 else 0


def _jpeg_pixels(stream: BinaryIO) -> int:
    """By the frame header, after passing over the segments before it."""
    stream.seek(2)
    for _ in range(1000):
        lead, marker = struct.unpack("BB", stream.read(2))
        while marker == 0xFF:
            (marker,) = struct.unpack("B", stream.read(1))
        if lead != 0xFF or marker in (0xD8, 0xD9, 0xDA):
            return 0
        (length,) = struct.unpack(">H", stream.read(2))
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">xHH", stream.read(5))
            return int(width) * int(height)
        stream.seek(length - 2, 1)
    return 0


def _heic_pixels(stream: BinaryIO) -> int:
    """The largest of the sizes that the file's items have (`ispe` boxes)."""
    head = stream.read(_HEIC_HEAD)
    largest, place = 0, head.find(b"ispe")
    while place >= 0:
        width, height = struct.unpack(">II", head[place + 8 : place + 16])
        largest = max(largest, int(width) * int(height))
        place = head.find(b"ispe", place + 4)
    return largest


_SIZES: Final = {PNG: _png_pixels, JPEG: _jpeg_pixels, HEIC: _heic_pixels}


def _archive(place: Path) -> None:
    """OFD (GB/T 33190) is a zip with OFD.xml at its top; a spreadsheet or a program archive is not."""
    try:
        with zipfile.ZipFile(place) as archive:
            members = archive.infolist()
            if "OFD.xml" not in archive.namelist():
                raise _Unfit("type")
            bounded(members, packed=place.stat().st_size)
            if any(member.filename.lower().endswith(_RUNNABLE) for member in members):
                raise _Unfit("script")
            for member in members:
                with archive.open(member) as part:
                    while part.read(_CHUNK):
                        pass
    except Grows:
        raise _Unfit("unpacked") from None
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError):
        raise _Unfit("unreadable") from None


class Grows(Exception):
    """An archive that unpacks to more than is taken."""


def bounded(members: list[zipfile.ZipInfo], *, packed: int) -> None:
    """Raise Grows for more than 2,000 members, 64 MiB unpacked, or above 8 MiB more than 60 times the packed size.

    What a member says of its size is what is unpacked of it, so nothing has to be unpacked to know.
    """
    unpacked = sum(member.file_size for member in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED:
        raise Grows
    if unpacked > _PLAIN_UNPACKED and unpacked > MOST_RATIO * packed:
        raise Grows


def _text(place: Path, head: bytes) -> str:
    """XML is taken when it is an invoice; markup that a browser would run is named as such."""
    start = head[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    if not start.startswith(b"<"):
        raise _Unfit("type")
    lowered = start[:4096].replace(b"\0", b"").lower()
    if any(mark in lowered for mark in _MARKUP):
        raise _Unfit("script")
    if place.stat().st_size > MOST_XML:
        raise _Unfit("not_invoice")
    try:
        root = parsed(place.read_bytes())
    except XmlError:
        raise _Unfit("not_invoice") from None
    if any(str(element.tag).startswith(_ACTIVE_SPACES) for element in root.iter()):
        raise _Unfit("script")
    if local_name(root) not in _INVOICES:
        raise _Unfit("not_invoice")
    return XML
