"""Is a policy fit to publish: what is unset, what contradicts itself, and whether its quotations are true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, product

from voucher.money import format_yuan
from voucher.rules import policy_inheritance as bounds
from voucher.rules.funding import one_whole
from voucher.rules.policy import Policy, PolicyError, Problem, RateLine
from voucher.rules.policy_lines import root_of
from voucher.rules.policy_reading import placed, read
from voucher.rules.quotations import quotations
from voucher.terms import (
    CapPeriod,
    DocumentKind,
    EligibilityRule,
    PayoutMode,
    SubsidyBase,
    VoucherKind,
    YearBasis,
)

_REQUIRED = {
    "kind": "券种",
    "authorities": "主管部门",
    "effective_from": "施行日期",
    "holder_classes": "持有人类别",
    "services": "服务范围",
    "base": "补助基数",
    "rate_lines": "补助比例",
    "rounding": "取整方式",
    "caps": "限额",
    "payout_mode": "兑付方式",
    "funding_shares": "资金分担",
    "certifiers": "服务平台的认定部门",
    "complete_by_days": "服务完成期限",
    "redeem_by_days": "兑付申请期限",
    "evidence": "兑付材料",
    "notice_days": "公示天数",
    "transition": "新旧政策衔接",
}
_REQUIRED_OF_VOUCHERS = {
    "issue_mode": "发放方式",
    "face_min_fen": "最低面额",
    "face_max_fen": "最高面额",
    "use_by_days": "使用有效期",
}
_PROOF_OF_BASE = {
    SubsidyBase.CONTRACT: DocumentKind.CONTRACT,
    SubsidyBase.INVOICE_NET: DocumentKind.INVOICE,
    SubsidyBase.PAID: DocumentKind.PAYMENT_PROOF,
}
_READ_BY_UNSET = {"kind": frozenset(_REQUIRED_OF_VOUCHERS), "caps": frozenset({"year"})}


def unset(policy: Policy) -> tuple[Problem, ...]:
    """The required parameters that neither the document nor the authority gives; each blocks publishing."""
    required = dict(_REQUIRED)
    if policy.kind is not VoucherKind.POST_SUBSIDY:
        required |= _REQUIRED_OF_VOUCHERS
    if any(cap.period is CapPeriod.YEAR for cap in policy.caps):
        required["year"] = "年度的含义"
    if policy.year in (YearBasis.WINDOW, YearBasis.INVOICE_WINDOW):
        required["year_start"] = "年度的起始日"
    if EligibilityRule.CERTIFIED_BASE in policy.eligibility:
        required["centre_certifiers"] = "孵化载体的认定部门"
    return tuple(
        Problem(None, key, None, f"{label}（{key}）没有规定，须由主管部门填写后才能发布")
        for key, label in required.items()
        if getattr(policy, key) in (None, ())
    )


def check(policy: Policy, document_text: str | None) -> tuple[Problem, ...]:
    """Everything that speaks against publishing: unset parameters, contradictions, quotations not found.

    `document_text` is the stored text of the policy's document; None means that none is stored, and then
    no quotation counts as verified.
    """
    return (
        *unset(policy),
        *contradictions(policy),
        *_weak(policy),
        *quotations(policy, document_text, inherited=_inherited(policy)),
    )


def problems_of(
    text: str, fills: Sequence[str], *, document_text: str | None, parent: Policy | None = None
) -> tuple[Problem, ...]:
    """Everything that speaks against publishing these texts, each with its line; nothing where they are fit."""
    try:
        found = check(read(text, fills, parent=parent), document_text)
    except PolicyError as unreadable:
        found = check_rest(unreadable, document_text)
    return placed(found, text, fills)


def check_rest(unreadable: PolicyError, document_text: str | None) -> tuple[Problem, ...]:
    """All that is wrong with a text that cannot be read whole: its faults, and what is wrong with the rest.

    What depends on a parameter with a fault is not judged.
    """
    policy = unreadable.readable
    if policy is None:
        return unreadable.problems
    broken = {root_of(problem.key) for problem in unreadable.problems}
    passed_over = broken.union(*(_READ_BY_UNSET.get(key, frozenset()) for key in broken))
    rest = (
        *unset(policy),
        *contradictions(policy, broken=broken),
        *_weak(policy),
        *quotations(policy, document_text, inherited=_inherited(policy)),
    )
    return unreadable.problems + tuple(each for each in rest if root_of(each.key) not in passed_over)


def contradictions(policy: Policy, *, broken: AbstractSet[str] = frozenset()) -> tuple[Problem, ...]:
    """Where the parameters speak against each other. Rules that read a parameter in `broken` are not asked."""
    return tuple(
        Problem(None, key, _clause(policy, key), message)
        for rule, reads in _CONTRADICTIONS
        if not reads & broken
        for key, message in rule(policy)
    )


_Findings = Iterator[tuple[str, str]]


def _dates(policy: Policy) -> _Findings:
    if policy.effective_from and policy.effective_to and policy.effective_to <= policy.effective_from:
        yield "effective_through", "有效期在施行日期之前结束"


def _year(policy: Policy) -> _Findings:
    if policy.year is YearBasis.CALENDAR and policy.year_start is not None:
        yield "year_start", "按公历年度时不另定起始日"


def _faces(policy: Policy) -> _Findings:
    low, high = policy.face_min_fen, policy.face_max_fen
    if low is not None and high is not None and low > high:
        yield "face_min_fen", f"最低面额 {format_yuan(low)} 元高于最高面额 {format_yuan(high)} 元"


def _shares(policy: Policy) -> _Findings:
    shares = policy.funding_shares
    if shares and not one_whole(shares):
        told = "、".join(f"{share.funder} {share.parts} 份（共 {share.of} 份）" for share in shares)
        yield "funding_shares", f"各方分担合计不等于全部：{told}"
    if len({share.funder for share in shares}) < len(shares):
        yield "funding_shares", "同一出资方列了两次"
    keepers = {share.funder for share in shares if share.spill_to is None}
    for number, share in enumerate(shares):
        if share.spill_to is not None and share.spill_to not in keepers - {share.funder}:
            yield f"funding_shares[{number}]", f"超额转由 {share.spill_to} 承担，须是另一出资方，且不再转出"


def _caps(policy: Policy) -> _Findings:
    for number, cap in enumerate(policy.caps):
        if cap.holder_class is not None and cap.holder_class not in policy.holder_classes:
            yield f"caps[{number}]", f"上限所指的持有人类别 {cap.holder_class} 不在持有人类别之中"
        if cap.carry_years and (cap.period is not CapPeriod.YEAR or policy.year is not YearBasis.CALENDAR):
            yield f"caps[{number}]", "未用额度的结转（carry_years）只适用于按公历年度计算的限额"
    for (_, first), (number, second) in combinations(enumerate(policy.caps), 2):
        if first.holder_class == second.holder_class:
            yield f"caps[{number}]", "同一类持有人有两个上限"


def _services(policy: Policy) -> _Findings:
    codes = [service.code for service in policy.services]
    for number, code in enumerate(codes):
        if code in codes[:number]:
            yield f"services[{number}]", f"服务 {code} 列了两次"


def _rate_lines(policy: Policy) -> _Findings:
    codes = {service.code for service in policy.services}
    for number, line in enumerate(policy.rate_lines):
        if line.service is not None and line.service not in codes:
            yield f"rate_lines[{number}]", f"比例所指的服务 {line.service} 不在服务范围之中"
        if line.holder_class is not None and line.holder_class not in policy.holder_classes:
            yield f"rate_lines[{number}]", f"比例所指的持有人类别 {line.holder_class} 不在持有人类别之中"
        if any(_covers(earlier, line) for earlier in policy.rate_lines[:number]):
            yield f"rate_lines[{number}]", "前面的比例已包括这一条，永远用不到"


def _covers(earlier: RateLine, later: RateLine) -> bool:
    """Whether every case of `later` already matches `earlier`."""
    pairs = (
        (earlier.service, later.service),
        (earlier.holder_class, later.holder_class),
        (earlier.applicant_region, later.applicant_region),
        (earlier.provider_region, later.provider_region),
    )
    return all(asked is None or asked == narrower for asked, narrower in pairs)


def _gaps(policy: Policy) -> _Findings:
    """A service and class for which no line holds in every region has no rate somewhere."""
    if not policy.rate_lines:
        return
    for service, holder_class in product(policy.services, policy.holder_classes):
        case = RateLine((), service=service.code, holder_class=holder_class)
        if not any(_covers(line, case) for line in policy.rate_lines):
            yield "rate_lines", f"服务 {service.code}、持有人类别 {holder_class} 没有适用于各地的补助比例"


def _evidence(policy: Policy) -> _Findings:
    proof = _PROOF_OF_BASE.get(policy.base) if policy.base is not None else None
    if proof is not None and policy.evidence and proof not in policy.evidence:
        yield "evidence", f"补助基数按{proof.label}计算，兑付材料却不要求{proof.label}"


def _escrow(policy: Policy) -> _Findings:
    if policy.payout_mode is PayoutMode.OPERATOR_ESCROW and not any(
        authority.function == "operator" for authority in policy.authorities
    ):
        yield "payout_mode", "平台代兑须写明运营管理机构（authorities 中 function = operator）"


def _answers(policy: Policy) -> _Findings:
    if policy.unconfirmed is not None and policy.confirm_days is None:
        yield "unconfirmed", "没有规定验收答复的期限（confirm_days），逾期未答复的办法无从适用"


_CONTRADICTIONS: tuple[tuple[Callable[[Policy], _Findings], frozenset[str]], ...] = (
    (_dates, frozenset()),
    (_year, frozenset()),
    (_faces, frozenset()),
    (_shares, frozenset({"funding_shares"})),
    (_caps, frozenset({"caps", "holder_classes", "year"})),
    (_services, frozenset({"services"})),
    (_rate_lines, frozenset({"rate_lines", "services", "holder_classes"})),
    (_gaps, frozenset({"rate_lines", "services", "holder_classes"})),
    (_evidence, frozenset({"evidence", "base"})),
    (_escrow, frozenset({"payout_mode", "authorities"})),
    (_answers, frozenset({"confirm_days"})),
    (bounds.same_kind_and_place, frozenset({"kind"})),
    (bounds.within_days, frozenset({"effective_from", "effective_through"})),
    (bounds.within_caps, frozenset({"caps", "holder_classes", "year", "year_start"})),
    (bounds.within_amounts, frozenset()),
    (bounds.as_bound, frozenset()),
)


def _weak(policy: Policy) -> Iterator[Problem]:
    if policy.weak_source is not None:
        message = f"出处较弱（{policy.weak_source}），须取得文件原文核对后才能发布"
        yield Problem(None, "policy.weak_source", None, message)


def _inherited(policy: Policy) -> frozenset[str]:
    return frozenset(key for key, _ in policy.sources if policy.heir_of(key) is not None)


def _clause(policy: Policy, key: str) -> str | None:
    return policy.clause(key) if policy.source_of(key) else None
