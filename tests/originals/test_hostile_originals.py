"""Hostile originals: a reader gives an answer or none within two seconds, and never takes the house down."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.originals import samples
from tests.pace import SHARED, within
from voucher.media import OFD, PDF, XML
from voucher.originals import read_invoice, reading
from voucher.originals.apart import Bounds, TookTooLong, run_apart
from voucher.originals.invoice import EInvoice, made_invoice
from voucher.originals.pdf_invoice import text_invoice
from voucher.originals.xml_invoice import xml_invoice
from voucher.safe_xml import XmlError, parsed

ENTITIES = (
    b'<!DOCTYPE b [<!ENTITY a "0123456789">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9))
    + b"]><EInvoice>&j;</EInvoice>"
)


def pdf_of(*objects: bytes, start: int = 1) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=start):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return bytes(out + b"xref\n0 %d\n0000000000 65535 f \n%b%b" % (len(objects) + 1, table, tail))


def swollen_pdf() -> bytes:
    """A page whose drawing unpacks to 100 MB of text in 100 kB."""
    drawing = zlib.compress(b"BT /F1 9 Tf (x) Tj ET\n" * (100 * 1024 * 1024 // 22), 9)
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(drawing), drawing),
    )


HOSTILE: dict[str, tuple[bytes, str]] = {
    "pages that are their own parents": (
        pdf_of(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
        PDF,
    ),
    "a page tree that says it has a thousand million pages": (
        pdf_of(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 1000000000 >>"),
        PDF,
    ),
    "brackets without end": (b"%PDF-1.4\n" + b"[" * 1_000_000, PDF),
    "a PDF that is cut off": (samples.text_pdf(samples.digital_lines())[:400], PDF),
    "a PDF of noise": (b"%PDF-1.7\n" + random.Random(1).randbytes(300_000), PDF),
    "entities of entities": (ENTITIES, XML),
    "an outer entity": (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><EInvoice>&x;</EInvoice>',
        XML,
    ),
    "ninety thousand tags within each other": (
        b"<EInvoice>" + b"<a>" * 45_000 + b"</a>" * 45_000 + b"</EInvoice>",
        XML,
    ),
    "an attachment that unpacks to 60 MB": (
        samples.ofd_with_attachment(b"<eInvoice>" + b" " * 60_000_000 + b"</eInvoice>"),
        OFD,
    ),
    "an attachment with entities": (samples.ofd_with_attachment(ENTITIES), OFD),
    "an attachment above the top": (
        samples.ofd_with_attachment(samples.old_xml(), "../../../../etc/passwd"),
        OFD,
    ),
    "an archive of noise": (b"PK\x03\x04" + random.Random(2).randbytes(50_000), OFD),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_original_gives_nothing_within_two_seconds(what: str, tmp_path: Path) -> None:
    content, media_type = HOSTILE[what]
    place = tmp_path / "original"
    place.write_bytes(content)
    with within(2):
        found = read_invoice(place, media_type)
    assert found is None or what == "an attachment above the top"


def test_a_pdf_that_unpacks_to_a_hundred_megabytes_gives_nothing_within_two_seconds(tmp_path: Path) -> None:
    place = tmp_path / "original"
    place.write_bytes(swollen_pdf())
    with within(2):
        assert read_invoice(place, PDF) is None


LOOP = "from voucher.originals.apart import answer\nanswer(lambda words: all(n == 0 for n in iter(int, 1)) * b'y')"
HOARD = "from voucher.originals.apart import answer\nanswer(lambda words: bytes(10**9)[:1])"
WRITE = (
    "import pathlib\nfrom voucher.originals.apart import answer\n"
    "answer(lambda words: pathlib.Path(words[0]).write_bytes(b'x') * b'y')"
)


@pytest.mark.parametrize("program", [LOOP, HOARD, WRITE])
def test_a_job_cannot_run_on_hoard_memory_or_write_files(program: str, tmp_path: Path) -> None:
    limits = {"JOB_CPU_SECONDS": "1", "JOB_MEMORY_MIB": "512", "PYTHONPATH": os.pathsep.join(sys.path)}
    target = tmp_path / "written"
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)], env=limits, capture_output=True, timeout=20, check=False
    )
    assert done.returncode != 0
    assert not done.stdout
    assert not target.exists() or target.stat().st_size == 0


@pytest.mark.parametrize(("wall", "cpu"), [(0.001, 1), (60, 0.001)])
def test_a_job_that_takes_too_long_is_stopped(wall: float, cpu: float, tmp_path: Path) -> None:
    place = tmp_path / "original"
    place.write_bytes(samples.digital_xml())
    with pytest.raises(TookTooLong):
        run_apart("read_job", [XML, str(place)], Bounds(wall_seconds=wall, cpu_seconds=cpu, memory_mib=512))


def test_what_took_too_long_is_tried_again_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "original"
    place.write_bytes(samples.digital_xml())
    monkeypatch.setattr(reading, "_READING", Bounds(wall_seconds=0.001, cpu_seconds=1, memory_mib=512))
    assert read_invoice(place, XML) is None
    monkeypatch.undo()
    assert read_invoice(place, XML) is not None


words = st.sampled_from(
    [
        "发票号码：",
        "发票代码:",
        samples.DIGITAL,
        samples.OLD_NUMBER,
        "开票日期：",
        "2026年5月8日",
        "合计",
        "¥",
        "1.00",
        "-2.00",
        "（小写）",
        "名称：",
        "\n",
        " ",
        "发票",
        samples.BUYER,
        "\u202e",
        "٣",
        "9" * 30,
    ]
)


@settings(max_examples=150, deadline=1000 * SHARED)
@given(st.lists(words | st.text(max_size=5), max_size=60).map("".join))
def test_any_text_layer_gives_an_invoice_that_adds_up_or_none(text: str) -> None:
    _sound(text_invoice(text, {}))


@settings(max_examples=150, deadline=1000 * SHARED)
@given(
    st.dictionaries(st.sampled_from(["number", "code", "date", "net", "tax", "total"]), st.text(max_size=24))
)
def test_anything_said_gives_an_invoice_that_adds_up_or_none(said: dict[str, str]) -> None:
    _sound(made_invoice({"number": samples.DIGITAL, **said}, (), source="xml"))


@settings(max_examples=150, deadline=1000 * SHARED)
@given(
    st.integers(0, 1500), st.binary(max_size=12), st.sampled_from([samples.digital_xml(), samples.old_xml()])
)
def test_damaged_xml_gives_an_invoice_that_adds_up_or_none(at: int, noise: bytes, whole: bytes) -> None:
    try:
        root = parsed(whole[:at] + noise + whole[at + len(noise) :])
    except XmlError:
        return
    _sound(xml_invoice(root))


@settings(max_examples=100, deadline=1000 * SHARED)
@given(st.binary(max_size=400))
def test_any_bytes_are_xml_or_refused_as_such(content: bytes) -> None:
    try:
        parsed(content)
    except XmlError:
        return


def _sound(invoice: EInvoice | None) -> None:
    if invoice is None:
        return
    assert len(invoice.number) in (8, 10, 18, 20) and invoice.number.isascii() and invoice.number.isdigit()
    assert all(char.isprintable() for char in invoice.buyer_name + invoice.seller_name + invoice.buyer_uscc)
    if None not in (invoice.net_fen, invoice.tax_fen, invoice.total_fen):
        assert invoice.net_fen + invoice.tax_fen == invoice.total_fen  # type: ignore[operator]
