"""What is strange about a claim, row by row of domain section 4: seen with its figures, or not seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.policies import policy
from voucher.money import Fen
from voucher.rules.checks import Declared, Facts, Twin, findings, thresholds
from voucher.rules.policy import RateLine, Tier
from voucher.terms import ClaimMarkKind, FindingKind, PartyMarkKind

TIERED = policy(
    rate_lines=(RateLine((Tier(10_000, Fen(10_000_00)), Tier(5_000))),),
    split_days=90,
    excluded_words=("强制检定",),
    affiliation_share_bp=2_500,
)


def seen(**facts: Any) -> list[tuple[FindingKind, dict[str, Any]]]:
    return [(each.kind, dict(each.facts)) for each in findings(Facts(policy=TIERED, **facts))]


def kinds(**facts: Any) -> list[FindingKind]:
    return [kind for kind, _ in seen(**facts)]


def twin(kind: ClaimMarkKind, firms: int = 2) -> Twin:
    return Twin(kind, claims=firms, firms=firms, other="C1")


def test_a_claim_of_which_nothing_is_known_is_not_strange() -> None:
    assert findings(Facts(policy=TIERED)) == []


ROWS: list[tuple[dict[str, Any], list[FindingKind]]] = [
    ({"weak_share_bp": 1_000}, [FindingKind.WEAK_HOLDING]),
    ({"shared_marks": (PartyMarkKind.PHONE,)}, [FindingKind.SHARED_MARK]),
    ({"shared_marks": (PartyMarkKind.ADDRESS,)}, [FindingKind.SAME_ADDRESS]),
    ({"same_account": True}, [FindingKind.SAME_ACCOUNT]),
    ({"same_source": True}, [FindingKind.SAME_SOURCE]),
    ({"invoice_file_reused": "C1"}, [FindingKind.SAME_INVOICE_FILE]),
    ({"near_benefits": ("甲", "乙")}, [FindingKind.NEAR_BENEFIT] * 2),
    ({"pair_fen": (9_000_00, 10_000_00)}, [FindingKind.JUST_UNDER]),
    ({"pair_fen": (9_000_00, 10_000_01)}, []),
    ({"firms_of_controller": 1}, [FindingKind.ONE_CONTROLLER]),
    ({"orders_a_day": 2, "orders_that_day": 3}, [FindingKind.OVER_CAPACITY]),
    ({"orders_a_day": 2, "orders_that_day": 2}, []),
    ({"contract_fen": 2, "listed_fen": 1}, [FindingKind.ABOVE_LIST]),
    ({"contract_fen": 2, "p90_fen": 1, "peers": 10}, [FindingKind.ABOVE_PEERS]),
    ({"contract_fen": 2, "p90_fen": 1, "peers": 9}, []),
    ({"contract_fen": 1, "listed_fen": 1, "p90_fen": 1, "peers": 10}, []),
    ({"titles": (("发票", "强制检定费"), ("合同", "研发"))}, [FindingKind.EXCLUDED_WORD]),
    ({"code_scanned_at_home": True}, [FindingKind.SHOWN_WHERE_SCANNED]),
    ({"twins": (twin(ClaimMarkKind.CODE_SOURCE),)}, [FindingKind.SHOWN_WITH_OTHERS]),
    ({"twins": (twin(ClaimMarkKind.CODE_SOURCE, 1),)}, []),
    ({"twins": (twin(ClaimMarkKind.SOURCE),)}, [FindingKind.FARMED_SOURCE]),
    ({"twins": (twin(ClaimMarkKind.PAYER, 1),)}, []),
    ({"twins": (twin(ClaimMarkKind.RESULT_FILE, 1),)}, [FindingKind.SAME_RESULT]),
    ({"ring": 3}, [FindingKind.RING]),
    ({"agent_firms": 2}, [FindingKind.FARMED_AGENT]),
    ({"agent_firms": 1}, []),
    ({"text_percent": 70, "text_other": "C1"}, [FindingKind.SIMILAR_TEXT]),
    ({"text_percent": 69}, []),
]


@pytest.mark.parametrize(("facts", "expected"), ROWS)
def test_each_row_sees_what_it_is_for_and_no_more(facts: dict[str, Any], expected: list[FindingKind]) -> None:
    assert kinds(**facts) == expected


def test_a_figure_a_hundred_times_another_years_is_named_and_unknown_ones_are_not() -> None:
    years = (Declared(2025, 10, None), Declared(2024, 1_000, 5_00), Declared(2026, 12, 500_00))
    assert seen(declared=years) == [
        (FindingKind.FIGURE_JUMP, {"figure": "staff", "from_year": 2024, "to_year": 2025, "times": 100})
    ]


def test_the_heaviest_comes_first() -> None:
    found = findings(Facts(policy=TIERED, code_scanned_at_home=True, ring=3, weak_share_bp=1))
    assert [each.weight for each in found] == [3, 2, 1]


def test_thresholds_are_the_ends_of_tiers() -> None:
    assert thresholds(TIERED) == [10_000_00]
    assert thresholds(policy()) == []
