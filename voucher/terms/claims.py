"""Claims, their papers, checks and decisions, and the batches that pay them."""

from __future__ import annotations

from voucher.terms.term import Term


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
    RECOGNISED = "recognised", "按审核认定金额计算"
    OTHER = "other", "其他"


class FactorState(Term):
    PROPOSED = "proposed", "待复核"
    APPROVED = "approved", "已确定"
    REFUSED = "refused", "已退回"


class OpinionVerdict(Term):
    SUPPORT = "support", "建议兑付"
    SUPPORT_LESS = "support_less", "建议核减后兑付"
    OPPOSE = "oppose", "建议不予兑付"


class ClaimMarkKind(Term):
    SOURCE = "source", "提交时的网络地址"
    PAYER = "payer", "付款账户"
    INVOICE_FILE = "invoice_file", "发票文件"
    RESULT_FILE = "result_file", "成果文件"
    OTHER_FILE = "other_file", "其他文件"
    RESULT_TEXT = "result_text", "成果文字"
    CODE_SOURCE = "code_source", "出示券码时的网络地址"


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
