"""The list for the tax bureau goes out as a table and comes back with verdicts, line by line."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from voucher.errors import Refusal
from voucher.queries.tax_list import TaxLine
from voucher.reports.sheets import read_table
from voucher.reports.tax_list import COLUMNS, as_csv, as_xlsx, tax_results
from voucher.terms import TaxVerdict

TODAY = date(2026, 3, 10)
LINES = [
    TaxLine(
        f"2614000000000000000{place}", date(2026, 3, 2), 1_234_56, "9114BUYER", "9114SELLER", 2, None, None
    )
    for place in range(3)
]


def filled_in(verdicts: list[str], days: list[str]) -> bytes:
    """The exported workbook with verdicts written into it, as the bureau sends it back."""
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(LINES)))
    sheet = book["发票查验"]
    for row, (verdict, day) in enumerate(zip(verdicts, days, strict=True), start=2):
        sheet.cell(row, COLUMNS.index("查验结果") + 1, verdict)
        sheet.cell(row, COLUMNS.index("查验日期") + 1, day)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("table", [as_csv(LINES), as_xlsx(LINES)])
def test_what_is_exported_can_be_read_again_number_by_number(table: bytes) -> None:
    rows = read_table(table)
    assert rows[0].cells[: len(COLUMNS)] == COLUMNS
    assert [row.cells[0] for row in rows[1:]] == [line.key for line in LINES]
    assert tax_results(rows, today=TODAY) == ([], [])


def test_verdicts_come_back_and_empty_rows_are_passed_over() -> None:
    content = filled_in(["正常", "", "已红冲"], ["2026-03-09", "", ""])
    results, faults = tax_results(read_table(content), today=TODAY)
    assert faults == []
    assert [(each.key[-1], each.verdict, each.checked_on) for each in results] == [
        ("0", TaxVerdict.NORMAL, date(2026, 3, 9)),
        ("2", TaxVerdict.RED, TODAY),
    ]


def test_every_faulty_row_is_named_with_its_line_and_reason() -> None:
    text = (
        "发票号码,发票代码,查验结果,查验日期\n"
        "123,,正常,\n"
        "26140000000000000001,,好的,\n"
        "26140000000000000002,,作废,2026-13-01\n"
        "26140000000000000003,,正常,2026-03-11\n"
        "26140000000000000004,,正常,2026年3月1日\n"
        "26140000000000000004,,正常,\n"
        "12345678,1400201130,作废,20260301\n"
    )
    results, faults = tax_results(read_table(text.encode()), today=TODAY)
    assert [(each.line, each.reason[:6]) for each in faults] == [
        (2, "数电发票号码"), (3, "查验结果应为"), (4, "查验日期应写"), (5, "查验日期晚于"), (7, "这张发票在文"),
    ]  # fmt: skip
    assert [(each.key, each.verdict) for each in results] == [
        ("26140000000000000004", TaxVerdict.NORMAL),
        ("140020113012345678", TaxVerdict.VOID),
    ]


@pytest.mark.parametrize("lacking", ["发票号码", "查验结果"])
def test_a_table_without_the_columns_is_refused_by_name(lacking: str) -> None:
    header = ",".join(name for name in ("发票号码", "查验结果") if name != lacking)
    with pytest.raises(Refusal) as raised:
        tax_results(read_table(f"{header}\nx\n".encode()), today=TODAY)
    assert raised.value.facts == {"reason": "header", "missing": lacking}
