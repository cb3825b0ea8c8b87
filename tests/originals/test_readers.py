"""Originals made to the published layouts are read; what contradicts itself is not believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.originals import samples
from tests.originals.samples import (
    BUYER,
    BUYER_NAME,
    DIGITAL,
    OLD_CODE,
    OLD_NUMBER,
    SELLER,
    SELLER_NAME,
    Said,
)
from voucher.media import OFD, PDF, XML
from voucher.originals import EInvoice, invoice_facts, invoice_of, read_invoice
from voucher.originals.invoice import amount, day
from voucher.originals.pdf_invoice import text_invoice
from voucher.originals.read_job import parsed_invoice
from voucher.rules.invoices import normalise

INFORMATION = {
    "InvoiceNumber": DIGITAL,
    "IssueTime": "2026年05月08日",
    "TotalAmWithoutTax": "28301.89",
    "TotalTaxAm": "1698.11",
    "TotalTax-includedAmount": "30000.00",
    "SellerIdNum": SELLER,
    "BuyerIdNum": BUYER,
}
DIGITALS: dict[str, tuple[Callable[[], bytes], str]] = {
    "xml": (samples.digital_xml, XML),
    "xml in GB18030": (lambda: samples.digital_xml(encoding="GB18030"), XML),
    "xml in UTF-16": (lambda: samples.digital_xml(encoding="UTF-16"), XML),
    "ofd with the xml attached": (
        lambda: samples.ofd_with_attachment(samples.digital_xml(), "invoice.xml"),
        OFD,
    ),
    "ofd with tags": (samples.ofd_with_tags, OFD),
    "ofd with data": (samples.ofd_with_data, OFD),
    "pdf by its labels": (lambda: samples.text_pdf(samples.digital_lines()), PDF),
    "pdf by its information": (lambda: samples.text_pdf(["电子发票"], INFORMATION), PDF),
}
OLD: dict[str, tuple[Callable[[], bytes], str]] = {
    "xml": (samples.old_xml, XML),
    "ofd": (samples.ofd_with_attachment, OFD),
    "pdf": (lambda: samples.text_pdf(samples.old_lines()), PDF),
}


def read(content: bytes, media_type: str, folder: Path) -> EInvoice:
    place = folder / "original"
    place.write_bytes(content)
    invoice = parsed_invoice(place, media_type)
    assert invoice is not None
    return invoice


@pytest.mark.parametrize("layout", DIGITALS)
def test_a_fully_digital_invoice_is_read(layout: str, tmp_path: Path) -> None:
    make, media_type = DIGITALS[layout]
    invoice = read(make(), media_type, tmp_path)
    assert (invoice.number, invoice.code) == (DIGITAL, "")
    assert invoice.issued_on == date(2026, 5, 8)
    assert (invoice.net_fen, invoice.tax_fen, invoice.total_fen) == (28301_89, 1698_11, 30000_00)
    assert (invoice.buyer_uscc, invoice.seller_uscc) == (BUYER, SELLER)
    assert not invoice.red


@pytest.mark.parametrize("layout", OLD)
def test_an_older_invoice_is_read_with_its_code(layout: str, tmp_path: Path) -> None:
    make, media_type = OLD[layout]
    invoice = read(make(), media_type, tmp_path)
    assert (invoice.number, invoice.code) == (OLD_NUMBER, OLD_CODE)
    assert normalise(invoice.number, invoice.code) == OLD_CODE + OLD_NUMBER
    assert invoice.issued_on == date(2021, 5, 8)
    assert (invoice.net_fen, invoice.tax_fen, invoice.total_fen) == (28301_89, 1698_11, 30000_00)
    assert (invoice.buyer_uscc, invoice.seller_uscc) == (BUYER, SELLER)


@pytest.mark.parametrize("layout", ["xml", "ofd with tags", "pdf by its labels"])
def test_the_names_of_both_parties_are_read(layout: str, tmp_path: Path) -> None:
    make, media_type = DIGITALS[layout]
    invoice = read(make(), media_type, tmp_path)
    assert (invoice.buyer_name, invoice.seller_name) == (BUYER_NAME, SELLER_NAME)


def test_the_lines_of_an_invoice_are_read(tmp_path: Path) -> None:
    for content in (samples.digital_xml(), samples.old_xml()):
        (line,) = read(content, XML, tmp_path).lines
        assert (line.name, line.net_fen, line.tax_fen) == ("*研发和技术服务*检测费", 28301_89, 1698_11)


def test_a_red_letter_invoice_is_known_by_its_amounts(tmp_path: Path) -> None:
    red = Said(net="-28301.89", tax="-1698.11", total="-30000.00")
    for content, media_type in ((samples.digital_xml(red), XML), (samples.ofd_with_tags(red), OFD)):
        invoice = read(content, media_type, tmp_path)
        assert invoice.red
        assert invoice.net_fen == -28301_89


def test_amounts_that_do_not_add_up_are_not_taken(tmp_path: Path) -> None:
    for wrong in (replace(Said(), net="29000.00"), Said(net="31000.00", tax="-1000.00")):
        invoice = read(samples.digital_xml(wrong), XML, tmp_path)
        assert (invoice.net_fen, invoice.tax_fen, invoice.total_fen) == (None, None, None)
        assert invoice.number == DIGITAL


def test_a_file_without_an_invoice_number_is_no_invoice(tmp_path: Path) -> None:
    for content, media_type in (
        (samples.digital_xml(Said(number="123")), XML),
        (samples.ofd_with_data(Said(number="")), OFD),
        (samples.text_pdf(["服务合同", "甲方：某公司", "金额 ¥30000.00"]), PDF),
        (samples.text_pdf(["发票号码：1234567"]), PDF),
    ):
        (tmp_path / "original").write_bytes(content)
        assert parsed_invoice(tmp_path / "original", media_type) is None


def test_what_an_attachment_says_comes_before_what_the_page_shows(tmp_path: Path) -> None:
    content = samples.ofd_with_attachment(samples.digital_xml(Said(number="1" * 20)), "a.xml")
    assert read(content, OFD, tmp_path).number == "1" * 20


def test_facts_are_plain_and_give_the_invoice_back(tmp_path: Path) -> None:
    invoice = read(samples.digital_xml(), XML, tmp_path)
    facts = invoice_facts(invoice)
    assert facts["issued_on"] == "2026-05-08"
    assert invoice_of({"invoice": facts}) == invoice
    assert invoice_of({}) is None


def test_reading_apart_gives_the_same(tmp_path: Path) -> None:
    place = tmp_path / "original"
    place.write_bytes(samples.digital_xml())
    assert read_invoice(place, XML) == parsed_invoice(place, XML)
    assert read_invoice(place, "image/png") is None


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("¥1,234.50", 1234_50),
        ("￥ 1 234.5元", 1234_50),
        ("-3", -3_00),
        ("１２．３０", 12_30),
        ("0.10000", 10),
        ("1.234", None),
        ("1e5", None),
        ("NaN", None),
        ("٣", None),
        ("", None),
        ("9" * 14, None),
    ],
)
def test_amounts_are_read_as_invoices_write_them(text: str, fen: int | None) -> None:
    assert amount(text) == fen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年05月08日", date(2026, 5, 8)),
        ("2026 年5 月8 日", date(2026, 5, 8)),
        ("20260508", date(2026, 5, 8)),
        ("2026-05-08 10:20:30", date(2026, 5, 8)),
        ("20260508102030", date(2026, 5, 8)),
        ("2026-02-30", None),
        ("8.5.2026", None),
        ("", None),
    ],
)
def test_days_are_read_as_invoices_write_them(text: str, expected: date | None) -> None:
    assert day(text) == expected


def test_two_amounts_that_make_up_a_third_are_found_without_labels() -> None:
    text = f"电子发票\n发票号码：{DIGITAL}\n¥30,000.00\n¥28,301.89\n¥1,698.11"
    invoice = text_invoice(text, {})
    assert invoice is not None
    assert (invoice.net_fen, invoice.tax_fen, invoice.total_fen) == (28301_89, 1698_11, 30000_00)


def test_several_ways_to_add_up_are_no_way() -> None:
    text = f"电子发票\n发票号码：{DIGITAL}\n¥1.00 ¥2.00 ¥3.00 ¥4.00 ¥5.00"
    invoice = text_invoice(text, {})
    assert invoice is not None
    assert invoice.net_fen is None
