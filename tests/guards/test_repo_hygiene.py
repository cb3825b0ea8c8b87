"""What is committed runs anywhere: no path of one machine, no download host, nothing left to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guards.source import ROOT, tracked_files

# The patterns are written so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w./])/(?:work|farm|root|home/\w+|Users/\w+|opt/pypi|opt/wheels)\b/?(?!\w)")
DOWNLOAD_HOST = re.compile(
    r"pypi\.(?:org/simple|tuna)|pythonhosted\.org|registry\.npm[a-z]*\.|proxy\.golang\.|index[-_]url *[=:]"
)
LEFT_TO_DO = re.compile(r"\b(?:TO[D]O|FIX[M]E|HA[C]K)\b")
SKIPPED = re.compile(r"pytest\.(?:mark\.)?(?:sk[i]p|xf[a]il)|Not[I]mplementedError")
LARGEST = 3 * 1024 * 1024


def texts(*suffixes: str) -> list[tuple[str, str]]:
    """Path and text of the committed files, without what others wrote and we vendor."""
    found = []
    for file in tracked_files():
        path = file.relative_to(ROOT).as_posix()
        if "vendor/" in path or (suffixes and file.suffix not in suffixes):
            continue
        try:
            found.append((path, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    assert found
    return found


@pytest.mark.parametrize("pattern", [MACHINE_PATH, DOWNLOAD_HOST, LEFT_TO_DO], ids=["path", "host", "left"])
def test_no_committed_file_holds(pattern: re.Pattern[str]) -> None:
    hits = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {hit[0]}"
        for path, text in texts()
        for hit in pattern.finditer(text)
    ]
    assert not hits, "\n".join(hits)


def test_no_test_is_skipped_and_no_code_is_a_stub() -> None:
    hits = [f"{path}: {hit[0]}" for path, text in texts(".py") for hit in SKIPPED.finditer(text)]
    assert not hits, "\n".join(hits)


def test_no_committed_file_is_a_secret_or_data_of_an_installation() -> None:
    refused = {".db", ".sqlite", ".sqlite3", ".pem", ".key", ".env"}
    hits = [file for file in tracked_files() if file.suffix in refused or file.name == ".env"]
    assert not hits


def test_no_committed_file_is_huge() -> None:
    huge = [file.name for file in tracked_files() if file.stat().st_size > LARGEST]
    assert not huge


def test_scripts_can_be_run() -> None:
    shebang = [file for file in tracked_files() if file.read_bytes()[:2] == b"#!"]
    assert [Path(file).name for file in shebang if not file.stat().st_mode & 0o100] == []
