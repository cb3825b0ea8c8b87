"""An evaluation file, read into `EvaluationRules`; every fault is collected before any is reported.

Each parameter has `value` and what it rests on: `item` and `quote` of the document, or `basis`, what the authority
decided itself. Unknown keys are refused; nothing has a default.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from voucher.rules.evaluation import FAILED, Clause, EvaluationRules, Indicator
from voucher.rules.policy import PolicyError, Problem
from voucher.rules.policy_lines import line_of, locate
from voucher.rules.policy_reading import unreadable
from voucher.terms import EvaluationSubject, UnevaluatedYear

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,23}", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise ValueError("应为不超过 200 字的文字")
    return value.strip()


def _code(value: object) -> str:
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        raise ValueError("应为字母、数字、点、横线组成的代码")
    return value


def _day(value: object) -> date:
    if type(value) is not date:
        raise ValueError("应为日期，如 2026-01-01")
    return value


def _number(least: int, most: int) -> Callable[[object], int]:
    def shape(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"应为 {least} 至 {most} 的整数")
        return value

    return shape


def _table(value: object) -> dict[str, int]:
    if not isinstance(value, dict) or not value or any(type(each) is not int for each in value.values()):
        raise ValueError("应写成 { 名称 = 分数, … }")
    return dict(value)


def _member(members: type[EvaluationSubject] | type[UnevaluatedYear]) -> Callable[[object], Any]:
    def shape(value: object) -> Any:
        if value not in list(members):
            raise ValueError(f"应为 {'、'.join(members)} 之一")
        return members(str(value))

    return shape


_HEAD: Final[Mapping[str, Callable[[object], Any]]] = {
    "code": _code,
    "title": _text,
    "document_no": _text,
    "document": _code,
    "region": _code,
    "subject": _member(EvaluationSubject),
    "from_on": _day,
    "through": _day,
}
_OPTIONAL: Final = frozenset({"document", "through"})
_VALUES: Final[Mapping[str, Callable[[object], Any]]] = {
    "fails_in_row": _number(1, 10),
    "lock_years": _number(0, 30),
    "points": _table,
    "pass_points": _number(0, 1000),
    "grades": _table,
    "report_days": _number(1, 90),
    "rectify_working_days": _number(1, 250),
    "unevaluated_year": _member(UnevaluatedYear),
}


def read(text: str, document_text: str | None = None) -> EvaluationRules:
    """The rules of this TOML text; quotes are looked for in the document's stored text where that is given.

    Raises PolicyError with every problem: unknown, missing or wrong parameters, one without what it rests on, a quote
    that does not stand in the document, points without an indicator, a pass that no points reach.
    """
    file = _File(text, document_text)
    head = file.head()
    values = {name: file.value(name, shape) for name, shape in _VALUES.items()}
    indicators = file.indicators(values.get("points") or {})
    file.compare(indicators, values, head)
    if file.problems:
        raise PolicyError(tuple(sorted(file.problems, key=lambda each: each.line or 0)))
    through = head.get("through")
    grades = sorted(values.pop("grades").items(), key=lambda each: -each[1])
    return EvaluationRules(
        code=head["code"],
        title=head["title"],
        document_no=head["document_no"],
        document=head.get("document", ""),
        region=head["region"],
        subject=head["subject"],
        from_on=head["from_on"],
        to_on=through + timedelta(days=1) if through else None,
        indicators=tuple(indicators),
        grades=tuple(grades),
        clauses=file.clauses,
        **{name: value for name, value in values.items() if name != "points"},
    )


class _File:
    """One TOML text while it is read: its lines, its problems, what its parameters rest on."""

    def __init__(self, text: str, document_text: str | None) -> None:
        text = text.removeprefix("\ufeff")
        self.lines = locate(text)
        self.document_text = document_text
        self.problems: list[Problem] = []
        self.clauses: dict[str, Clause] = {}
        try:
            self.raw: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as fault:
            line, told = unreadable(text, fault)
            raise PolicyError((Problem(line, "", None, told),)) from fault
        for key in self.raw.keys() - {"rules", "indicators"} - _VALUES.keys():
            self.wrong(key, "没有这个参数")

    def wrong(self, key: str, message: str) -> None:
        """Notes a problem at this key."""
        clause = self.clauses.get(key)
        self.problems.append(Problem(line_of(self.lines, key), key, clause.item if clause else None, message))

    def head(self) -> dict[str, Any]:
        """What names the rules: the table [rules]."""
        table = self.raw.get("rules")
        if not isinstance(table, dict):
            self.wrong("rules", "缺少 [rules]")
            return {}
        return self.fields("rules", table, _HEAD, _OPTIONAL)

    def value(self, key: str, shape: Callable[[object], Any]) -> Any:
        """One parameter; None where it is missing or wrong."""
        table = self.raw.get(key)
        if not isinstance(table, dict):
            self.wrong(key, f"缺少参数，应写成 [{key}]，其下写 value 和依据")
            return None
        self.rests_on(key, table)
        rest = {name: each for name, each in table.items() if name not in ("item", "quote", "basis")}
        return self.fields(key, rest, {"value": shape}, frozenset()).get("value")

    def indicators(self, points: Mapping[str, int]) -> list[Indicator]:
        """The groups, each with its points."""
        entries = self.raw.get("indicators")
        if (
            not isinstance(entries, list)
            or not entries
            or not all(isinstance(each, dict) for each in entries)
        ):
            self.wrong("indicators", "缺少评价内容，应写成 [[indicators]]")
            return []
        found = []
        for number, table in enumerate(entries):
            at = f"indicators[{number}]"
            self.rests_on(at, table)
            rest = {name: each for name, each in table.items() if name not in ("item", "quote", "basis")}
            given = self.fields(at, rest, {"key": _indicator_key, "label": _text}, frozenset())
            if given.keys() >= {"key", "label"}:
                found.append(Indicator(given["key"], given["label"], points.get(given["key"], 0)))
        return found

    def compare(
        self, indicators: list[Indicator], values: Mapping[str, Any], head: Mapping[str, Any]
    ) -> None:
        """What contradicts."""
        points, passing, grades = values["points"], values["pass_points"], values["grades"]
        keys = [each.key for each in indicators]
        if points is not None:
            if sorted(keys) != sorted(points):
                self.wrong("points", "各项分值应与评价内容一一对应")
            if any(each < 1 for each in points.values()):
                self.wrong("points", "分值应为正整数")
            if passing is not None and passing > sum(points.values()):
                self.wrong("pass_points", f"合格线高于总分 {sum(points.values())}")
        if grades is not None and passing is not None:
            if min(grades.values()) != passing:
                self.wrong("grades", f"最低一档应从合格线 {passing} 分起")
            if FAILED in grades or any(not 0 < len(label) <= 20 for label in grades):
                self.wrong("grades", "等次名称应为 1 至 20 字，且不是“不合格”")
        first, last = head.get("from_on"), head.get("through")
        if first and last and last < first:
            self.wrong("rules.through", "早于起始日期")

    def rests_on(self, key: str, table: Mapping[str, Any]) -> None:
        """What a parameter rests on: the document's item and words, or the authority's own decision."""
        given = {name: table[name] for name in ("item", "quote", "basis") if name in table}
        if given.keys() not in ({"item", "quote"}, {"basis"}) or not all(
            isinstance(each, str) and each.strip() for each in given.values()
        ):
            self.wrong(key, "应注明依据：文件条款 item 和原文 quote，或主管部门的依据 basis")
            return
        self.clauses[key] = Clause(**given)
        if self.document_text is not None and given.get("quote", "") not in self.document_text:
            self.wrong(key, f"原文中没有“{given['quote']}”")

    def fields(
        self,
        at: str,
        table: Mapping[str, Any],
        shapes: Mapping[str, Callable[[object], Any]],
        optional: frozenset[str],
    ) -> dict[str, Any]:
        """The fields of one table, each through its shape; unknown and missing ones are problems."""
        found: dict[str, Any] = {}
        for name, value in table.items():
            if name not in shapes:
                self.wrong(f"{at}.{name}", "没有这个参数")
                continue
            try:
                found[name] = shapes[name](value)
            except ValueError as fault:
                self.wrong(f"{at}.{name}", str(fault))
        for name in sorted(shapes.keys() - optional - table.keys()):
            self.wrong(f"{at}.{name}", "缺少这个参数")
        return found


def _indicator_key(value: object) -> str:
    if not isinstance(value, str) or _KEY.fullmatch(value) is None:
        raise ValueError("应为小写字母开头的代码")
    return value
