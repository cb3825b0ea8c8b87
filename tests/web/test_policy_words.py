from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from tests.rules.policies import policy
from voucher.money import Fen
from voucher.queries.policies import parameters
from voucher.queries.policy_sheets import changes
from voucher.rules import policy_shapes
from voucher.rules.policy import Authority, Policy, RateLine, Service, Share, Tier
from voucher.rules.policy_check import unset
from voucher.terms import VoucherKind
from voucher.web.policy_words import NAMES, rows_of

MANUAL = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text("utf-8")
KEYS = {key: name for key, (name, _) in policy_shapes.VALUES.items()} | {
    key: key for key in policy_shapes.LISTS
}


def table() -> dict[str, tuple[str, str]]:
    part = MANUAL.partition("## Parameters")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| `")]
    return {key.strip(" `"): (name.strip(), required.strip()) for key, name, required in rows}


def missing(kind: VoucherKind) -> set[str]:
    identity: dict[str, Any] = dict.fromkeys(policy_shapes.IDENTITY, "x")
    return {problem.key for problem in unset(Policy(**identity, kind=kind))}


def test_the_manual_lists_every_parameter_by_the_name_that_the_pages_show() -> None:
    assert {key: name for key, (name, _) in table().items()} == {
        key: NAMES[name] for key, name in KEYS.items()
    }


def test_the_manual_says_which_parameters_block_publishing() -> None:
    always = missing(VoucherKind.POST_SUBSIDY) | {"kind"}
    assert {key for key, (_, required) in table().items() if required == "required"} == always
    vouchers = {key for key, (_, required) in table().items() if required == "vouchers"}
    assert vouchers == missing(VoucherKind.INNOVATION) - always


def test_shares_in_thirds_and_ceilings_are_said_in_words() -> None:
    shares = (Share("140000", 2, 3, Fen(120_000_00), 3_000, "141100"), Share("141100", 1, 3))
    rows = {row.name: row.value for row in rows_of(parameters(policy(funding_shares=shares, prorata=True)))}
    assert rows["资金分担"] == (
        "140000：2/3，最高 120,000.00 元，最高为补助基数的 30%，超出部分由141100承担；141100：1/3"
    )
    assert rows["申请期结束后另定比例"] == "是"


def test_a_policy_names_services_holders_authorities_and_regions_and_never_their_codes() -> None:
    told = parameters(
        policy(
            services=(Service("testing", "检验检测"),),
            authorities=(Authority("finance", "县财政局"),),
            cosigners=("finance",),
            binding=("caps",),
            rate_lines=(RateLine((Tier(4_000),), service="testing", holder_class="enterprise"),),
            funding_shares=(Share("140525", 1, 2), Share("140000", 1, 2)),
        )
    )
    rows = {row.name: row.value for row in rows_of(told, {"140525": "泽州县"})}
    assert rows["须会签的部门"] == "县财政局"
    assert rows["下级不得另作规定的参数"] == "限额"
    assert rows["补助比例"] == "（检验检测、企业），40%"
    assert rows["资金分担"] == "泽州县：1/2；140000：1/2"


def test_the_last_day_that_a_later_version_gave_is_nobodys_fill_in_and_no_change() -> None:
    ended = policy(effective_to=date(2027, 1, 1))
    row = next(row for row in rows_of(parameters(ended)) if row.name == "失效日期")
    assert (row.standing, row.basis) == ("superseded", "由后一版本接替")
    assert "effective_to" not in {
        side.key for each in changes(ended, policy()) for side in (each.before, each.after) if side
    }
