"""The list of invoices for the tax bureau's site, out as a table and back in with verdicts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import xlsxwriter

from voucher.errors import Code, Refusal
from voucher.money import Fen, format_yuan
from voucher.operations.tax_checks import TaxResult
from voucher.queries.tax_list import TaxLine
from voucher.reports.payment_file import plain
from voucher.reports.sheets import Row
from voucher.rules.invoices import InvoiceError, normalise
from voucher.terms import TaxVerdict

COLUMNS: Final = (
    "发票号码", "开票日期", "不含税金额（元）", "购买方统一社会信用代码", "销售方统一社会信用代码", "使用的申请（件）",
    "上次查验日期", "查验结果", "查验日期", "备注",
)  # fmt: skip
_WIDTHS: Final = (28, 14, 18, 24, 24, 16, 14, 14, 14, 30)
_NUMBER, _CODE, _VERDICT, _DAY, _NOTE = "发票号码", "发票代码", "查验结果", "查验日期", "备注"
_VERDICTS: Final[Mapping[str, TaxVerdict]] = {
    **{verdict.label: verdict for verdict in TaxVerdict},
    **{verdict.value: verdict for verdict in TaxVerdict},
    "红冲": TaxVerdict.RED,
    "作废": TaxVerdict.VOID,
    "不一致": TaxVerdict.UNKNOWN,
}
_DAY_WRITTEN: Final = re.compile(r"(20\d{2})[-/年.]?(\d{1,2})[-/月.]?(\d{1,2})日?(?: [\d:]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row of the file: its line, and the sentence."""

    line: int
    reason: str


def as_csv(lines: Sequence[TaxLine]) -> bytes:
    """UTF-8 with byte order mark; formula-escaped, long numbers as they are."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([plain(cell) for cell in _cells(line)])
    return buffer.getvalue().encode("utf-8-sig")


def as_xlsx(lines: Sequence[TaxLine]) -> bytes:
    """A workbook with everything as text, and a list of verdicts to choose from in the column for them."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        text, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
        sheet = book.add_worksheet("发票查验")
        sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width, text)
            sheet.write_string(0, column, title, head)
        for row, line in enumerate(lines, start=1):
            for column, cell in enumerate(_cells(line)):
                sheet.write_string(row, column, cell, text)
        choices = {"validate": "list", "source": [verdict.label for verdict in TaxVerdict]}
        place = COLUMNS.index(_VERDICT)
        sheet.data_validation(1, place, max(len(lines), 1), place, choices)
    return buffer.getvalue()


def tax_results(table: Sequence[Row], *, today: date) -> tuple[list[TaxResult], list[RowFault]]:
    """The verdicts that a table brings, by the headers of its first row, and what is wrong line by line.

    A row without a verdict was not looked up and is passed over; without a day it was today. Refused as
    `file_refused` (`reason` header) where the column of numbers or of verdicts is not there.
    """
    headers = ["".join(cell.split()) for cell in table[0].cells]
    for name in (_NUMBER, _VERDICT):
        if name not in headers:
            raise Refusal(Code.FILE_REFUSED, reason="header", missing=name)
    results: list[TaxResult] = []
    faults: list[RowFault] = []
    seen: set[str] = set()
    for row in table[1:]:
        said = {name: _cell(row, headers, name) for name in (_NUMBER, _CODE, _VERDICT, _DAY, _NOTE)}
        if not said[_VERDICT]:
            continue
        result = _result(said, today)
        if isinstance(result, str):
            faults.append(RowFault(row.line, result))
        elif result.key in seen:
            faults.append(RowFault(row.line, "这张发票在文件中出现了两次"))
        else:
            seen.add(result.key)
            results.append(result)
    return results, faults


def _result(said: Mapping[str, str], today: date) -> TaxResult | str:
    try:
        key = normalise(said[_NUMBER].lstrip("'"), said[_CODE])
    except InvoiceError as unreadable:
        return unreadable.reason
    verdict = _VERDICTS.get(said[_VERDICT])
    if verdict is None:
        return f"查验结果应为{'、'.join(each.label for each in TaxVerdict)}之一"
    on = _day(said[_DAY]) if said[_DAY] else today
    if on is None:
        return "查验日期应写作 2026-03-02"
    if on > today:
        return "查验日期晚于今天"
    return TaxResult(key, verdict, on, said[_NOTE])


def _day(written: str) -> date | None:
    found = _DAY_WRITTEN.fullmatch(written)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def _cell(row: Row, headers: Sequence[str], name: str) -> str:
    place = headers.index(name) if name in headers else len(row.cells)
    return row.cells[place].strip() if place < len(row.cells) else ""


def _cells(line: TaxLine) -> tuple[str, ...]:
    return (
        line.key, line.issued_on.isoformat(), format_yuan(Fen(line.net_fen)), line.buyer_uscc, line.seller_uscc,
        str(line.claims), line.checked_on.isoformat() if line.checked_on else "", "", "", "",
    )  # fmt: skip
