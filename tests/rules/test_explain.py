from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.rules.policies import policy, yearly_cap
from voucher.money import Fen
from voucher.rules.explain import FIELDS, Trial, explain, hindrances, read_case
from voucher.rules.policy import Policy, PolicyError, Source
from voucher.terms import CapScope, SubsidyBase

CASE = {"holder_class": "tech_sme", "service": "testing", "contract_yuan": "100,000"}


def faults(text: str, version: Policy | None = None) -> dict[str, str]:
    with pytest.raises(PolicyError) as failed:
        read_case(version or policy(), text)
    return {problem.key: problem.message for problem in failed.value.problems}


def faults_of(**fields: Any) -> dict[str, str]:
    return faults(json.dumps(CASE | fields))


def test_a_case_is_read_with_every_field() -> None:
    told = {
        "policy": "CN-TEST-2026", "note": "全部", "ordered_on": "2026-05-01", "invoice_net_yuan": "1",
        "paid_yuan": "2", "audited_yuan": "0", "applicant_region": "140105", "provider_region": "140100", "units": 3,
        "earlier_yuan": "4", "counted_yuan": "5", "voucher_yuan": "6", "budget_yuan": "7", "factor_bp": 8,
        "carried_yuan": "9", "group_counted_yuan": "10",
    }  # fmt: skip
    assert set(told) | set(CASE) == set(FIELDS)
    shared = replace(yearly_cap(200_000_00), scope=CapScope.CONTROL_GROUP, carry_years=2)
    trial = read_case(policy(prorata=True, caps=(shared,)), json.dumps(CASE | told))
    assert (trial.carried_fen, trial.group_fen) == (9_00, 10_00)
    assert (trial.case.contract_fen, trial.case.audited_fen, trial.case.units) == (100_000_00, 0, 3)
    assert (trial.ordered_on, trial.counted_fen, trial.voucher_fen) == (date(2026, 5, 1), 5_00, 6_00)
    assert (trial.budget_fen, trial.factor_bp, trial.case.earlier_fen) == (7_00, 8, 4_00)


def test_every_fault_of_a_case_is_told_at_once_by_its_field() -> None:
    found = faults(
        '{"service": "exhibition", "paid_yuan": 5, "units": 0, "ordered_on": "2026-13-01", "who": 1,'
        ' "applicant_region": "太原", "policy": "OTHER", "factor_bp": 5000, "units": 0}'
    )
    assert found.keys() == {
        "service", "paid_yuan", "units", "ordered_on", "who", "applicant_region", "policy", "factor_bp", "holder_class",
    }  # fmt: skip
    assert found["service"] == "政策的服务范围只有：testing"
    assert all(message for message in found.values())


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"holder_class": "team"}, "holder_class"),
        ({"holder_class": ["tech_sme"]}, "holder_class"),
        ({"contract_yuan": "-1"}, "contract_yuan"),
        ({"contract_yuan": "NaN"}, "contract_yuan"),
        ({"contract_yuan": "1.005"}, "contract_yuan"),
        ({"contract_yuan": True}, "contract_yuan"),
        ({"units": 1e400}, "units"),
        ({"ordered_on": "2025-12-31"}, "ordered_on"),
        ({"ordered_on": "20260101"}, "ordered_on"),
        ({"ordered_on": 20260101}, "ordered_on"),
        ({"factor_bp": 10_001}, "factor_bp"),
        ({"note": ""}, "note"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], key: str) -> None:
    assert list(faults_of(**fields)) == [key]


def test_a_case_needs_an_amount() -> None:
    assert list(faults('{"holder_class": "tech_sme", "service": "testing"}')) == ["contract_yuan"]


def test_a_field_that_stands_twice_is_a_fault() -> None:
    text = json.dumps(CASE)[:-1] + ', "service": "testing"}'
    assert faults(text) == {"service": "写了两次"}


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 100_000, '{"units": ' + "9" * 5_000 + "}"])
def test_what_is_no_object_is_said_so(text: str) -> None:
    assert list(faults(text)) == [""]


def test_a_version_that_has_ended_says_until_when() -> None:
    ended = policy(effective_to=date(2027, 1, 1))
    found = faults(json.dumps(CASE | {"ordered_on": "2027-01-01"}), ended)
    assert found["ordered_on"].endswith("2026-01-01 至 2026-12-31")
    assert read_case(ended, json.dumps(CASE | {"ordered_on": "2026-12-31"})).ordered_on == date(2026, 12, 31)
    assert faults_of(ordered_on="2025-12-31")["ordered_on"].endswith("2026-01-01 至 长期")


def test_a_day_says_nothing_where_the_version_has_no_days() -> None:
    open_ended = policy(effective_from=None)
    assert read_case(open_ended, json.dumps(CASE | {"ordered_on": "1999-01-01"})).ordered_on == date(
        1999, 1, 1
    )


def test_limits_cut_in_the_order_of_verdicts_and_each_line_shows_what_is_left() -> None:
    trial = read_case(
        policy(),
        json.dumps(CASE | {"voucher_yuan": "40,000", "counted_yuan": "170,000", "budget_yuan": "20,000"}),
    )
    told = explain(policy(), trial)
    assert [step.value for step in told.steps[-4:]] == [40_000_00, 30_000_00, 20_000_00, 20_000_00]
    assert told.amount_fen == 20_000_00


def test_a_later_limit_that_is_wider_gives_nothing_back() -> None:
    trial = read_case(policy(), json.dumps(CASE | {"voucher_yuan": "10,000", "budget_yuan": "40,000"}))
    told = explain(policy(), trial)
    assert [step.value for step in told.steps[-4:]] == [10_000_00] * 4


def test_a_cap_that_is_used_up_leaves_nothing_and_a_policy_without_cap_cuts_nothing() -> None:
    used_up = read_case(policy(), json.dumps(CASE | {"counted_yuan": "300,000"}))
    assert explain(policy(), used_up).amount_fen == 0
    uncapped = policy(caps=(), funding_shares=())
    told = explain(uncapped, used_up)
    assert (told.amount_fen, told.funded) == (50_000_00, ())


def test_each_line_names_what_it_rests_on() -> None:
    said = tuple(
        (key, Source("x", item, "y")) for key, item in (("caps[0]", "七"), ("funding_shares[0]", "八"))
    )
    cited = policy(sources=said)
    told = explain(cited, Trial(case=read_case(cited, json.dumps(CASE)).case))
    assert [step.clause for step in told.steps[-2:]] == ["七", "八"]


def test_what_a_computation_needs_and_what_contradicts_stand_in_its_way() -> None:
    assert hindrances(policy()) == ()
    bare = policy(base=None, rounding=None, notice_days=None, face_min_fen=Fen(200_000_01))
    assert [problem.key for problem in hindrances(bare)] == ["base", "rounding", "face_min_fen"]
    assert hindrances(policy(base=SubsidyBase.AUDITED)) == ()


def test_what_a_cap_does_not_know_is_a_fault_of_the_case() -> None:
    found = faults_of(carried_yuan="1", group_counted_yuan="1")
    assert found.keys() == {"carried_yuan", "group_counted_yuan"}
    uncapped = faults(json.dumps(CASE | {"carried_yuan": "1", "group_counted_yuan": "1"}), policy(caps=()))
    assert uncapped.keys() == found.keys()
