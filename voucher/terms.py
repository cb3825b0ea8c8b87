"""Every closed list of the domain: the value that is stored, and the Chinese word that people read."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A member of a closed list. `Term.value` is stored; `Term.label` is shown."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member


class VoucherKind(Term):
    INNOVATION = "innovation_voucher", "科技创新券"
    STARTUP = "startup_voucher", "创业券"
    POST_SUBSIDY = "post_subsidy", "后补助"


class RegionLevel(Term):
    COUNTRY = "country", "国家"
    PROVINCE = "province", "省"
    PREFECTURE = "prefecture", "市"
    COUNTY = "county", "县（区）"
    ZONE = "zone", "园区"


class HolderKind(Term):
    FIRM = "firm", "企业"
    TEAM = "team", "团队"
    FOUNDER = "founder", "创业者"
    TENANT = "tenant", "入驻企业"
    BASE = "base", "孵化基地"


class HolderClass(Term):
    TECH_SME = "tech_sme", "科技型中小企业"
    HIGH_TECH = "high_tech_enterprise", "高新技术企业"
    ENTERPRISE = "enterprise", "企业"
    STARTUP = "startup", "初创企业"
    TEAM = "team", "创新创业团队"
    INCUBATION_BASE = "incubation_base", "创业孵化基地"


class PlatformKind(Term):
    KEY_LAB = "key_lab", "重点实验室"
    ETRC = "etrc", "工程技术研究中心"
    TECH_CENTER = "tech_center", "技术创新中心"
    TESTING_CENTER = "testing_center", "检验检测中心"
    NEW_RND_ORG = "new_rnd_org", "新型研发机构"
    PILOT_BASE = "pilot_base", "中试基地"
    UNIVERSITY = "university", "高校院所"
    INTERMEDIARY = "intermediary", "中介服务机构"


class CertificationState(Term):
    CERTIFIED = "certified", "在库"
    SUSPENDED = "suspended", "暂停"
    REVOKED = "revoked", "摘牌"


class AffiliationKind(Term):
    SHAREHOLDING = "shareholding", "投资关系"
    SUBORDINATION = "subordination", "隶属关系"
    CO_BUILDING = "co_building", "共建关系"
    SAME_CONTROLLER = "same_controller", "同一实际控制人"
    SAME_LEGAL_REPRESENTATIVE = "same_legal_representative", "同一法定代表人"


class PolicyState(Term):
    DRAFT = "draft", "待发布"
    PUBLISHED = "published", "已发布"


class VoucherState(Term):
    LIVE = "live", "可使用"
    EXPIRED = "expired", "过期收回"
    REVOKED = "revoked", "已撤销"
    RETURNED = "returned", "已退券"


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
    """Whose word it is, of the two sides of an order, the authority and time itself."""

    HOLDER = "holder", "企业"
    PLATFORM = "platform", "服务机构"
    AUTHORITY = "authority", "主管部门"
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


class DisputeOutcome(Term):
    RESUME = "resume", "继续履行"
    CAPTURE = "capture", "核销一部分，其余退回"
    RELEASE = "release", "不核销，额度全部退回"


class OrderFileKind(Term):
    RESULT = "result", "服务成果"
    COVER = "cover", "报告封面"
    CONCLUSION = "conclusion", "报告结论页"
    STATEMENT = "statement", "争议材料"


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


class ClaimState(Term):
    AWAITING = "awaiting", "待对方确认"
    SUBMITTED = "submitted", "待审核"
    RETURNED = "returned", "退回补正"
    APPROVED = "approved", "拟兑付"
    IN_NOTICE = "in_notice", "公示中"
    OBJECTED = "objected", "异议处理中"
    CLEARED = "cleared", "公示无异议"
    REJECTED = "rejected", "不予兑付"
    WITHDRAWN = "withdrawn", "已撤回"
    IN_BATCH = "in_batch", "已进批次"
    PAID = "paid", "已兑付"


class Verdict(Term):
    APPROVE = "approve", "同意"
    TRIM = "trim", "核减"
    REJECT = "reject", "不同意"


class ClaimItem(Term):
    """What of a claim can be sent back to be mended: the fields and the files of it."""

    CONTRACT = "contract", "合同（金额、编号、合同文件）"
    INVOICES = "invoices", "发票（号码、金额、分摊、发票文件）"
    PAYMENT = "payment", "付款（金额、日期、付款凭证）"
    RESULT = "result", "服务成果（报告、验收材料）"
    PAYEE = "payee", "收款账户"
    OTHER = "other", "其他材料"


class TrimCause(Term):
    OUT_OF_SCOPE = "out_of_scope", "含不属于补助范围的费用"
    ABOVE_CONTRACT = "above_contract", "超出合同约定"
    PAPERS_BELOW = "papers_below", "发票或付款不足以支持申请金额"
    OVERPRICED = "overpriced", "价格明显高于同类服务"
    AUDITED = "audited", "按第三方审计结果核定"
    EXPERT = "expert", "按专家意见核定"
    OTHER = "other", "其他"


class OpinionVerdict(Term):
    SUPPORT = "support", "建议兑付"
    SUPPORT_LESS = "support_less", "建议核减后兑付"
    OPPOSE = "oppose", "建议不予兑付"


class BatchState(Term):
    COLLECTING = "collecting", "编制中"
    SUBMITTED = "submitted", "待复核"
    APPROVED = "approved", "已复核"
    EXPORTED = "exported", "已生成支付文件"
    RECONCILED = "reconciled", "已对账"


class LineState(Term):
    PENDING = "pending", "待支付"
    PAID = "paid", "已支付"
    BOUNCED = "bounced", "退汇"


class PayoutMode(Term):
    REIMBURSE_ENTERPRISE = "reimburse_enterprise", "通用模式（企业申领、企业兑付）"
    PAY_PROVIDER = "pay_provider", "通兑模式（企业申领、机构兑付）"
    OPERATOR_ESCROW = "operator_escrow", "平台代兑（三方合同）"


class DocumentKind(Term):
    CONTRACT = "contract", "服务合同"
    INVOICE = "invoice", "发票"
    PAYMENT_PROOF = "payment_proof", "付款凭证"
    RESULT = "result", "服务成果"


class Retention(Term):
    """By which rule of the archive a file is kept, the stronger ones last. The years are for a person to confirm."""

    PROCESS = "process", "过程材料"
    STANDING = "standing", "主体与授权材料"
    VOUCHER = "voucher", "资金凭证"


class TaxVerdict(Term):
    NORMAL = "normal", "正常"
    RED = "red", "已红冲"
    VOID = "void", "已作废"
    UNKNOWN = "unknown", "查无此票"


class PaymentChannel(Term):
    BANK_TRANSFER = "bank_transfer", "银行转账"
    DIGITAL_YUAN = "digital_yuan", "数字人民币"
    CARD = "card", "刷卡"
    ONLINE = "online", "第三方支付"
    CASH = "cash", "现金"


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


class PostingKind(Term):
    FUND = "fund", "下达预算"
    ALLOT = "allot", "预算分配"
    PLEDGE = "pledge", "配套承诺"
    CAP_ADJUST = "cap_adjust", "核定限额"
    ISSUE = "issue", "发券"
    HOLD = "hold", "锁定额度"
    CAPTURE = "capture", "核销"
    RELEASE = "release", "释放额度"
    REVERSE = "reverse", "冲正"
    TRIM = "trim", "核减"
    DISALLOW = "disallow", "不予兑付"
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


class Phase(Term):
    SINGLE = "single", "即时"
    PENDING = "pending", "预留"
    POST = "post", "入账"
    VOID = "void", "撤销预留"


class Unit(Term):
    CNY = "CNY", "元（资金）"
    CNY_CAP = "CNY_CAP", "元（限额）"
    TIMES = "TIMES", "次"


class SubsidyBase(Term):
    CONTRACT = "contract", "合同金额"
    INVOICE_NET = "invoice_net", "发票不含税金额"
    PAID = "paid", "实际支付金额"
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


class YearBasis(Term):
    CALENDAR = "calendar", "公历年度"
    WINDOW = "window", "政策规定的十二个月"


class IssueMode(Term):
    AUTOMATIC = "automatic", "自动发放"
    REVIEWED = "reviewed", "审核发放"


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


class EligibilityRule(Term):
    ROSTER_OF_YEAR = "roster_of_year", "当年入库登记"


class RosterFault(Term):
    NAME_EMPTY = "name_empty", "企业名称为空或超过 120 字"
    USCC_INVALID = "uscc_invalid", "统一社会信用代码不正确"
    USCC_TWICE = "uscc_twice", "统一社会信用代码在文件中重复"
    NUMBER_EMPTY = "number_empty", "登记编号为空或超过 40 字"
    NUMBER_TWICE = "number_twice", "登记编号在文件中重复"
    NUMBER_TAKEN = "number_taken", "登记编号已登记在另一家企业名下"
    OTHER_NUMBER = "other_number", "该企业当年已用另一编号登记"
    REGION_UNKNOWN = "region_unknown", "没有这个地区"
    REGION_AMBIGUOUS = "region_ambiguous", "地区名称不唯一，请写代码或完整名称"
    REGION_OUTSIDE = "region_outside", "地区不在您的管辖范围内"


class Certifier(Term):
    SCIENCE = "science", "科技主管部门"
    HUMAN_RESOURCES = "human_resources", "人社部门"
    EDUCATION = "education", "教育部门"
    INDUSTRY = "industry", "工信部门"


class Transition(Term):
    ORDER_DATE = "order_date", "按下单之日有效的版本"


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
    CANCEL_ASKED = "cancel_asked", "对方请求取消订单"
    EXTENSION_ASKED = "extension_asked", "机构申请延期"
    EXTENSION_ANSWERED = "extension_answered", "延期申请已答复"
    SUPPLEMENT_FILED = "supplement_filed", "补充协议待确认"
    SUPPLEMENT_ANSWERED = "supplement_answered", "补充协议已答复"
    DISPUTE_OPENED = "dispute_opened", "订单争议"
    DISPUTE_OFFERED = "dispute_offered", "争议和解建议"
    DISPUTE_ENDED = "dispute_ended", "争议已办结"
    INSTALMENT_NEAR = "instalment_near", "分期交付将到期"
    SESSION_CAPTURED = "session_captured", "现场核销完成"
    CLAIM_SUBMITTED = "claim_submitted", "新的兑付申请"
    CLAIM_DECIDED = "claim_decided", "兑付申请已审核"
    CLAIM_TO_CONFIRM = "claim_to_confirm", "兑付申请待确认"
    CLAIM_CONFIRMED = "claim_confirmed", "对方已确认申请"
    CLAIM_DENIED = "claim_denied", "对方未确认申请"
    CLAIM_WITHDRAWN = "claim_withdrawn", "兑付申请已撤回"
    CLAIM_PAID = "claim_paid", "补助资金已支付"
    PAYMENT_BOUNCED = "payment_bounced", "银行退汇"
    VOUCHER_ISSUED = "voucher_issued", "创新券已发放"
    VOUCHER_EXPIRED = "voucher_expired", "创新券过期收回"
    COMPLETE_BY_NEAR = "complete_by_near", "完成期限将到"
    USE_BY_NEAR = "use_by_near", "创新券将到期"
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


class Mandate(Term):
    """What an operator may be authorised to do for a firm; permissions by member in rules/permissions.py."""

    APPLY = "apply", "申领"
    ORDER = "order", "下单、出示券码"
    CONFIRM = "confirm", "确认核销"
    CLAIM = "claim", "提交兑付申请"
    UPLOAD = "upload", "准备兑付材料"


class CodePurpose(Term):
    """What a one-time code lets somebody do."""

    ACCOUNT = "account", "开通单位账户"
    AUTHORISED = "authorised", "接受授权"
    STAFF = "staff", "加入服务平台"
    RESET = "reset", "重设密码"


class DeskKind(Term):
    """What two persons of the bureau do at the counter, one after the other."""

    ACCOUNT = "account", "柜面开通单位账户"
    REPRESENTATIVE = "representative", "变更法定代表人"
    RESET = "reset", "柜面重设密码"
    CONVERT = "convert", "团队转为企业"


class DeskState(Term):
    PROPOSED = "proposed", "待第二人核对"
    DONE = "done", "已办理"
    DECLINED = "declined", "不予办理"


class BanKind(Term):
    CREDIT = "credit", "列入失信名单"
    SANCTION = "sanction", "违规处理"
    INSPECTION = "inspection", "不配合监督检查"
    ABNORMAL = "abnormal", "列入经营异常名录"
    DEREGISTERED = "deregistered", "已注销"
    MOVED_OUT = "moved_out", "已迁出"
    ROSTER_REVOKED = "roster_revoked", "入库登记编号被撤销"
    SIZE_GROWN = "size_grown", "规模超出支持范围"


class PartyMarkKind(Term):
    PHONE = "phone", "联系电话"
    EMAIL_DOMAIN = "email_domain", "电子邮箱域名"
    CONTACT = "contact", "联系人"
    ADDRESS = "address", "地址"
    AGENT_PHONE = "agent_phone", "代办人电话"


class ClaimMarkKind(Term):
    SOURCE = "source", "提交时的网络地址"
    PAYER = "payer", "付款账户"
    INVOICE_FILE = "invoice_file", "发票文件"
    RESULT_FILE = "result_file", "成果文件"
    OTHER_FILE = "other_file", "其他文件"
    RESULT_TEXT = "result_text", "成果文字"
    CODE_SOURCE = "code_source", "出示券码时的网络地址"


class PayeeChangeState(Term):
    WAITING = "waiting", "待复核"
    CONFIRMED = "confirmed", "已生效"
    DECLINED = "declined", "未通过"


class Side(Term):
    ENTERPRISE = "enterprise", "企业"
    PROVIDER = "provider", "服务机构"


class NoticeKind(Term):
    CLAIMS = "claims", "拟兑付名单"
    CERTIFICATIONS = "certifications", "拟认定服务平台"
    ROSTER = "roster", "拟入库企业名单"


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


class FindingKind(Term):
    WEAK_HOLDING = "weak_holding", "持股低于限制比例"
    SHARED_MARK = "shared_mark", "双方联系方式相同"
    SAME_ACCOUNT = "same_account", "付款账户属于服务机构"
    SAME_SOURCE = "same_source", "双方从同一网络地址办理"
    SAME_ADDRESS = "same_address", "双方地址相同"
    SAME_INVOICE_FILE = "same_invoice_file", "发票文件重复"
    NEAR_BENEFIT = "near_benefit", "可能已获其他项目支持"
    JUST_UNDER = "just_under", "多份合同略低于分档金额"
    ONE_CONTROLLER = "one_controller", "同一控制人的多家企业领券"
    OVER_CAPACITY = "over_capacity", "当日服务量超过申报能力"
    ABOVE_LIST = "above_list", "高于公布价格"
    ABOVE_PEERS = "above_peers", "高于同类九成的合同"
    EXCLUDED_WORD = "excluded_word", "出现政策不支持的内容"
    FIGURE_JUMP = "figure_jump", "申报数据相差百倍"
    SHOWN_WHERE_SCANNED = "shown_where_scanned", "出示与扫码在同一网络地址"
    SHOWN_WITH_OTHERS = "shown_with_others", "多家企业从同一网络地址出示券码"
    RING = "ring", "相互购买服务"
    FARMED_SOURCE = "farmed_source", "多家企业从同一网络地址申请"
    FARMED_PAYER = "farmed_payer", "多家企业用同一账户付款"
    FARMED_FILE = "farmed_file", "多家企业提交同一文件"
    FARMED_AGENT = "farmed_agent", "多家企业由同一代办人办理"
    SAME_RESULT = "same_result", "服务成果与他人相同"
    SIMILAR_TEXT = "similar_text", "服务成果文字雷同"
