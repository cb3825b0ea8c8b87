"""Registers that come as tables: the business register, what other programmes paid, decisions, lists of hashes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any, Final

from voucher.errors import Code, Refusal
from voucher.money import parse_yuan
from voucher.operations.ban import BanRequest
from voucher.operations.exchange import Benefit, ForeignList
from voucher.operations.registry import RegistryRow
from voucher.reports.sheets import Row
from voucher.terms import BanKind

_REGISTRY: Final[Mapping[str, str]] = {
    "统一社会信用代码": "uscc",
    "上级法人代码": "parent_uscc",
    "股东代码": "shareholder_uscc",
    "实际控制人证件号": "controller_id",
    "法定代表人证件号": "legal_rep_id",
    "联系电话": "phone",
    "联系人": "contact",
    "电子邮箱": "email",
    "地址": "address",
    "代办人电话": "agent_phone",
}
_DIRECTORS: Final = "董事证件号"
_BETWEEN: Final = re.compile(r"[、，,；;/\n]+")
_SHARE: Final = "持股比例（%）"
_CAPACITY: Final = "每日服务能力（单）"
_SALT: Final = "salt"
_DIGITS: Final = 6


def registry_rows(table: Sequence[Row], *, source: str) -> list[RegistryRow]:
    """Rows of the business register by their headers; only the code is a must, directors stand in one
    cell with 、 between them. Refused: `file_refused`."""
    rows = []
    for each in _records(table, ("统一社会信用代码",)):
        said = {field: each.get(header, "") for header, field in _REGISTRY.items()}
        capacity = each.get(_CAPACITY, "").strip()
        if capacity and not (capacity.isdecimal() and len(capacity) < _DIGITS):
            raise Refusal(Code.FILE_REFUSED, reason="unreadable")
        share_bp, a_day = _share(each.get(_SHARE, "")), int(capacity) if capacity else None
        board = [number for number in _BETWEEN.split(each.get(_DIRECTORS, "")) if number.strip()]
        rows.append(
            RegistryRow(**said, director_ids=board, source=source, share_bp=share_bp, orders_a_day=a_day)
        )
    return rows


def benefit_rows(table: Sequence[Row]) -> list[Benefit]:
    """Items that other programmes paid. Refused as `file_refused`: a missing column, an amount or day that is none."""
    return [
        Benefit(
            uscc=each["统一社会信用代码"],
            programme=each["项目名称"],
            service=each["服务内容"],
            contract_no=each.get("合同编号", ""),
            amount_fen=_fen(each.get("金额（元）", "")),
            paid_on=_day(each.get("拨付日期", "")),
        )
        for each in _records(table, ("统一社会信用代码", "项目名称", "服务内容"))
    ]


def ban_rows(table: Sequence[Row], *, source: str) -> list[BanRequest]:
    """Decisions against parties. Refused as `file_refused`: a missing column, a day or a kind that is none."""
    kinds = {kind.label: kind for kind in BanKind}
    rows = []
    for each in _records(table, ("统一社会信用代码", "情形", "法律依据", "决定文号", "起始日期")):
        kind, from_on = kinds.get(each["情形"]), _day(each["起始日期"])
        if kind is None or from_on is None:
            raise Refusal(Code.FILE_REFUSED, reason="unreadable")
        rows.append(
            BanRequest(
                uscc=each["统一社会信用代码"],
                kind=kind,
                legal_basis=each["法律依据"],
                decision_no=each["决定文号"],
                from_on=from_on,
                to_on=_day(each.get("失效日期", "")),
                source=source,
            )
        )
    return rows


def hashes_text(salt: str, digests: Sequence[str]) -> str:
    """The file of hashes that regions exchange: JSON, with the salt that both agreed on for the year."""
    return json.dumps({_SALT: salt, "sha256": list(digests)}, indent=0) + "\n"


def read_hashes(content: bytes, *, source: str) -> ForeignList:
    """Another region's file of hashes. Refused: `file_refused`."""
    try:
        said: Any = json.loads(content)
        salt, digests = str(said[_SALT]), [str(each) for each in said["sha256"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refusal(Code.FILE_REFUSED, reason="unreadable") from None
    if not 8 <= len(salt) <= 64:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable")
    return ForeignList(source, salt, sha256(content).hexdigest(), digests)


def _records(table: Sequence[Row], must: Sequence[str]) -> list[dict[str, str]]:
    headers = ["".join(cell.split()) for cell in table[0].cells]
    for name in must:
        if name not in headers:
            raise Refusal(Code.FILE_REFUSED, reason="header", missing=name)
    return [dict(zip(headers, row.cells, strict=False)) for row in table[1:]]


def _share(written: str) -> int | None:
    """Basis points from percent as 25 or 25.5."""
    text = written.strip().rstrip("%％")
    if not text:
        return None
    whole, _, part = text.partition(".")
    if not (whole.isdecimal() and (part or "0").isdecimal()) or int(whole) > 100:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable")
    return int(whole) * 100 + int((part + "00")[:2])


def _fen(written: str) -> int | None:
    if not written.strip():
        return None
    try:
        return int(parse_yuan(written))
    except ValueError:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable") from None


def _day(written: str) -> date | None:
    if not written.strip():
        return None
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable") from None
