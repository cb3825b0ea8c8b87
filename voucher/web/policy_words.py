"""How the parameters of a policy read: Chinese names, and values with their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from voucher.money import Fen, format_yuan
from voucher.queries.policies import Parameter
from voucher.queries.policy_sheets import Change
from voucher.rules.policy import WHOLE_BP, Authority, Cap, RateLine, Service, Share
from voucher.terms import CapScope, HolderClass, Term

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
NAMES: Final[dict[str, str]] = {
    "kind": "券种",
    "authorities": "主管部门",
    "effective_from": "施行日期",
    "effective_to": "失效日期",
    "holder_classes": "持有人类别",
    "eligibility": "资格条件",
    "certifiers": "服务平台的认定部门",
    "affiliation_share_bp": "视为关联的持股比例",
    "centre_certifiers": "孵化载体的认定部门",
    "own_services": "基地可以向自己或关联单位购买服务",
    "services": "服务范围",
    "base": "补助基数",
    "rate_lines": "补助比例",
    "per_order_cap_fen": "单笔最高额",
    "per_unit_cap_fen": "单位数量最高额",
    "rounding": "取整方式",
    "caps": "限额",
    "year": "年度的含义",
    "year_start": "年度的起始日",
    "payout_mode": "兑付方式",
    "funding_shares": "资金分担",
    "use_by_days": "使用有效期",
    "complete_by_days": "服务完成期限",
    "redeem_by_days": "兑付申请期限",
    "evidence": "兑付材料",
    "notice_days": "公示天数",
    "issue_mode": "发放方式",
    "face_min_fen": "最低面额",
    "face_max_fen": "最高面额",
    "transition": "新旧政策衔接",
    "instalments_max": "分期验收最多期数",
    "confirm_days": "验收答复期限（天）",
    "unconfirmed": "逾期未答复验收的",
    "dispute_days": "争议由双方协商的期限（工作日）",
    "extension_days": "完成期限最多延长天数",
    "cancel_consent": "接单后取消须双方同意",
    "held_most_fen": "同时持有的最高额",
    "applications_most": "每年申领次数上限",
    "idle_refuses": "有未使用的券时不得再申领",
    "roster_qualifies": "凭当年名单自动认定资格",
    "waiting_skips": "候补时可先发后面的小额申领",
    "appeal_days": "申诉期限（工作日）",
    "claim_confirm_days": "兑付申请的确认期限（天）",
    "defect_days": "补正期限（工作日）",
    "review_days": "审核期限（工作日）",
    "expert_review": "须有专家意见",
    "cosigners": "须会签的部门",
    "minutes_required": "须有会议纪要",
    "payment_channels": "可用的付款方式",
    "invoice_recheck_days": "付款前发票查验的有效天数",
    "stacking": "可与之叠加的项目",
    "excluded_words": "不予补助的服务内容",
    "split_days": "拆分合同合并计算的天数",
    "prorata": "申请期结束后另定比例",
    "binding": "下级不得另作规定的参数",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter as a line of the table. `standing`: document, filled, inherited, open (optional, not set) or unset."""

    name: str
    value: str
    standing: str
    basis: str
    quote: str


def rows_of(parameters: Sequence[Parameter], regions: Mapping[str, str] = NOTHING) -> list[Row]:
    """The lines of the table, in the order of the policy; `regions` are names of regions by code."""
    names = _names(parameters) | dict(regions)
    return [_row(parameter, names) for parameter in parameters]


@dataclass(frozen=True, slots=True)
class Pair:
    """A parameter in the version before and in this one; what became of it: added, removed or changed."""

    name: str
    before: Row | None
    after: Row | None
    became: str


def pairs_of(changes: Sequence[Change], regions: Mapping[str, str] = NOTHING) -> list[Pair]:
    """What changed, side by side, in the order of the policy; `regions` as in `rows_of`."""
    names = dict(regions)
    for each in changes:
        names |= _names([side for side in (each.before, each.after) if side is not None])
    found = []
    for each in changes:
        before = _row(each.before, names) if each.before is not None else None
        after = _row(each.after, names) if each.after is not None else None
        became = "changed" if before and after else "added" if after else "removed"
        found.append(Pair((after or before or Row("", "", "", "", "")).name, before, after, became))
    return found


def clause(item: str) -> str:
    """An item of a document: 第 18 条, or what is no number as it stands (印发日期, 演示主管部门：…)."""
    return f"第 {item} 条" if item.isdecimal() else item


def _names(parameters: Sequence[Parameter]) -> dict[str, str]:
    """What the policy itself names, by code: its services and authorities, and the classes of holders."""
    names = {each.value: each.label for each in HolderClass}
    for parameter in parameters:
        if parameter.key == "services":
            names |= {service.code: service.label for service in parameter.value or ()}
        elif parameter.key == "authorities":
            names |= {authority.function: authority.name for authority in parameter.value or ()}
    return names


def _row(parameter: Parameter, names: Mapping[str, str]) -> Row:
    name = NAMES.get(parameter.key, parameter.key)
    if parameter.value is None:
        if parameter.is_required:
            return Row(name, "未确定", "unset", "须由主管部门填写后才能发布", "")
        return Row(name, "不设", "open", "文件没有规定", "")
    value, source, fill = _value(parameter, names), parameter.source, parameter.fill
    if parameter.is_superseded:
        return Row(name, value, "superseded", "由后一版本接替", "")
    basis = f"{source.document_no} {clause(source.item)}" if source is not None else ""
    if source is None and fill is not None:
        basis = f"{fill.who}：{fill.basis}"
    quote = source.quote if source is not None else ""
    if parameter.heir is not None:
        return Row(name, value, "inherited", f"{basis}（继承自 {parameter.heir}）", quote)
    return Row(name, value, "document" if source is not None else "filled", basis, quote)


def _value(parameter: Parameter, names: Mapping[str, str]) -> str:
    key, value = parameter.key, parameter.value
    if isinstance(value, tuple) and key != "year_start":
        return "；".join(_one(key, each, names) for each in value)
    return _one(key, value, names)


def _one(key: str, value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, Term | Service):
        return value.label
    if isinstance(value, Authority):
        return value.name
    if isinstance(value, RateLine):
        return rate_words(value, names)
    if isinstance(value, Cap):
        return _cap(value)
    if isinstance(value, Share):
        return _share(value, names)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    if key.endswith("_fen"):
        return f"{format_yuan(Fen(value))} 元"
    if key.endswith("_bp"):
        return _percent(value)
    if key.endswith("_days"):
        return f"{value} 天"
    if key == "year_start":
        return f"{value[0]} 月 {value[1]} 日"
    told = NAMES if key == "binding" else names
    return told.get(str(value), str(value))


def _cap(cap: Cap) -> str:
    whose = f"{HolderClass(cap.holder_class).label}：" if cap.holder_class else "每个持有人"
    said = f"{whose}{cap.period.label} {format_yuan(cap.amount_fen)} 元（按{cap.basis.label}计）"
    if cap.scope is CapScope.CONTROL_GROUP:
        said += "，同一控制人的企业合计也不超过各类中的最高额"
    return said + (f"，未用部分可结转 {cap.carry_years} 年" if cap.carry_years else "")


def rate_words(line: RateLine, names: Mapping[str, str] = NOTHING) -> str:
    """A rate with what it is limited to; `names` are those of services, holders and regions by code."""
    parts = [
        _percent(tier.rate_bp)
        if tier.up_to_fen is None
        else f"{format_yuan(tier.up_to_fen)} 元以内 {_percent(tier.rate_bp)}"
        for tier in line.tiers
    ]
    limits = [
        names.get(each, each)
        for each in (line.service, line.holder_class, line.applicant_region, line.provider_region)
        if each
    ]
    most = [f"最高 {format_yuan(line.cap_fen)} 元"] if line.cap_fen is not None else []
    return "，".join([*([f"（{'、'.join(limits)}）"] if limits else []), *parts, *most])


def _share(share: Share, names: Mapping[str, str]) -> str:
    part = _percent(share.parts) if share.of == WHOLE_BP else f"{share.parts}/{share.of}"
    most = [f"最高 {format_yuan(share.ceiling_fen)} 元"] if share.ceiling_fen is not None else []
    if share.ceiling_bp is not None:
        most.append(f"最高为补助基数的 {_percent(share.ceiling_bp)}")
    rest = (
        [f"超出部分由{names.get(share.spill_to, share.spill_to)}承担"] if share.spill_to is not None else []
    )
    return "，".join([f"{names.get(share.funder, share.funder)}：{part}", *most, *rest])


def _percent(bp: int) -> str:
    whole, rest = divmod(bp * 100, WHOLE_BP)
    return f"{whole}%" if rest == 0 else f"{whole}.{rest * 100 // WHOLE_BP:02d}%"
