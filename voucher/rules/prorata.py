"""The factor that is fixed when a year's applications are all in: which year a claim is of, and the largest that fits.

Fujian: 每个年度的实际比例根据省级专项资金预算及企业申请情况动态调整 (domain 0.2, 3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from voucher.money import Fen
from voucher.rules.funding import after_window
from voucher.rules.policy import WHOLE_BP, Policy
from voucher.terms import YearBasis

_WINDOWS = (YearBasis.WINDOW, YearBasis.INVOICE_WINDOW)


def round_of(policy: Policy, handed_in_on: date) -> int:
    """The year whose claims are trimmed together: that of the day on which the claim was first handed in.

    A window of twelve months is named after the year in which it ends, as a cap's is.
    """
    start = _start(policy)
    later = start != (1, 1) and (handed_in_on.month, handed_in_on.day) >= start
    return handed_in_on.year + 1 if later else handed_in_on.year


def first_day_after(policy: Policy, year: int) -> date:
    """The first day on which no more claims of this year can be handed in, and its factor may be fixed."""
    start = _start(policy)
    return date(year + 1, 1, 1) if start == (1, 1) else date(year, *start)


def total_after(amounts: Iterable[Fen], factor_bp: int) -> Fen:
    """What is left of all of them together, each trimmed for itself to whole yuan."""
    return Fen(sum(after_window(amount, factor_bp) for amount in amounts))


def largest_factor(amounts: Sequence[Fen], budget_fen: Fen) -> int:
    """The largest factor, in basis points, whose total the budget allows; 10,000 where everything fits."""
    low, high = 0, WHOLE_BP
    while low < high:
        middle = (low + high + 1) // 2
        if total_after(amounts, middle) <= budget_fen:
            low = middle
        else:
            high = middle - 1
    return low


def _start(policy: Policy) -> tuple[int, int]:
    if policy.year in _WINDOWS and policy.year_start is not None:
        return policy.year_start
    return (1, 1)
