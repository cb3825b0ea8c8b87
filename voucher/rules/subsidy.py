"""How much subsidy a service earns: base, rate line, tiers, per-order caps, rounding (domain, section 3.4).

The result is what the policy grants before any balance is looked at; `clamp` then takes what is left of
voucher, cap, quota and contract into account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voucher.errors import Code, Refusal
from voucher.money import MAX_FEN, Fen, floor_yuan, format_yuan
from voucher.rules.policy import WHOLE_BP, Policy, PolicyUnsetError, RateLine, Tier
from voucher.terms import Rounding, SubsidyBase

ROUNDED: Final = "舍去不足一元的部分"
_BY_RATE = "按比例计算的补助额"
NOTHING = Fen(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One service as it is known now: amounts not known yet are None, at least one must be known.

    Regions are codes of the division table (or of zones below them); `units` counts what a per-unit cap
    multiplies (persons trained, samples), None where no count limits (a contract of several orders). `earlier_fen` is what the holder bought of the same kind at the same host
    within the policy's `split_days`: tiers and highest amounts count on the sum (domain 4, item 7).
    """

    holder_class: str
    service: str
    contract_fen: Fen | None = None
    invoice_net_fen: Fen | None = None
    paid_fen: Fen | None = None
    audited_fen: Fen | None = None
    applicant_region: str = ""
    provider_region: str = ""
    units: int | None = 1
    earlier_fen: Fen = NOTHING


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation: what was done (Chinese), by which clause, and the value it gave.

    `value` is fen where `unit` is "fen" and basis points where it is "bp".
    """

    label: str
    clause: str | None
    value: int
    unit: str = "fen"


@dataclass(frozen=True, slots=True)
class Computation:
    """The subsidy in fen, the base it was computed from, and the steps from the one to the other."""

    amount_fen: Fen
    base_fen: Fen
    steps: tuple[Step, ...]


def compute(policy: Policy, case: Case) -> Computation:
    """The subsidy that the policy grants for this case, never more than the base.

    Refuses `service_not_certified` (reason `not_in_policy`) for a service that the policy does not pay for or
    has no rate for, `not_qualified` (reason `holder_class`) for a class it does not serve. Raises ValueError
    if no amount is known or one is out of range, PolicyUnsetError if the policy lacks a base or a rounding.
    """
    _admit(policy, case)
    base_fen, base_label = _base(policy, case)
    index, line = rate_line(policy, case)
    clause = clause_of(policy, f"rate_lines[{index}]", "rate_lines")
    steps = [Step(base_label, clause_of(policy, "base"), base_fen)]
    if case.earlier_fen:
        steps.append(Step("拆分合同合并计算：期间内在同一机构的同类服务", clause, case.earlier_fen))
    whole = _limited(policy, line, Fen(case.earlier_fen + base_fen))
    before = _limited(policy, line, case.earlier_fen)
    steps += [_tier_step(tier, clause) for tier in line.tiers]
    for (label, whole_fen, limit_clause), (_, before_fen, _) in zip(whole, before, strict=True):
        amount = Fen(max(whole_fen - before_fen, 0))
        if label == _BY_RATE or amount != steps[-1].value:
            steps.append(Step(label, limit_clause or clause, amount))
    by_count = _per_unit(policy, case)
    if by_count is not None and by_count < amount:
        amount = by_count
        label = f"按数量计算的最高额（{case.units} × {format_yuan(policy.per_unit_cap_fen or NOTHING)} 元）"
        steps.append(Step(label, clause_of(policy, "per_unit_cap_fen"), amount))
    rounded = round_down(policy, amount)
    if rounded != amount:
        steps.append(Step(ROUNDED, clause_of(policy, "rounding"), rounded))
    return Computation(rounded, base_fen, tuple(steps))


def _limited(policy: Policy, line: RateLine, base_fen: Fen) -> list[tuple[str, Fen, str | None]]:
    """What the rate gives on a base, and what each limit leaves of it in turn: label, fen, clause of the limit."""
    amount = tiered(base_fen, line.tiers)
    found: list[tuple[str, Fen, str | None]] = [(_BY_RATE, amount, None)]
    limits = (
        ("本类补助的最高额", line.cap_fen, None),
        ("单笔最高额", policy.per_order_cap_fen, clause_of(policy, "per_order_cap_fen")),
    )
    for label, limit, limit_clause in limits:
        if limit is not None:
            amount = Fen(min(amount, limit))
            found.append((label, amount, limit_clause))
    return found


def tiered(base_fen: Fen, tiers: tuple[Tier, ...]) -> Fen:
    """The sum over the tiers of the part of the base in each times its rate, rounded down once, at the end."""
    below, weighted = 0, 0
    for tier in tiers:
        end = base_fen if tier.up_to_fen is None else min(base_fen, tier.up_to_fen)
        weighted += max(end - below, 0) * tier.rate_bp
        below = max(below, end)
    return Fen(weighted // WHOLE_BP)


def round_down(policy: Policy, amount_fen: Fen) -> Fen:
    """The amount as the policy rounds it: to the fen (unchanged) or down to whole yuan."""
    if policy.rounding is None:
        raise PolicyUnsetError("rounding")
    return floor_yuan(amount_fen) if policy.rounding is Rounding.YUAN else amount_fen


def within(region: str, asked: str) -> bool:
    """Whether a region is the one asked for or lies below it: 140100 is within 140000, 140105-Z1 within both."""
    stem = asked
    while len(stem) > 2 and stem.endswith("00"):
        stem = stem[:-2]
    return region.startswith(stem)


def _admit(policy: Policy, case: Case) -> None:
    if case.holder_class not in policy.holder_classes:
        raise Refusal(Code.NOT_QUALIFIED, reason="holder_class", holder_class=case.holder_class)
    if policy.service(case.service) is None:
        raise Refusal(Code.SERVICE_NOT_CERTIFIED, reason="not_in_policy", service=case.service)


def _base(policy: Policy, case: Case) -> tuple[Fen, str]:
    """The base by the policy; while the amount it names is not known yet, the least of those that are."""
    if policy.base is None:
        raise PolicyUnsetError("base")
    amounts = {
        SubsidyBase.CONTRACT: case.contract_fen,
        SubsidyBase.INVOICE_NET: case.invoice_net_fen,
        SubsidyBase.PAID: case.paid_fen,
        SubsidyBase.AUDITED: case.audited_fen,
    }
    known = {name: amount for name, amount in amounts.items() if amount is not None}
    if not known or not all(0 <= amount <= MAX_FEN for amount in known.values()):
        raise ValueError("a case needs at least one amount, each between 0 and MAX_FEN")
    name = policy.base if policy.base in known else min(known, key=lambda each: known[each])
    label = f"补助基数：{name.label}"
    if policy.base is SubsidyBase.AUDITED and name is not SubsidyBase.AUDITED:
        label += "（以审核认定金额为准，认定前暂按已知金额计算）"
    return known[name], label


def rate_line(policy: Policy, case: Case) -> tuple[int, RateLine]:
    """The first rate line that matches class, service and both regions, and its place (amounts of the case do not count).

    Refuses `service_not_certified` (reason `no_rate`).
    """
    for index, line in enumerate(policy.rate_lines):
        if (
            line.service in (None, case.service)
            and line.holder_class in (None, case.holder_class)
            and (line.applicant_region is None or within(case.applicant_region, line.applicant_region))
            and (line.provider_region is None or within(case.provider_region, line.provider_region))
        ):
            return index, line
    raise Refusal(Code.SERVICE_NOT_CERTIFIED, reason="no_rate", service=case.service)


def _tier_step(tier: Tier, clause: str | None) -> Step:
    label = "补助比例" if tier.up_to_fen is None else f"{format_yuan(tier.up_to_fen)} 元以内的补助比例"
    return Step(label, clause, tier.rate_bp, "bp")


def _per_unit(policy: Policy, case: Case) -> Fen | None:
    if policy.per_unit_cap_fen is None or case.units is None:
        return None
    return Fen(policy.per_unit_cap_fen * case.units)


def clause_of(policy: Policy, *keys: str) -> str | None:
    """On what the first of these parameters that is set rests: the document's item, or who filled it in and why."""
    return next((clause for key in keys if (clause := policy.clause(key)) is not None), None)
