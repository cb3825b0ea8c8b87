"""Agreements to judge with: the demo's file, with pieces replaced."""

from __future__ import annotations

from tests.rules.policies import FOLDER
from voucher.rules.agreement import Agreement
from voucher.rules.agreement_reading import read

TEXT = (FOLDER / "agreements" / "jinshan-demo.toml").read_text("utf-8")
DOCUMENT = (FOLDER / "documents" / "recognition-demo.txt").read_text("utf-8")


def changed(*pairs: tuple[str, str]) -> str:
    """The demo's agreement with these pieces of text replaced everywhere."""
    text = TEXT
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def agreement(*pairs: tuple[str, str]) -> Agreement:
    """The same, read."""
    return read(changed(*pairs))
