"""Every row of the list of abuses has a test that is named after it, and a line in docs/checks.md."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROWS = set(range(1, 33))


def test_every_row_has_a_test_of_its_own() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in HERE.glob("test_*.py"))
    assert {int(number) for number in re.findall(r"^def test_row_([0-9]{2})_", text, re.MULTILINE)} == ROWS


def test_every_row_is_documented() -> None:
    text = (HERE.parents[1] / "docs" / "checks.md").read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"^\| ([0-9]+) \|", text, re.MULTILINE)} == ROWS
