"""Centres: their kinds and titles, how they and platforms are evaluated, what follows."""

from __future__ import annotations

from voucher.terms.term import Term


class CentreKind(Term):
    IE_CENTRE = "ie_centre", "双创中心"
    DEMO_BASE = "demo_base", "双创示范基地"
    INCUBATION_BASE = "incubation_base", "创业孵化基地"
    STARTUP_PARK = "startup_park", "创业园区"
    MAKERSPACE = "makerspace", "众创空间"
    INCUBATOR = "incubator", "科技企业孵化器"


class TitleKind(Term):
    """Titles that fall with a centre's certification (Lhasa 2019, 二（三）)."""

    MAKERSPACE = "makerspace", "市级众创空间"
    IE_BASE = "ie_base", "双创基地"
    INCUBATOR = "incubator", "科技孵化器"
    TRADE_CLUSTER = "trade_cluster", "商贸集聚区"


class EvaluationSubject(Term):
    CENTRE = "centre", "孵化载体"
    PLATFORM = "platform", "服务平台"


class UnevaluatedYear(Term):
    """What a year without a published evaluation does to failed years in a row."""

    BREAKS = "breaks", "中断连续"
    SKIPPED = "skipped", "不计入，前后两年视为连续"


class EvaluationState(Term):
    SCORED = "scored", "已评分，待公布"
    RETURNED = "returned", "退回重评"
    PUBLISHED = "published", "已公布"


class RectificationState(Term):
    ORDERED = "ordered", "整改中"
    ANSWERED = "answered", "已报告整改，待核验"
    PASSED = "passed", "整改合格"
    FAILED = "failed", "未按期整改"


class ReportState(Term):
    """How the report of a quarter stands on a day."""

    NOT_YET = "not_yet", "未到报送期"
    DUE = "due", "待报送"
    OVERDUE = "overdue", "逾期未报"
    ON_TIME = "on_time", "按期报送"
    LATE = "late", "逾期报送"


class Measure(Term):
    """What a decision against a party does; only suspending and banning shut it out of vouchers (domain 4)."""

    WARN = "warn", "通报"
    SUSPEND = "suspend", "暂停参与"
    BAN = "ban", "限制参与"
    REVOKE_CERT = "revoke_cert", "摘牌"
    REAPPLY_LOCK = "reapply_lock", "不得申报载体、平台"
    CREDIT_REPORT = "credit_report", "记入信用记录"
    REFER_POLICE = "refer_police", "移送公安机关"
