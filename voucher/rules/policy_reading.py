"""A policy file and its fill-in files, read into one `Policy`; every fault is collected before any is reported.

The policy file says what the document gives, each parameter with its source. A fill-in file has the same
layout, names the authority that fills in (`[fill] policy, who, basis`), and may only set what the document
leaves open. Unknown keys are refused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from voucher.rules import policy_shapes as shapes
from voucher.rules.policy import Fill, Policy, PolicyError, Problem, Service, Source
from voucher.rules.policy_inheritance import documented, inherit, with_years
from voucher.rules.policy_lines import line_of, locate
from voucher.rules.policy_values import Shape
from voucher.rules.policy_values import code as code_shape
from voucher.rules.policy_values import text as words

_AT_LINE = re.compile(r"\(at line (\d+)(?:, column (\d+))?")
LONGEST_FILE = 200_000


def unreadable(text: str, fault: Exception) -> tuple[int, str]:
    """The line at which a text stops being TOML, and that said in words; the last line where it breaks off."""
    at = _AT_LINE.search(str(fault))
    line = int(at[1]) if at else len(text.splitlines()) or 1
    place = f"从第 {at[2]} 个字起" if at and at[2] else "到这里"
    return line, f"{place}不是有效的 TOML，请检查引号、括号和等号是否成对、有没有重复的参数"


def read(text: str, fills: Sequence[str] = (), *, parent: Policy | None = None) -> Policy:
    """The policy of this TOML text, completed by fill-in texts and by what it inherits from its parent.

    Raises PolicyError with every problem found (a TOML fault hides what comes after it): unknown or missing keys, wrong values, a
    parameter without source, a fill-in of something already given or of another policy, a parent that is not the one named.
    """
    given = TomlFile(text, "")
    identity = _with_family(given, given.identity(), parent)
    above = parent if parent is not None and identity.get("parent") == parent.code else None
    values = given.parameters()
    problems = given.problems
    filled: list[Fill] = []
    for number, fill_text in enumerate(fills):
        extra = TomlFile(fill_text, f"fills[{number}].")
        author = extra.author(identity.get("code"))
        for name, value in extra.parameters().items():
            if name in values:
                extra.wrong(extra.keys[name], "该参数已经规定，不得另行填写")
            elif above is not None and documented(above, name):
                extra.wrong(extra.keys[name], f"该参数上级政策 {above.code} 的文件已经规定，不得另行填写")
            else:
                values[name] = value
                filled.append(Fill(extra.keys[name], **author))
        problems += extra.problems
    if not shapes.IDENTITY.keys() - shapes.OPTIONAL_IDENTITY <= identity.keys():
        raise PolicyError(tuple(problems))
    policy = Policy(**identity, **values, sources=tuple(given.sources.items()), fills=tuple(filled))
    policy = with_years(policy if above is None else inherit(policy, above))
    if problems:
        raise PolicyError(tuple(problems), policy)
    return policy


def placed(problems: Sequence[Problem], text: str, fills: Sequence[str] = ()) -> tuple[Problem, ...]:
    """The same problems, each with its line: in the policy text, else in the first fill-in that has the key."""
    texts = [("", locate(text[:LONGEST_FILE]))]
    texts += [(f"fills[{number}].", locate(fill[:LONGEST_FILE])) for number, fill in enumerate(fills)]
    return tuple(problem if problem.line else _placed(problem, texts) for problem in problems)


def _placed(problem: Problem, texts: Sequence[tuple[str, Mapping[str, int]]]) -> Problem:
    for prefix, lines in texts:
        line = line_of(lines, problem.key)
        line = line or lines.get(f"policy.{problem.key}") or lines.get(f"agreement.{problem.key}")
        if line is not None:
            return replace(problem, line=line, key=prefix + problem.key)
    return problem


def parent_of(text: str) -> str | None:
    """The code of the parent that a text names; None where it names none or cannot be read."""
    if len(text) > LONGEST_FILE:
        return None
    try:
        head = tomllib.loads(text.removeprefix("\ufeff")).get("policy")
    except (ValueError, RecursionError):
        return None
    named = head.get("parent") if isinstance(head, dict) else None
    return named if isinstance(named, str) else None


def _with_family(given: TomlFile, identity: dict[str, Any], parent: Policy | None) -> dict[str, Any]:
    """The head with its cap family: a child without one carries out its parent's programme."""
    named = identity.get("parent")
    known = parent is not None and parent.code == named
    if named is not None and not known:
        given.wrong("policy.parent", f"没有找到上级政策 {named}，须先发布（试算时须一并给出文件）")
    elif "cap_family" not in identity and named is None and "policy" in given.raw:
        given.wrong("policy.cap_family", "缺少这个参数")
    shared = parent.cap_family if parent is not None and known else identity.get("programme", "")
    return {"cap_family": shared, **identity}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a text may hold: the name of its first table, that table's fields, single values, and lists of tables."""

    head: str
    identity: Mapping[str, Shape]
    optional: frozenset[str]
    values: Mapping[str, tuple[str, Shape]]
    lists: Mapping[str, shapes.ListShape]


POLICY: Final = Layout("policy", shapes.IDENTITY, shapes.OPTIONAL_IDENTITY, shapes.VALUES, shapes.LISTS)


class TomlFile:
    """One TOML text while it is read: its lines, its problems, its sources. `prefix` names a fill-in file."""

    def __init__(self, text: str, prefix: str, layout: Layout = POLICY) -> None:
        if len(text) > LONGEST_FILE:
            raise PolicyError((Problem(1, prefix.rstrip("."), None, f"文件过大，最多 {LONGEST_FILE} 个字"),))
        text = text.removeprefix("\ufeff")
        self.layout = layout
        self.prefix = prefix
        self.filling = bool(prefix)
        self.lines = locate(text)
        self.problems: list[Problem] = []
        self.sources: dict[str, Source] = {}
        self.keys: dict[str, str] = {}
        try:
            self.raw: dict[str, Any] = tomllib.loads(text)
        except (ValueError, RecursionError) as fault:
            line, told = unreadable(text, fault)
            broken = Problem(line, prefix.rstrip("."), None, told)
            raise PolicyError((broken,)) from fault
        head = "fill" if self.filling else layout.head
        for key in sorted(self.raw.keys() - {head} - layout.values.keys() - layout.lists.keys()):
            self.wrong(key, "没有这个参数")

    def wrong(self, key: str, message: str) -> None:
        """Notes a problem at this key, with the clause that the parameter cites."""
        clause = self._clause(key)
        self.problems.append(Problem(line_of(self.lines, key), self.prefix + key, clause, message))

    def identity(self) -> dict[str, Any]:
        """What names the version: the first table ([policy])."""
        return self._head(self.layout.head, self.layout.identity, self.layout.optional)

    def author(self, code: str | None) -> dict[str, str]:
        """Who fills in and on what basis: the table [fill], which must name this version."""
        of = self.layout.head
        head = self._head("fill", {of: code_shape, "who": words, "basis": words})
        if of in head and code is not None and head[of] != code:
            self.wrong(f"fill.{of}", f"填写的是另一份政策，不是 {code}")
        return {"who": head.get("who", ""), "basis": head.get("basis", "")}

    def parameters(self) -> dict[str, Any]:
        """Every parameter that the file sets and that has the right shape, by its name in `Policy`."""
        found: dict[str, Any] = {}
        for key, value in self.raw.items():
            if key in self.layout.values:
                name, shape = self.layout.values[key]
                self._keep(found, name, key, self._value(key, value, shape))
            elif key in self.layout.lists:
                self._keep(found, key, key, self._list(key, value))
        return found

    def _keep(self, found: dict[str, Any], name: str, key: str, value: Any) -> None:
        self.keys[name] = key
        if value is not None:
            found[name] = value

    def _clause(self, key: str) -> str | None:
        for holder in (key, key.rpartition(".")[0]):
            if holder in self.sources:
                return self.sources[holder].item
        return None

    def _head(
        self, name: str, fields: Mapping[str, Shape], optional: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        table = self.raw.get(name)
        if not isinstance(table, dict):
            self.wrong(name, f"缺少 [{name}]")
            return {}
        return self._fields(name, table, fields, frozenset(fields) - optional)

    def _value(self, key: str, table: object, shape: Shape) -> Any:
        if not isinstance(table, dict):
            self.wrong(key, f"应写成 [{key}]，其下写 value")
            return None
        self._source(key, table)
        rest = {name: value for name, value in table.items() if name != "source"}
        return self._fields(key, rest, {"value": shape}, frozenset({"value"})).get("value")

    def _list(self, key: str, entries: object) -> tuple[Any, ...] | None:
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.wrong(key, f"应写成 [[{key}]]")
            return None
        built = [self._entry(f"{key}[{number}]", key, entry) for number, entry in enumerate(entries)]
        return tuple(entry for entry in built if entry is not None) or None

    def _entry(self, at: str, key: str, table: dict[str, Any]) -> Any:
        """One entry of a list; None where it has a problem."""
        build, fields, required = self.layout.lists[key]
        self._source(at, table)
        rest = {name: value for name, value in table.items() if name != "source"}
        before = len(self.problems)
        values = self._fields(at, rest, fields, required)
        if len(self.problems) > before:
            return None
        try:
            entry = build(values)
        except ValueError as fault:
            self.wrong(at, str(fault))
            return None
        return replace(entry, source=self.sources.get(at)) if isinstance(entry, Service) else entry

    def _source(self, key: str, table: Mapping[str, Any]) -> None:
        if self.filling:
            if "source" in table:
                self.wrong(f"{key}.source", "填写的参数没有文件出处，依据写在 [fill] 中")
            return
        if "source" not in table:
            self.wrong(key, "没有注明出处 source（文号、条款、原文）")
            return
        try:
            self.sources[key] = shapes.source(table["source"])
        except ValueError as fault:
            self.wrong(f"{key}.source", str(fault))

    def _fields(
        self, at: str, table: Mapping[str, Any], fields: Mapping[str, Shape], required: frozenset[str]
    ) -> dict[str, Any]:
        """The fields of one table, each through its shape; unknown and missing ones are problems."""
        found: dict[str, Any] = {}
        for name, value in table.items():
            if name not in fields:
                self.wrong(f"{at}.{name}", "没有这个参数")
                continue
            try:
                found[name] = fields[name](value)
            except ValueError as fault:
                self.wrong(f"{at}.{name}", str(fault))
        for name in sorted(required - table.keys()):
            self.wrong(f"{at}.{name}", "缺少这个参数")
        return found
