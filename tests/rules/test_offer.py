"""What could be got and what is paid first, before anything is filled in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.policies import flat, policy
from voucher.errors import Code, Refusal
from voucher.money import Fen
from voucher.rules.clamp import Limit
from voucher.rules.masking import masked
from voucher.rules.offer import bill, limit_of, reach
from voucher.rules.policy import RateLine, Tier
from voucher.rules.subsidy import Case, compute
from voucher.terms import PayoutMode, Rounding

CASE = Case(holder_class="tech_sme", service="testing", applicant_region="140105", provider_region="140100")
# 玉环 (domain 3.4): the first 10,000 yuan in full, then half.
YUHUAN = policy(rate_lines=(RateLine((Tier(10_000, Fen(10_000_00)), Tier(5_000))),))


def test_half_of_a_contract_of_twice_the_voucher_uses_it_up() -> None:
    found = reach(policy(), CASE, Fen(50_000_00))
    assert (found.contract_fen, found.orders) == (100_000_00, 1)


def test_tiers_are_inverted_to_the_fen() -> None:
    assert reach(YUHUAN, CASE, Fen(20_000_00)).contract_fen == 30_000_00
    assert reach(YUHUAN, CASE, Fen(20_000_01)).contract_fen == 30_000_02


def test_where_one_order_cannot_use_it_up_the_number_of_orders_is_said() -> None:
    found = reach(policy(per_order_cap_fen=Fen(30_000_00)), CASE, Fen(100_000_00))
    assert (found.contract_fen, found.most_fen, found.orders) == (None, 30_000_00, 4)


def test_in_reimbursement_everything_is_paid_first_and_the_subsidy_comes_back() -> None:
    found = bill(policy(), CASE, Fen(60_000_00), (limit_of(Fen(50_000_00)),))
    assert (found.granted_fen, found.own_fen) == (30_000_00, 30_000_00)
    assert (found.pay_first_fen, found.back_fen) == (60_000_00, 30_000_00)


def test_where_the_provider_is_paid_only_the_own_part_is_paid() -> None:
    found = bill(policy(payout_mode=PayoutMode.PAY_PROVIDER), CASE, Fen(60_000_00))
    assert (found.pay_first_fen, found.back_fen) == (30_000_00, 0)


def test_voucher_and_cap_cut_what_the_rate_gives() -> None:
    cap = Limit("cap", Fen(20_000_00), Fen(200_000_00), Fen(180_000_00))
    found = bill(policy(), CASE, Fen(100_000_00), (limit_of(Fen(50_000_00)), cap))
    assert found.granted_fen == 20_000_00
    assert [(cut.name, cut.by_fen) for cut in found.clamped.reductions] == [("cap", 30_000_00)]


def test_a_service_that_the_policy_does_not_pay_for_is_refused() -> None:
    with pytest.raises(Refusal) as told:
        reach(policy(), Case(holder_class="tech_sme", service="advice"), Fen(1))
    assert told.value.code is Code.SERVICE_NOT_CERTIFIED


@given(
    rates=st.lists(st.integers(1, 10_000), min_size=1, max_size=3),
    wanted=st.integers(1, 10**9),
    rounding=st.sampled_from(list(Rounding)),
)
def test_the_contract_named_is_the_smallest_that_earns_the_voucher(
    rates: list[int], wanted: int, rounding: Rounding
) -> None:
    tiers = tuple(Tier(rate, Fen((place + 1) * 1_000_00)) for place, rate in enumerate(rates[:-1]))
    version = policy(rate_lines=(RateLine((*tiers, Tier(rates[-1]))),), rounding=rounding)
    smallest = reach(version, CASE, Fen(wanted)).contract_fen
    assert smallest is not None

    def earned(contract: int) -> int:
        return compute(version, replace(CASE, contract_fen=Fen(contract))).amount_fen

    assert earned(smallest) >= wanted
    assert smallest == 0 or earned(smallest - 1) < wanted


def test_a_flat_rate_by_service_is_the_one_that_counts() -> None:
    version = policy(rate_lines=(flat(8_000, service="testing"), flat(5_000)))
    assert reach(version, CASE, Fen(80_000_00)).contract_fen == 100_000_00


def test_names_are_covered_and_still_tell_their_owner() -> None:
    assert masked("测试企业十二有限公司") == "测试****有限公司"
    assert masked("张三") == "张*"
    assert masked("青云团队工作室") == "青云****室"
    assert masked("李") == "李*"
