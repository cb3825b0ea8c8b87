"""What is posted, in which phase, and counted in what."""

from __future__ import annotations

from voucher.terms.term import Term


class PostingKind(Term):
    FUND = "fund", "下达预算"
    ALLOT = "allot", "预算分配"
    PLEDGE = "pledge", "配套承诺"
    CAP_ADJUST = "cap_adjust", "核定限额"
    ISSUE = "issue", "发券"
    TENANT_ALLOT = "tenant_allot", "分配给入驻企业"
    TENANT_RETURN = "tenant_return", "分配额度收回"
    HOLD = "hold", "锁定额度"
    CAPTURE = "capture", "核销"
    RELEASE = "release", "释放额度"
    REVERSE = "reverse", "冲正"
    TRIM = "trim", "核减"
    DISALLOW = "disallow", "不予兑付"
    REINSTATE = "reinstate", "恢复锁定"
    RECHARGE = "recharge", "调整年度"
    AWARD = "award", "后补助核定"
    SETTLE = "settle", "结算"
    PAY = "pay", "支付"
    BANK_RETURN = "bank_return", "退汇"
    REMIT = "remit", "区域清算"
    EXPIRE = "expire", "到期收回"
    GIVE_BACK = "give_back", "退券"
    REVOKE = "revoke", "撤销"
    CARRY = "carry", "结转"
    LAPSE = "lapse", "收回财政"
    CLAW_BACK = "claw_back", "追回"
    OVERBOOK = "overbook", "超额发券"


class RemittanceState(Term):
    PREPARED = "prepared", "待复核"
    SENT = "sent", "已汇出（在途）"
    NOTED = "noted", "收款待确认"
    RECEIVED = "received", "已收款"
    WITHDRAWN = "withdrawn", "已撤回"


class Phase(Term):
    SINGLE = "single", "即时"
    PENDING = "pending", "预留"
    POST = "post", "入账"
    VOID = "void", "撤销预留"


class Unit(Term):
    CNY = "CNY", "元（资金）"
    CNY_CAP = "CNY_CAP", "元（限额）"
    TIMES = "TIMES", "次"


class YearEndAction(Term):
    CARRY = "carry", "结转下年"
    LAPSE = "lapse", "收回财政"


class LiveVouchers(Term):
    KEEP = "keep", "未到期的券继续使用"
    FALL = "fall", "未用的券一并收回"


class YearEndState(Term):
    PROPOSED = "proposed", "待复核"
    APPROVED = "approved", "办理中"
    DONE = "done", "已办结"
    REFUSED = "refused", "已退回"
    OVERTAKEN = "overtaken", "未能办理：结转到的指标已关闭"
