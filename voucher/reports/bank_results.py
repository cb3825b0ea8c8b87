"""Reading the bank's answer to a payment file: one row a payment, by the reference that the file gave it."""

from __future__ import annotations

import re

from voucher.errors import Code, Refusal
from voucher.operations.reconcile import BankResult
from voucher.reports.sheets import Row

COLUMNS = ("支付编号", "结果", "流水号", "原因")
_REFERENCE = re.compile(r"(B[0-9]{12})-([0-9]{4,9})-([0-9]{1,4})", re.ASCII)
_RESULTS = {"成功": True, "已支付": True, "失败": False, "退汇": False}


def bank_results(table: list[Row]) -> list[BankResult]:
    """The answers of a table with the columns 支付编号, 结果, 流水号 and, for a return, 原因.

    结果 is 成功, 已支付, 失败 or 退汇. Refused whole as `file_refused`: a column that is not there (`reason`
    header, `missing`), a row that cannot be read (row, `line`); nothing is booked by halves.
    """
    headers = ["".join(cell.split()) for cell in table[0].cells]
    missing = next((name for name in COLUMNS[:3] if name not in headers), None)
    if missing is not None:
        raise Refusal(Code.FILE_REFUSED, reason="header", missing=missing)
    return [_result(dict(zip(headers, row.cells, strict=False)), row.line) for row in table[1:]]


def _result(cells: dict[str, str], line: int) -> BankResult:
    reference = _REFERENCE.fullmatch(cells.get("支付编号", ""))
    paid = _RESULTS.get(cells.get("结果", ""))
    serial = cells.get("流水号", "")
    if reference is None or paid is None or not serial or len(serial) > 60:
        raise Refusal(Code.FILE_REFUSED, reason="row", line=line)
    batch, seq, attempt = reference.groups()
    return BankResult(batch, int(seq), int(attempt), paid, serial, cells.get("原因", ""))
