from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.policies import SHANXI, SHANXI_FILL, flat, policy, yearly_cap
from voucher.errors import Code, Refusal
from voucher.money import MAX_FEN, Fen
from voucher.rules import policy_reading
from voucher.rules.clamp import Limit, clamp
from voucher.rules.policy import PolicyUnsetError, RateLine, Service, Source, Tier
from voucher.rules.subsidy import Case, compute, within
from voucher.terms import HolderClass, Rounding, SubsidyBase

YUHUAN = (Tier(10_000, Fen(10_000_00)), Tier(5_000))


def case(contract: int | None = 100_000_00, **fields: Any) -> Case:
    known = {"holder_class": "tech_sme", "service": "testing", "contract_fen": contract}
    return Case(**(known | fields))


def cap_left(amount: int, counted: int) -> Limit:
    return Limit("cap", Fen(amount - counted), Fen(amount), Fen(counted))


def test_the_shanxi_policy_as_filled_in_for_the_demo_pays_half_and_names_who_said_so() -> None:
    shanxi = policy_reading.read(SHANXI, [SHANXI_FILL])
    result = compute(shanxi, case(100_000_00, service="technical_cooperation"))
    assert result.amount_fen == 50_000_00
    assert {step.clause for step in result.steps} == {"演示主管部门：演示填写，非文件规定"}


def test_shanxi_2022_with_180_000_counted_leaves_20_000_of_50_000() -> None:
    shanxi = policy_reading.read(SHANXI, [SHANXI_FILL])
    cap = shanxi.cap_for("tech_sme")
    assert cap is not None and cap.amount_fen == 200_000_00
    wanted = compute(shanxi, case(100_000_00, service="technical_cooperation")).amount_fen
    clamped = clamp(wanted, [cap_left(cap.amount_fen, 180_000_00)])
    assert clamped.granted_fen == 20_000_00
    assert [(cut.name, cut.by_fen) for cut in clamped.reductions] == [("cap", 30_000_00)]
    assert clamp(wanted, [cap_left(cap.amount_fen, 200_000_00)]).refusal is Code.CAP_EXCEEDED


def test_shanxi_2024_with_1_200_000_paid_gives_500_000() -> None:
    shanxi_2024 = policy(base=SubsidyBase.PAID, caps=(yearly_cap(500_000_00),))
    wanted = compute(shanxi_2024, case(None, paid_fen=Fen(1_200_000_00))).amount_fen
    assert wanted == 600_000_00
    assert clamp(wanted, [cap_left(500_000_00, 0)]).granted_fen == 500_000_00


def test_yuhuan_pays_the_first_ten_thousand_whole_and_half_of_the_rest() -> None:
    yuhuan = policy(rate_lines=(RateLine(YUHUAN),))
    assert compute(yuhuan, case(30_000_00)).amount_fen == 20_000_00
    assert compute(yuhuan, case(10_000_00)).amount_fen == 10_000_00
    assert compute(yuhuan, case(4_000_00)).amount_fen == 4_000_00


def test_qinghai_pays_by_service_and_the_year_clamps_the_sum() -> None:
    qinghai = policy(
        services=(Service("instrument_sharing", "仪器"), Service("testing", "检测")),
        rate_lines=(flat(10_000, service="instrument_sharing"), flat(8_000)),
    )
    instruments = compute(qinghai, case(60_000_00, service="instrument_sharing")).amount_fen
    testing = compute(qinghai, case(200_000_00)).amount_fen
    assert (instruments, testing) == (60_000_00, 160_000_00)
    assert clamp(Fen(instruments + testing), [cap_left(200_000_00, 0)]).granted_fen == 200_000_00


def test_zezhou_pays_by_region_of_origin_with_a_cap_for_each() -> None:
    zezhou = policy(
        rate_lines=(
            flat(3_000, provider_region="140525", cap_fen=Fen(500_000_00)),
            flat(2_000, cap_fen=Fen(300_000_00)),
        )
    )
    assert compute(zezhou, case(2_000_000_00, provider_region="140525")).amount_fen == 500_000_00
    assert compute(zezhou, case(1_000_000_00, provider_region="140500")).amount_fen == 200_000_00
    assert compute(zezhou, case(9_000_000_00, provider_region="310000")).amount_fen == 300_000_00


def test_the_region_of_the_applicant_chooses_the_line() -> None:
    changping = policy(rate_lines=(flat(5_000, applicant_region="140100"), flat(2_000)))
    assert compute(changping, case(applicant_region="140105")).amount_fen == 50_000_00
    assert compute(changping, case(applicant_region="141100")).amount_fen == 20_000_00


def test_the_class_of_the_holder_chooses_the_line() -> None:
    tibet = policy(
        holder_classes=(HolderClass.TECH_SME, HolderClass.TEAM),
        rate_lines=(flat(9_000, holder_class=HolderClass.TEAM), flat(5_000)),
    )
    assert compute(tibet, case(holder_class="team")).amount_fen == 90_000_00
    assert compute(tibet, case()).amount_fen == 50_000_00


@pytest.mark.parametrize(
    ("region", "asked", "answer"),
    [
        ("140525", "140500", True),
        ("140525", "140000", True),
        ("140525", "140525", True),
        ("141100", "140100", False),
        ("140000", "140500", False),
        ("140105-Z1", "140100", True),
    ],
)
def test_a_region_lies_within_itself_and_what_is_above_it(region: str, asked: str, answer: bool) -> None:
    assert within(region, asked) is answer


def test_the_base_is_the_least_amount_known() -> None:
    known = case(100_000_00, invoice_net_fen=Fen(94_339_62), paid_fen=Fen(95_000_00))
    assert compute(policy(), known).base_fen == 94_339_62


def test_a_named_base_is_used_even_where_it_is_not_the_least() -> None:
    known = case(100_000_00, invoice_net_fen=Fen(90_000_00))
    assert compute(policy(base=SubsidyBase.CONTRACT), known).base_fen == 100_000_00


def test_the_audited_amount_is_a_base_of_its_own_and_counts_among_the_least() -> None:
    known = case(100_000_00, paid_fen=Fen(95_000_00), audited_fen=Fen(90_000_00))
    assert compute(policy(base=SubsidyBase.AUDITED), known).base_fen == 90_000_00
    assert compute(policy(), known).base_fen == 90_000_00
    assert compute(policy(base=SubsidyBase.PAID), known).base_fen == 95_000_00


def test_what_was_bought_before_counts_for_the_tier_and_is_a_line_of_its_own() -> None:
    yuhuan = policy(rate_lines=(RateLine(YUHUAN),))
    result = compute(yuhuan, case(30_000_00, earlier_fen=Fen(10_000_00)))
    assert result.amount_fen == 15_000_00
    assert result.steps[1].value == 10_000_00


def test_until_the_payment_is_known_the_least_of_the_others_stands_for_it() -> None:
    assert compute(policy(base=SubsidyBase.PAID), case(80_000_00)).base_fen == 80_000_00


def test_the_per_order_cap_and_the_per_unit_cap_cut_and_explain() -> None:
    capped = policy(per_order_cap_fen=Fen(30_000_00), per_unit_cap_fen=Fen(1_000_00))
    result = compute(capped, case(units=12))
    assert result.amount_fen == 12_000_00
    assert [step.value for step in result.steps][-2:] == [30_000_00, 12_000_00]


def test_whole_yuan_are_rounded_down_and_the_step_is_explained() -> None:
    result = compute(policy(rounding=Rounding.YUAN), case(3_333_33))
    assert result.amount_fen == 1_666_00
    assert result.steps[-1].label == "舍去不足一元的部分"


def test_a_step_cites_the_clause_of_the_document_where_there_is_one() -> None:
    cited = policy(sources=(("rate_lines[0]", Source("测发〔2026〕1号", "三", "补助比例为百分之五十")),))
    assert [step.clause for step in compute(cited, case()).steps] == [None, "三", "三"]


def test_half_a_fen_is_dropped() -> None:
    assert compute(policy(), case(1)).amount_fen == 0
    assert compute(policy(), case(3)).amount_fen == 1


def test_a_service_that_the_policy_does_not_buy_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        compute(policy(), case(service="exhibition"))
    assert refused.value.code is Code.SERVICE_NOT_CERTIFIED
    assert refused.value.facts["reason"] == "not_in_policy"


def test_a_class_that_the_policy_does_not_serve_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        compute(policy(), case(holder_class="team"))
    assert refused.value.code is Code.NOT_QUALIFIED


def test_a_case_without_a_rate_line_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        compute(policy(rate_lines=(flat(5_000, provider_region="140000"),)), case(provider_region="310000"))
    assert refused.value.facts["reason"] == "no_rate"


@pytest.mark.parametrize("contract", [None, -1, MAX_FEN + 1])
def test_a_case_without_a_sound_amount_is_a_fault_of_the_caller(contract: int | None) -> None:
    with pytest.raises(ValueError, match="at least one amount"):
        compute(policy(), case(contract))


@pytest.mark.parametrize("missing", ["base", "rounding"])
def test_an_unset_parameter_is_never_guessed(missing: str) -> None:
    with pytest.raises(PolicyUnsetError, match=missing):
        compute(policy(**{missing: None}), case())


amounts = st.integers(0, MAX_FEN)
ends = st.lists(st.integers(1, 10**12), unique=True, max_size=4).map(sorted)


@st.composite
def lines(draw: st.DrawFn) -> RateLine:
    upto: list[Fen | None] = [Fen(end) for end in draw(ends)]
    return RateLine(tuple(Tier(draw(st.integers(0, 10_000)), end) for end in [*upto, None]))


@given(line=lines(), amount=amounts, limit=st.integers(1, MAX_FEN), rounding=st.sampled_from(Rounding))
def test_the_subsidy_is_never_above_the_base_or_the_cap(
    line: RateLine, amount: int, limit: int, rounding: Rounding
) -> None:
    capped = policy(rate_lines=(line,), per_order_cap_fen=Fen(limit), rounding=rounding)
    assert 0 <= compute(capped, case(amount)).amount_fen <= min(amount, limit)


@given(line=lines(), one=amounts, other=amounts, rounding=st.sampled_from(Rounding))
def test_a_higher_base_never_earns_less(line: RateLine, one: int, other: int, rounding: Rounding) -> None:
    tiered = policy(rate_lines=(line,), rounding=rounding)
    low, high = sorted((one, other))
    assert compute(tiered, case(low)).amount_fen <= compute(tiered, case(high)).amount_fen


@given(amount=amounts, rate=st.integers(0, 10_000), cut=st.integers(1, MAX_FEN))
def test_cutting_a_line_into_tiers_of_one_rate_changes_nothing(amount: int, rate: int, cut: int) -> None:
    whole = policy(rate_lines=(flat(rate),))
    tiered = policy(rate_lines=(RateLine((Tier(rate, Fen(cut)), Tier(rate))),))
    assert compute(whole, case(amount)).amount_fen == compute(tiered, case(amount)).amount_fen


def test_until_review_the_audited_base_stands_on_the_least_that_is_known_and_says_so() -> None:
    audited = policy(base=SubsidyBase.AUDITED)
    before = compute(audited, case(100_000_00, paid_fen=Fen(80_000_00)))
    assert (before.base_fen, before.amount_fen) == (80_000_00, 40_000_00)
    assert "以审核认定金额为准" in before.steps[0].label
    after = compute(audited, case(100_000_00, paid_fen=Fen(80_000_00), audited_fen=Fen(60_000_00)))
    assert (after.amount_fen, after.steps[0].label) == (30_000_00, "补助基数：审核认定金额")


def test_units_multiply_the_cap_per_unit_and_a_contract_of_several_orders_has_none() -> None:
    trained = policy(per_unit_cap_fen=Fen(1_000_00))
    assert compute(trained, case(100_000_00, units=12)).amount_fen == 12_000_00
    assert compute(trained, case(100_000_00, units=None)).amount_fen == 50_000_00
