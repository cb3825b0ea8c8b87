"""Where each key of a TOML text stands: the standard parser gives values, and people want line numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TABLE = re.compile(r"^\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_ARRAY = re.compile(r"^\s*\[\[([^\[\]]+)\]\]\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=(.*)$")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_INDEX = re.compile(r"\[\d+\]$")
_FILL = re.compile(r"^fills\[\d+\]\.")


class _Value:
    """Follows one value over the lines that it takes (open brackets, strings in three quotes)."""

    def __init__(self) -> None:
        self.depth = 0
        self.quote = ""

    def open(self) -> bool:
        return bool(self.quote) or self.depth > 0

    def feed(self, text: str) -> None:
        while text:
            if self.quote:
                _, found, text = text.partition(self.quote)
                self.quote = "" if found else self.quote
                continue
            starts = [at for at in (text.find('"""'), text.find("'''")) if at >= 0]
            head = text[: min(starts)] if starts else text
            plain = _STRING.sub("", head).split("#")[0]
            self.depth += sum(plain.count(c) for c in "[{") - sum(plain.count(c) for c in "]}")
            if not starts or "#" in _STRING.sub("", head):
                return
            self.quote, text = text[min(starts) : min(starts) + 3], text[min(starts) + 3 :]


def locate(text: str) -> dict[str, int]:
    """Line number (from 1) of each table and key; entries of arrays of tables are `caps[0].amount_fen`."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, value = "", _Value()
    for number, line in enumerate(text.splitlines(), start=1):
        if value.open():
            value.feed(line)
        elif array := _ARRAY.match(line):
            name = _plain(array[1])
            table = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines.setdefault(name, number)
            lines[table] = number
        elif header := _TABLE.match(line):
            table = _plain(header[1])
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            name = _plain(key[1])
            lines.setdefault(f"{table}.{name}" if table else name, number)
            value.feed(key[2])
    return lines


def line_of(lines: Mapping[str, int], key: str) -> int | None:
    """The line of a key, or of the nearest thing around it that has one."""
    while key:
        if key in lines:
            return lines[key]
        shorter = _INDEX.sub("", key)
        key = shorter if shorter != key else key.rpartition(".")[0]
    return None


def root_of(key: str) -> str:
    """The parameter that a key belongs to: fills[0].caps[1].amount_fen is of caps; policy.title is itself."""
    plain = _FILL.sub("", key)
    return plain if plain.startswith("policy.") else plain.partition(".")[0].partition("[")[0]


def _plain(name: str) -> str:
    return name.strip().replace('"', "").replace("'", "")
