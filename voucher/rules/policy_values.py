"""The shapes of plain values: words, codes, whole numbers, days, choices. Each gives the value or a Chinese sentence.

A shape turns what TOML (or a case) gives into a value or raises ValueError.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from voucher.money import MAX_FEN, Fen
from voucher.rules.policy import WHOLE_BP

Shape = Callable[[object], Any]

LONGEST_TEXT = 500
LONGEST_LIST = 500
LONGEST_DAYS = 3_660
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_MONTH_DAY = re.compile(r"(\d\d)-(\d\d)", re.ASCII)


def text(value: object) -> str:
    """Words: not empty, at most 500 characters."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("应为非空文字")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"文字过长，最多 {LONGEST_TEXT} 字")
    if any(unicodedata.category(sign) == "Cc" and sign != "\n" for sign in value):
        raise ValueError("文字中有控制字符")
    return value.strip()


def code(value: object) -> str:
    """An identifier of ASCII letters, digits, hyphen and underscore."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise ValueError("应为代码：英文字母、数字、短横线或下划线，最多 64 位")
    return value


def whole(least: int, most: int) -> Shape:
    """A whole number between two bounds; true and false are no numbers."""

    def shape(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("应为整数")
        if not least <= value <= most:
            raise ValueError(f"应在 {least} 与 {most} 之间")
        return value

    return shape


def fen(value: object) -> Fen:
    """An amount: a positive whole number of fen."""
    return Fen(whole(1, MAX_FEN)(value))


def day(value: object) -> date:
    """A date, written without quotes: 2022-03-11."""
    if type(value) is not date:
        raise ValueError("应为日期，例如 2022-03-11，不加引号")
    return value


def day_after(value: object) -> date:
    """The first day no longer covered by 有效期至 this date."""
    last = day(value)
    if last == date.max:
        raise ValueError("日期过大")
    return last + timedelta(days=1)


def month_day(value: object) -> tuple[int, int]:
    """The day on which a policy's year begins: "07-01"; 29 February is refused."""
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('应为"月-日"，例如 "07-01"')
    month, of_month = int(found[1]), int(found[2])
    try:
        date(2023, month, of_month)
    except ValueError:
        raise ValueError("没有这一天（2 月 29 日不能作为年度的起始日）") from None
    return month, of_month


def choice(terms: type[StrEnum]) -> Shape:
    """One value of a closed list."""

    def shape(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in {term.value for term in terms}:
            raise ValueError("应为下列之一：" + "、".join(term.value for term in terms))
        return terms(value)

    return shape


def choices(terms: type[StrEnum]) -> Shape:
    """Several different values of a closed list, at least one."""
    return several(choice(terms))


def several(single: Shape) -> Shape:
    """Several different values of one shape, at least one."""

    def shape(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError("应为非空列表")
        if len(value) > LONGEST_LIST:
            raise ValueError("列表过长")
        chosen = tuple(single(entry) for entry in value)
        if len(set(chosen)) != len(chosen):
            raise ValueError("列表中有重复的值")
        return chosen

    return shape


def yes_or_no(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError("应为 true 或 false")
    return value


rate = whole(0, WHOLE_BP)
days = whole(1, LONGEST_DAYS)
