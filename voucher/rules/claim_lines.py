"""How the amount of one claim came about, line by line, as `explain` tells it and as the firm reads it (domain 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from voucher.money import Fen
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Computation, Step, clause_of
from voucher.terms import CapBasis, YearBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of a claim after the computation, in fen; None where a step was not taken.

    `claimed_fen` is never more than what was redeemed. `years` are the cap's year of the order and that of the invoices,
    where they differ and the second is charged. `factored`: the factor in basis points, and what it left.
    """

    claimed_fen: Fen
    reviewed_fen: Fen | None = None
    years: tuple[int, int] | None = None
    factored: tuple[int, Fen] | None = None


def claim_lines(policy: Policy, computation: Computation, course: Course) -> tuple[Step, ...]:
    """The computation, then what the order left, what review gave, which year is charged, and the factor.

    A step that changes nothing is left out, but for the factor.
    """
    steps, amount = list(computation.steps), computation.amount_fen
    if course.claimed_fen < amount:
        amount = course.claimed_fen
        steps.append(Step("不超过订单已核销的金额", None, amount))
    if course.reviewed_fen is not None and course.reviewed_fen != amount:
        amount = course.reviewed_fen
        steps.append(Step("审核核定的金额", None, amount))
    if course.years is not None:
        ordered, invoiced = course.years
        label = f"发票日期在 {invoiced} 年度，计入该年度的限额（下单时计入 {ordered} 年度）"
        steps.append(Step(label, clause_of(policy, "year"), amount))
    if course.factored is not None:
        steps += factor_steps(policy, *course.factored)
    return tuple(steps)


def invoice_years(
    policy: Policy, holder_class: str, ordered_on: date, invoiced_on: date
) -> tuple[int, int] | None:
    """The cap's year of an order and that of its latest invoice, where the policy goes by invoices and they differ."""
    cap = policy.cap_for(holder_class)
    if policy.year is not YearBasis.INVOICE_WINDOW or cap is None or cap.basis is CapBasis.CLAIMED:
        return None
    years = cap.period_of(ordered_on), cap.period_of(invoiced_on)
    return years if years[0] != years[1] else None


def factor_steps(policy: Policy, factor_bp: int, left_fen: Fen) -> list[Step]:
    """The two lines of the factor that was fixed after the window."""
    clause = clause_of(policy, "prorata")
    return [
        Step("申请期结束后确定的比例", clause, factor_bp, "bp"),
        Step("按这一比例折算，舍去不足一元的部分", clause, left_fen),
    ]
