"""Vouchers, and the way to one: applications and appeals."""

from __future__ import annotations

from voucher.terms.term import Term


class VoucherState(Term):
    LIVE = "live", "可使用"
    EXPIRED = "expired", "过期收回"
    REVOKED = "revoked", "已撤销"
    RETURNED = "returned", "已退券"


class ApplicationState(Term):
    SUBMITTED = "submitted", "待审核"
    RETURNED = "returned", "退回补正"
    WAITING = "waiting", "已通过，等候发券"
    ISSUED = "issued", "已发券"
    REJECTED = "rejected", "不予发放"
    WITHDRAWN = "withdrawn", "已撤回"
    LAPSED = "lapsed", "年度结束，未发放"


class ApplicationVerdict(Term):
    APPROVE = "approve", "同意发放"
    RETURN = "return", "退回补正"
    REJECT = "reject", "不予发放"


class AppealState(Term):
    LODGED = "lodged", "申诉待处理"
    UPHELD = "upheld", "申诉成立"
    DISMISSED = "dismissed", "申诉不成立"


class AppealChannel(Term):
    PAGE = "page", "网上"
    PHONE = "phone", "电话"
    COUNTER = "counter", "窗口"
