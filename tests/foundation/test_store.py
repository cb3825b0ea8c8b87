"""The content-addressed store: what it takes in, what it refuses, and that nothing is ever half there."""

from __future__ import annotations

import io
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from voucher.errors import Code, Refusal
from voucher.store import open_file, plain_name, save

PDF = b"%PDF-1.7\n" + b"x" * 1000
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
LIMIT = 1_000_000


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
        (PNG, "照片.png", "image/png"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "a.jpeg", "image/jpeg"),
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
        (b"<html><script>alert(1)</script>", "a.pdf"),
        (b"MZ\x90\0", "a.png"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a.ofd"),
        (b"PK\x03\x04 broken", "a.ofd"),
        (b"<?xml version='1.0'?>", "a.xml"),
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
