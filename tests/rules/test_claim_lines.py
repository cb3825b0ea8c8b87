"""How one claim's amount came about, line by line, as its firm reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.rules.policies import policy, yearly_cap
from voucher.money import Fen
from voucher.rules.claim_lines import Course, claim_lines, invoice_years
from voucher.rules.subsidy import Case, Computation, compute
from voucher.terms import CapBasis, YearBasis

VERSION = policy(prorata=True)


def computed() -> Computation:
    return compute(VERSION, Case(holder_class="tech_sme", service="testing", paid_fen=Fen(100_000_00)))


def test_a_step_that_changes_nothing_is_left_out() -> None:
    course = Course(claimed_fen=Fen(50_000_00), reviewed_fen=Fen(50_000_00))
    assert claim_lines(VERSION, computed(), course) == computed().steps


def test_what_the_order_left_what_review_gave_the_year_and_the_factor_follow_in_turn() -> None:
    course = Course(
        claimed_fen=Fen(40_000_00),
        reviewed_fen=Fen(30_000_00),
        years=(2026, 2027),
        factored=(5_000, Fen(15_000_00)),
    )
    told = claim_lines(VERSION, computed(), course)[len(computed().steps) :]
    assert [step.value for step in told] == [40_000_00, 30_000_00, 30_000_00, 5_000, 15_000_00]
    assert "2027 年度" in told[2].label


def test_only_the_year_of_the_invoices_moves_a_charge() -> None:
    start = (7, 1)
    window = policy(caps=(yearly_cap(1, start=start),), year=YearBasis.INVOICE_WINDOW, year_start=start)
    june, july = date(2026, 6, 30), date(2026, 7, 1)
    assert invoice_years(window, "tech_sme", june, july) == (2026, 2027)
    assert invoice_years(window, "tech_sme", july, july) is None
    assert invoice_years(replace(window, year=YearBasis.WINDOW), "tech_sme", june, july) is None
    assert invoice_years(replace(window, caps=()), "tech_sme", june, july) is None
    claimed = replace(window, caps=(replace(window.caps[0], basis=CapBasis.CLAIMED),))
    assert invoice_years(claimed, "tech_sme", june, july) is None
