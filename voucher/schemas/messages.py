"""What people read when a rule says no: one Chinese sentence for each code, and more where its facts are known.

A sentence names the rule. Its `DETAILS` follow in order, each only where the refusal brings all facts that it
names: one code may be raised with figures in one place and without them in another. `_fen` facts are written in
yuan, closed lists by their labels. docs/refusals.md explains each code.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Final, Protocol

from voucher.errors import Code, Fact
from voucher.money import format_yuan
from voucher.schemas import messages_centres as centres
from voucher.schemas.details import DETAILS, LEFT, NEEDED
from voucher.schemas.words import word, word_of

__all__ = ["DETAILS", "SENTENCES", "names", "sentence", "shown"]


class Refusing(Protocol):
    """A `Refusal`, or its returned twin `Refused`."""

    @property
    def code(self) -> Code: ...
    @property
    def facts(self) -> Mapping[str, Fact]: ...


SENTENCES: Final[Mapping[Code, str]] = {
    Code.NOT_FOUND: "您访问的内容不存在，或不属于您所在的单位。",
    Code.NOT_PERMITTED: "您没有办理此项业务的权限，请联系本单位管理员。",
    Code.NOT_SIGNED_IN: "请先登录。",
    Code.SIGN_IN_FAILED: "用户名或密码不正确。",
    Code.LOCKED_OUT: "密码错误次数过多，为保护账户已暂停登录。",
    Code.LOGIN_TAKEN: "该用户名已被使用，请换一个。",
    Code.DUTIES_SEPARATED: "三员分立：系统管理员、安全管理员、审计管理员不得由同一人兼任。",
    Code.ROLE_SCOPE_MISSING: "该角色必须指定所属单位或平台。",
    Code.STEP_UP_REQUIRED: "此项业务涉及资金，请再次输入密码确认是您本人。",
    Code.JOIN_CODE_WRONG: "单位代码或一次性验证码不正确，或验证码已失效。请核对信函；仍不成功请向签发人重新领取。",
    Code.ACCOUNT_EXISTS: "该单位已经开通账户。由本单位审批人授权其他人员；审批人无法登录的，请到柜面办理。",
    Code.NAME_DIFFERS: "授权书写的是另一人的姓名，不能由您接受。姓名写错的，请审批人撤回后重新授权。",
    Code.AUTHORISATION_PERIOD: "授权期限不正确：必须写明截止日期，截止日期应晚于起始日期和今天，最长三年。",
    Code.LAST_IN_CHARGE: "这是该单位或平台最后一名负责人，不能直接离开。请先由接任人开通账户。",
    Code.SUCCESSOR_MISSING: "还有未办结的业务，请指定本单位一名同事接手。",
    Code.OTHER_DUTIES: "该人员还在其他单位任职，不能由本单位办理，请到柜面办理。",
    Code.MEMBERS_MISSING: "团队至少需要三名成员，请填写每名成员的姓名。",
    Code.CONVERSION_BLOCKED: "团队还有正在办理的业务，暂不能转为企业。请先办结。",
    Code.PIN_WRONG: "人员或 PIN 不正确。",
    Code.PIN_ENDED: "PIN 已失效，请用密码登录后重新设置。",
    Code.PIN_WEAK: "PIN 应为 6 位数字，不能是重复、连续的数字或日期。",
    Code.KEY_REUSED: "同一请求编号已用于内容不同的请求，本次未办理。请返回重新填写。",
    Code.KEY_IN_FLIGHT: "同一请求正在办理中，请稍候查看结果，不要重复提交。",
    Code.KEY_MISSING: "请求缺少编号（8 至 80 个字符），无法防止重复办理，本次未办理。",
    Code.BUSY: "系统繁忙，本次未办理，请稍后重试。",
    Code.PERIOD_CLOSED: "所属会计期间已经结账，不能再记账。",
    Code.PERIOD_NOT_OVER: "会计期间尚未结束，不能结账。",
    Code.ALREADY_REGISTERED: "该名称或编号已经登记，且登记内容与本次不同。",
    Code.STATE_CHANGED: "当前状态不能办理此项操作，可能已被他人处理，请刷新后查看。",
    Code.BUDGET_EXCEEDED: "预算额度不足。",
    Code.CAP_EXCEEDED: "补助限额不足，不能办理。",
    Code.VOUCHER_EXHAUSTED: "券余额不足。",
    Code.QUOTA_EXCEEDED: "协议额度不足。",
    Code.CONTRACT_EXCEEDED: "该合同可补助的金额不足。",
    Code.COUNT_EXCEEDED: "已达到政策规定的次数上限。",
    Code.PLEDGE_EXCEEDED: "配套资金额度不足。",
    Code.FUNDER_MISSING: "政策规定的资金分担方在本系统没有账簿，不能锁定额度。",
    Code.CLEARING_EXCEEDED: "汇出金额超过应付对方的余额。",
    Code.ALLOTMENT_EXHAUSTED: "分配的额度不足。",
    Code.ALREADY_SETTLED: "该订单的资金已进入兑付或已被办理，不能再冲正、核减或结算。",
    Code.PAYABLE_EXCEEDED: "应付金额不足，可能已经支付。",
    Code.BALANCE_EXCEEDED: "账户余额不足。",
    Code.ALREADY_RESOLVED: "该笔业务已经办结，不能重复办理。",
    Code.CAPTURE_ABOVE_HOLD: "核销金额不能超过已锁定的额度。",
    Code.SUBSIDY_ZERO: "按政策计算的补助金额为零，不能办理。",
    Code.VOUCHER_EXPIRED: "券已过使用期限。",
    Code.VOUCHER_REVOKED: "券已被撤销，不能使用。",
    Code.VOUCHER_NOT_USABLE: "券当前状态不能使用。",
    Code.FACE_OUT_OF_RANGE: "券面金额不在政策规定的范围内。",
    Code.NOT_QUALIFIED: "该单位不符合本政策的申领条件。",
    Code.NOT_RECOGNISED: "该服务平台由其他地区认定，本券不能在此使用。",
    Code.PROVIDER_SUSPENDED: "该服务平台已被暂停或摘牌，不能收券。",
    Code.SERVICE_NOT_CERTIFIED: "该服务平台未取得此项服务的收券资格。",
    Code.AFFILIATED: "企业与服务机构存在关联关系，按政策不得使用券。",
    **centres.SENTENCES,
    Code.PARTY_BANNED: "该单位已被限制参与，本次不能办理；已办理的事项保留，款项暂停支付。",
    Code.ALREADY_FUNDED: "该项服务已由其他财政项目支持，不能重复补助。",
    Code.BRANCH_TOO_LATE: "该单位已经领过券，不能再改为分支机构：已用的限额须先由主管部门处理。",
    Code.PAYEE_COOLING: "收款账户的变更还在冷静期内，到期后才能复核生效。",
    Code.CONTRACT_DATE_INVALID: "合同签订日期不符合要求：应不早于下单日，且不晚于今天。",
    Code.CONTRACT_NO_INVALID: "合同编号去掉空格和横线后应有 1 至 60 个字符，请核对。",
    Code.CONTRACT_DIFFERS: "该合同编号已经备案，本次填写的与备案内容不一致；金额有变化的，请先由机构提交补充协议、企业确认。",
    Code.CONTRACT_ELSEWHERE: "该合同已在另一资金账簿备案，同一合同不能在两个账簿申请补助。",
    Code.INSTALMENTS_INVALID: "分期不符合要求。",
    Code.COMPLETE_BY_INVALID: "完成期限不能延到这一天。",
    Code.ENTRY_WITHDRAWN: "该项服务已经下架，请另选一项，或按服务类别直接下单。",
    Code.INVOICE_USED: "该发票已用于其他兑付申请，不能重复使用。",
    Code.INVOICE_MISMATCH: "发票与订单不一致。",
    Code.INVOICE_EXCEEDED: "该发票剩余的金额不足，各申请分摊的合计不能超过不含税金额。",
    Code.INVOICE_VOID: "该发票已红冲或作废，不能用于兑付。",
    Code.INVOICE_UNCHECKED: "发票近期没有经税务查验，不能进入批次，请先导出清单查验。",
    Code.PAYER_MISMATCH: "付款账户的户名不是申请企业，不能作为付款凭证。",
    Code.CHANNEL_NOT_ACCEPTED: "政策不接受这种付款方式。",
    Code.OTHER_SIDE_CLAIMS: "按政策的兑付方式，兑付申请由另一方提出和办理。",
    Code.ITEM_NOT_OPEN: "该项不在补正范围内，不能修改。",
    Code.EVIDENCE_MISSING: "兑付材料不齐全。",
    Code.CLAIM_LATE: "已过兑付申请的期限，不能再申请。",
    Code.FILE_REFUSED: "文件不能受理，请检查文件类型和大小。",
    Code.PAYEE_MISSING: "收款单位没有登记有效的银行账户。",
    Code.QR_INVALID: "券码无效，请让企业重新出示。",
    Code.QR_EXPIRED: "券码已过期，请让企业刷新后重新出示。",
    Code.QR_USED: "该券码已被扫过，不能再用，请让企业重新出示。",
    Code.SESSION_CLOSED: "本次现场核销已经结束，请让企业重新出示券码。",
    Code.SCAN_RATE_LIMITED: "扫码过于频繁，请稍候再试。",
    Code.REASON_MISSING: "请写明理由。",
    Code.SELF_APPROVAL: "经办与复核不能是同一人。",
    Code.BATCH_CHANGED: "批次在提交后有变化，请重新核对后再复核。",
    Code.BATCH_EMPTY: "没有可以编入批次的申请。",
    Code.APPROVED_ABOVE_CLAIM: "核定金额不能超过申请金额。",
    Code.APPROVED_ABOVE_AUDIT: "核定金额不能超过按审核认定金额算出的补助额。",
    Code.AUDIT_MISSING: "本政策按审核认定金额计算补助：请填写审核认定金额，或先登记第三方审计报告。",
    Code.RECUSED: "您与该申请的企业或服务机构有利害关系，应当回避，不能办理。",
    Code.CASE_TAKEN: "该申请正由他人办理。",
    Code.TOLD_LATE: "一次性告知：本次新提出的事项上一轮没有提出，请写明为什么现在才提出。",
    Code.OPINION_MISSING: "本政策要求专家评审，还没有专家意见，不能通过。",
    Code.OPINION_GIVEN: "您对该申请的意见已经提交，不能再改。",
    Code.COSIGN_MISSING: "还有会签单位未同意，不能通过。",
    Code.MINUTES_MISSING: "本政策要求集体研究：请填写会议纪要（或批示）的文号、日期，并上传文件。",
    Code.COLLEAGUE_UNFIT: "该同事不能接手。",
    Code.NOT_OWN_PROGRAMME: "该项目由下级或其他部门自行办理，您可以查看，不能办理。",
    Code.APPLICATION_CLOSED: "现在不在申领期内，不能提交申领。",
    Code.APPLICATION_OPEN: "本单位在该项目已有办理中的申领，办结后才能再申领。",
    Code.WINDOW_OVERLAPS: "与已公布的申领期重叠，同一时间只能有一个申领期。",
    Code.UNDERTAKING_UNSIGNED: "请阅读并签署现行版本的承诺书。",
    Code.HOLDING_EXCEEDED: "持有的券将超过政策规定的上限。",
    Code.VOUCHER_IDLE: "已领取的券还没有使用，使用或退回后才能再申领。",
    Code.APPEAL_LATE: "已过申诉期限，不能再提出申诉。",
    Code.APPEAL_MADE: "对这项决定已经提出过申诉。",
    Code.CONTACT_MISSING: "选择的渠道缺少联系方式。",
    Code.HOLIDAY_NEEDLESS: "该日本来就是工作日，不需要登记为上班。",
    Code.NOTICE_REQUIRED: "政策要求公示：该申请公示期满无异议后，才能编入兑付批次。",
    Code.FACTOR_REQUIRED: "政策规定申报结束后另定补助比例：比例确定并折算后，该申请才能公示或编入兑付批次。",
    Code.FACTOR_EARLY: "该年度的申报还没有结束，不能确定补助比例。",
    Code.FACTOR_TOO_HIGH: "按这一比例折算后的补助合计超过可用资金。",
    Code.NOTICE_OVER: "该项目不在公示期内，不能再提出异议。",
    Code.OBJECTION_LIMITED: "提交或查询过于频繁，请稍后再试，或电话联系公示单位。",
    Code.POLICY_NOT_PUBLISHED: "没有在有效期内的已发布政策版本。",
    Code.POLICY_EXPIRED: "政策已经失效，不能再申领、发放或下单；此前已下的订单仍按原政策验收和兑付。",
    Code.POLICY_INCOMPLETE: "政策还有必填参数未由主管部门确定，不能发布。",
    Code.POLICY_INVALID: "政策文件有错误，不能发布。",
    Code.POLICY_EXISTS: "该政策版本已经存在；已发布的版本不能修改，请新建版本。",
    Code.AGREEMENT_INVALID: "互认协议有错误，不能发布。",
    Code.AGREEMENT_EXISTS: "该协议版本已经提出或发布；内容不能修改，需要修改的请撤回后重新提出，或新建版本。",
    Code.PARTNER_MISSING: "协议的每一方都须有自己的项目主管参与：由一方提请，另一方发布。",
    Code.AGREEMENT_OVERLAPS: "两份互认协议对同样的两地、券种和服务在同一天都有效，不能发布。",
    Code.POLICY_OVERLAPS: "该政策版本与另一个已发布版本的有效期重叠，同一天只能有一个版本有效。",
    Code.POLICY_PROPOSED: "该政策版本已经提请发布，正在等待另一人办理；需要修改的，请先撤回。",
    Code.POLICY_CHANGED: "提请发布的内容与您看到的不一致，本次没有发布。请重新打开核对后再办理。",
    Code.ROSTER_INVALID: "名单文件有错误，整份文件都没有导入。",
    Code.USCC_INVALID: "统一社会信用代码不正确，请核对 18 位代码。",
}


def sentence(refusing: Refusing) -> str:
    """The Chinese text for a refusal: its rule, then every detail whose facts it brings."""
    facts = {
        name: word_of(refusing.code, name, value) or shown(name, value)
        for name, value in refusing.facts.items()
        if value is not None
    }
    details = [text for text in DETAILS.get(refusing.code, ()) if names(text) <= facts.keys()]
    if NEEDED in details and LEFT in details:
        details.remove(LEFT)
    return SENTENCES[refusing.code] + "".join(text.format(**facts) for text in details)


def names(text: str) -> set[str]:
    """The facts that a sentence names."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def shown(name: str, value: Fact) -> str:
    """A fact as people read it: `_fen` in yuan, `_bp` per cent, members of closed lists by their word, instants to the second."""
    if name.endswith("_fen") and isinstance(value, int):
        return format_yuan(value)
    if name.endswith("_bp") and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}%"
    if isinstance(value, bool):
        return "是" if value else "否"
    if name.endswith("_at"):
        return str(value)[:19].replace("T", " ")
    return word(name, str(value))
