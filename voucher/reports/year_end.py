"""The tables of a year's end as CSV: UTF-8 with byte order mark, amounts in yuan, nothing that a spreadsheet computes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from voucher.money import Fen, format_yuan
from voucher.queries.year_ends import CarryRow, ExpiredRow
from voucher.reports.payment_file import plain

CARRY_COLUMNS = (
    "项目", "出资机关", "指标代码", "指标名称", "年初结转", "本年下达", "已支付", "到期收回", "收回财政", "结转下年",
    "年末未用", "核对差额", "关闭日期",
)  # fmt: skip
EXPIRED_COLUMNS = ("券号", "企业", "券面", "已用", "收回", "使用期限", "收回日期", "退回指标", "原因")


def carry_csv(rows: Iterable[CarryRow]) -> bytes:
    """R19 年终结转表."""
    lines = [
        (
            row.programme_name, row.funder, row.line_code, row.line_name,
            *_yuan(
                row.opening_fen, row.in_fen, row.paid_fen, row.expired_fen, row.lapsed_fen, row.carried_fen,
                row.closing_fen, row.difference_fen,
            ),
            row.closed_on.isoformat() if row.closed_on else "",
        )
        for row in rows
    ]  # fmt: skip
    return _csv(CARRY_COLUMNS, lines)


def expired_csv(rows: Iterable[ExpiredRow]) -> bytes:
    """R16 到期回收表."""
    lines = (
        (
            row.number, row.holder, *_yuan(row.face_fen, row.used_fen, row.returned_fen), row.use_by.isoformat(),
            row.returned_on.isoformat(), row.line_code, row.kind.label,
        )
        for row in rows
    )  # fmt: skip
    return _csv(EXPIRED_COLUMNS, lines)


def _yuan(*amounts: int) -> list[str]:
    """Without separators, so that a spreadsheet reads numbers; a minus stays one."""
    shown = [format_yuan(Fen(abs(each))).replace(",", "") for each in amounts]
    return [f"-{text}" if each < 0 else text for text, each in zip(shown, amounts, strict=True)]


def _csv(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for line in lines:
        writer.writerow(
            [cell if cell.lstrip("-").replace(".", "").isdigit() else plain(cell) for cell in line]
        )
    return buffer.getvalue().encode("utf-8-sig")
