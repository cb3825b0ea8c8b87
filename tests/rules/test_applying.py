"""Windows, limits and the waiting list as pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.rules.policies import policy
from voucher.errors import Code
from voucher.money import Fen
from voucher.rules import applying
from voucher.rules.applying import Holding, Window
from voucher.terms import HolderClass, HolderKind

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_window_is_open_from_its_beginning_until_before_its_end() -> None:
    window = Window(AT, AT + DAY, "文")
    assert [window.is_open(at) for at in (AT - DAY, AT, AT + DAY)] == [False, True, False]
    assert Window(AT, None, "文").is_open(AT + 999 * DAY)


def test_windows_that_touch_do_not_overlap() -> None:
    first = Window(AT, AT + DAY, "文")
    assert not first.overlaps(Window(AT + DAY, None, "文"))
    assert first.overlaps(Window(AT - DAY, None, "文"))
    assert Window(AT - DAY, None, "文").overlaps(first)


def test_a_closed_window_names_the_next_one_before_the_last() -> None:
    past, coming = Window(AT - 3 * DAY, AT - DAY, "旧"), Window(AT + DAY, AT + 2 * DAY, "新")
    finding = applying.opening([past, coming], AT)
    assert finding is not None
    assert (finding[0], finding[1]["reason"], finding[1]["document_no"]) == (
        Code.APPLICATION_CLOSED,
        "not_yet",
        "新",
    )
    over = applying.opening([past], AT)
    assert over is not None
    assert over[1]["reason"] == "over"
    none = applying.opening([], AT)
    assert none is not None
    assert none[1] == {"reason": "no_window"}


def test_a_limit_that_the_policy_does_not_set_refuses_nothing() -> None:
    full = Holding(Fen(10**9), applications=99, idle_voucher="V202600000016")
    assert applying.count(policy(), full) is None
    assert applying.idle(policy(), full) is None
    assert applying.held(policy(), full, Fen(1)) is None


def test_a_team_applies_as_a_team_and_a_firm_as_what_the_policy_serves() -> None:
    both = policy(holder_classes=(HolderClass.TEAM, HolderClass.TECH_SME, HolderClass.HIGH_TECH))
    assert applying.classes_of(both, HolderKind.TEAM) == (HolderClass.TEAM,)
    assert applying.classes_of(both, HolderKind.FIRM) == (HolderClass.TECH_SME, HolderClass.HIGH_TECH)
    assert applying.classes_of(policy(), HolderKind.TEAM) == (HolderClass.TEAM,), "and is refused by class"


@given(amounts=st.lists(st.integers(1, 100), max_size=20), left=st.integers(0, 500))
def test_strictly_the_chosen_are_a_prefix_that_fits_and_cannot_be_longer(
    amounts: list[int], left: int
) -> None:
    chosen = applying.fitting(amounts, left, skips=False)
    assert chosen == list(range(len(chosen)))
    taken = sum(amounts[: len(chosen)])
    assert taken <= left
    assert len(chosen) == len(amounts) or taken + amounts[len(chosen)] > left


@given(amounts=st.lists(st.integers(1, 100), max_size=20), left=st.integers(0, 500))
def test_with_leave_to_skip_nobody_who_fits_is_left_out(amounts: list[int], left: int) -> None:
    chosen = applying.fitting(amounts, left, skips=True)
    rest = left - sum(amounts[place] for place in chosen)
    assert rest >= 0
    assert all(amounts[place] > rest for place in set(range(len(amounts))) - set(chosen))


def test_a_holder_applies_as_what_it_is_and_as_what_the_policy_serves() -> None:
    both = policy(holder_classes=(HolderClass.TECH_SME, HolderClass.TEAM))
    assert applying.classes_of(both, HolderKind.TEAM) == (HolderClass.TEAM,)
    assert applying.classes_of(both, HolderKind.FIRM) == (HolderClass.TECH_SME,)
    teams = policy(holder_classes=(HolderClass.TEAM,))
    assert applying.classes_of(teams, HolderKind.FIRM) == (HolderClass.ENTERPRISE,)
    assert applying.classes_of(policy(), HolderKind.TEAM) == (HolderClass.TEAM,)


def test_the_limits_of_an_application_are_named_with_their_figures() -> None:
    limited = policy(applications_most=2, idle_refuses=True, held_most_fen=Fen(100_00))
    holding = Holding(Fen(60_00), 2, "V1", "A1", "submitted")
    assert applying.one_at_a_time(holding) == (
        Code.APPLICATION_OPEN,
        {"application": "A1", "state": "submitted"},
    )
    assert applying.count(limited, holding) == (Code.COUNT_EXCEEDED, {"limit": 2, "used": 2})
    assert applying.idle(limited, holding) == (Code.VOUCHER_IDLE, {"voucher": "V1"})
    above = applying.held(limited, holding, Fen(40_01))
    assert above is not None
    assert above[0] is Code.HOLDING_EXCEEDED
    assert applying.held(limited, holding, Fen(40_00)) is None
    free = Holding(Fen(0))
    for finding in (
        applying.one_at_a_time(free),
        applying.count(limited, free),
        applying.count(policy(), holding),
        applying.idle(limited, free),
        applying.idle(policy(), holding),
        applying.held(policy(), holding, Fen(10**9)),
    ):
        assert finding is None


def test_no_window_an_open_one_and_the_next_or_last_one_are_told_apart() -> None:
    open_ = Window(AT - DAY, None, "开")
    assert applying.opening([open_], AT) is None
    assert applying.opening([], AT) == (Code.APPLICATION_CLOSED, {"reason": "no_window"})
    coming = applying.opening([Window(AT + DAY, None, "将"), Window(AT - DAY, AT, "旧")], AT)
    over = applying.opening([Window(AT - DAY, AT, "旧")], AT)
    assert [each and each[1]["reason"] for each in (coming, over)] == ["not_yet", "over"]
    assert [each and each[1]["document_no"] for each in (coming, over)] == ["将", "旧"]
