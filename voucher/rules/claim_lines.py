"""How the amount of one claim came about, line by line, as `explain` tells it and as the firm reads it (domain 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from voucher.money import Fen, floor_yuan, format_yuan
from voucher.rules.cofunding import exact
from voucher.rules.policy import WHOLE_BP, Policy, Share
from voucher.rules.subsidy import ROUNDED, Computation, Step, clause_of
from voucher.terms import CapBasis, YearBasis

_LIMITS: Final[Mapping[str, str]] = {
    "voucher": "券面余额",
    "allotment": "可用的分配额度",
    "cap": "持有人上限的余额",
    "group": "同一控制人的企业合计上限的余额",
    "quota": "互认协议额度的余额",
    "contract": "该合同可补助的余额",
    "budget": "预算余额",
}
_COUNTED: Final = frozenset({"cap", "group", "quota", "contract"})


@dataclass(frozen=True, slots=True)
class Cut:
    """A limit that cut the order's money, as the order keeps it: what was open of it and left, in fen.

    `name` may be rounding, which has no figures. `clause` is what it rests on where the policy does not say it (an agreement's ceiling).
    """

    name: str
    opened_fen: int | None
    left_fen: int
    clause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of a claim after the computation, in fen; None where a step was not taken.

    `cuts` are those of the order (`at_review`: of a post-subsidy's approval), `claimed_fen` is never more than what was
    redeemed. `years` are the cap's year of the order and that of the invoices, where they differ and the second is
    charged. `factored`: the factor in basis points, and what it left. `payers`: who pays which share, where several do,
    by the names of the books; `agreed` is what that rests on where an agreement says it.
    """

    claimed_fen: Fen
    holder_class: str = ""
    cuts: tuple[Cut, ...] = ()
    at_review: bool = False
    reviewed_fen: Fen | None = None
    years: tuple[int, int] | None = None
    factored: tuple[int, Fen] | None = None
    payers: tuple[tuple[str, Share], ...] = ()
    agreed: str | None = None


def claim_lines(policy: Policy, computation: Computation, course: Course) -> tuple[Step, ...]:
    """The computation, what every limit and the order left, what review gave, which year is charged, the factor, the payers.

    A step that changes nothing is left out, but for the factor and who pays.
    """
    steps, amount = list(computation.steps), computation.amount_fen
    if not course.at_review:
        cuts = cut_steps(policy, course, amount)
        steps, amount = [*steps, *cuts], Fen(cuts[-1].value) if cuts else amount
    if course.claimed_fen < amount:
        amount = course.claimed_fen
        steps.append(Step("不超过订单已核销的金额", None, amount))
    if course.reviewed_fen is not None and course.reviewed_fen != amount:
        amount = course.reviewed_fen
        steps.append(Step("审核核定的金额", None, amount))
    if course.at_review:
        cuts = cut_steps(policy, course, amount)
        steps, amount = [*steps, *cuts], Fen(cuts[-1].value) if cuts else amount
    if course.years is not None:
        ordered, invoiced = course.years
        label = f"发票日期在 {invoiced} 年度，计入该年度的限额（下单时计入 {ordered} 年度）"
        steps.append(Step(label, clause_of(policy, "year"), amount))
    if course.factored is not None:
        steps += factor_steps(policy, *course.factored)
        amount = course.factored[1]
    return (*steps, *_paying(policy, course, amount, computation.base_fen))


def cut_steps(policy: Policy, course: Course, amount_fen: Fen) -> list[Step]:
    """A line for every limit that leaves less than there was, and for the rounding after them."""
    steps: list[Step] = []
    for cut in course.cuts:
        left = Fen(min(amount_fen, max(cut.left_fen, 0)))
        if cut.name == "rounding":
            left = floor_yuan(amount_fen)
        if left < amount_fen:
            label = ROUNDED if cut.name == "rounding" else limit_label(cut.name, cut.opened_fen, left)
            steps.append(Step(label, cut.clause or _clause(policy, course.holder_class, cut.name), left))
        amount_fen = left
    return steps


def limit_label(name: str, opened_fen: int | None, left_fen: int) -> str:
    """A limit in words; of one that orders are counted against, how much of it is used."""
    called = _LIMITS[name]
    if name not in _COUNTED or opened_fen is None:
        return f"不超过{called} {format_yuan(Fen(left_fen))} 元"
    whole, used = format_yuan(Fen(opened_fen)), format_yuan(Fen(opened_fen - left_fen))
    return f"不超过{called}（上限 {whole} 元，已计 {used} 元）"


def paying_label(payer: str, share: Share) -> str:
    """Who pays, and which part."""
    part = f"{share.parts}/{share.of}"
    if share.of == WHOLE_BP:
        part = f"{share.parts // 100}.{share.parts % 100:02d}%"
    return f"由 {payer} 承担 {part}"


def cap_clause(policy: Policy, holder_class: str) -> str | None:
    """On what a holder's cap rests, and with it its group's."""
    cap = policy.cap_for(holder_class)
    return None if cap is None else clause_of(policy, f"caps[{policy.caps.index(cap)}]", "caps")


def _clause(policy: Policy, holder_class: str, name: str) -> str | None:
    if name in ("cap", "group"):
        return cap_clause(policy, holder_class)
    if name == "contract":
        return clause_of(policy, "rate_lines")
    return clause_of(policy, name) if name == "rounding" else None


def _paying(policy: Policy, course: Course, amount_fen: Fen, base_fen: Fen) -> list[Step]:
    """Who pays which part of an amount, to the fen."""
    if not course.payers or amount_fen == 0:
        return []
    parts = exact([share for _, share in course.payers], amount_fen, base_fen)
    clause = course.agreed or clause_of(policy, "funding_shares")
    return [
        Step(paying_label(payer, share), clause, part)
        for (payer, share), part in zip(course.payers, parts, strict=True)
    ]


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
