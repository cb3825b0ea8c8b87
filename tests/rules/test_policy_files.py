"""The files in policies/: every quotation stands in the stored document, and nothing is guessed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.rules.policies import FOLDER
from voucher.rules import policy_check
from voucher.rules.explain import explain, hindrances, read_case
from voucher.rules.policy import Policy
from voucher.rules.policy_reading import read
from voucher.terms import HolderClass, VoucherKind

DOCUMENTED = [
    "shanxi-2022",
    "zezhou-post-2022",
    "xining-innovation-2018",
    "xining-startup-2018",
    "lhasa-innovation-2019",
    "lhasa-startup-2019",
]
WEAK = ["shanxi-2024", "qinghai-2025", "tibet-2019"]
CASES = sorted((FOLDER / "cases").glob("*.json"))


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def bare(name: str) -> Policy:
    return read(text_of(FOLDER / f"{name}.toml"))


def filled(name: str) -> Policy:
    return read(text_of(FOLDER / f"{name}.toml"), [text_of(FOLDER / "fills" / f"{name}-demo.toml")])


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


@pytest.mark.parametrize("name", WEAK)
def test_a_version_known_from_reports_only_is_marked_and_not_fit_to_publish(name: str) -> None:
    version = bare(name)
    assert version.weak_source is not None
    found = {problem.key for problem in policy_check.check(version, document(version))}
    assert {"policy.weak_source", "document"} <= found
    assert all(source.quote.startswith("转述：") for _, source in version.sources)


def test_no_two_files_share_a_code() -> None:
    codes = [read(text_of(path)).code for path in sorted(FOLDER.glob("*.toml"))]
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
    started = time.process_time()
    for path in sorted(FOLDER.glob("*.toml")):
        version = read(text_of(path))
        policy_check.check(version, document(version))
    assert time.process_time() - started < 2


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
