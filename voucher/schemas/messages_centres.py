"""Sentences about centres, their certification and evaluation; put together with the others in `messages`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voucher.errors import Code

SENTENCES: Final[Mapping[Code, str]] = {
    Code.BAN_PERIOD: "决定的期限不正确。",
    Code.CENTRE_NOT_CERTIFIED: "该单位不是政策要求的部门认定的孵化载体，不能办理。",
    Code.TENANCY_INVALID: "该入驻企业的入驻信息不符合要求，不能办理。",
    Code.TENANT_NEEDED: "这张券只能为入驻企业使用，请选择至少一家入驻企业，每家只选一次。",
    Code.TENANT_NEEDLESS: "这张券不是发给孵化基地、为入驻企业使用的，不能分配。",
    Code.ATTENDANCE_MISSING: "还有入驻企业没有登记是否到场，不能验收核销。",
    Code.CHECK_IN_INVALID: "签到码无效，请重新扫描现场的签到码。",
    Code.CHECK_IN_OVER: "签到码已过期或签到已经结束，请重新扫描现场的签到码。",
    Code.CHECK_IN_DONE: "该单位已经登记过是否到场，不能重复签到。",
    Code.REAPPLY_LOCKED: "该单位因年度评价被摘牌，在限制期内不得申报孵化载体和服务平台。",
    Code.NOT_EVALUABLE: "该年度不能评价。",
    Code.ALREADY_EVALUATED: "该年度已经评分或公布，不能重复评分；需要更正的，由公布人退回重评。",
    Code.POINTS_INVALID: "分值应为 0 至该项满分的整数，每一项都要填写。",
    Code.REPORT_NOT_OPEN: "该季度现在不能报送。",
    Code.RULES_INVALID: "评价办法文件有错误，不能公布。",
}

DETAILS: Final[Mapping[Code, tuple[str, ...]]] = {
    Code.CENTRE_NOT_CERTIFIED: (
        "载体：{centre}。",
        "原因：{reason}。",
        "应由{authority}认定。",
        "现由{certifier}认定。",
        "当前状态：{state}。",
        "该载体由{region}的部门认定，不在本项目的地区范围内。",
        "依据：{clause}。",
    ),
    Code.TENANCY_INVALID: (
        "单位：{holder}。",
        "原因：{reason}。",
        "日期：{on}。",
        "已登记的入驻日期：{entered_on}。",
        "最后一笔订单：{order}。",
        "最早可以登记的退出日期：{earliest_on}。",
    ),
    Code.ATTENDANCE_MISSING: ("未登记的：{unknown} 家。",),
    Code.CHECK_IN_DONE: ("登记时间：{shown_at}。",),
    Code.BAN_PERIOD: ("原因：{reason}。",),
    Code.REAPPLY_LOCKED: ("决定文号：{decision_no}。", "依据：{legal_basis}。", "{to_on} 起可以再次申报。"),
    Code.NOT_EVALUABLE: ("原因：{reason}。", "年度：{year}。"),
    Code.ALREADY_EVALUATED: ("年度：{year}。",),
    Code.POINTS_INVALID: ("评价内容：{indicator}，满分 {most}。",),
    Code.REPORT_NOT_OPEN: ("原因：{reason}。",),
    Code.RULES_INVALID: ("共 {problems} 处，第一处在第 {line} 行：{problem}。",),
}
