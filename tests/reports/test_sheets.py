"""Reading uploaded tables: the formats people have, and what hostile files get."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest

from tests.pace import within
from voucher.errors import Code, Refusal
from voucher.operations.import_roster import RosterRow
from voucher.reports.sheets import MOST_ROWS, read_table, roster_rows

HEADERS = ["序号", "企业名称", "统一社会信用代码", "入库登记编号", "所在地区"]
FIRST = [1, "晋科有限公司", "911401050000000788", 2026140105, "太原市小店区"]
EXPECTED = [RosterRow(2, "晋科有限公司", "911401050000000788", "2026140105", "太原市小店区")]
CSV = "\r\n".join(",".join(map(str, row)) for row in (HEADERS, FIRST)) + "\r\n"


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def reason(content: bytes) -> object:
    with pytest.raises(Refusal) as refusal:
        roster_rows(read_table(content))
    assert refusal.value.code is Code.FILE_REFUSED
    return refusal.value.facts["reason"]


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def changed(content: bytes, name: str, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    return packed({**parts, name: data})


def test_a_workbook_and_csv_in_either_encoding_give_the_same_rows() -> None:
    for content in (
        workbook(HEADERS, FIRST),
        CSV.encode("utf-8-sig"),
        CSV.encode("utf-8"),
        CSV.encode("gb18030"),
        CSV.replace(",", "\t").encode("gb18030"),
    ):
        assert roster_rows(read_table(content)) == EXPECTED


def test_empty_rows_are_passed_over_and_lines_stay_those_of_the_file() -> None:
    rows = read_table(workbook(HEADERS, [], ["", " "], FIRST))
    assert [row.line for row in rows] == [1, 4]
    quoted = read_table(b'a,b\r\n\r\n"x\r\ny",1\r\nz,2\r\n')
    assert [(row.line, row.cells[0]) for row in quoted] == [(1, "a"), (3, "x\r\ny"), (5, "z")]


def test_cells_are_plain_text() -> None:
    (row,) = read_table(workbook([7.0, 7.5, True, date(2026, 3, 1), " x ", None, "end"]))
    assert row.cells[:7] == ("7", "7.5", "True", "2026-03-01", "x", "", "end")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Refusal) as refusal:
        roster_rows(read_table(workbook(HEADERS[:3], FIRST[:3])))
    assert refusal.value.facts == {"reason": "header", "missing": "入库登记编号"}


def test_what_is_no_table_is_refused_by_its_first_bytes() -> None:
    assert reason(b"\xd0\xcf\x11\xe0" + b"x" * 100) == "type"
    assert reason(b"%PDF-1.7 ...") == "type"
    assert reason(packed({"word/document.xml": b"<w/>"})) == "type"
    assert reason("名称,编号".encode("utf-16")) == "type"
    assert reason(b"\xff\xfe\xfd\xfc\xfb") == "unreadable"
    assert reason(b"PK\x03\x04 not an archive") == "unreadable"
    assert reason(b'a,"b\n') == "unreadable"
    assert reason(b"") == "empty"
    assert reason(workbook()) == "empty"


def test_too_many_rows_are_refused_also_when_they_are_far_apart() -> None:
    assert reason(("a,b\n" * (MOST_ROWS + 2)).encode()) == "rows"
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    )
    with within(2):
        assert reason(changed(workbook(HEADERS), "xl/worksheets/sheet1.xml", sheet.encode())) == "rows"


def test_a_zip_bomb_is_refused_in_less_than_two_seconds() -> None:
    content = changed(workbook(HEADERS), "xl/worksheets/sheet1.xml", b"0" * 400_000_000)
    assert len(content) < 1_000_000
    with within(2):
        assert reason(content) == "size"


def test_a_zip_bomb_that_lies_about_its_size_is_refused_too() -> None:
    content = bytearray(changed(workbook(HEADERS), "xl/worksheets/sheet1.xml", b"0" * 50_000_000))
    claimed, real = (1_000).to_bytes(4, "little"), (50_000_000).to_bytes(4, "little")
    assert content.count(real) == 2
    with within(2):
        assert reason(bytes(content).replace(real, claimed)) in ("size", "unreadable")


SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SWOLLEN = {
    "28 MB of nothing in 30 kB": (f"<worksheet {SPACE}>{' ' * 28_000_000}</worksheet>", "size"),
    "five million cells in one row": (
        f"<worksheet {SPACE}><row>{'<c/>' * 5_000_000}</row></worksheet>",
        "cells",
    ),
    "millions of empty rows": (
        f"<worksheet {SPACE}><sheetData>{'<row/>' * 900_000}</sheetData></worksheet>",
        "rows",
    ),
    "cells under a prefix": (f"<x:worksheet><x:row>{'<x:c/>' * 300_000}</x:row></x:worksheet>", "cells"),
    "three million tags within each other": ("<a>" * 3_000_000, "cells"),
    "cells in UTF-16": ("<row>" + "<c/>" * 300_000 + "</row>", "cells"),
}


@pytest.mark.parametrize("what", SWOLLEN)
def test_a_sheet_that_swells_is_refused_in_less_than_two_seconds(what: str) -> None:
    text, expected = SWOLLEN[what]
    part = text.encode("utf-16" if "UTF-16" in what else "utf-8")
    content = changed(workbook(HEADERS), "xl/worksheets/sheet1.xml", part)
    assert len(content) < 70_000
    with within(2):
        assert reason(content) == expected


def test_millions_of_shared_texts_are_refused_in_less_than_two_seconds() -> None:
    content = changed(
        workbook(HEADERS, FIRST), "xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 1_000_000 + b"</sst>"
    )
    with within(2):
        assert reason(content) == "cells"


def test_entities_in_utf_16_are_refused() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">]><x>&a;</x>'.encode("utf-16")
    assert reason(changed(workbook(HEADERS, FIRST), "xl/sharedStrings.xml", laughs)) == "unreadable"


def test_a_roster_of_twenty_thousand_rows_is_read() -> None:
    rows = [[str(line), *FIRST[1:]] for line in range(MOST_ROWS)]
    assert len(read_table(workbook(HEADERS, *rows))) == MOST_ROWS + 1


def test_an_archive_of_thousands_of_parts_is_refused() -> None:
    parts = {f"xl/{number}.xml": b"" for number in range(1_000)}
    assert reason(packed({"[Content_Types].xml": b"", **parts})) == "size"


def test_entities_in_a_workbook_are_refused() -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert reason(changed(workbook(HEADERS, FIRST), "xl/sharedStrings.xml", laughs)) == "unreadable"
