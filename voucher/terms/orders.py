"""Orders, counter sessions, contracts, deliveries and disputes."""

from __future__ import annotations

from voucher.terms.term import Term


class OrderState(Term):
    PLACED = "placed", "已下单"
    ACCEPTED = "accepted", "机构已接单"
    HELD = "held", "合同已备案，额度已锁定"
    DELIVERED = "delivered", "机构已交付"
    DISPUTED = "disputed", "争议处理中"
    CAPTURED = "captured", "已核销"
    CLAIMED = "claimed", "兑付申请中"
    APPROVED = "approved", "拟兑付"
    IN_BATCH = "in_batch", "已进兑付批次"
    SETTLED = "settled", "待支付"
    PAID = "paid", "已兑付"
    DECLINED = "declined", "机构未接单"
    CANCELLED = "cancelled", "已取消"
    EXPIRED = "expired", "逾期失效"
    RELEASED = "released", "额度已退回"
    REVERSED = "reversed", "已冲正"
    DISALLOWED = "disallowed", "不予兑付"


class OrderSide(Term):
    """Whose word it is, of the two sides of an order and time itself."""

    HOLDER = "holder", "企业"
    PLATFORM = "platform", "服务机构"
    SYSTEM = "system", "系统"


class InstalmentState(Term):
    PLANNED = "planned", "待交付"
    DELIVERED = "delivered", "待验收"
    CONFIRMED = "confirmed", "已验收"
    DROPPED = "dropped", "不再履行"


class AskState(Term):
    """What became of something that one side asked of the other."""

    ASKED = "asked", "等待对方答复"
    GRANTED = "granted", "已同意"
    REFUSED = "refused", "未同意"


class DeliveryAnswer(Term):
    CONFIRMED = "confirmed", "已验收"
    SENT_BACK = "sent_back", "退回重做"


class Unconfirmed(Term):
    """What becomes of a delivery that the firm does not answer in time."""

    CAPTURE = "capture", "视为验收，自动核销"
    RELEASE = "release", "额度退回"
    DISPUTE = "dispute", "转入争议处理"


class DisputeStanding(Term):
    SETTLING = "settling", "双方协商中"
    ESCALATED = "escalated", "待主管部门裁定"
    ENDED = "ended", "已办结"


class DisputeOutcome(Term):
    RESUME = "resume", "继续履行"
    CAPTURE = "capture", "核销一部分，其余退回"
    RELEASE = "release", "不核销，额度全部退回"


class OrderFileKind(Term):
    RESULT = "result", "服务成果"
    COVER = "cover", "报告封面"
    CONCLUSION = "conclusion", "报告结论页"
    STATEMENT = "statement", "争议材料"
    ATTENDANCE = "attendance", "签到表"


class EntryState(Term):
    LISTED = "listed", "在列"
    WITHDRAWN = "withdrawn", "已下架"


class OrderChannel(Term):
    REMOTE = "remote", "线上订单"
    COUNTER = "counter", "现场核销"
    POST_SUBSIDY = "post_subsidy", "后补助"


class SessionState(Term):
    OPEN = "open", "等待扫码"
    SCANNED = "scanned", "已扫码"
    PROPOSED = "proposed", "待企业确认"
    CONFIRMED = "confirmed", "已核销"
    EXPIRED = "expired", "已过期"
    REJECTED = "rejected", "企业已拒绝"
    CANCELLED = "cancelled", "已取消"
