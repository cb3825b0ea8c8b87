"""How one claim's amount came about, line by line, as its firm reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.rules.policies import policy, yearly_cap
from voucher.money import Fen
from voucher.rules.claim_lines import Course, Cut, claim_lines, cut_steps, invoice_years
from voucher.rules.policy import Share
from voucher.rules.subsidy import ROUNDED, Case, Computation, compute
from voucher.terms import CapBasis, Rounding, YearBasis

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


def test_every_limit_that_cut_the_order_is_told_in_its_turn_with_what_it_rests_on() -> None:
    whole = replace(VERSION, rounding=Rounding.YUAN)
    cuts = (
        Cut("voucher", 45_000_00, 45_000_00),
        Cut("cap", 200_000_00, 40_000_00),
        Cut("group", 300_000_00, 60_000_00),
        Cut("quota", 60_000_00, 30_000_50, "6"),
        Cut("rounding", None, 0),
        Cut("contract", 99_000_00, 20_000_00),
        Cut("contract", None, 10_000_00),
    )
    told = cut_steps(whole, Course(claimed_fen=Fen(0), holder_class="tech_sme", cuts=cuts), Fen(50_000_00))
    assert [(step.label, step.value) for step in told] == [
        ("不超过券面余额 45,000.00 元", 45_000_00),
        ("不超过持有人上限的余额（上限 200,000.00 元，已计 160,000.00 元）", 40_000_00),
        ("不超过互认协议额度的余额（上限 60,000.00 元，已计 29,999.50 元）", 30_000_50),
        (ROUNDED, 30_000_00),
        ("不超过该合同可补助的余额（上限 99,000.00 元，已计 79,000.00 元）", 20_000_00),
        ("不超过该合同可补助的余额 10,000.00 元", 10_000_00),
    ]
    assert told[2].clause == "6"
    uncapped = replace(VERSION, caps=())
    (step,) = cut_steps(uncapped, Course(claimed_fen=Fen(0), cuts=(cuts[1],)), Fen(50_000_00))
    assert step.clause is None


def test_a_post_subsidy_is_cut_after_its_review_and_every_payer_is_told_to_the_fen() -> None:
    course = Course(
        claimed_fen=Fen(50_000_00),
        holder_class="tech_sme",
        cuts=(Cut("cap", 200_000_00, 10_000_00),),
        at_review=True,
        reviewed_fen=Fen(40_000_00),
        payers=(("省", Share("1", 2, 3)), ("市", Share("2", 3_333, 10_000))),
    )
    told = claim_lines(VERSION, computed(), course)[len(computed().steps) :]
    assert [(step.label[:4], step.value) for step in told] == [
        ("审核核定", 40_000_00), ("不超过持", 10_000_00), ("由 省 ", 6_666_89), ("由 市 ", 3_333_11),
    ]  # fmt: skip
    assert told[-1].label == "由 市 承担 33.33%"
    uncut = claim_lines(VERSION, computed(), replace(course, cuts=()))
    assert uncut[len(computed().steps)].value == 40_000_00
    refused = replace(course, reviewed_fen=Fen(0), cuts=())
    assert claim_lines(VERSION, computed(), refused)[-1].value == 0


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
