"""The parts of several funders, to the fen: what is reserved covers whatever is settled at last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.policies import policy
from voucher.money import Fen
from voucher.rules.cofunding import ABOVE_CEILINGS, exact, left_by_ceilings, reserved, within_ceilings
from voucher.rules.policy import Share
from voucher.rules.subsidy import Case, compute
from voucher.terms import Rounding

THIRDS = (Share("home", 2, 3), Share("provider", 1, 3))
amounts = st.integers(0, 10**12).map(Fen)
ceilings = st.one_of(st.none(), st.integers(1, 10**12).map(Fen))


@st.composite
def funders(draw: st.DrawFn) -> tuple[Share, ...]:
    """Two to five funders that make one whole, some with ceilings, some of which hand over what lies above."""
    weights = draw(st.lists(st.integers(1, 50), min_size=2, max_size=5))
    shares = []
    for place, weight in enumerate(weights):
        ceiling, bp = draw(ceilings), draw(st.one_of(st.none(), st.integers(1, 10_000)))
        spills = place > 0 and (ceiling is not None or bp is not None) and draw(st.booleans())
        shares.append(Share(str(place), weight, sum(weights), ceiling, bp, "0" if spills else None))
    return tuple(shares)


def test_two_thirds_and_a_third_of_100_000_yuan() -> None:
    amount = Fen(100_000_00)
    assert exact(THIRDS, amount, amount) == (66_666_67, 33_333_33)
    assert reserved(THIRDS, amount, amount) == (66_666_67, 33_333_34)


@given(shares=funders(), amount=amounts, base=amounts)
def test_the_parts_add_up_and_nobody_pays_above_its_ceiling(
    shares: tuple[Share, ...], amount: Fen, base: Fen
) -> None:
    left = left_by_ceilings(shares, amount, base)
    parts = exact(shares, left, base)
    assert sum(parts) == left
    for share, part in zip(shares, parts, strict=True):
        assert part >= 0
        assert share.ceiling_fen is None or part <= share.ceiling_fen
        assert share.ceiling_bp is None or part <= base * share.ceiling_bp // 10_000


@given(shares=funders(), amount=amounts, base=amounts, less=amounts)
def test_what_is_reserved_covers_the_part_of_every_smaller_amount(
    shares: tuple[Share, ...], amount: Fen, base: Fen, less: Fen
) -> None:
    left = left_by_ceilings(shares, amount, base)
    most = reserved(shares, left, base)
    smaller = Fen(max(left - less, 0))
    assert all(part <= held for part, held in zip(exact(shares, smaller, base), most, strict=True))
    assert all(part <= held for part, held in zip(reserved(shares, smaller, base), most, strict=True))


@given(shares=funders(), amount=amounts)
def test_without_ceilings_each_pays_its_part_to_within_a_fen(shares: tuple[Share, ...], amount: Fen) -> None:
    plain = [Share(share.funder, share.parts, share.of) for share in shares]
    for share, part in zip(plain, exact(plain, amount, amount), strict=True):
        assert abs(part * share.of - amount * share.parts) < share.of


def test_a_funder_at_its_ceiling_pays_it_and_the_other_its_own_part() -> None:
    shares = (Share("a", 1, 2), Share("b", 1, 2, Fen(100)))
    assert left_by_ceilings(shares, Fen(300), Fen(300)) == 250
    assert exact(shares, Fen(250), Fen(300)) == (150, 100)
    assert exact(shares, Fen(150), Fen(300)) == (75, 75)


def test_what_lies_above_a_ceiling_is_taken_over_and_comes_back_first() -> None:
    shares = (Share("a", 1, 2), Share("b", 1, 2, Fen(100), spill_to="a"))
    assert left_by_ceilings(shares, Fen(300), Fen(300)) == 300
    assert exact(shares, Fen(300), Fen(300)) == (200, 100)
    assert exact(shares, Fen(150), Fen(300)) == (75, 75)


def test_more_than_all_ceilings_leave_is_a_fault_of_the_caller() -> None:
    shares = (Share("a", 1, 2, Fen(100)), Share("b", 1, 2, Fen(100)))
    with pytest.raises(ValueError, match="leave less"):
        exact(shares, Fen(201), Fen(0))


def test_without_funders_all_of_it_is_left() -> None:
    assert left_by_ceilings((), Fen(7), Fen(7)) == 7


def test_a_ceiling_cuts_a_computation_on_its_own_base_with_a_line_in_whole_yuan() -> None:
    version = policy(rounding=Rounding.YUAN)
    shares = (Share("a", 1, 2), Share("b", 1, 2, ceiling_bp=1_000))
    for paid, left in ((100_009, 35_000), (100_509, 35_100)):
        case = Case(holder_class="tech_sme", service="testing", paid_fen=Fen(paid))
        computed = compute(version, case)
        told = within_ceilings(version, shares, computed)
        assert told.amount_fen == left
        assert (told.steps[:-1], told.steps[-1].label) == (computed.steps, ABOVE_CEILINGS)
    assert within_ceilings(version, shares[:1], computed) == computed
