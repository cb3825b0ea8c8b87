"""The payment file of a batch, as CSV and XLSX: for the treasury's or the bank's own import.

Account numbers and references are text, so that no spreadsheet turns them into 6.22E+18. Text that a spreadsheet
would read as a formula is escaped. Amounts are in yuan with two decimals, as banks want them.
"""

from __future__ import annotations

import csv
import io

import xlsxwriter

from voucher.clock import iso
from voucher.money import format_yuan
from voucher.operations.pay import Instruction, PaymentOrder

COLUMNS = (
    "支付编号", "收款人名称", "统一社会信用代码", "开户银行", "收款账号", "金额（元）", "兑付申请号", "订单号", "用途",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDTHS = (24, 32, 22, 28, 26, 16, 18, 18, 30)
_AMOUNT = COLUMNS.index("金额（元）")


def as_csv(order: PaymentOrder) -> bytes:
    """UTF-8 with byte order mark, CRLF; formula-escaped, long numbers as they are (a bank's import reads text)."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for each in order.instructions:
        writer.writerow([plain(cell) for cell in _cells(order, each)])
    return buffer.getvalue().encode("utf-8-sig")


def as_xlsx(order: PaymentOrder) -> bytes:
    """A workbook: one sheet of lines, all text but the amount, and one that says which batch and content it is."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        text = book.add_format({"num_format": "@"})
        money = book.add_format({"num_format": "#,##0.00"})
        head = book.add_format({"bold": True})
        sheet = book.add_worksheet("支付明细")
        sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, head)
        for row, each in enumerate(order.instructions, start=1):
            for column, cell in enumerate(_cells(order, each)):
                if column == _AMOUNT:
                    sheet.write_number(row, column, each.amount_fen / 100, money)
                else:
                    sheet.write_string(row, column, cell, text)
        cover = book.add_worksheet("批次")
        cover.set_column(0, 1, 40)
        for row, (label, value) in enumerate(_cover(order)):
            cover.write_string(row, 0, label, head)
            cover.write_string(row, 1, value, text)
    return buffer.getvalue()


def file_name(order: PaymentOrder, extension: str) -> str:
    """A plain name for the download."""
    return f"{order.batch_number}-payment.{extension}"


def plain(cell: str) -> str:
    """The cell with an apostrophe before anything that a spreadsheet would compute."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cells(order: PaymentOrder, each: Instruction) -> tuple[str, ...]:
    return (
        each.reference, each.payee_name, each.payee_uscc, each.bank, each.account_no,
        format_yuan(each.amount_fen).replace(",", ""), each.claim_number, each.order_number, order.programme_name,
    )  # fmt: skip


def _cover(order: PaymentOrder) -> tuple[tuple[str, str], ...]:
    return (
        ("批次号", order.batch_number),
        ("项目", order.programme_name),
        ("导出时间", iso(order.exported_at)),
        ("笔数", str(len(order.instructions))),
        ("合计（元）", format_yuan(order.total_fen)),
        ("内容校验（sha256）", order.content_sha256),
    )
