"""A child takes over what it does not give, says from where, and may not loosen what binds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.rules.policies import COMPLETE, SHANXI, SHANXI_FILL, flat, yearly_cap
from voucher.money import Fen
from voucher.rules.policy import Fill, Policy, PolicyError, Source
from voucher.rules.policy_check import contradictions
from voucher.rules.policy_inheritance import inherit, with_years
from voucher.rules.policy_reading import LONGEST_FILE, parent_of, read
from voucher.terms import CapBasis, CapPeriod, HolderClass, VoucherKind, YearBasis

PARENT = replace(
    COMPLETE,
    sources=(
        ("caps[0]", Source("测发〔2026〕1号", "18", "原文")),
        ("evidence", Source("测发〔2026〕1号", "文末", "x")),
    ),
    fills=(Fill("rate_lines", "某局", "会议"),),
    binding=("evidence", "rounding"),
)
HEAD = """[policy]
code = "C-1"
programme = "C"
title = "下级券"
document_no = "县发〔2026〕2号"
document = "child"
owner_region = "140100"
parent = "CN-TEST-2026"
"""
GIVEN = 'source = { document_no = "县发〔2026〕2号", item = "2", quote = "原文" }\n'


def child(text: str = "", *fills: str, parent: Policy | None = PARENT) -> Policy:
    return read(f"{HEAD}\n{text}", fills, parent=parent)


def with_parent(parent: Policy = PARENT, /, **changes: Any) -> Policy:
    own = Policy(
        code="C-1",
        programme="C",
        title="下级券",
        document_no="县发〔2026〕2号",
        document="child",
        owner_region="140100",
        cap_family=parent.cap_family,
        parent=parent.code,
        effective_from=date(2026, 2, 1),
    )
    return with_years(inherit(replace(own, **changes), parent))


def keys(policy: Policy) -> set[str]:
    return {problem.key for problem in contradictions(policy)}


def test_a_child_that_gives_nothing_has_everything_from_its_parent_with_its_place() -> None:
    found = child()
    assert (found.base, found.caps, found.services) == (PARENT.base, PARENT.caps, PARENT.services)
    assert found.effective_from is None
    assert found.clause("caps[0]") == "测发〔2026〕1号 第 18 条（继承自 CN-TEST-2026）"
    assert found.clause("evidence") == "测发〔2026〕1号 文末（继承自 CN-TEST-2026）"
    assert found.clause("rate_lines") == "某局：会议（继承自 CN-TEST-2026）"
    assert found.clause("notice_days") is None
    assert found.heir_of("caps[0].amount_fen") == "CN-TEST-2026"


def test_what_a_child_gives_itself_is_its_own() -> None:
    found = child(f"[notice_days]\nvalue = 9\n{GIVEN}")
    assert (found.notice_days, found.heir_of("notice_days")) == (9, None)
    assert found.clause("notice_days") == "2"


def test_a_grandchild_says_which_version_first_gave_a_parameter() -> None:
    middle = with_parent(rounding=PARENT.rounding)
    grandchild = with_parent(middle, code="C-2")
    assert (grandchild.heir_of("caps"), grandchild.heir_of("rounding")) == ("CN-TEST-2026", "C-1")
    assert grandchild.home_region == "140000"


def test_a_child_without_a_family_of_its_own_shares_the_cap_and_one_with_it_does_not() -> None:
    assert {cap.family for cap in child().caps} == {"FAMILY"} and child().home_region == "140000"
    own = read(HEAD + 'cap_family = "OWN"\n', parent=PARENT)
    assert {cap.family for cap in own.caps} == {"OWN"} and own.home_region == "140100"


def test_the_first_day_of_the_year_goes_with_what_the_year_means() -> None:
    window = replace(PARENT, year=YearBasis.WINDOW, year_start=(7, 1))
    assert with_parent(window).caps[0].year_start == (7, 1)
    calendar = with_parent(window, year=YearBasis.CALENDAR)
    assert (calendar.year_start, calendar.caps[0].year_start) == (None, (1, 1))


def test_a_cap_for_the_whole_programme_has_no_year() -> None:
    whole = replace(yearly_cap(5, start=None), period=CapPeriod.PROGRAMME, family="")
    assert with_parent(caps=(whole,)).caps[0] == replace(whole, family="FAMILY")


def test_a_fill_in_may_replace_what_the_parents_authority_filled_in_but_not_what_its_document_says() -> None:
    fill = '[fill]\npolicy = "C-1"\nwho = "县局"\nbasis = "会议"\n'
    assert child("", fill + "[[rate_lines]]\nrate_bp = 3_000\n").rate_lines == (flat(3_000),)
    assert child("", fill + "[effective_from]\nvalue = 2026-03-01\n").effective_from == date(2026, 3, 1)
    with pytest.raises(PolicyError) as failed:
        child("", fill + '[evidence]\nvalue = ["contract"]\n')
    assert "上级政策 CN-TEST-2026 的文件已经规定" in failed.value.problems[0].message


@pytest.mark.parametrize("parent", [None, replace(PARENT, code="OTHER")])
def test_a_parent_that_is_not_the_one_named_is_a_problem_with_its_line(parent: Policy | None) -> None:
    with pytest.raises(PolicyError) as failed:
        child(parent=parent)
    (problem,) = failed.value.problems
    assert (problem.key, problem.line) == ("policy.parent", 8)
    assert failed.value.readable is not None and failed.value.readable.caps == ()


def test_a_version_without_a_parent_must_name_its_cap_family() -> None:
    with pytest.raises(PolicyError) as failed:
        read(HEAD.replace('parent = "CN-TEST-2026"\n', ""), parent=PARENT)
    assert [problem.key for problem in failed.value.problems] == ["policy.cap_family"]
    with pytest.raises(PolicyError):
        read('[policy]\ntitle = "x"\n')


def test_the_parent_of_a_text_is_known_before_it_is_read() -> None:
    assert (parent_of(HEAD), parent_of(SHANXI), parent_of("[x")) == ("CN-TEST-2026", None, None)
    assert (
        parent_of("policy = 1"),
        parent_of("[policy]\nparent = 1"),
        parent_of("#" * (LONGEST_FILE + 1)),
    ) == (
        None,
        None,
        None,
    )


def test_a_child_within_its_bounds_contradicts_nothing() -> None:
    assert keys(with_parent()) == set()
    assert keys(with_parent(caps=(yearly_cap(100_000_00),), evidence=PARENT.evidence[:1])) == set()
    unlimited = replace(PARENT, caps=())
    assert keys(with_parent(unlimited, caps=(yearly_cap(1),))) == set()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"kind": VoucherKind.STARTUP}, "kind"),
        ({"owner_region": "610000"}, "policy.owner_region"),
        ({"effective_from": date(2025, 12, 31)}, "effective_from"),
        ({"caps": (yearly_cap(200_000_01),)}, "caps[0]"),
        ({"caps": (replace(yearly_cap(1), basis=CapBasis.CLAIMED),)}, "caps[0]"),
        ({"caps": (replace(yearly_cap(1), period=CapPeriod.PROGRAMME),)}, "caps[0]"),
        ({"caps": (yearly_cap(1, HolderClass.TEAM),)}, "caps"),
        ({"face_max_fen": Fen(10**9)}, "face_max_fen"),
        ({"rounding": "yuan"}, "rounding"),
    ],
)
def test_what_loosens_a_bound_is_a_contradiction(changes: dict[str, Any], key: str) -> None:
    assert key in keys(with_parent(**changes))


def test_a_higher_cap_names_the_version_and_document_that_bind() -> None:
    (problem,) = contradictions(with_parent(caps=(yearly_cap(300_000_00),)))
    assert (
        problem.message == "限额 300,000.00 元高于上级政策 CN-TEST-2026（测发〔2026〕1号） 的 200,000.00 元"
    )


def test_highest_counts_are_told_as_counts() -> None:
    often = with_parent(replace(PARENT, applications_most=2), applications_most=3)
    (problem,) = contradictions(often)
    assert problem.message.endswith("的 2")


def test_evidence_that_binds_may_be_narrowed_and_not_widened() -> None:
    narrower = replace(PARENT, evidence=PARENT.evidence[:1])
    assert keys(with_parent(narrower, evidence=PARENT.evidence)) == {"evidence"}


def test_a_child_is_in_force_only_while_its_parent_is() -> None:
    ended = replace(PARENT, effective_to=date(2026, 7, 1))
    assert with_parent(ended).effective_to == date(2026, 7, 1) and keys(with_parent(ended)) == set()
    assert keys(with_parent(ended, effective_to=date(2026, 8, 1))) == {"effective_through"}
    assert keys(with_parent(ended, effective_from=date(2026, 7, 1))) >= {"effective_from"}


def test_a_child_of_a_version_known_from_reports_is_not_published_either() -> None:
    assert keys(with_parent(replace(PARENT, weak_source="报道"))) == {"policy.parent"}


def test_only_parameters_that_exist_may_be_binding() -> None:
    fill = '[fill]\npolicy = "CN-140000-INNO-2022"\nwho = "x"\nbasis = "y"\n[binding]\nvalue = '
    assert read(SHANXI, [SHANXI_FILL, f'{fill}["effective_through", "caps"]']).binding
    with pytest.raises(PolicyError):
        read(SHANXI, [f'{fill}["sources"]'])
