"""The files in policies/: every quotation stands in the stored document, and nothing is guessed."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import pytest

from tests.pace import within
from tests.rules.policies import FOLDER
from voucher.rules import policy_check
from voucher.rules.explain import explain, hindrances, read_case
from voucher.rules.policy import Policy
from voucher.rules.policy_reading import parent_of, read
from voucher.terms import HolderClass, VoucherKind

DOCUMENTED = [
    "shanxi-2022",
    "zezhou-post-2022",
    "xining-innovation-2018",
    "xining-startup-2018",
    "lhasa-innovation-2019",
    "lhasa-startup-2019",
    "lhasa-nimu-2019",
    "lhasa-park-2019",
    "lvliang-innovation-2022",
    "zezhou-innovation-2022",
]
WEAK = ["shanxi-2024", "qinghai-2025", "tibet-2019", "shuangchuang-2019"]
CASES = sorted((FOLDER / "cases").glob("*.json"))


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


PARENTS = {tomllib.loads(text_of(path))["policy"]["code"]: path.stem for path in FOLDER.glob("*.toml")}


def bare(name: str) -> Policy:
    text = text_of(FOLDER / f"{name}.toml")
    above = parent_of(text)
    return read(text, parent=bare(PARENTS[above]) if above else None)


def filled(name: str) -> Policy:
    text = text_of(FOLDER / f"{name}.toml")
    above = parent_of(text)
    fills = [text_of(FOLDER / "fills" / f"{name}-demo.toml")]
    return read(text, fills, parent=filled(PARENTS[above]) if above else None)


def document(version: Policy) -> str | None:
    path = FOLDER / "documents" / f"{version.document}.txt"
    return text_of(path) if path.is_file() else None


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_file_says_what_its_document_says_and_leaves_the_rest_unset(name: str) -> None:
    version = bare(name)
    found = policy_check.check(version, document(version))
    assert found == policy_check.unset(version)
    assert {"payout_mode", "funding_shares", "rounding"} <= {problem.key for problem in found}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_file_filled_in_for_the_demo_is_fit_to_publish(name: str) -> None:
    version = filled(name)
    assert policy_check.check(version, document(version)) == ()
    assert {fill.basis for fill in version.fills} == {"演示填写，非文件规定"}


def test_lvliang_and_zezhou_carry_out_the_provinces_voucher_under_their_own_authorities() -> None:
    lvliang, zezhou = filled("lvliang-innovation-2022"), filled("zezhou-innovation-2022")
    assert [each.name for each in lvliang.authorities] == ["市科技局"]
    assert [each.name for each in zezhou.authorities] == ["县教育局", "县财政局", "县税务局"]
    for child in (lvliang, zezhou):
        assert child.cap_family == "CN-140000-INNO" and child.home_region == "140000"
        cap, source = child.cap_for(HolderClass.TECH_SME), child.source_of("caps[0]")
        assert cap is not None and (cap.amount_fen, cap.family) == (200_000_00, "CN-140000-INNO")
        assert source is not None and (source.document_no, source.item) == ("晋发改高新发〔2022〕79号", "18")
        assert child.heir_of("caps[0]") == "CN-140000-INNO-2022"
        assert child.clause("caps[0]") == "晋发改高新发〔2022〕79号 第 18 条（继承自 CN-140000-INNO-2022）"
        assert child.clause("rate_lines") is not None and child.heir_of("authorities") is None
    assert bare("zezhou-innovation-2022").effective_from is None
    assert "effective_from" in {p.key for p in policy_check.unset(bare("zezhou-innovation-2022"))}


@pytest.mark.parametrize("name", WEAK)
def test_a_version_known_from_reports_only_is_marked_and_not_fit_to_publish(name: str) -> None:
    version = bare(name)
    assert version.weak_source is not None
    found = {problem.key for problem in policy_check.check(version, document(version))}
    assert {"policy.weak_source", "document"} <= found
    assert all(source.quote.startswith("转述：") for _, source in version.sources)


def test_no_two_files_share_a_code() -> None:
    codes = [bare(path.stem).code for path in sorted(FOLDER.glob("*.toml"))]
    assert len(set(codes)) == len(codes)


def test_zezhou_names_the_education_bureau_and_leaves_open_whom_it_pays_and_since_when() -> None:
    zezhou = bare("zezhou-post-2022")
    assert zezhou.kind is VoucherKind.POST_SUBSIDY
    assert [authority.name for authority in zezhou.authorities] == ["县教育局", "县财政局"]
    assert {"effective_from", "holder_classes", "caps"} <= {p.key for p in policy_check.unset(zezhou)}


def test_xining_issues_startup_vouchers_to_bases_and_innovation_vouchers_also_to_teams() -> None:
    assert bare("xining-startup-2018").holder_classes == (HolderClass.INCUBATION_BASE,)
    assert bare("xining-innovation-2018").holder_classes == (HolderClass.ENTERPRISE, HolderClass.TEAM)
    assert [certifier.value for certifier in bare("xining-innovation-2018").certifiers] == ["science"]


def test_lhasa_buys_eight_services_with_either_kind_of_voucher() -> None:
    first, second = bare("lhasa-innovation-2019"), bare("lhasa-startup-2019")
    assert len(first.services) == 8
    assert first.services == second.services
    assert (first.kind, second.kind) == (VoucherKind.INNOVATION, VoucherKind.STARTUP)


def test_checking_all_files_takes_less_than_two_seconds() -> None:
    with within(2, time.process_time):
        for path in sorted(FOLDER.glob("*.toml")):
            version = bare(path.stem)
            policy_check.check(version, document(version))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_example_is_a_case_of_a_file_and_is_explained_clause_by_clause(path: Path) -> None:
    code = json.loads(text_of(path))["policy"]
    (name,) = [name for name in (*DOCUMENTED, *WEAK) if bare(name).code == code]
    version = filled(name)
    assert hindrances(version) == ()
    trial = read_case(version, text_of(path))
    told = explain(version, trial)
    assert told.amount_fen > 0
    assert sum(each.amount_fen for each in told.funded) == told.amount_fen
    unexplained = [step.label for step in told.steps if step.clause is None]
    assert all(label.startswith("不超过券面余额") for label in unexplained)
