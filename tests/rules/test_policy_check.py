from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.rules.policies import COMPLETE, SHANXI, SHANXI_DOCUMENT, SHANXI_FILL, flat, policy, yearly_cap
from voucher.money import Fen
from voucher.rules import policy_check, policy_reading
from voucher.rules.policy import Authority, RateLine, Service, Share, Source, Tier
from voucher.terms import DocumentKind, HolderClass, PayoutMode, SubsidyBase, VoucherKind, YearBasis

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
        ({"caps": (yearly_cap(1), yearly_cap(2))}, "caps[1]"),
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
