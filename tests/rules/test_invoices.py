from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.errors import Code
from voucher.rules.invoices import Head, Invoice, InvoiceError, differences, mismatch, normalise, recorded

DIGITAL = "26142000000123456789"
CODE, NUMBER = "014002100111", "12345678"


@pytest.mark.parametrize(
    "written",
    [
        DIGITAL,
        "  26142000 0001 2345 6789\t",
        "２６１４２００００００１２３４５６７８９",
        "No.26142000000123456789",
        "№ 26142000-0001-2345-6789",
        "NO：26142000—0001—23456789",
        "26142000\u30000001\u200923456789",
        "发票号码：26142000000123456789",
        "26142000000123456789号",
        "2614200000012345\u200b6789\ufeff",
        "26142000\u20100001\u221223456789",
    ],
)
def test_one_digital_invoice_has_one_key_however_it_is_written(written: str) -> None:
    assert normalise(written) == DIGITAL


def test_code_and_number_give_the_same_key_together_or_apart() -> None:
    assert (
        normalise(NUMBER, CODE) == normalise(CODE + NUMBER) == normalise(CODE + NUMBER, CODE) == CODE + NUMBER
    )
    assert normalise(NUMBER, "１４００２１１１３０") == "140021113012345678"


def test_a_fiscal_bill_has_a_code_of_eight_and_a_number_of_ten() -> None:
    assert normalise("0123456789", "14010126") == "140101260123456789"


def test_an_empty_code_is_no_code() -> None:
    assert normalise(DIGITAL, "  ") == normalise(DIGITAL, "") == DIGITAL


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        (NUMBER, None, "还要填写发票代码"),
        ("1234567", None, "20 位"),
        (DIGITAL + "0", None, "20 位"),
        ("", None, "只能是数字"),
        ("abc", None, "只能是数字"),
        ("١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦٧٨٩٠", None, "只能是数字"),
        (NUMBER, "x", "发票代码只能是数字"),
        (NUMBER, "123", "10 或 12 位"),
        (DIGITAL, CODE, "10 或 12 位"),
    ],
)
def test_what_is_no_invoice_number_is_refused_with_the_reason(
    number: str, code: str | None, reason: str
) -> None:
    with pytest.raises(InvoiceError) as refused:
        normalise(number, code)
    assert reason in refused.value.reason


@given(st.text(max_size=40), st.none() | st.text(max_size=20))
def test_any_text_gives_digits_or_a_reason(number: str, code: str | None) -> None:
    try:
        key = normalise(number, code)
    except InvoiceError:
        return
    assert len(key) in (18, 20) and key.isascii() and key.isdigit() and normalise(key) == key


PAPER = Invoice(buyer_uscc="FIRM", seller_uscc="HOST", issued_on=date(2026, 6, 2))


@pytest.mark.parametrize(
    ("invoice", "field"),
    [
        (PAPER, None),
        (replace(PAPER, issued_on=date(2026, 6, 1)), None),
        (replace(PAPER, buyer_uscc="THIRD"), "buyer"),
        (replace(PAPER, seller_uscc="THIRD"), "seller"),
        (replace(PAPER, issued_on=date(2026, 5, 31)), "date"),
    ],
)
def test_an_invoice_belongs_to_both_parties_and_follows_the_contract(
    invoice: Invoice, field: str | None
) -> None:
    found = mismatch(invoice, enterprise_uscc="FIRM", host_uscc="HOST", contract_on=date(2026, 6, 1))
    assert found is None if field is None else found is not None and found[1]["field"] == field
    assert found is None or found[0] is Code.INVOICE_MISMATCH


def test_without_a_contract_date_any_date_of_the_invoice_passes() -> None:
    assert mismatch(PAPER, enterprise_uscc="FIRM", host_uscc="HOST", contract_on=None) is None


HEAD = Head(issued_on=date(2026, 5, 1), net_fen=100_00, buyer_uscc="B", seller_uscc="S")


def test_an_invoice_described_otherwise_than_before_says_in_what() -> None:
    assert recorded(HEAD, HEAD) is None
    for changes, field in (
        ({"issued_on": date(2026, 5, 2)}, "recorded_date"),
        ({"net_fen": 1}, "recorded_net"),
        ({"buyer_uscc": "X"}, "recorded_buyer"),
        ({"seller_uscc": "X"}, "recorded_seller"),
    ):
        found = recorded(replace(HEAD, **changes), HEAD)
        assert found == (Code.INVOICE_MISMATCH, {"field": field, "expected": ""})


def test_only_what_the_original_gives_is_compared_with_it() -> None:
    assert differences(HEAD, None) == []
    original = {"issued_on": "2026-05-01", "net_fen": 90_00, "buyer_uscc": "", "seller_uscc": "S"}
    (found,) = differences(HEAD, original)
    assert (found.field, found.said, found.original) == ("net_fen", 100_00, 90_00)
