from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voucher.errors import Code
from voucher.money import Fen
from voucher.rules.clamp import Limit, LimitName, clamp
from voucher.terms import Rounding


def limit(name: LimitName, left: int, opened: int = 200_000_00) -> Limit:
    return Limit(name, Fen(left), Fen(opened), Fen(opened - left))


def test_a_wish_of_less_than_a_yuan_comes_to_nothing_by_rounding_and_no_limit_is_blamed() -> None:
    clamped = clamp(Fen(50), [limit("voucher", 50_000_00)], rounding=Rounding.YUAN)
    assert (clamped.granted_fen, clamped.refusal) == (0, None)
    assert [(cut.name, cut.by_fen) for cut in clamped.reductions] == [("rounding", 50)]


def test_a_proposal_within_every_limit_is_granted_whole() -> None:
    clamped = clamp(Fen(50_000_00), [limit("voucher", 50_000_00), limit("cap", 60_000_00)])
    assert (clamped.granted_fen, clamped.reductions, clamped.refusal) == (50_000_00, (), None)


def test_each_limit_says_what_it_takes_beyond_the_ones_before() -> None:
    clamped = clamp(
        Fen(50_000_00), [limit("voucher", 30_000_00), limit("cap", 20_000_00), limit("quota", 20_000_00)]
    )
    assert clamped.granted_fen == 20_000_00
    assert [(cut.name, cut.by_fen) for cut in clamped.reductions] == [
        ("voucher", 20_000_00),
        ("cap", 10_000_00),
    ]


@pytest.mark.parametrize(
    ("name", "code", "whole"),
    [
        ("voucher", Code.VOUCHER_EXHAUSTED, "face_fen"),
        ("allotment", Code.ALLOTMENT_EXHAUSTED, "allotment_fen"),
        ("cap", Code.CAP_EXCEEDED, "cap_fen"),
        ("quota", Code.QUOTA_EXCEEDED, "quota_fen"),
        ("contract", Code.CONTRACT_EXCEEDED, "contract_fen"),
        ("pledge", Code.PLEDGE_EXCEEDED, "pledge_fen"),
    ],
)
def test_nothing_left_is_refused_with_the_limit_and_what_is_used(
    name: LimitName, code: Code, whole: str
) -> None:
    clamped = clamp(Fen(1_00), [limit(name, 0)])
    assert (clamped.granted_fen, clamped.refusal) == (0, code)
    assert clamped.facts == {whole: 200_000_00, "used_fen": 200_000_00, "left_fen": 0}


def test_the_first_limit_with_nothing_left_gives_the_verdict() -> None:
    clamped = clamp(Fen(1_00), [limit("voucher", 50), limit("cap", 0), limit("quota", 0)])
    assert clamped.refusal is Code.CAP_EXCEEDED


def test_less_than_a_yuan_left_is_nothing_where_whole_yuan_are_paid() -> None:
    clamped = clamp(Fen(10_00), [limit("cap", 99)], rounding=Rounding.YUAN)
    assert (clamped.granted_fen, clamped.refusal) == (0, Code.CAP_EXCEEDED)
    assert sum(cut.by_fen for cut in clamped.reductions) == 10_00


def test_what_is_left_of_the_cap_is_paid_in_whole_yuan_and_the_rest_named() -> None:
    clamped = clamp(Fen(10_00), [limit("cap", 7_50)], rounding=Rounding.YUAN)
    assert clamped.granted_fen == 7_00
    assert [(cut.name, cut.by_fen) for cut in clamped.reductions] == [("cap", 2_50), ("rounding", 50)]


def test_a_subsidy_of_nothing_is_nothing_and_no_refusal() -> None:
    assert clamp(Fen(0), [limit("cap", 0)]).refusal is None


def test_a_limit_that_was_lowered_below_its_use_counts_as_used_up() -> None:
    clamped = clamp(Fen(5_00), [limit("cap", -3_00)])
    assert (clamped.granted_fen, clamped.refusal) == (0, Code.CAP_EXCEEDED)
    assert clamped.facts is not None and clamped.facts["left_fen"] == 0


def test_a_negative_wish_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        clamp(Fen(-1), [])


limits = st.lists(
    st.builds(limit, st.sampled_from(get_args(LimitName)), st.integers(-100, 10**9)), max_size=5
)
wishes = st.integers(0, 10**9).map(Fen)


@given(wanted=wishes, limits=limits, rounding=st.sampled_from(Rounding))
def test_the_grant_is_never_above_a_limit_and_the_cuts_add_up(
    wanted: Fen, limits: list[Limit], rounding: Rounding
) -> None:
    clamped = clamp(wanted, limits, rounding=rounding)
    assert 0 <= clamped.granted_fen <= wanted
    assert all(clamped.granted_fen <= max(each.available_fen, 0) for each in limits)
    assert clamped.granted_fen + sum(cut.by_fen for cut in clamped.reductions) == wanted
    assert all(cut.by_fen > 0 for cut in clamped.reductions)
    assert clamped.refusal is None or clamped.granted_fen == 0


@given(one=wishes, other=wishes, limits=limits, rounding=st.sampled_from(Rounding))
def test_wanting_more_never_grants_less(
    one: Fen, other: Fen, limits: list[Limit], rounding: Rounding
) -> None:
    low, high = sorted((one, other))
    granted = clamp(low, limits, rounding=rounding).granted_fen
    assert granted <= clamp(high, limits, rounding=rounding).granted_fen


@given(wanted=wishes, limits=limits)
def test_a_grant_fits_exactly_once(wanted: Fen, limits: list[Limit]) -> None:
    granted = clamp(wanted, limits).granted_fen
    assert clamp(granted, limits).granted_fen == granted
