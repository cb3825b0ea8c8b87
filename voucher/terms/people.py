"""Roles, messages, days and public notices."""

from __future__ import annotations

from voucher.terms.term import Term


class Role(Term):
    ENTERPRISE_OPERATOR = "enterprise_operator", "企业经办人"
    ENTERPRISE_APPROVER = "enterprise_approver", "企业审批人"
    PROVIDER_SCANNER = "provider_scanner", "机构收券员"
    PROVIDER_MANAGER = "provider_manager", "机构管理员"
    REVIEWER = "reviewer", "审核人"
    EXPERT = "expert", "评审专家"
    COSIGNER = "cosigner", "会签人"
    PROGRAMME_OFFICER = "programme_officer", "项目主管"
    FINANCE_MAKER = "finance_maker", "财政经办"
    FINANCE_CHECKER = "finance_checker", "财政复核"
    AUDITOR = "auditor", "审计"
    SYSTEM_ADMIN = "system_admin", "系统管理员"
    SECURITY_ADMIN = "security_admin", "安全管理员"
    AUDIT_ADMIN = "audit_admin", "审计管理员"
    BOOKKEEPER = "bookkeeper", "代账人员"
    INCUBATOR_MANAGER = "incubator_manager", "孵化器管理员"


class MessageChannel(Term):
    INBOX = "inbox", "站内消息"
    EMAIL = "email", "电子邮件"
    SMS = "sms", "短信"
    WECHAT = "wechat", "微信"


class MessageState(Term):
    WAITING = "waiting", "待发送"
    CLAIMED = "claimed", "发送中"
    SENT = "sent", "已送达"
    DEAD = "dead", "未能送达"


class DayKind(Term):
    REST = "rest", "放假"
    WORK = "work", "上班"


class MessageEvent(Term):
    """What people are told of. The sentences are in schemas/notes.py, one for each member."""

    ORDER_PLACED = "order_placed", "新订单"
    ORDER_ACCEPTED = "order_accepted", "机构已接单"
    ORDER_DECLINED = "order_declined", "机构未接单"
    ORDER_HELD = "order_held", "合同已备案"
    ORDER_DELIVERED = "order_delivered", "机构已交付"
    ORDER_SENT_BACK = "order_sent_back", "企业要求重新交付"
    ORDER_CAPTURED = "order_captured", "订单已核销"
    ORDER_CANCELLED = "order_cancelled", "订单已取消"
    ORDER_EXPIRED = "order_expired", "订单逾期失效"
    ORDER_UNCLAIMED = "order_unclaimed", "逾期未申请兑付"
    CANCEL_ASKED = "cancel_asked", "对方请求取消订单"
    EXTENSION_ASKED = "extension_asked", "机构申请延期"
    EXTENSION_ANSWERED = "extension_answered", "延期申请已答复"
    SUPPLEMENT_FILED = "supplement_filed", "补充协议待确认"
    SUPPLEMENT_ANSWERED = "supplement_answered", "补充协议已答复"
    JOIN_CODE = "join_code", "开户验证码"
    DISPUTE_OPENED = "dispute_opened", "订单争议"
    DISPUTE_OFFERED = "dispute_offered", "争议和解建议"
    DISPUTE_NEAR = "dispute_near", "争议协商将到期"
    DISPUTE_ESCALATED = "dispute_escalated", "争议移送裁定"
    DISPUTE_ENDED = "dispute_ended", "争议已办结"
    INSTALMENT_NEAR = "instalment_near", "分期交付将到期"
    SESSION_CAPTURED = "session_captured", "现场核销完成"
    CLAIM_SUBMITTED = "claim_submitted", "新的兑付申请"
    CLAIM_DECIDED = "claim_decided", "兑付申请已审核"
    CLAIM_FACTORED = "claim_factored", "兑付申请已按比例折算"
    CLAIM_TO_CONFIRM = "claim_to_confirm", "兑付申请待确认"
    CLAIM_CONFIRMED = "claim_confirmed", "对方已确认申请"
    CLAIM_DENIED = "claim_denied", "对方未确认申请"
    CLAIM_WITHDRAWN = "claim_withdrawn", "兑付申请已撤回"
    PROPOSAL_WAITING = "proposal_waiting", "等您复核"
    CLAIM_PAID = "claim_paid", "补助资金已支付"
    PAYMENT_BOUNCED = "payment_bounced", "银行退汇"
    ALLOTMENT_GIVEN = "allotment_given", "获得创业券额度"
    VOUCHER_ISSUED = "voucher_issued", "券已发放"
    VOUCHER_EXPIRED = "voucher_expired", "券过期收回"
    COMPLETE_BY_NEAR = "complete_by_near", "完成期限将到"
    USE_BY_NEAR = "use_by_near", "券将到期"
    REDEEM_BY_NEAR = "redeem_by_near", "兑付申请期限将到"
    DEFECTS_NEAR = "defects_near", "补正期限将到"
    CONFIRM_NEAR = "confirm_near", "确认期限将到"
    NOTICE_OPENED = "notice_opened", "公示开始"
    OBJECTION_MADE = "objection_made", "收到异议"
    OBJECTION_DECIDED = "objection_decided", "异议已处理"
    CLAIM_CLEARED = "claim_cleared", "公示期满"
    APPLICATION_RECEIVED = "application_received", "申领已受理"
    APPLICATION_DECIDED = "application_decided", "申领已审核"
    APPLICATION_MOVED_UP = "application_moved_up", "候补申领已发券"
    APPLICATION_LAPSED = "application_lapsed", "申领随年度结束"
    APPEAL_LODGED = "appeal_lodged", "收到申诉"
    APPEAL_DECIDED = "appeal_decided", "申诉已处理"
    CLAIM_RETURNED = "claim_returned", "退回补正"
    CLAIM_OVERDUE = "claim_overdue", "补正逾期"
    CASE_HANDED_OVER = "case_handed_over", "转办的申请"
    EXPERT_INVITED = "expert_invited", "邀请评审"
    EXPERT_ANSWERED = "expert_answered", "专家已答复"
    COSIGNED = "cosigned", "会签意见"
    PAYEE_CHANGE_ASKED = "payee_change_asked", "申请变更收款账户"
    PAYEE_CHANGE_DECIDED = "payee_change_decided", "收款账户变更结果"
    EVALUATION_PUBLISHED = "evaluation_published", "年度评价结果"
    REPORT_NEAR = "report_near", "季度数据报送将到期"
    RECTIFY_NEAR = "rectify_near", "整改期限将到"
    RECTIFY_OVERDUE = "rectify_overdue", "整改逾期"
    RECTIFY_ANSWERED = "rectify_answered", "整改待核验"
    RECTIFICATION_DECIDED = "rectification_decided", "整改核验结果"


class NoticeKind(Term):
    CLAIMS = "claims", "拟兑付名单"


class NoticeState(Term):
    OPEN = "open", "公示中"
    CLOSED = "closed", "公示结束"


class NoticeOutcome(Term):
    OPEN = "open", "公示中"
    OBJECTED = "objected", "异议处理中"
    CLEARED = "cleared", "公示期满，无异议"
    UPHELD = "upheld", "异议成立，不予兑付"
    WITHDRAWN = "withdrawn", "已退出公示"


class ObjectionChannel(Term):
    PAGE = "page", "网页"
    TELEPHONE = "telephone", "电话"
    COUNTER = "counter", "现场"


class ObjectionState(Term):
    LODGED = "lodged", "待处理"
    DISMISSED = "dismissed", "异议不成立"
    UPHELD = "upheld", "异议成立"
