"""The content-addressed store: what it takes in, what it refuses, and that nothing is ever half there."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from tests.originals import samples
from tests.pace import within
from voucher.errors import Code, Refusal
from voucher.schemas.words import REASONS
from voucher.store import described, digests, discard, open_file, plain_name, rehashed, save, still_there

PDF = b"%PDF-1.7\n" + b"x" * 1000
LIMIT = 1_000_000


def png(width: int = 20, height: int = 10) -> bytes:
    """The head of a picture of this size, and nothing to see."""
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 610)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def jpeg(width: int = 20, height: int = 10, comment: bytes = b"") -> bytes:
    """The segments of a photo up to its frame header, and its end."""
    said = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00" + said + frame + b"\xff\xd9"


def heic(width: int = 20, height: int = 10) -> bytes:
    """The head of a photo as telephones take it."""
    return b"\x00\x00\x00\x18ftypheic\0\0\0\0mif1heic\x00\x00\x00\x14ispe\0\0\0\0" + struct.pack(
        ">II", width, height
    )


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return buffer.getvalue()


def refused(folder: Path, content: bytes, name: str, max_bytes: int = LIMIT) -> object:
    with pytest.raises(Refusal) as caught:
        save(io.BytesIO(content), folder, file_name=name, max_bytes=max_bytes)
    assert caught.value.code is Code.FILE_REFUSED
    assert not [path for path in folder.rglob("*") if path.is_file()], "a refused file left something behind"
    return caught.value.facts["reason"]


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (PDF, "合同.PDF", "application/pdf"),
        (png(), "照片.png", "image/png"),
        (jpeg(), "a.jpeg", "image/jpeg"),
        (heic(), "IMG_0001.HEIC", "image/heic"),
        (samples.digital_xml(), "发票.xml", "application/xml"),
        (zipped("OFD.xml", "Doc_0/Document.xml"), "发票.ofd", "application/ofd"),
    ],
)
def test_a_file_is_kept_under_its_own_hash(
    tmp_path: Path, content: bytes, name: str, media_type: str
) -> None:
    stored = save(io.BytesIO(content), tmp_path, file_name=name, max_bytes=LIMIT)
    assert (stored.sha256, stored.size_bytes) == (sha256(content).hexdigest(), len(content))
    assert (stored.media_type, stored.file_name) == (media_type, name)
    with open_file(tmp_path, stored.sha256) as stream:
        assert stream.read() == content
    assert [path.relative_to(tmp_path).parts for path in tmp_path.rglob("*") if path.is_file()] == [
        (stored.sha256[:2], stored.sha256[2:4], stored.sha256)
    ]


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    first = save(io.BytesIO(PDF), tmp_path, file_name="a.pdf", max_bytes=LIMIT)
    second = save(io.BytesIO(PDF), tmp_path, file_name="b.pdf", max_bytes=LIMIT)
    assert first.sha256 == second.sha256
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, b"", "a.pdf") == "empty"


def test_a_file_above_the_limit_is_refused_and_one_at_the_limit_is_kept(tmp_path: Path) -> None:
    assert refused(tmp_path, PDF, "a.pdf", max_bytes=len(PDF) - 1) == "too_large"
    assert save(io.BytesIO(PDF), tmp_path, file_name="a.pdf", max_bytes=len(PDF)).size_bytes == len(PDF)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\0", "a.png"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a.ofd"),
        (b"plain text", "a.xml"),
        (b"\0" * 100, "a.heic"),
        (b"GIF89a" + b"\0" * 100, "a.png"),
    ],
)
def test_a_file_is_what_its_bytes_say_and_not_what_its_name_says(
    tmp_path: Path, content: bytes, name: str
) -> None:
    assert refused(tmp_path, content, name) == "type"


@pytest.mark.parametrize("name", ["a.png", "a.pdf.exe", "pdf", "a."])
def test_an_extension_that_does_not_fit_the_content_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path, PDF, name) == "extension"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/合同.pdf", "合同.pdf"),
        ("C:\\Users\\王\\发票.pdf", "发票.pdf"),
        ("a\u202efdp.exe\0.pdf", "afdp.exe.pdf"),
        ("", "file"),
        ("/", "file"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_a_name_loses_its_path_and_what_cannot_be_seen(given: str, kept: str) -> None:
    assert plain_name(given) == kept


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_only_a_hash_opens_a_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        open_file(tmp_path, digest)


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HIDDEN = b"<EInvoice><s:svg xmlns:s='http://www.w3.org/2000/svg' onload='x'/></EInvoice>"


def bomb(unpacked: int, name: str = "Doc_0/Pages/Page_0/Content.xml") -> bytes:
    """An archive with a document at its top and one part that unpacks to this many bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("OFD.xml", "<OFD/>")
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(name, b" " * unpacked)
    return buffer.getvalue()


REFUSED = {
    "a picture that says it has more than 50 million pixels": (png(10_000, 5_001), "a.png", "pixels"),
    "a photo that says so": (jpeg(65_000, 65_000), "a.jpg", "pixels"),
    "a photo of a telephone that says so": (heic(70_000, 70_000), "a.heic", "pixels"),
    "a picture without a size": (png(0, 10), "a.png", "unreadable"),
    "a picture that ends in its head": (png()[:20], "a.png", "unreadable"),
    "a photo without a frame": (b"\xff\xd8\xff\xd9", "a.jpg", "unreadable"),
    "a photo of endless segments": (b"\xff\xd8" + b"\xff\xe1\x00\x02" * 5000, "a.jpg", "unreadable"),
    "28 MB in an archive of 30 kB": (bomb(28 * 1024 * 1024), "a.ofd", "unpacked"),
    "one of 70 MB": (bomb(70 * 1024 * 1024), "a.ofd", "unpacked"),
    "one of 3,000 parts": (zipped("OFD.xml", *map(str, range(3000))), "a.ofd", "unpacked"),
    "a broken archive": (b"PK\x03\x04 broken", "a.ofd", "unreadable"),
    "one with a page of HTML in it": (zipped("OFD.xml", "Doc_0/x.HTML"), "a.ofd", "script"),
    "one with a program in it": (zipped("OFD.xml", "Doc_0/x.exe"), "a.ofd", "script"),
    "SVG": (SVG, "a.svg", "script"),
    "SVG by the name of XML": (SVG, "a.xml", "script"),
    "SVG after a declaration": (b"<?xml version='1.0'?>\n" + SVG, "a.xml", "script"),
    "SVG in UTF-16": (SVG.decode().encode("utf-16"), "a.xml", "script"),
    "SVG within an invoice": (HIDDEN, "a.xml", "script"),
    "HTML by the name of PDF": (b"<html><script>alert(1)</script>", "a.pdf", "script"),
    "HTML behind the first line of a PDF": (b"%PDF-1.4\n<HTML><body>", "a.pdf", "script"),
    "a script in the comment of a photo": (jpeg(comment=b"<script>alert(1)</script>"), "a.jpg", "script"),
    "a page of PHP behind a picture": (png() + b"<?php system($_GET[0]);", "a.png", "script"),
    "an archive behind a picture": (png() + zipped("a.class"), "a.png", "mixed"),
    "an archive behind a PDF": (PDF + zipped("a.class"), "a.pdf", "mixed"),
    "XML of another kind": (b"<?xml version='1.0'?><note/>", "a.xml", "not_invoice"),
    "an invoice with an entity": (
        b"<!DOCTYPE e [<!ENTITY a 'x'>]><EInvoice>&a;</EInvoice>",
        "a.xml",
        "script",
    ),
    "an invoice with an outer entity in lower letters": (
        b"<?xml version='1.0'?>" + b" " * 5000 + b"<!DOCTYPE e SYSTEM 'file:///etc/passwd'><EInvoice/>",
        "a.xml",
        "not_invoice",
    ),
    "XML that is nested a hundred thousand times": (b"<a>" * 600_000, "a.xml", "not_invoice"),
    "XML that is cut off": (samples.digital_xml()[:-5], "a.xml", "not_invoice"),
    "XML of 3 MB": (b"<EInvoice>" + b" " * 3_000_000 + b"</EInvoice>", "a.xml", "not_invoice"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_hostile_file_is_refused_with_its_reason_in_less_than_two_seconds(
    tmp_path: Path, what: str
) -> None:
    content, name, reason = REFUSED[what]
    with within(2):
        assert refused(tmp_path, content, name, max_bytes=20_000_000) == reason


def test_an_archive_that_lies_about_the_size_of_a_part_is_refused(tmp_path: Path) -> None:
    honest = bomb(1_000_000)
    lying = honest.replace(struct.pack("<I", 1_000_000), struct.pack("<I", 10))
    assert lying != honest
    assert refused(tmp_path, lying, "a.ofd") == "unreadable"


def test_every_reason_has_a_sentence() -> None:
    assert {reason for _, _, reason in REFUSED.values()} <= REASONS.keys()


def test_a_scanned_document_of_many_megabytes_is_kept(tmp_path: Path) -> None:
    noise = os.urandom(9 * 1024 * 1024)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", "<OFD/>")
        archive.writestr("Doc_0/Res/image_0.jpg", noise)
    assert save(io.BytesIO(buffer.getvalue()), tmp_path, file_name="a.ofd", max_bytes=20_000_000).sha256


def kept(folder: Path, content: bytes = PDF) -> str:
    return save(io.BytesIO(content), folder, file_name="a.pdf", max_bytes=LIMIT).sha256


def aged(folder: Path, digest: str) -> Path:
    place = folder / digest[:2] / digest[2:4] / digest
    os.utime(place, (1, 1))
    return place


def test_a_changed_file_no_longer_has_its_hash(tmp_path: Path) -> None:
    digest = kept(tmp_path)
    assert rehashed(tmp_path, digest) == digest
    place = aged(tmp_path, digest)
    place.chmod(0o640)
    place.write_bytes(PDF + b"!")
    assert rehashed(tmp_path, digest) != digest


def test_whoever_asks_for_a_file_keeps_it_from_the_sweep(tmp_path: Path) -> None:
    digest = kept(tmp_path)
    for ask in (
        lambda: still_there(tmp_path, digest),
        lambda: described(tmp_path, digest, file_name="a.pdf"),
        lambda: kept(tmp_path),
    ):
        aged(tmp_path, digest)
        ask()
        assert not discard(tmp_path, digest, unused_since=1000)
    assert list(digests(tmp_path)) == [digest]


def test_a_file_that_nobody_asked_for_is_discarded_once(tmp_path: Path) -> None:
    digest = kept(tmp_path)
    aged(tmp_path, digest)
    assert discard(tmp_path, digest, unused_since=1000)
    assert not discard(tmp_path, digest, unused_since=1000)
    assert not still_there(tmp_path, digest)
    assert list(digests(tmp_path)) == []
    with pytest.raises(Refusal):
        described(tmp_path, digest, file_name="a.pdf")
