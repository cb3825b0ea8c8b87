"""The statement of a pair of books as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from voucher.money import Fen, format_yuan
from voucher.queries.clearing import Statement
from voucher.reports.payment_file import plain
from voucher.terms import RemittanceState

COLUMNS: Final = ("类别", "付方", "收方", "单号", "日期", "付方账（元）", "收方账（元）", "状态")


def as_csv(found: Statement) -> bytes:
    """UTF-8 with byte order mark: every order and every remittance, then what is in transit and owed."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    names = {book.book_id: book.authority for book in (found.first, found.second)}
    for way in found.directions:
        sides = (way.payer.authority, way.taker.authority)
        for line in way.lines:
            amounts = (_yuan(line.payer_fen), _yuan(line.taker_fen))
            _write(writer, "结算", *sides, line.order_number, line.on.isoformat(), *amounts, "")
    for row in found.remittances:
        sides = (names[row.from_book_id], names[row.to_book_id])
        state = RemittanceState(row.state)
        sent = _yuan(row.amount_fen if row.sent_at else 0)
        received = _yuan(row.amount_fen if row.received_at else 0)
        on = (row.sent_at or row.prepared_at).date().isoformat()
        _write(writer, "清算", *sides, row.number, on, sent, received, state.label)
    for way in found.directions:
        sides = (way.payer.authority, way.taker.authority)
        _write(writer, "在途", *sides, "", "", _yuan(way.in_transit_fen), "", "")
        _write(writer, "未付", *sides, "", "", _yuan(way.owed_fen), "", "")
    return buffer.getvalue().encode("utf-8-sig")


def _write(writer: Any, *cells: str) -> None:
    writer.writerow([plain(cell) for cell in cells])


def _yuan(amount_fen: int) -> str:
    return format_yuan(Fen(amount_fen))
