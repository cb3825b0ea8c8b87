"""Policy files as they lie in folders: which fill-in belongs to which version, and where a parent is found."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from config import ConfigError
from voucher.cli.context import database
from voucher.operations.policies import policy_of
from voucher.rules.policy import Policy, PolicyError
from voucher.rules.policy_reading import LONGEST_FILE, parent_of, read

_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files that a command was given, each by the code that it names, and the fill-ins by the code that they name."""

    files: dict[str, Path]
    fills: tuple[tuple[str, str], ...]
    read: dict[str, Policy | None] = field(default_factory=dict)

    def fills_of(self, file: Path, *, alone: bool) -> tuple[str, ...]:
        """The fill-ins of a file: those that name it; where it is alone also those that name nothing known."""
        code = _named(text_of(file), "policy", "code")
        above = {code for code in self._line(text_of(file)) if code != ""}
        return tuple(
            text for name, text in self.fills if name == code or (alone and name not in above | {code})
        )

    def parent(self, text: str) -> Policy | None:
        """The parent that a text names: among the given files, else in their folders, else published in the database."""
        named = parent_of(text)
        if named is None or len(self._line(text)) > _DEEPEST:
            return None
        if named not in self.read:
            self.read[named] = self._from_file(named) or _published(named)
        return self.read[named]

    def _line(self, text: str) -> list[str]:
        """The codes above a text, as far as files say; a circle ends at the deepest that is followed."""
        found: list[str] = []
        while len(found) <= _DEEPEST and (named := parent_of(text)) is not None:
            found.append(named)
            file = self._find(named)
            text = text_of(file) if file is not None else ""
        return found

    def _find(self, code: str) -> Path | None:
        if code in self.files:
            return self.files[code]
        folders = dict.fromkeys(file.parent for file in self.files.values())
        beside = (each for folder in folders for each in sorted(folder.glob("*.toml")))
        return next((each for each in beside if _named(text_of(each), "policy", "code") == code), None)

    def _from_file(self, code: str) -> Policy | None:
        file = self._find(code)
        if file is None:
            return None
        text = text_of(file)
        fills = tuple(fill for name, fill in self.fills if name == code)
        try:
            return read(text, fills, parent=self.parent(text))
        except PolicyError as unreadable:
            return unreadable.readable


def shelf(files: Sequence[Path], fills: Sequence[Path]) -> Shelf:
    """The given files in order; of two with one code the first."""
    by_code: dict[str, Path] = {}
    for number, file in enumerate(files):
        by_code.setdefault(_named(text_of(file), "policy", "code") or f"#{number}", file)
    texts = [text_of(fill) for fill in fills]
    return Shelf(by_code, tuple((_named(text, "fill", "policy"), text) for text in texts))


def text_of(file: Path) -> str:
    """The text of a file; ends the command where it is none."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as fault:
        raise click.ClickException(f"{file.name} 不是 UTF-8 文字（第 {fault.start + 1} 个字节）") from fault


@lru_cache(maxsize=256)
def _named(text: str, table: str, key: str) -> str:
    """What a text names itself, or its policy; empty where it cannot be read."""
    if len(text) > LONGEST_FILE:
        return ""
    try:
        head = tomllib.loads(text.removeprefix("\ufeff")).get(table)
    except (ValueError, RecursionError):
        return ""
    named = head.get(key) if isinstance(head, dict) else None
    return named if isinstance(named, str) else ""


def _published(code: str) -> Policy | None:
    """The published version of a code, where there is a database that has it."""
    try:
        store = database()
        with store.read() as session:
            return policy_of(session, code)
    except (SQLAlchemyError, ConfigError, LookupError):
        return None
