"""How the amount of one claim came about, line by line, as `explain` tells it and as the firm reads it (domain 3.4)."""

from __future__ import annotations

from voucher.money import Fen
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Computation, Step, clause_of


def claim_lines(
    policy: Policy,
    computation: Computation,
    *,
    claimed_fen: Fen,
    reviewed_fen: Fen | None = None,
    factored: tuple[int, Fen] | None = None,
) -> tuple[Step, ...]:
    """The computation, then what the order left, what review gave, and the factor (basis points) with what it left.

    `claimed_fen` is never more than what was redeemed. A step that changes nothing is left out, but for the factor.
    """
    steps, amount = list(computation.steps), computation.amount_fen
    if claimed_fen < amount:
        amount = claimed_fen
        steps.append(Step("不超过订单已核销的金额", None, amount))
    if reviewed_fen is not None and reviewed_fen != amount:
        steps.append(Step("审核核定的金额", None, reviewed_fen))
    if factored is not None:
        steps += factor_steps(policy, *factored)
    return tuple(steps)


def factor_steps(policy: Policy, factor_bp: int, left_fen: Fen) -> list[Step]:
    """The two lines of the factor that was fixed after the window."""
    clause = clause_of(policy, "prorata")
    return [
        Step("申请期结束后确定的比例", clause, factor_bp, "bp"),
        Step("按这一比例折算，舍去不足一元的部分", clause, left_fen),
    ]
