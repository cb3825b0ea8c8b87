"""The conditions of applying in words: what each asks, and where to get what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voucher.operations.outcome import Refused
from voucher.rules.applying import Condition
from voucher.schemas.messages import sentence

_TITLES: Final = {
    "window": "申领期",
    "region": "所在地区",
    "holder_class": "单位类别",
    "centre": "孵化载体",
    "roster": "资格",
    "open": "没有办理中的申领",
    "count": "年度申领次数",
    "idle": "已领的券已使用",
    "held": "持有额度",
}
_REMEDIES: Final = {
    "window": "请在公布的申领期内提交；申领期由主管部门发文公布。",
    "region": "请向单位登记地的主管部门咨询当地的政策。",
    "holder_class": "请核对单位类别；类别登记有误的，请联系当地主管部门更正。",
    "roster": "请先完成当年的科技型中小企业评价入库（全国科技型中小企业信息服务平台），名单导入后即可申领；"
    "已入库仍未显示的，请联系当地主管部门。",
    "centre": "基地、园区请向认定部门咨询；初创企业请让所在的双创中心登记入驻信息。",
    "open": "可在“我的申领”查看进度，或撤回后重新提交。",
    "count": "次年可再申领。",
    "idle": "请先使用已领的券，或在券的页面退券。",
    "held": "请先使用或退回已持有的券。",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One condition as people read it: its name, whether it is met, and what is missing and where to get it."""

    name: str
    title: str
    is_met: bool
    missing: str
    remedy: str


def said(condition: Condition) -> Said:
    """A condition in words."""
    title = _TITLES[condition.name]
    if condition.finding is None:
        return Said(condition.name, title, True, "", "")
    code, facts = condition.finding
    return Said(condition.name, title, False, sentence(Refused(code, facts)), _REMEDIES[condition.name])
