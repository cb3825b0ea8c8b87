"""Is an agreement fit to publish: what is unset, what contradicts itself, and whether its quotations are true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from math import lcm
from typing import Final

from voucher.rules.agreement import Agreement
from voucher.rules.agreement_reading import AgreementError, read
from voucher.rules.policy import Problem
from voucher.rules.policy_reading import placed
from voucher.rules.quotations import quotations
from voucher.rules.subsidy import within
from voucher.terms import Direction, PartyRole, Remit, VoucherKind

REQUIRED: Final = {
    "parties": "协议各方",
    "direction": "互认方向",
    "kinds": "券种",
    "services": "服务范围",
    "effective_from": "生效日期",
    "registry": "互认机构",
}
_FILL = re.compile(r"^fills\[\d+\]\.")

_Findings = Iterator[tuple[str, str]]


def problems_of(text: str, fills: Sequence[str], *, document_text: str | None) -> tuple[Problem, ...]:
    """Everything that speaks against publishing these texts, with line and clause; nothing where they are fit.

    In a text with faults the rest is still judged; what depends on a faulty parameter is passed over.
    """
    found: tuple[Problem, ...] = ()
    try:
        version = read(text, fills)
    except AgreementError as unreadable:
        if unreadable.partial is None:
            return placed(unreadable.problems, text, fills)
        found, version = unreadable.problems, unreadable.partial
    broken = {_root(problem.key) for problem in found}
    rest = [each for each in check(version, document_text) if _root(each.key) not in broken]
    return placed((*found, *rest), text, fills)


def check(version: Agreement, document_text: str | None) -> tuple[Problem, ...]:
    """Everything that speaks against publishing: unset parameters, contradictions, quotations not found."""
    return (
        *unset(version),
        *(
            Problem(None, key, version.clause(key, _root(key)) or None, message)
            for rule in _RULES
            for key, message in rule(version)
        ),
        *quotations(version, document_text),
    )


def unset(version: Agreement) -> tuple[Problem, ...]:
    """The required parameters that nobody gives; each blocks publishing."""
    return tuple(
        Problem(None, key, None, f"{label}（{key}）没有规定，须由协议各方填写后才能发布")
        for key, label in REQUIRED.items()
        if getattr(version, key) in (None, ())
    )


def _root(key: str) -> str:
    plain = _FILL.sub("", key)
    return plain if plain.startswith("agreement.") else plain.partition(".")[0].partition("[")[0]


def _weak(version: Agreement) -> _Findings:
    if version.weak_source is not None:
        yield "agreement.weak_source", f"出处较弱（{version.weak_source}），须取得协议原文核对后才能发布"


def _dates(version: Agreement) -> _Findings:
    if version.effective_from and version.effective_to and version.effective_to <= version.effective_from:
        yield "effective_through", "有效期在生效日期之前结束"


def _parties(version: Agreement) -> _Findings:
    if len(version.parties) == 1:
        yield "parties", "协议至少有两方"
    for (_, first), (number, second) in combinations(enumerate(version.parties), 2):
        if first.region == second.region:
            yield f"parties[{number}]", f"地区 {second.region} 列了两次"
        elif (first.binds_children and within(second.region, first.region)) or (
            second.binds_children and within(first.region, second.region)
        ):
            yield f"parties[{number}]", f"{first.region} 与 {second.region} 一方约束另一方，不能同为协议两方"


def _direction(version: Agreement) -> _Findings:
    parts = {party.part for party in version.parties}
    if version.direction is Direction.BOTH and parts - {PartyRole.BOTH}:
        yield "direction", "双向互认的各方不另写 part"
    if version.direction is Direction.ONE_WAY and len(version.parties) > 1:
        if PartyRole.BOTH in parts:
            yield "direction", "单向认可须写明每一方是用券一方（home）还是收券一方（provider）"
        elif len(parts) < len({PartyRole.HOME, PartyRole.PROVIDER}):
            yield "direction", "单向认可须既有用券一方（home），又有收券一方（provider）"


def _kinds(version: Agreement) -> _Findings:
    if VoucherKind.POST_SUBSIDY in version.kinds:
        yield "kinds", "后补助不经服务平台收券，不能互认"


def _rates(version: Agreement) -> _Findings:
    for number, line in enumerate(version.rate_lines):
        if line.service is not None and line.service not in version.services:
            yield f"rate_lines[{number}]", f"比例所指的服务 {line.service} 不在协议的服务范围之中"
    everywhere = {
        line.service
        for line in version.rate_lines
        if line.holder_class is None and line.applicant_region is None and line.provider_region is None
    }
    for service in version.services if version.rate_lines else ():
        if everywhere.isdisjoint({None, service}):
            yield "rate_lines", f"协议自定比例，服务 {service} 却没有适用于所有企业和各地的比例"


def _shares(version: Agreement) -> _Findings:
    shares = version.funding_shares
    if not shares:
        return
    if len({share.funder for share in shares}) < len(shares):
        yield "funding_shares", "同一方列了两次"
    whole = lcm(*(share.of for share in shares))
    if sum(share.parts * (whole // share.of) for share in shares) != whole:
        told = "、".join(f"{share.funder.label} {share.parts}/{share.of}" for share in shares)
        yield "funding_shares", f"双方分担合计不等于全部：{told}"


def _ceilings(version: Agreement) -> _Findings:
    firm, total = version.firm_ceiling_fen, version.total_ceiling_fen
    if firm is not None and total is not None and firm > total:
        yield "firm_ceiling_fen", "每家企业的额度高于协议的总额度"


def _remit(version: Agreement) -> _Findings:
    if version.remit is Remit.DIRECT:
        yield (
            "remit",
            "各自直接支付不予办理：每件兑付只有一笔付款，请写按期清算（clearing），由项目所在地区全额支付，另一方清算分担额",
        )


_RULES: Final[tuple[Callable[[Agreement], _Findings], ...]] = (
    _dates, _parties, _direction, _kinds, _rates, _shares, _ceilings, _remit, _weak,
)  # fmt: skip
