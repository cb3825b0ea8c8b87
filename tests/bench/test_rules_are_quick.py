"""The formula costs at most 0.2 ms of processor time a case."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.pace import within
from tests.rules.policies import FOLDER, flat, policy
from voucher.money import Fen
from voucher.rules import policy_reading
from voucher.rules.carrying import room_in
from voucher.rules.claim_lines import Course, claim_lines
from voucher.rules.policy import RateLine, Tier
from voucher.rules.subsidy import Case, compute

ROUNDS = 300
MOST_SECONDS = 0.0002


def check(work: Callable[[], object]) -> None:
    """Fail where a call takes more processor time than it may."""
    with within(ROUNDS * MOST_SECONDS, time.process_time):
        for _ in range(ROUNDS):
            work()


def test_the_formula_of_the_largest_policy_is_computed_in_a_fraction_of_a_millisecond() -> None:
    tiers = (Tier(10_000, Fen(10_000_00)), Tier(8_000, Fen(50_000_00)), Tier(5_000))
    lines = tuple(flat(3_000, provider_region=f"{region}0000") for region in range(11, 41))
    large = policy(
        rate_lines=(*lines, RateLine(tiers, cap_fen=Fen(300_000_00))),
        per_order_cap_fen=Fen(200_000_00),
        per_unit_cap_fen=Fen(1_000_00),
    )
    case = Case(
        holder_class="tech_sme",
        service="testing",
        contract_fen=Fen(900_000_00),
        paid_fen=Fen(800_000_00),
        earlier_fen=Fen(40_000_00),
        provider_region="650100",
        units=900,
    )
    course = Course(claimed_fen=Fen(100_000_00), reviewed_fen=Fen(90_000_00), factored=(8_333, Fen(1)))
    check(lambda: compute(large, case))
    computed = compute(large, case)
    check(lambda: claim_lines(large, computed, course))


def test_the_demos_policy_and_ten_carried_years_are_as_quick() -> None:
    fill = (FOLDER / "fills" / "shanxi-2022-demo.toml").read_text("utf-8")
    shanxi = policy_reading.read((FOLDER / "shanxi-2022.toml").read_text("utf-8"), [fill])
    case = Case(holder_class="tech_sme", service="technical_cooperation", contract_fen=Fen(100_000_00))
    check(lambda: compute(shanxi, case))
    years = {2020 + place: 20_000_00 for place in range(4)}
    check(lambda: room_in(years, years, years=3, year=2023))
