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
CHILD = FOLDER / "zezhou-innovation-2022.toml"
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
    assert run("check", ZEZHOU, ZEZHOU, "--document", ZEZHOU_FILL).exit_code == 2


def fill(name: str) -> tuple[str, str]:
    return "--fill", str(FOLDER / "fills" / f"{name}-demo.toml")


def test_a_child_is_checked_with_its_parent_and_each_fill_goes_to_the_version_that_it_names() -> None:
    fills = (*fill("zezhou-innovation-2022"), *fill("shanxi-2022"))
    assert run("check", str(CHILD), *fills).exit_code == 0
    assert run("check", str(CHILD), str(FOLDER / "shanxi-2022.toml"), *fills).exit_code == 0
    bare = run("check", str(CHILD), *fill("zezhou-innovation-2022"))
    assert bare.exit_code == 1 and "rate_lines" in bare.output and "policy.parent" not in bare.output


def test_a_child_whose_parent_is_nowhere_says_so_and_is_judged_for_the_rest(tmp_path: Path) -> None:
    alone = tmp_path / "child.toml"
    alone.write_text(CHILD.read_text("utf-8"), "utf-8")
    told = run("check", str(alone))
    assert told.exit_code == 1
    assert "policy.parent：没有找到上级政策 CN-140000-INNO-2022" in told.output
    assert "没有存储文件" in told.output


def test_parents_in_a_circle_end_the_search(tmp_path: Path) -> None:
    text = CHILD.read_text("utf-8")
    one = text.replace('parent = "CN-140000-INNO-2022"', 'parent = "B"').replace("CN-140525-INNO-2022", "A")
    other = one.replace('code = "A"', 'code = "B"').replace('parent = "B"', 'parent = "A"')
    (tmp_path / "a.toml").write_text(one, "utf-8")
    (tmp_path / "b.toml").write_text(other, "utf-8")
    told = run("check", str(tmp_path / "a.toml"))
    assert told.exit_code == 1 and "没有找到上级政策 B" in told.output


def test_a_case_of_a_child_is_explained_with_the_parents_clauses(tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    given = {"holder_class": "tech_sme", "service": "technical_cooperation", "contract_yuan": "500,000"}
    case.write_text(json.dumps(given), "utf-8")
    fills = (*fill("zezhou-innovation-2022"), *fill("shanxi-2022"))
    told = run("explain", str(CHILD), *fills, "--case", str(case))
    assert told.exit_code == 0, told.output
    assert "晋发改高新发〔2022〕79号 第 18 条（继承自 CN-140000-INNO-2022）" in told.output
    assert told.output.endswith("补助额：200,000.00 元\n")
