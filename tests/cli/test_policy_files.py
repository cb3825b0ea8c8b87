"""`voucher policy check` and `explain` on the files in policies/; neither needs a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.factories import FOLDER
from voucher.cli import main

ZEZHOU = str(FOLDER / "zezhou-post-2022.toml")
ZEZHOU_FILL = str(FOLDER / "fills" / "zezhou-post-2022-demo.toml")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all.db")


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["policy", *words])


def case_of(folder: Path, **changes: Any) -> str:
    given = json.loads((FOLDER / "cases" / "zezhou-in-county.json").read_text("utf-8"))
    path = folder / "case.json"
    path.write_text(json.dumps(given | changes), "utf-8")
    return str(path)


def test_a_case_is_explained_line_by_line_with_document_and_clause(tmp_path: Path) -> None:
    told = run("explain", ZEZHOU, "--fill", ZEZHOU_FILL, "--case", case_of(tmp_path))
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[0] == "泽州县科技成果转化后补助（CN-140525-POSTSUB-2022，泽发改发〔2022〕43号）"
    assert lines[2] == " 2. 补助比例 → 30.00%（依据：泽发改发〔2022〕43号 第 6 条）"
    assert lines[3].endswith("→ 600,000.00 元（依据：泽发改发〔2022〕43号 第 6 条）")
    assert (
        lines[-2] == " 6. 由 140525 承担 100.00% → 500,000.00 元（依据：演示主管部门：演示填写，非文件规定）"
    )
    assert lines[-1] == "补助额：500,000.00 元"


def test_a_line_that_rests_on_the_case_alone_says_so(tmp_path: Path) -> None:
    told = run("explain", ZEZHOU, "--fill", ZEZHOU_FILL, "--case", case_of(tmp_path, budget_yuan="1,000"))
    assert "不超过预算余额 1,000.00 元 → 1,000.00 元（依据：本算例）" in told.output


def test_every_fault_of_a_case_is_told_at_once_in_words(tmp_path: Path) -> None:
    case = case_of(tmp_path, service="x", units="two", paid_yuan="one")
    told = run("explain", ZEZHOU, "--fill", ZEZHOU_FILL, "--case", case)
    assert told.exit_code == 1
    assert {line.partition("：")[0] for line in told.output.splitlines()[:-1]} == {
        "service",
        "units",
        "paid_yuan",
    }
    assert told.output.endswith("共 3 个问题。\n")


def test_a_version_that_cannot_be_computed_says_what_is_missing(tmp_path: Path) -> None:
    told = run("explain", ZEZHOU, "--case", case_of(tmp_path))
    assert told.exit_code == 1
    assert [line.partition("：")[0] for line in told.output.splitlines()] == [
        "holder_classes",
        "rounding",
        "共 2 个问题。",
    ]


def test_a_broken_file_is_told_with_its_lines_and_its_quotations_are_still_checked(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    stored = (FOLDER / "documents" / "zezhou-2022.txt").read_text("utf-8")
    (tmp_path / "documents" / "zezhou-2022.txt").write_text(stored, "utf-8")
    broken = tmp_path / "broken.toml"
    text = Path(ZEZHOU).read_text("utf-8").replace('"paid"', '"costs"')
    broken.write_text(text.replace("最高不超过 30 万元", "最高不超过 90 万元"), "utf-8")
    told = run("check", str(broken))
    assert told.exit_code == 1
    assert "base.value（依据：第 6 条）：应为下列之一" in told.output
    assert "rate_lines[1]（依据：第 6 条）：原文中找不到这段引文" in told.output
    assert "没有存储文件" not in told.output
    assert run("explain", str(broken), "--case", case_of(tmp_path)).exit_code == 1


def test_bytes_that_are_no_text_are_no_crash(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    for words in (("check", str(tmp_path / "bad")), ("explain", ZEZHOU, "--case", str(tmp_path / "bad"))):
        told = run(*words, *(["--fill", ZEZHOU_FILL] if words[0] == "explain" else []))
        assert told.exit_code == 1
        assert "不是 UTF-8 文字" in told.stderr


def test_all_files_are_checked_in_one_go_each_under_its_name() -> None:
    files = [str(path) for path in sorted(FOLDER.glob("*.toml"))]
    told = run("check", *files)
    assert told.exit_code == 1
    assert all(f"{Path(file).name}：" in told.output.splitlines() for file in files)
    assert "第 12 行，policy.weak_source：出处较弱" in told.output
    assert "找不到这段引文" not in told.output
    assert run("check", ZEZHOU, ZEZHOU, "--fill", ZEZHOU_FILL).exit_code == 2
