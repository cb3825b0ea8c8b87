"""The cases of domain, section 3.4, worked out by hand there; the last one (two browsers) is in tests/concurrency."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.rules.policies import FOLDER, flat, policy, yearly_cap
from voucher.errors import Code
from voucher.money import Fen
from voucher.rules import policy_reading
from voucher.rules.clamp import Limit, clamp
from voucher.rules.explain import Explanation, explain, read_case
from voucher.rules.funding import share_of, split
from voucher.rules.policy import Policy, PolicyError, RateLine, Tier
from voucher.terms import CapScope, HolderClass, Rounding, SubsidyBase

SHUANGCHUANG = """
[policy]
code = "CN-SCQ-2019"
programme = "CN-SCQ"
title = "长三角双创券"
document_no = "双创券试算"
document = "none"
owner_region = "310110"
cap_family = "CN-SCQ"
"""
THIRDS = """
[fill]
policy = "CN-SCQ-2019"
who = "测试"
basis = "landscape.md 双创券"
[holder_classes]
value = ["enterprise"]
[[services]]
code = "service"
label = "服务"
[base]
value = "contract"
[[rate_lines]]
rate_bp = 10_000
[rounding]
value = "fen"
[[funding_shares]]
funder = "310110"
parts = 2
of = 3
[[funding_shares]]
funder = "320412"
parts = 1
of = 3
"""


def filed(name: str) -> Policy:
    fill = (FOLDER / "fills" / f"{name}-demo.toml").read_text("utf-8")
    return policy_reading.read((FOLDER / f"{name}.toml").read_text("utf-8"), [fill])


def tried(version: Policy, **case: Any) -> Explanation:
    return explain(version, read_case(version, json.dumps(case)))


def paid_by(told: Explanation) -> dict[str, int]:
    return {each.funder: each.amount_fen for each in told.funded}


def test_shanxi_2022_with_180_000_counted_gives_20_000_of_50_000_and_then_nothing() -> None:
    shanxi = filed("shanxi-2022")
    case = {"holder_class": "tech_sme", "service": "technical_cooperation", "contract_yuan": "100,000"}
    assert tried(shanxi, **case).amount_fen == 50_000_00
    told = tried(shanxi, **case, counted_yuan="180,000")
    assert told.amount_fen == 20_000_00
    (cut,) = [step for step in told.steps if "上限的余额" in step.label]
    assert (cut.clause, cut.value) == ("18", 20_000_00)
    assert tried(shanxi, **case, counted_yuan="200,000").amount_fen == 0
    limit = Limit("cap", Fen(0), Fen(200_000_00), Fen(200_000_00))
    assert clamp(Fen(50_000_00), [limit]).refusal is Code.CAP_EXCEEDED


def test_shanxi_2024_with_1_200_000_paid_gives_500_000_half_by_the_province_half_by_the_city() -> None:
    shanxi = filed("shanxi-2024")
    told = tried(shanxi, holder_class="enterprise", service="testing", paid_yuan="1,200,000")
    assert 600_000_00 in [step.value for step in told.steps]
    assert told.amount_fen == 500_000_00
    assert paid_by(told) == {"140000": 250_000_00, "city": 250_000_00}


def test_an_order_of_the_last_day_of_april_2024_is_not_of_the_version_of_may() -> None:
    case = {"service": "testing", "paid_yuan": "1,200,000", "holder_class": "enterprise"}
    later = filed("shanxi-2024")
    with pytest.raises(PolicyError) as refused:
        tried(later, **case, ordered_on="2024-04-30")
    assert [problem.key for problem in refused.value.problems] == ["ordered_on"]
    assert tried(later, **case, ordered_on="2024-05-01").amount_fen == 500_000_00
    assert tried(later, **case, ordered_on="2029-04-30").amount_fen == 500_000_00
    with pytest.raises(PolicyError):
        tried(later, **case, ordered_on="2029-05-01")
    earlier = filed("shanxi-2022")
    case = {"holder_class": "tech_sme", "service": "technical_cooperation", "contract_yuan": "1,200,000"}
    assert tried(earlier, **case, ordered_on="2024-04-30").amount_fen == 200_000_00


def test_yuhuan_pays_20_000_on_an_invoice_of_30_000_with_50_000_on_the_voucher() -> None:
    yuhuan = policy(
        base=SubsidyBase.INVOICE_NET, rate_lines=(RateLine((Tier(10_000, Fen(10_000_00)), Tier(5_000))),)
    )
    told = tried(
        yuhuan, holder_class="tech_sme", service="testing", invoice_net_yuan="30,000", voucher_yuan="50,000"
    )
    assert told.amount_fen == 20_000_00


def test_qinghai_pays_60_000_and_160_000_and_the_year_leaves_200_000() -> None:
    qinghai = filed("qinghai-2025")
    firm = {"holder_class": "tech_sme"}
    first = tried(qinghai, **firm, service="instrument_sharing", contract_yuan="60,000")
    assert first.amount_fen == 60_000_00
    case = {**firm, "service": "testing", "contract_yuan": "200,000"}
    assert tried(qinghai, **case).amount_fen == 160_000_00
    assert tried(qinghai, **case, counted_yuan="60,000").amount_fen == 140_000_00
    tenant = {"holder_class": "startup", "service": "testing", "contract_yuan": "200,000"}
    assert tried(qinghai, **tenant).amount_fen == 50_000_00


def test_tibet_pays_firms_half_and_teams_nine_tenths_each_under_its_own_cap() -> None:
    tibet = filed("tibet-2019")
    case = {"service": "testing", "contract_yuan": "50,000"}
    assert tried(tibet, **case, holder_class="tech_sme").amount_fen == 25_000_00
    assert tried(tibet, **case, holder_class="team").amount_fen == 45_000_00
    case = {"service": "testing", "contract_yuan": "900,000"}
    assert tried(tibet, **case, holder_class="tech_sme").amount_fen == 100_000_00
    assert tried(tibet, **case, holder_class="team").amount_fen == 50_000_00


def test_a_new_file_for_the_voucher_of_four_regions_shares_100_000_in_thirds_to_the_fen() -> None:
    version = policy_reading.read(SHUANGCHUANG, [THIRDS])
    told = tried(version, holder_class="enterprise", service="service", contract_yuan="100,000")
    assert paid_by(told) == {"310110": 66_666_67, "320412": 33_333_33}
    assert sum(paid_by(told).values()) == told.amount_fen == 100_000_00
    assert told.steps[-1].value == 33_333_33


def test_zezhou_pays_500_000_in_the_county_and_200_000_for_a_result_from_outside() -> None:
    zezhou = filed("zezhou-post-2022")
    case = {"holder_class": "enterprise", "service": "technology_transfer"}
    inside = tried(zezhou, **case, paid_yuan="2,000,000", provider_region="140525")
    assert inside.amount_fen == 500_000_00
    assert 600_000_00 in [step.value for step in inside.steps]
    assert inside.steps[1].clause == "6"
    for origin in ("140500", "140502", "310000", "630100"):
        assert tried(zezhou, **case, paid_yuan="1,000,000", provider_region=origin).amount_fen == 200_000_00
        assert tried(zezhou, **case, paid_yuan="2,000,000", provider_region=origin).amount_fen == 300_000_00


def test_sichuan_pays_technology_managers_at_most_1_000_each() -> None:
    sichuan = policy(rate_lines=(flat(3_000),), per_unit_cap_fen=Fen(1_000_00))
    case = {"holder_class": "tech_sme", "service": "testing", "contract_yuan": "100,000"}
    assert tried(sichuan, **case, units=12).amount_fen == 12_000_00
    assert tried(sichuan, **case, units=40).amount_fen == 30_000_00


def test_fujian_fixes_the_factor_when_the_window_has_closed_and_pays_whole_yuan() -> None:
    fujian = policy(prorata=True)
    case = {"holder_class": "tech_sme", "service": "testing", "contract_yuan": "100,000.50"}
    assert tried(fujian, **case).amount_fen == 50_000_25
    told = tried(fujian, **case, factor_bp=8_333)
    assert told.amount_fen == 41_665_00
    assert [step.unit for step in told.steps][-3:] == ["bp", "fen", "fen"]


def test_fujian_keeps_the_province_under_its_own_ceiling() -> None:
    province = {"funder": "350000", "bp": 6_000, "ceiling_bp": 3_000, "ceiling_fen": 120_000_00}
    city = {"funder": "350100", "bp": 4_000}
    shares = (share_of(province), share_of(city))
    assert [each.amount_fen for each in split(shares, Fen(200_000_00), Fen(400_000_00))] == [
        120_000_00,
        80_000_00,
    ]
    told = tried(
        policy(funding_shares=shares, rate_lines=(flat(6_000),), rounding=Rounding.YUAN, caps=()),
        holder_class="tech_sme",
        service="testing",
        contract_yuan="100,000",
    )
    assert (told.amount_fen, paid_by(told)) == (54_000_00, {"350000": 30_000_00, "350100": 24_000_00})
    spilling = (share_of(province | {"spill_to": "350100"}), share_of(city))
    told = tried(
        policy(funding_shares=spilling, rate_lines=(flat(6_000),), holder_classes=(HolderClass.TECH_SME,)),
        holder_class="tech_sme",
        service="testing",
        contract_yuan="100,000",
    )
    assert (told.amount_fen, paid_by(told)) == (60_000_00, {"350000": 30_000_00, "350100": 30_000_00})


def test_the_last_day_of_lhasa_is_the_last_day_of_2020() -> None:
    lhasa = filed("lhasa-startup-2019")
    assert (lhasa.effective_from, lhasa.effective_to) == (date(2019, 1, 1), date(2021, 1, 1))


def test_yuhang_pays_half_of_the_audited_amount_and_carries_what_is_left_of_the_year() -> None:
    carried = replace(yearly_cap(20_000_00), carry_years=2)
    yuhang = policy(base=SubsidyBase.AUDITED, caps=(carried,))
    case = {"holder_class": "tech_sme", "service": "testing", "paid_yuan": "90,000"}
    assert tried(yuhang, **case, audited_yuan="30,000").amount_fen == 15_000_00
    told = tried(yuhang, **case, audited_yuan="80,000", counted_yuan="5,000", carried_yuan="15,000")
    assert told.amount_fen == 30_000_00
    assert told.steps[0].label == "补助基数：审核认定金额"
    assert "上限 35,000.00 元，已计 5,000.00 元" in told.steps[-2].label


def test_firms_of_one_controller_take_no_more_than_the_highest_cap_together() -> None:
    shared = replace(yearly_cap(200_000_00), scope=CapScope.CONTROL_GROUP)
    version = policy(caps=(shared,))
    case = {"holder_class": "tech_sme", "service": "testing", "contract_yuan": "200,000"}
    told = tried(version, **case, counted_yuan="0", group_counted_yuan="150,000")
    assert told.amount_fen == 50_000_00
    assert "同一控制人的企业合计上限" in told.steps[-2].label
