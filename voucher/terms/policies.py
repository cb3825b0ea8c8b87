"""What a policy version may say."""

from __future__ import annotations

from voucher.terms.term import Term


class VoucherKind(Term):
    INNOVATION = "innovation_voucher", "科技创新券"
    STARTUP = "startup_voucher", "创业券"
    POST_SUBSIDY = "post_subsidy", "后补助"


class PolicyState(Term):
    DRAFT = "draft", "草稿"
    PROPOSED = "proposed", "待第二人发布"
    PUBLISHED = "published", "已发布"
    WITHDRAWN = "withdrawn", "已撤回"


class VersionStanding(Term):
    UPCOMING = "upcoming", "已发布，未施行"
    ACTIVE = "active", "施行中"
    EXPIRED = "expired", "已失效"
    SUPERSEDED = "superseded", "已被替代"


class SubsidyBase(Term):
    CONTRACT = "contract", "合同金额"
    INVOICE_NET = "invoice_net", "发票不含税金额"
    PAID = "paid", "实际支付金额"
    AUDITED = "audited", "审核认定金额"
    LEAST = "least", "合同、发票、实际支付中的最低额"


class Rounding(Term):
    FEN = "fen", "舍去至分"
    YUAN = "yuan", "舍去至元"


class CapPeriod(Term):
    YEAR = "year", "每年"
    PROGRAMME = "programme", "整个政策期"


class CapBasis(Term):
    CLAIMED = "claimed", "申领额度"
    USED = "used", "使用额度"
    REDEEMED = "redeemed", "补助额"


class CapScope(Term):
    HOLDER = "holder", "每个持有人"
    CONTROL_GROUP = "control_group", "每个持有人，并且同一控制人的企业合计"


class YearBasis(Term):
    CALENDAR = "calendar", "公历年度"
    WINDOW = "window", "政策规定的十二个月"
    INVOICE_WINDOW = "invoice_window", "发票日期所在的十二个月"


class ProposalKind(Term):
    """What one person proposes and another decides."""

    POLICY = "policy", "政策版本"
    AGREEMENT = "agreement", "互认协议版本"
    YEAR_END = "year_end", "指标的年终结转"
    FACTOR = "factor", "年度补助比例"
    EVALUATION = "evaluation", "年度评价结果"


class IssueMode(Term):
    AUTOMATIC = "automatic", "自动发放"
    REVIEWED = "reviewed", "审核发放"


class EligibilityRule(Term):
    ROSTER_OF_YEAR = "roster_of_year", "当年入库登记"
    TENANT_OF_CENTRE = "tenant_of_centre", "下单之日在经认定的双创中心内"
    CERTIFIED_BASE = "certified_base", "经认定的创业孵化基地，为入驻企业使用"


class Transition(Term):
    ORDER_DATE = "order_date", "按下单之日有效的版本"


class PayoutMode(Term):
    REIMBURSE_ENTERPRISE = "reimburse_enterprise", "通用模式（企业申领、企业兑付）"
    PAY_PROVIDER = "pay_provider", "通兑模式（企业申领、机构兑付）"
    OPERATOR_ESCROW = "operator_escrow", "平台代兑（三方合同）"


class FunderWord(Term):
    """Funders that a policy names by their place; any other funder is the code of its book."""

    CITY = "city", "持有人所在市"
    PROVIDER = "provider", "服务机构所在地"


class PaymentChannel(Term):
    BANK_TRANSFER = "bank_transfer", "银行转账"
    DIGITAL_YUAN = "digital_yuan", "数字人民币"
    CARD = "card", "刷卡"
    ONLINE = "online", "第三方支付"
    CASH = "cash", "现金"


class DocumentKind(Term):
    CONTRACT = "contract", "服务合同"
    INVOICE = "invoice", "发票"
    PAYMENT_PROOF = "payment_proof", "付款凭证"
    RESULT = "result", "服务成果"
