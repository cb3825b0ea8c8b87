"""Files kept under their own sha256: the same content once, and a changed file no longer fits its name.

A file is written under a temporary name, synced, and renamed into place; a reader never sees half of one. What
a file is, is decided by its first bytes, never by its name. Nothing here touches the database: a file that no
document names is harmless.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO

from voucher.errors import Code, Refusal

LONGEST_NAME = 120
_CHUNK = 256 * 1024
_HEAD = 16
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/ofd"),
)
_EXTENSIONS = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "application/ofd": ("ofd",),
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store: its sha256, its size in bytes, what it is, and the name it came with.

    `facts` is what was read from it, and `parts` are the files that it was made of (photos in one PDF).
    """

    sha256: str
    size_bytes: int
    media_type: str
    file_name: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parts: tuple[Stored, ...] = ()


def save(stream: BinaryIO, folder: Path, *, file_name: str, max_bytes: int) -> Stored:
    """Keep what `stream` holds; the same content again is kept once.

    Refused as `file_refused` with `reason`: `empty`, `too_large` (more than `max_bytes`), `type` (neither PDF,
    PNG, JPEG nor OFD by content), `extension` (the name says another type than the content). A refused file
    leaves nothing behind.
    """
    name = plain_name(file_name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as incoming:
        waiting = Path(incoming.name)
        try:
            digest, size, head = _copied(stream, incoming, name=name, max_bytes=max_bytes)
            media_type = _checked(waiting, head, name)
            _keep(waiting, _place(folder, digest))
        finally:
            waiting.unlink(missing_ok=True)
    return Stored(digest, size, media_type, name)


def open_file(folder: Path, digest: str) -> BinaryIO:
    """The file of this sha256, for reading. Raises FileNotFoundError where there is none."""
    return _place(folder, digest).open("rb")


def described(folder: Path, digest: str, *, file_name: str) -> Stored:
    """What the store says of a file that it has, under the name that it is to go by.

    Refused as `file_refused` with `reason`: `missing` (no file of this sha256), `extension` (the name says another
    type than the content).
    """
    name, place = plain_name(file_name), _place(folder, digest)
    if not place.is_file():
        raise Refusal(Code.FILE_REFUSED, reason="missing", file=name)
    with place.open("rb") as stream:
        head = stream.read(_HEAD)
    return Stored(digest, place.stat().st_size, _checked(place, head, name), name)


def plain_name(given: str) -> str:
    """The name of a file without any path, control or direction characters, at most 120 characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, extension = kept.rpartition(".")
    if not dot:
        return kept[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"[-LONGEST_NAME:]


def _copied(stream: BinaryIO, incoming: IO[bytes], *, name: str, max_bytes: int) -> tuple[str, int, bytes]:
    digest, size, head = sha256(), 0, b""
    for chunk in _chunks(stream):
        size += len(chunk)
        if size > max_bytes:
            raise Refusal(Code.FILE_REFUSED, reason="too_large", file=name, max_bytes=max_bytes)
        head = head or chunk[:_HEAD]
        digest.update(chunk)
        incoming.write(chunk)
    if size == 0:
        raise Refusal(Code.FILE_REFUSED, reason="empty", file=name)
    incoming.flush()
    os.fsync(incoming.fileno())
    return digest.hexdigest(), size, head


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _checked(waiting: Path, head: bytes, name: str) -> str:
    media_type = next((kind for start, kind in _SIGNATURES if head.startswith(start)), "")
    if media_type == "application/ofd" and not _is_ofd(waiting):
        media_type = ""
    if not media_type:
        raise Refusal(Code.FILE_REFUSED, reason="type", file=name)
    extension = Path(name).suffix[1:].lower()
    if extension not in _EXTENSIONS[media_type]:
        raise Refusal(Code.FILE_REFUSED, reason="extension", file=name)
    return media_type


def _is_ofd(waiting: Path) -> bool:
    """OFD (GB/T 33190) is a zip with OFD.xml at its top; a spreadsheet or a program archive is not."""
    try:
        with zipfile.ZipFile(waiting) as archive:
            return "OFD.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _place(folder: Path, digest: str) -> Path:
    if not _SHA256.fullmatch(digest):
        raise ValueError("a file is named by its sha256")
    return folder / digest[:2] / digest[2:4] / digest


def _keep(waiting: Path, place: Path) -> None:
    if place.is_file():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    waiting.chmod(0o440)
    waiting.replace(place)
    for folder in (place.parent, place.parent.parent, place.parent.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
