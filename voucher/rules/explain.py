"""A case tried on a policy version: every line of the computation with what it rests on, up to who pays what.

The order is that of domain, section 3.4: base, rate, per-order limits, voucher, yearly cap, budget, the factor fixed
after the window, the shares of the funders. Nothing is written and no balance is read: the case says what is counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from voucher.money import Fen, parse_yuan
from voucher.rules import funding, policy_check
from voucher.rules import policy_values as shapes
from voucher.rules.claim_lines import cap_clause, factor_steps, limit_label, paying_label
from voucher.rules.clamp import Limit, clamp
from voucher.rules.cofunding import ABOVE_CEILINGS, exact
from voucher.rules.policy import Policy, PolicyError, Problem
from voucher.rules.subsidy import NOTHING, Case, Step, clause_of, compute, round_down
from voucher.terms import CapScope, HolderClass, Rounding

_NEEDED = frozenset({"holder_classes", "services", "base", "rate_lines", "rounding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a case file says: the case, and what is already counted or left; None where it says nothing."""

    case: Case
    ordered_on: date | None = None
    counted_fen: Fen = NOTHING
    carried_fen: Fen = NOTHING
    group_fen: Fen | None = None
    voucher_fen: Fen | None = None
    budget_fen: Fen | None = None
    factor_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The subsidy of a trial, its lines, and what each funder pays of it."""

    amount_fen: Fen
    steps: tuple[Step, ...]
    funded: tuple[funding.Funded, ...]


def _yuan(value: object) -> Fen:
    return parse_yuan(value, minimum=0)


def _iso(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise ValueError('应为日期，例如 "2024-05-01"') from None


_AMOUNTS = ("contract", "invoice_net", "paid", "audited")
FIELDS: dict[str, tuple[str, shapes.Shape]] = {
    "policy": ("policy", shapes.code),
    "note": ("note", shapes.text),
    "ordered_on": ("ordered_on", _iso),
    "holder_class": ("holder_class", shapes.choice(HolderClass)),
    "service": ("service", shapes.code),
    **{f"{name}_yuan": (f"{name}_fen", _yuan) for name in _AMOUNTS},
    "applicant_region": ("applicant_region", shapes.code),
    "provider_region": ("provider_region", shapes.code),
    "units": ("units", shapes.whole(1, 1_000_000)),
    "earlier_yuan": ("earlier_fen", _yuan),
    "counted_yuan": ("counted_fen", _yuan),
    "carried_yuan": ("carried_fen", _yuan),
    "group_counted_yuan": ("group_fen", _yuan),
    "voucher_yuan": ("voucher_fen", _yuan),
    "budget_yuan": ("budget_fen", _yuan),
    "factor_bp": ("factor_bp", shapes.rate),
}


def read_case(policy: Policy, text: str) -> Trial:
    """The trial that a JSON text describes, amounts in yuan.

    Raises PolicyError with every problem at once, `key` the field: no JSON, unknown, missing, repeated or wrong fields,
    a class or service that the policy does not know, a day on which the version is not in force, no amount.
    """
    given, problems = _object(text)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in FIELDS:
            problems.append(_problem(name, "没有这一项"))
            continue
        field, shape = FIELDS[name]
        try:
            found[field] = shape(value)
        except ValueError as fault:
            problems.append(_problem(name, str(fault)))
    for name in ("holder_class", "service"):
        if name not in given:
            problems.append(_problem(name, "缺少这一项"))
    if not any(f"{name}_yuan" in given for name in _AMOUNTS):
        names = "、".join(f"{name}_yuan" for name in _AMOUNTS)
        problems.append(_problem("contract_yuan", f"至少写一个金额：{names}"))
    problems += _unfit(policy, found)
    if problems:
        raise PolicyError(tuple(problems))
    known = {field.name for field in fields(Case)}
    rest = {name: value for name, value in found.items() if name not in known | {"policy", "note"}}
    return Trial(case=Case(**{name: found[name] for name in found.keys() & known}), **rest)


def hindrances(policy: Policy) -> tuple[Problem, ...]:
    """Why this policy cannot be computed with: what it contradicts, and what a computation needs and is unset."""
    missing = tuple(problem for problem in policy_check.unset(policy) if problem.key in _NEEDED)
    return missing + policy_check.contradictions(policy)


def explain(policy: Policy, trial: Trial) -> Explanation:
    """The computation of a trial on a policy without `hindrances`, line by line."""
    computed = compute(policy, trial.case)
    steps, amount = list(computed.steps), computed.amount_fen
    for name, limit, clause in _limits(policy, trial):
        amount = clamp(amount, [limit], rounding=policy.rounding or Rounding.FEN).granted_fen
        steps.append(Step(limit_label(name, limit.opened_fen, limit.available_fen), clause, amount))
    if policy.prorata and trial.factor_bp is not None:
        amount = funding.after_window(amount, trial.factor_bp)
        steps += factor_steps(policy, trial.factor_bp, amount)
    funded = funding.split(policy.funding_shares, amount, computed.base_fen)
    if any(each.lost_fen for each in funded):
        amount = round_down(policy, Fen(sum(each.amount_fen for each in funded)))
        parts = exact(policy.funding_shares, amount, computed.base_fen)
        funded = tuple(replace(each, amount_fen=part) for each, part in zip(funded, parts, strict=True))
        steps.append(Step(ABOVE_CEILINGS, clause_of(policy, "funding_shares"), amount))
    for number, (share, each) in enumerate(zip(policy.funding_shares, funded, strict=True)):
        clause = clause_of(policy, f"funding_shares[{number}]", "funding_shares")
        steps.append(Step(paying_label(share.funder, share), clause, each.amount_fen))
    return Explanation(amount, tuple(steps), funded)


def _limits(policy: Policy, trial: Trial) -> list[tuple[str, Limit, str | None]]:
    """The limits that cut, in the order of verdicts, each with what it rests on."""
    found: list[tuple[str, Limit, str | None]] = []
    if trial.voucher_fen is not None:
        found.append(("voucher", Limit("voucher", trial.voucher_fen, trial.voucher_fen, Fen(0)), None))
    cap = policy.cap_for(trial.case.holder_class)
    if cap is not None:
        whole = Fen(cap.amount_fen + trial.carried_fen)
        clause = cap_clause(policy, trial.case.holder_class)
        left = Fen(whole - trial.counted_fen)
        found.append(("cap", Limit("cap", left, whole, trial.counted_fen), clause))
        if trial.group_fen is not None:
            most = policy.group_cap_fen
            left = Fen(most - trial.group_fen)
            found.append(("group", Limit("group", left, most, trial.group_fen), clause))
    if trial.budget_fen is not None:
        found.append(("budget", Limit("quota", trial.budget_fen, trial.budget_fen, Fen(0)), None))
    return found


def _object(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of the text; a field that stands twice is a problem, and so is everything that is no object."""
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    try:
        given = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=once)
    except json.JSONDecodeError as fault:
        raise _no_object(f"不是有效的 JSON：第 {fault.lineno} 行第 {fault.colno} 个字") from fault
    except (ValueError, RecursionError) as fault:
        raise _no_object("不是有效的 JSON：数字过长或嵌套过深") from fault
    if not isinstance(given, dict):
        raise _no_object("应为一个对象：{ … }")
    return given, [_problem(name, "写了两次") for name in twice]


def _no_object(message: str) -> PolicyError:
    return PolicyError((_problem("", message),))


def _problem(field: str, message: str) -> Problem:
    return Problem(None, field, None, message)


def _unfit(policy: Policy, found: Mapping[str, Any]) -> list[Problem]:
    """What the policy has to say against the fields that could be read."""
    problems = []
    if found.get("policy", policy.code) != policy.code:
        problems.append(_problem("policy", f"这是另一份政策的算例，不是 {policy.code} 的"))
    if "holder_class" in found and found["holder_class"] not in policy.holder_classes:
        problems.append(_problem("holder_class", f"政策的持有人类别只有：{'、'.join(policy.holder_classes)}"))
    if "service" in found and policy.service(found["service"]) is None:
        codes = "、".join(service.code for service in policy.services)
        problems.append(_problem("service", f"政策的服务范围只有：{codes}"))
    if "factor_bp" in found and not policy.prorata:
        problems.append(_problem("factor_bp", "政策没有规定申请期结束后另定比例（prorata）"))
    problems += _unfit_cap(policy, found)
    on, first, end = found.get("ordered_on"), policy.effective_from, policy.effective_to
    if on is not None and ((first and on < first) or (end and on >= end)):
        last = (end - timedelta(days=1)).isoformat() if end else "长期"
        problems.append(_problem("ordered_on", f"下单之日不在这一版本的有效期内：{first} 至 {last}"))
    return problems


def _unfit_cap(policy: Policy, found: Mapping[str, Any]) -> list[Problem]:
    """What of a case a cap does not know: carried amounts, the count of a group."""
    cap = policy.cap_for(str(found.get("holder_class", "")))
    problems = []
    if "carried_fen" in found and (cap is None or not cap.carry_years):
        problems.append(_problem("carried_yuan", "政策没有规定未用额度的结转（carry_years）"))
    if "group_fen" in found and (cap is None or cap.scope is not CapScope.CONTROL_GROUP):
        problems.append(_problem("group_counted_yuan", "政策没有规定同一控制人的企业合并计算（scope）"))
    return problems
