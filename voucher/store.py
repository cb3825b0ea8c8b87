"""Files kept under their own sha256: the same content once, and a changed file no longer fits its name.

A file is written under a temporary name, synced, and renamed into place; a reader never sees half of one. What
a file is, `voucher/media.py` says by its bytes, never by its name. Nothing here touches the database: a file that
nothing names is swept once nobody has asked for it for a day, and every form that still holds it asks.
"""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO

from voucher.errors import Code, Refusal
from voucher.media import checked_type

LONGEST_NAME = 120
_CHUNK = 256 * 1024
_INCOMING = ".incoming-"
_ASIDE = ".sweeping-"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


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

    Refused as `file_refused` with `reason`: `empty`, `too_large` (more than `max_bytes`), and what
    `media.checked_type` refuses. A refused file leaves nothing behind.
    """
    name = plain_name(file_name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=_INCOMING, delete=False) as incoming:
        waiting = Path(incoming.name)
        try:
            digest, size = _copied(stream, incoming, name=name, max_bytes=max_bytes)
            media_type = checked_type(waiting, name)
            _keep(waiting, place_of(folder, digest))
        finally:
            waiting.unlink(missing_ok=True)
    return Stored(digest, size, media_type, name)


def open_file(folder: Path, digest: str) -> BinaryIO:
    """The file of this sha256, for reading. Raises FileNotFoundError where there is none."""
    return place_of(folder, digest).open("rb")


def described(folder: Path, digest: str, *, file_name: str) -> Stored:
    """What the store says of a file that it has, under the name that it is to go by; it is not swept for a day.

    Refused as `file_refused` with `reason`: `missing` (no file of this sha256), `extension` (the name says another
    type than the content).
    """
    name, place = plain_name(file_name), place_of(folder, digest)
    if not still_there(folder, digest):
        raise Refusal(Code.FILE_REFUSED, reason="missing", file=name)
    return Stored(digest, place.stat().st_size, checked_type(place, name), name)


def still_there(folder: Path, digest: str) -> bool:
    """Whether the store has this file; if so, it is not swept for a day."""
    try:
        os.utime(place_of(folder, digest))
    except FileNotFoundError:
        return False
    return True


def rehashed(folder: Path, digest: str) -> str:
    """The sha256 of what stands under this sha256 now. Raises OSError where nothing can be read."""
    return hash_of(place_of(folder, digest))


def hash_of(place: Path) -> str:
    """The sha256 of a file's content."""
    found = sha256()
    with place.open("rb") as stream:
        for chunk in _chunks(stream):
            found.update(chunk)
    return found.hexdigest()


def digests(folder: Path) -> Iterator[str]:
    """Every sha256 that the store has a file of, in order."""
    for first in sorted(each for each in folder.glob("[0-9a-f][0-9a-f]") if each.is_dir()):
        for place in sorted(first.glob("[0-9a-f][0-9a-f]/*")):
            if _SHA256.fullmatch(place.name):
                yield place.name


def discard(folder: Path, digest: str, *, unused_since: float) -> bool:
    """Delete a file unless somebody asked for it since that moment (seconds of the epoch); says whether it is gone.

    It is taken aside first: whoever asks in the meantime finds nothing, or has asked before and it is put back.
    """
    place = place_of(folder, digest)
    aside = place.with_name(_ASIDE + digest)
    try:
        place.replace(aside)
        if aside.stat().st_mtime > unused_since:
            aside.replace(place)
            return False
        aside.unlink()
    except FileNotFoundError:
        return False
    return True


def unused(folder: Path, *, unused_since: float) -> Iterator[str]:
    """The files that nobody asked for since that moment (seconds of the epoch), by hash.

    What an interrupted sweep took aside is put back first.
    """
    for aside in folder.glob(f"[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/{_ASIDE}*"):
        aside.replace(aside.with_name(aside.name.removeprefix(_ASIDE)))
    for digest in digests(folder):
        try:
            old = place_of(folder, digest).stat().st_mtime <= unused_since
        except FileNotFoundError:
            continue
        if old:
            yield digest


def copy_to(folder: Path, digest: str, target: Path) -> bool:
    """Copy a file into another store, hashed on the way; says whether it was not there before.

    Raises FileNotFoundError where the store has none, and ValueError where its content is no longer what its name says;
    nothing is written then.
    """
    place = place_of(target, digest)
    if place.is_file():
        return False
    target.mkdir(parents=True, exist_ok=True)
    with (
        place_of(folder, digest).open("rb") as source,
        tempfile.NamedTemporaryFile(dir=target, prefix=_INCOMING, delete=False) as incoming,
    ):
        waiting, found = Path(incoming.name), sha256()
        try:
            for chunk in _chunks(source):
                found.update(chunk)
                incoming.write(chunk)
            incoming.flush()
            os.fsync(incoming.fileno())
            if found.hexdigest() != digest:
                raise ValueError("the content is not what its name says")
            _keep(waiting, place)
        finally:
            waiting.unlink(missing_ok=True)
    return True


def plain_name(given: str) -> str:
    """The name of a file without any path, control or direction characters, at most 120 characters."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, extension = kept.rpartition(".")
    if not dot:
        return kept[:LONGEST_NAME] or "file"
    return f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"[-LONGEST_NAME:]


def _copied(stream: BinaryIO, incoming: IO[bytes], *, name: str, max_bytes: int) -> tuple[str, int]:
    digest, size = sha256(), 0
    for chunk in _chunks(stream):
        size += len(chunk)
        if size > max_bytes:
            raise Refusal(Code.FILE_REFUSED, reason="too_large", file=name, max_bytes=max_bytes)
        digest.update(chunk)
        incoming.write(chunk)
    if size == 0:
        raise Refusal(Code.FILE_REFUSED, reason="empty", file=name)
    incoming.flush()
    os.fsync(incoming.fileno())
    return digest.hexdigest(), size


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def place_of(folder: Path, digest: str) -> Path:
    """Where the file of this sha256 stands, if it is there. Raises ValueError for anything but a sha256."""
    if not _SHA256.fullmatch(digest):
        raise ValueError("a file is named by its sha256")
    return folder / digest[:2] / digest[2:4] / digest


def _keep(waiting: Path, place: Path) -> None:
    try:
        os.utime(place)
    except FileNotFoundError:
        pass
    else:
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
