"""Regions, holders, platforms, how they are tied and barred, and how people join."""

from __future__ import annotations

from voucher.terms.term import Term


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
    RECTIFYING = "rectifying", "限期整改"
    SUSPENDED = "suspended", "暂停"
    REVOKED = "revoked", "摘牌"


class AffiliationKind(Term):
    SHAREHOLDING = "shareholding", "投资关系"
    SUBORDINATION = "subordination", "隶属关系"
    CO_BUILDING = "co_building", "共建关系"
    SAME_CONTROLLER = "same_controller", "同一实际控制人"
    SAME_LEGAL_REPRESENTATIVE = "same_legal_representative", "同一法定代表人"
    SAME_DIRECTOR = "same_director", "同一董事"


class Certifier(Term):
    SCIENCE = "science", "科技主管部门"
    HUMAN_RESOURCES = "human_resources", "人社部门"
    EDUCATION = "education", "教育部门"
    INDUSTRY = "industry", "工信部门"


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
    EVALUATION = "evaluation", "年度评价不合格"


class PartyMarkKind(Term):
    PHONE = "phone", "联系电话"
    EMAIL_DOMAIN = "email_domain", "电子邮箱域名"
    CONTACT = "contact", "联系人"
    ADDRESS = "address", "地址"
    AGENT_PHONE = "agent_phone", "代办人电话"


class PayeeChangeState(Term):
    WAITING = "waiting", "待复核"
    CONFIRMED = "confirmed", "已生效"
    DECLINED = "declined", "未通过"


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


class Side(Term):
    ENTERPRISE = "enterprise", "企业"
    PROVIDER = "provider", "服务机构"
