"""Reading tables that people upload: .xlsx and .csv, as rows of plain text, whatever the file claims to be.

What a file is, its first bytes say. Nothing is unpacked or parsed beyond fixed bounds, so that a small file
cannot become a large one.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import openpyxl

from voucher.errors import Code, Refusal
from voucher.operations.import_roster import RosterRow
from voucher.operations.import_tenants import TenantRow

MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 40
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_UNPACKED: Final = 24 * 1024 * 1024
MOST_MEMBERS: Final = 200
MOST_TAGS: Final = 1_200_000
MOST_CELLS: Final = 240_000
LONGEST_CELL: Final = 1_000

_ROW: Final = re.compile(rb"<(?:[A-Za-z0-9]+:)?row[\s/>]")
_CELL: Final = re.compile(rb"<(?:[A-Za-z0-9]+:)?(?:c|si)[\s/>]")
_ROSTER_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("企业名称", "单位名称", "名称"),
    "uscc": ("统一社会信用代码", "社会信用代码", "信用代码"),
    "roster_no": ("入库登记编号", "登记编号", "入库编号", "编号"),
    "region": ("所在地区", "注册地区", "行政区划", "行政区划代码", "所属地区", "地区"),
}


_OPTIONAL_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "staff": ("职工人数", "职工总数", "从业人数"),
    "revenue": ("营业收入（元）", "营业收入(元)"),
    "mobile": ("联系手机", "联系人手机", "手机号码", "手机"),
    "email": ("电子邮箱", "联系邮箱", "邮箱"),
}


_TENANT_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("企业名称", "单位名称", "名称"),
    "ref": ("统一社会信用代码", "社会信用代码", "信用代码", "统一社会信用代码或临时编号"),
    "entered": ("入驻日期", "入驻时间"),
}
_LEFT_HEADERS: Final = ("退出日期", "退出时间")


@dataclass(frozen=True, slots=True)
class Row:
    """One row with anything in it: its number in the file, and its cells as text without spaces around."""

    line: int
    cells: tuple[str, ...]


def read_table(content: bytes) -> list[Row]:
    """The rows of the first sheet of a workbook, or of a CSV text in UTF-8 or GB18030; empty rows are left out.

    Refused as `file_refused`: neither of the two (`reason` type), too large packed or unpacked (size), more than
    20,000 rows (rows) or 240,000 cells (cells), broken (unreadable), nothing in it (empty).
    """
    if len(content) > MOST_BYTES:
        raise _refused("size")
    if content.startswith(b"PK"):
        rows = list(_bounded(_workbook(content)))
    elif content.startswith((b"\xd0\xcf\x11\xe0", b"%PDF")) or b"\0" in content:
        raise _refused("type")
    else:
        rows = list(_bounded(_text(content)))
    if not rows:
        raise _refused("empty")
    return rows


def roster_rows(table: list[Row]) -> list[RosterRow]:
    """The rows of a roster, by the headers of its first row; columns in any order, others are passed over.

    Staff and revenue, in yuan as the header must say, are taken where they are there.

    Refused as `file_refused` (`reason` header) where a column is not there; `missing` names it.
    """
    headers = ["".join(cell.split()) for cell in table[0].cells]
    places: dict[str, int] = {}
    for field, names in _ROSTER_HEADERS.items():
        found = next((headers.index(name) for name in names if name in headers), None)
        if found is None:
            raise Refusal(Code.FILE_REFUSED, reason="header", missing=names[0])
        places[field] = found
    for field, names in _OPTIONAL_HEADERS.items():
        for name in names:
            if name in headers:
                places.setdefault(field, headers.index(name))
    return [
        RosterRow(row.line, **{field: _cell(row, place) for field, place in places.items()})
        for row in table[1:]
    ]


def tenant_rows(table: list[Row]) -> list[TenantRow]:
    """The rows of a base's list of tenants, by the headers of its first row; the day of exit may have no column.

    Refused as `file_refused` (`reason` header) where a column is not there; `missing` names it.
    """
    headers = ["".join(cell.split()) for cell in table[0].cells]
    places: dict[str, int] = {}
    for field, names in _TENANT_HEADERS.items():
        found = next((headers.index(name) for name in names if name in headers), None)
        if found is None:
            raise Refusal(Code.FILE_REFUSED, reason="header", missing=names[0])
        places[field] = found
    left = next((headers.index(name) for name in _LEFT_HEADERS if name in headers), None)
    return [
        TenantRow(
            row.line,
            **{field: _cell(row, place) for field, place in places.items()},
            left="" if left is None else _cell(row, left),
        )
        for row in table[1:]
    ]


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _refused(reason: str) -> Refusal:
    return Refusal(Code.FILE_REFUSED, reason=reason)


def _bounded(rows: Iterable[tuple[int, Iterable[str]]]) -> Iterator[Row]:
    for number, (line, cells) in enumerate(rows, start=1):
        if number > MOST_ROWS + 1:
            raise _refused("rows")
        kept = tuple(cell.strip()[:LONGEST_CELL] for cell in cells)[:MOST_COLUMNS]
        if any(kept):
            yield Row(line, kept)


def _text(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise _refused("unreadable") from None
    head = text.partition("\n")[0]
    delimiter = max(",\t;", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        raise _refused("unreadable") from None


def _workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        _inspect(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for line, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), start=1):
            yield line, [_plain(value) for value in cells]
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 (a hostile workbook may raise anything)
        raise _refused("unreadable") from None


def _inspect(content: bytes) -> None:
    """Unpack every part of the archive within the bound, whatever its directory claims, and look for entities.

    Rows, cells and tags are counted before anything is parsed: a small part can hold millions of them.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if "[Content_Types].xml" not in archive.namelist():
            raise _refused("type")
        if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_UNPACKED:
            raise _refused("size")
        left, tags = MOST_UNPACKED, MOST_TAGS
        for member in members:
            with archive.open(member) as part:
                data = part.read(left + 1)
            left -= len(data)
            if left < 0:
                raise _refused("size")
            data = data.replace(b"\0", b"")  # in UTF-16 every other byte is zero
            tags -= data.count(b"<")
            if tags < 0:
                raise _refused("cells")
            _count(data)


def _count(data: bytes) -> None:
    """Refuse a part with entities, more rows than are taken, or more cells or shared texts than rows can have."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _refused("unreadable")
    if len(_ROW.findall(data)) > MOST_ROWS + 1:
        raise _refused("rows")
    if len(_CELL.findall(data)) > MOST_CELLS:
        raise _refused("cells")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
