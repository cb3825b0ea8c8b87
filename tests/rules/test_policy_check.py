from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.rules.policies import COMPLETE, SHANXI, SHANXI_DOCUMENT, SHANXI_FILL, flat, policy, yearly_cap
from voucher.money import Fen
from voucher.rules import policy_check, policy_reading
from voucher.rules.policy import Authority, PolicyError, RateLine, Service, Share, Source, Tier
from voucher.terms import (
    CapPeriod,
    DocumentKind,
    HolderClass,
    PayoutMode,
    SubsidyBase,
    Unconfirmed,
    VoucherKind,
    YearBasis,
)

STORED = "测发〔2026〕1 号\n第三条 补助比例为\n百分之五十。"
SOUND = policy(authorities=(Authority("science", "市科技局"),))


def findings(changes: dict[str, Any]) -> list[str]:
    changed = policy(**({"authorities": SOUND.authorities} | changes))
    return [problem.key for problem in policy_check.check(changed, STORED)]


def test_the_shanxi_document_leaves_open_what_it_does_not_say() -> None:
    missing = {problem.key for problem in policy_check.unset(policy_reading.read(SHANXI))}
    assert missing == {
        "base", "rate_lines", "rounding", "payout_mode", "funding_shares", "certifiers", "complete_by_days",
        "redeem_by_days", "evidence", "notice_days", "transition", "issue_mode", "face_min_fen", "face_max_fen",
        "use_by_days", "year",
    }  # fmt: skip


def test_an_unfilled_policy_is_checked_without_guessing_at_its_rates() -> None:
    shanxi = policy_reading.read(SHANXI)
    assert policy_check.check(shanxi, SHANXI_DOCUMENT) == policy_check.unset(shanxi)


def test_the_demo_fills_in_everything_and_every_quotation_stands_in_the_document() -> None:
    shanxi = policy_reading.read(SHANXI, [SHANXI_FILL])
    assert policy_check.check(shanxi, SHANXI_DOCUMENT) == ()


def test_a_changed_amount_in_a_quotation_is_noticed() -> None:
    forged = policy_reading.read(SHANXI.replace("不超过 20 万元", "不超过 50 万元"), [SHANXI_FILL])
    (found,) = policy_check.check(forged, SHANXI_DOCUMENT)
    assert (found.key, found.clause) == ("caps[0]", "18")
    assert "50 万元" in found.message


def test_a_sound_policy_has_nothing_against_it() -> None:
    assert policy_check.check(SOUND, STORED) == ()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"effective_to": date(2026, 1, 1)}, "effective_through"),
        ({"year_start": (7, 1)}, "year_start"),
        ({"face_min_fen": Fen(200_000_01)}, "face_min_fen"),
        ({"funding_shares": (Share("140000", 6_667), Share("141100", 3_332))}, "funding_shares"),
        ({"funding_shares": (Share("140000", 5_000), Share("140000", 5_000))}, "funding_shares"),
        ({"funding_shares": (Share("a", 2, 3), Share("b", 3_333))}, "funding_shares"),
        ({"unconfirmed": Unconfirmed.DISPUTE}, "unconfirmed"),
        ({"weak_source": "报道"}, "policy.weak_source"),
        ({"caps": (yearly_cap(1), yearly_cap(2))}, "caps[1]"),
        (
            {"caps": (replace(yearly_cap(1, start=None), carry_years=1, period=CapPeriod.PROGRAMME),)},
            "caps[0]",
        ),
        (
            {
                "caps": (replace(yearly_cap(1), carry_years=1),),
                "year": YearBasis.INVOICE_WINDOW,
                "year_start": (7, 1),
            },
            "caps[0]",
        ),
        ({"year": YearBasis.INVOICE_WINDOW}, "year_start"),
        ({"caps": (yearly_cap(1), yearly_cap(2, HolderClass.TEAM))}, "caps[1]"),
        ({"services": (Service("testing", "a"), Service("testing", "b"))}, "services[1]"),
        ({"rate_lines": (flat(1, service="exhibition"), flat(2))}, "rate_lines[0]"),
        ({"rate_lines": (flat(1, holder_class=HolderClass.TEAM), flat(2))}, "rate_lines[0]"),
        ({"rate_lines": (flat(1), flat(2, service="testing"))}, "rate_lines[1]"),
        ({"rate_lines": (flat(1, provider_region="140000"),)}, "rate_lines"),
        ({"base": SubsidyBase.PAID, "evidence": (DocumentKind.INVOICE,)}, "evidence"),
        ({"payout_mode": PayoutMode.OPERATOR_ESCROW}, "payout_mode"),
        ({"year": YearBasis.WINDOW}, "year_start"),
        ({"use_by_days": None}, "use_by_days"),
        ({"document_no": "测发〔2026〕2号"}, "document_no"),
        ({"sources": (("base", Source("测发〔2026〕1号", "三", "百分之六十")),)}, "base"),
        ({"sources": (("base", Source("测发〔2026〕9号", "三", "百分之五十")),)}, "base"),
    ],
)
def test_a_contradiction_is_named_by_its_parameter(changes: dict[str, Any], key: str) -> None:
    assert findings(changes) == [key]


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_to": date(2026, 1, 2)},
        {"face_min_fen": Fen(200_000_00)},
        {"funding_shares": (Share("140000", 6_667), Share("141100", 3_333))},
        {"funding_shares": (Share("a", 2, 3), Share("b", 1, 3))},
        {"prorata": False},
        {"year": YearBasis.WINDOW, "year_start": (7, 1)},
        {"rate_lines": (flat(1, service="testing", provider_region="140000"), flat(2, service="testing"))},
        {"base": SubsidyBase.INVOICE_NET},
        {"sources": (("base", Source("测发〔2026〕1号", "三", "补助比例为百分之五十")),)},
        {
            "services": (Service("testing", "a"), Service("x", "b")),
            "rate_lines": (flat(1, service="x"), flat(2)),
        },
        {
            "payout_mode": PayoutMode.OPERATOR_ESCROW,
            "authorities": (Authority("operator", "运营中心"), Authority("science", "市科技局")),
        },
    ],
)
def test_what_only_looks_like_a_contradiction_passes(changes: dict[str, Any]) -> None:
    assert findings(changes) == []


@pytest.mark.parametrize("keeper", ["a", "c", "b"])
def test_what_spills_goes_to_another_funder_that_keeps_it(keeper: str) -> None:
    shares = (
        Share("a", 1, 2, Fen(1), spill_to=keeper),
        Share("b", 1, 4),
        Share("d", 1, 4, Fen(1), spill_to="b"),
    )
    found = policy_check.contradictions(policy(funding_shares=shares))
    assert [problem.key for problem in found] == ([] if keeper == "b" else ["funding_shares[0]"])
    chain = (Share("a", 1, 2, Fen(1), spill_to="b"), Share("b", 1, 2, Fen(1), spill_to="c"))
    found = policy_check.contradictions(policy(funding_shares=chain))
    assert [problem.key for problem in found] == ["funding_shares[0]", "funding_shares[1]"]


def rest(text: str) -> dict[str, int | None]:
    """Every problem of a text by key with its line, as `voucher policy check` tells it."""
    with pytest.raises(PolicyError) as unreadable:
        policy_reading.read(text)
    found = policy_check.check_rest(unreadable.value, STORED)
    return {problem.key: problem.line for problem in policy_reading.placed(found, text)}


HEAD = """[policy]
code = "P-1"
programme = "P"
title = "测试券"
document_no = "测发〔2026〕1号"
document = "test"
owner_region = "140000"
cap_family = "P"
"""
SAID = 'source = { document_no = "测发〔2026〕1号", item = "3", quote = "百分之五十" }\n'


def test_a_malformed_file_is_judged_in_all_its_other_parts_at_once() -> None:
    text = (
        f"{HEAD}[notice_days]\nvalue = true\n{SAID}[face_min_fen]\nvalue = 2\n{SAID}"
        f"[face_max_fen]\nvalue = 1\n{SAID.replace('五十', '六十')}"
    )
    found = rest(text)
    assert found["notice_days.value"] == 10
    assert "notice_days" not in found
    assert found["face_min_fen"] == 12
    assert found["face_max_fen"] == 15
    assert found["rate_lines"] is None


def test_what_depends_on_a_malformed_parameter_is_not_judged() -> None:
    lines = f"[[rate_lines]]\nrate_bp = 1\nservice = 'gone'\n{SAID}"
    found = rest(f"{HEAD}[kind]\nvalue = 'x'\n{SAID}[[services]]\ncode = '?'\nlabel = 'a'\n{SAID}{lines}")
    assert {"kind.value", "services[0].code", "base"} <= found.keys()
    assert not {"rate_lines[0]", "rate_lines", "services", "kind", "use_by_days", "year"} & found.keys()
    found = rest(f"{HEAD}[[caps]]\nperiod = 'month'\n{SAID}")
    assert "year" not in found and "caps" not in found


def test_a_wrong_field_of_the_identity_hides_no_other_fault_but_ends_the_judgement() -> None:
    found = rest(HEAD.replace('"P-1"', "1") + f"[notice_days]\nvalue = -1\n{SAID}")
    assert found == {"policy.code": 2, "notice_days.value": 10}
    found = rest(HEAD + "weak_source = 1\n")
    assert found["policy.weak_source"] == 9 and "base" in found


def test_a_problem_of_a_fill_in_has_the_fill_ins_line() -> None:
    fill = '[fill]\npolicy = "P-1"\nwho = "a"\nbasis = "b"\n[face_min_fen]\nvalue = 2\n[face_max_fen]\nvalue = 1\n'
    found = policy_check.check(policy_reading.read(HEAD, [fill]), None)
    placed = {problem.key: problem.line for problem in policy_reading.placed(found, HEAD, [fill])}
    assert placed["fills[0].face_min_fen"] == 5
    assert placed["document"] == 6
    assert placed["base"] is None


def test_a_rate_gap_names_the_service_and_class_without_rate() -> None:
    gaps = policy(authorities=SOUND.authorities, rate_lines=(RateLine((Tier(1),), service="other"),))
    assert [problem.key for problem in policy_check.check(gaps, STORED)] == ["rate_lines[0]", "rate_lines"]


def test_a_contradiction_cites_the_clause_it_comes_from() -> None:
    cited = policy(
        authorities=SOUND.authorities,
        face_min_fen=Fen(200_000_01),
        sources=(("face_min_fen", Source("测发〔2026〕1号", "三", "第三条")),),
    )
    assert [problem.clause for problem in policy_check.check(cited, STORED)] == ["三"]


def test_without_the_stored_document_no_quotation_is_verified() -> None:
    (found,) = policy_check.check(SOUND, None)
    assert found.key == "document"


def test_a_post_subsidy_needs_no_voucher_parameters() -> None:
    without = {"issue_mode": None, "face_min_fen": None, "face_max_fen": None, "use_by_days": None}
    assert findings({"kind": VoucherKind.POST_SUBSIDY, **without}) == []
    assert set(findings({**without})) == set(without)


def test_a_policy_without_authority_cannot_be_published() -> None:
    assert [problem.key for problem in policy_check.unset(COMPLETE)] == ["authorities"]


def test_a_cap_for_the_whole_programme_needs_no_year() -> None:
    assert "year" not in findings({"caps": (), "year": None})
    assert "year" in findings({"year": None})


def test_texts_are_judged_whole_or_as_far_as_they_can_be_read() -> None:
    fit = policy_check.problems_of(SHANXI, [SHANXI_FILL], document_text=SHANXI_DOCUMENT)
    assert fit == ()
    broken = SHANXI.replace('period = "year"', 'period = "century"')
    (problem,) = policy_check.problems_of(broken, [SHANXI_FILL], document_text=SHANXI_DOCUMENT)
    assert problem.line is not None
    assert "period" in problem.key
