"""Tenants of centres, what is allotted to them, and how it is shown that they attended."""

from __future__ import annotations

from voucher.terms.term import Term


class TenancyState(Term):
    COMING = "coming", "尚未入驻"
    INCUBATING = "incubating", "在孵"
    GRADUATED = "graduated", "已毕业"
    LEFT = "left", "已退出"


class AllotmentState(Term):
    LIVE = "live", "可使用"
    ENDED = "ended", "已收回"


class AttendanceProof(Term):
    """How it was shown that a tenant attended what was bought for it, or did not."""

    LIST = "list", "签到表"
    QR = "qr", "扫码签到"


class TenantFault(Term):
    NAME_EMPTY = "name_empty", "名称为空或超过 120 字"
    REF_INVALID = "ref_invalid", "统一社会信用代码或临时编号不正确"
    REF_UNKNOWN = "ref_unknown", "没有这个临时编号"
    REF_TWICE = "ref_twice", "同一单位在文件中重复"
    ENTERED_INVALID = "entered_invalid", "入驻日期不正确，应写成 2026-03-01"
    LEFT_INVALID = "left_invalid", "退出日期不正确，或不晚于入驻日期"
    OVERLAPS = "overlaps", "与已登记的入驻时间重叠"
