"""The bank's answer to a payment file: a table with the payment number, the result, the serial and the reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voucher.errors import Code, Refusal
from voucher.operations.reconcile import BankResult
from voucher.reports.sheets import Row

_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("支付编号", "业务编号", "附言"),
    "result": ("结果", "支付结果", "状态", "交易状态"),
    "serial": ("流水号", "银行流水号", "交易流水号"),
    "reason": ("原因", "失败原因", "退汇原因", "备注"),
}
_PAID: Final = frozenset({"成功", "支付成功", "已支付", "交易成功"})
_RETURNED: Final = frozenset({"退汇", "失败", "支付失败", "已退汇", "交易失败"})
_REFERENCE: Final = re.compile(r"([A-Z0-9]+)-([0-9]{4,9})-([0-9]{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot be read: its line, and why (Chinese)."""

    line: int
    reason: str


def bank_results(table: list[Row], batch_number: str) -> tuple[list[BankResult], list[RowFault]]:
    """The results on a batch, and every row that is none: another batch's, or without result or serial.

    Refused as `file_refused` (`reason` header) without a column for the payment number, result or serial.
    """
    places = _places(table[0])
    results: list[BankResult] = []
    faults: list[RowFault] = []
    for row in table[1:]:
        cells = {name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()}
        fault = _fault(cells, batch_number)
        if fault:
            faults.append(RowFault(row.line, fault))
            continue
        named = _REFERENCE.fullmatch(cells["reference"])
        if named is not None:
            paid = cells["result"] in _PAID
            reason = "" if paid else cells.get("reason", "")
            results.append(
                BankResult(batch_number, int(named[2]), int(named[3]), paid, cells["serial"][:60], reason)
            )
    return results, faults


def _places(head: Row) -> dict[str, int]:
    headers = ["".join(cell.split()) for cell in head.cells]
    places = {}
    for field, names in _HEADERS.items():
        found = next((headers.index(name) for name in names if name in headers), None)
        if found is not None:
            places[field] = found
        elif field != "reason":
            raise Refusal(Code.FILE_REFUSED, reason="header", missing=names[0])
    return places


def _fault(cells: Mapping[str, str], batch_number: str) -> str:
    named = _REFERENCE.fullmatch(cells["reference"])
    if named is None:
        return f"支付编号“{cells['reference'][:40]}”无法识别"
    if named[1] != batch_number:
        return f"支付编号“{cells['reference'][:40]}”不属于本批次"
    if cells["result"] not in _PAID | _RETURNED:
        return f"结果“{cells['result'][:20]}”无法识别，应为“成功”或“退汇”"
    return "" if cells["serial"] else "缺少流水号"
