"""The payment file: numbers stay text, formulas stay text, amounts stay exact; the bank's answer finds its line."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pytest

from voucher.errors import Code, Refusal
from voucher.money import Fen
from voucher.operations.pay import Instruction, PaymentOrder
from voucher.operations.reconcile import BankResult
from voucher.reports.bank_results import bank_results
from voucher.reports.payment_file import as_csv, as_xlsx
from voucher.reports.sheets import read_table

LINE = Instruction(
    "B202600000017-0001-1", 1, 1, "山西龘科技有限公司", "91140105000000211P", "中国银行太原平阳支行",
    "6222020502001234567890", Fen(1_234_567_89), "C202600000017", "O202600000017",
)  # fmt: skip
ORDER = PaymentOrder(
    "B202600000017",
    "山西省科技创新券",
    datetime(2026, 3, 2, tzinfo=UTC),
    "ab" * 32,
    Fen(1_234_567_89),
    (LINE,),
)


def test_the_csv_opens_in_chinese_and_keeps_every_digit() -> None:
    content = as_csv(ORDER)
    assert content.startswith(b"\xef\xbb\xbf")
    row = content.decode("utf-8-sig").splitlines()[1].split(",")
    assert row[4:6] == ["6222020502001234567890", "1234567.89"]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "－1"])
def test_a_name_that_would_be_computed_is_text_in_both_files(name: str) -> None:
    order = replace(ORDER, instructions=(replace(LINE, payee_name=name),))
    assert f"'{name}" in as_csv(order).decode("utf-8-sig")
    cell = openpyxl.load_workbook(io.BytesIO(as_xlsx(order))).worksheets[0]["B2"]
    assert (cell.data_type, cell.value) == ("s", name)


def test_the_workbook_keeps_account_numbers_as_text_and_amounts_as_numbers() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(ORDER))).worksheets[0]
    assert (sheet["E2"].data_type, sheet["E2"].value) == ("s", "6222020502001234567890")
    assert (sheet["F2"].data_type, sheet["F2"].value) == ("n", 1234567.89)


def test_the_banks_answer_names_line_and_attempt() -> None:
    text = "支付编号,结果,流水号,原因\nB202600000017-0001-1,成功,S1,\nB202600000017-0012-2,退汇,S2,账号有误\n"
    assert bank_results(read_table(text.encode("gb18030"))) == [
        BankResult("B202600000017", 1, 1, True, "S1", ""),
        BankResult("B202600000017", 12, 2, False, "S2", "账号有误"),
    ]


@pytest.mark.parametrize(
    "row", ["B1-1-1,成功,S1", "B202600000017-0001-1,也许,S1", "B202600000017-0001-1,成功,"]
)
def test_one_unreadable_row_refuses_the_whole_answer(row: str) -> None:
    table = read_table(f"支付编号,结果,流水号\nB202600000017-0001-1,成功,S1\n{row}\n".encode())
    with pytest.raises(Refusal) as caught:
        bank_results(table)
    assert (caught.value.code, caught.value.facts["line"]) == (Code.FILE_REFUSED, 3)
