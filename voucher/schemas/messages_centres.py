"""Sentences about centres, their certification and evaluation; put together with the others in `messages`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voucher.errors import Code

SENTENCES: Final[Mapping[Code, str]] = {
    Code.CENTRE_NOT_CERTIFIED: "该单位不是政策要求的部门认定的孵化载体，不能办理。",
    Code.TENANCY_INVALID: "该入驻企业的入驻信息不符合要求，不能办理。",
    Code.TENANT_NEEDED: "这张券只能为入驻企业使用，请选择至少一家入驻企业，每家只选一次。",
    Code.TENANT_NEEDLESS: "这张券不是发给孵化基地、为入驻企业使用的，不能分配。",
    Code.ATTENDANCE_MISSING: "还有入驻企业没有登记是否到场，不能验收核销。",
    Code.CHECK_IN_INVALID: "签到码无效，请重新扫描现场的签到码。",
    Code.CHECK_IN_OVER: "签到码已过期或签到已经结束，请重新扫描现场的签到码。",
    Code.CHECK_IN_DONE: "该单位已经登记过是否到场，不能重复签到。",
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
    ),
    Code.ATTENDANCE_MISSING: ("未登记的：{unknown} 家。",),
    Code.CHECK_IN_DONE: ("登记时间：{shown_at}。",),
}
