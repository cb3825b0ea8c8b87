"""What people are told: a title and a text for each event, with the facts of the note in their places.

A title holds nothing but the number of the thing (`{subject}`), or the kind and public name of what a second person is
to decide: it leaves the house on lock screens and in subject lines. A detail stands in the text only where the note brings all facts that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voucher.errors import Fact
from voucher.schemas.messages import names, shown
from voucher.terms import MessageEvent


@dataclass(frozen=True, slots=True)
class Template:
    """The words of one event: a title, a sentence, and details that need further facts."""

    title: str
    sentence: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it is read."""

    title: str
    text: str


_REASON: Final = "原因：{reason}。"
_COMPLETE_BY: Final = "请在 {complete_by_on} 前完成。"

TEMPLATES: Final[Mapping[MessageEvent, Template]] = {
    MessageEvent.ORDER_PLACED: Template(
        "收到新订单 {subject}", "有企业向您的平台下单，订单 {subject}，请尽快接单或说明不接的原因。"
    ),
    MessageEvent.ORDER_ACCEPTED: Template(
        "订单 {subject} 已接单", "服务机构已接受订单 {subject}。", ("报价 {quote_fen} 元。", "下一步：签订合同，由机构备案。")
    ),
    MessageEvent.ORDER_DECLINED: Template(
        "订单 {subject} 未被接受", "服务机构没有接受订单 {subject}，券额未受影响，可另选机构。", (_REASON,)
    ),
    MessageEvent.ORDER_HELD: Template(
        "订单 {subject} 合同已备案",
        "订单 {subject} 的合同已备案，补助额度已锁定。",
        ("锁定额度 {held_fen} 元。", _COMPLETE_BY),
    ),
    MessageEvent.ORDER_DELIVERED: Template(
        "订单 {subject} 已交付，请确认", "服务机构已登记交付订单 {subject}，请核对成果后确认，或退回并说明原因。"
    ),
    MessageEvent.ORDER_SENT_BACK: Template(
        "订单 {subject} 被退回", "企业没有确认订单 {subject} 的交付，请处理后重新交付。", (_REASON,)
    ),
    MessageEvent.ORDER_CAPTURED: Template(
        "订单 {subject} 已核销", "订单 {subject} 经双方确认，已核销。", ("核销 {captured_fen} 元。",)
    ),
    MessageEvent.ORDER_CANCELLED: Template(
        "订单 {subject} 已取消", "订单 {subject} 已取消，锁定的额度已退回券内。", (_REASON,)
    ),
    MessageEvent.ORDER_EXPIRED: Template(
        "订单 {subject} 逾期失效", "订单 {subject} 未在期限内完成，锁定的额度已退回券内。"
    ),
    MessageEvent.ORDER_UNCLAIMED: Template(
        "订单 {subject} 逾期未申请兑付",
        "订单 {subject} 核销后没有在期限内申请兑付，不予兑付。",
        ("退回 {captured_fen} 元。",),
    ),
    MessageEvent.CANCEL_ASKED: Template(
        "订单 {subject}：对方请求取消",
        "对方请求取消订单 {subject}。同意的，请在订单页面取消；不同意的，订单照常办理。",
        (_REASON,),
    ),
    MessageEvent.EXTENSION_ASKED: Template(
        "订单 {subject} 申请延期", "服务机构申请延长订单 {subject} 的完成期限，请答复。", ("申请延至 {until_on}。", _REASON)
    ),
    MessageEvent.EXTENSION_ANSWERED: Template(
        "订单 {subject} 的延期申请已答复", "企业已答复订单 {subject} 的延期申请：{answer}。", (_COMPLETE_BY, _REASON)
    ),
    MessageEvent.SUPPLEMENT_FILED: Template(
        "订单 {subject} 的合同有补充协议",
        "服务机构提交了订单 {subject} 所属合同的补充协议，请核对金额后确认。",
        ("合同金额由 {was_fen} 元改为 {contract_fen} 元。", _REASON),
    ),
    MessageEvent.SUPPLEMENT_ANSWERED: Template(
        "订单 {subject} 的补充协议已答复", "企业已答复订单 {subject} 的补充协议：{answer}。", (_REASON,)
    ),
    MessageEvent.JOIN_CODE: Template(
        "开户验证码", "{organisation}的开户验证码：{digits}，{expires_on} 前有效，只能用一次。请在开户页面填写，不要告诉他人。"
    ),
    MessageEvent.DISPUTE_OPENED: Template(
        "订单 {subject} 进入争议处理", "订单 {subject} 已进入争议处理，办结前额度保持锁定，不会过期。请陈述并提交材料。",
        (_REASON, "请在 {settle_by_on} 前协商一致；逾期由主管部门裁定。"),
    ),
    MessageEvent.DISPUTE_OFFERED: Template(
        "订单 {subject} 的争议：对方提出办法", "对方就订单 {subject} 的争议提出：{outcome}。同意即办结。", ("金额 {amount_fen} 元。",)
    ),
    MessageEvent.DISPUTE_NEAR: Template(
        "订单 {subject} 的争议协商将到期", "订单 {subject} 的争议请在 {settle_by_on} 前协商一致；逾期由主管部门裁定。"
    ),
    MessageEvent.DISPUTE_ESCALATED: Template(
        "订单 {subject} 的争议移送裁定", "订单 {subject} 的双方在 {settle_by_on} 前没有协商一致，争议由主管部门裁定。裁定前双方仍可以和解。"
    ),
    MessageEvent.DISPUTE_ENDED: Template(
        "订单 {subject} 的争议已办结", "订单 {subject} 的争议已办结：{outcome}。", ("核销 {amount_fen} 元。", _REASON)
    ),
    MessageEvent.INSTALMENT_NEAR: Template(
        "订单 {subject} 的一期服务将到交付日", "订单 {subject} 的“{title}”应在 {due_on} 前交付。"
    ),
    MessageEvent.SESSION_CAPTURED: Template(
        "订单 {subject} 现场核销完成", "订单 {subject} 已在现场核销。", ("核销 {captured_fen} 元。",)
    ),
    MessageEvent.CLAIM_SUBMITTED: Template(
        "新的兑付申请 {subject}", "兑付申请 {subject} 已提交，等待审核。", ("申请金额 {claimed_fen} 元。",)
    ),
    MessageEvent.CLAIM_DECIDED: Template(
        "兑付申请 {subject} 已审核",
        "兑付申请 {subject} 的审核结论：{verdict}。",
        (
            "按审核认定金额 {audited_fen} 元计算。", "核定 {approved_fen} 元。", _REASON,
            "对结论有异议的，由提交申请的一方申诉：登录后在 {appeal_subject} 的页面填写，或拨打主管部门电话、到窗口办理。",
            "申诉期限至 {appeal_by_on}。",
        ),
    ),
    MessageEvent.CLAIM_FACTORED: Template(
        "兑付申请 {subject} 已按比例折算",
        "申报结束后确定的补助比例为 {factor_bp}，兑付申请 {subject} 折算后核定 {approved_fen} 元。",
    ),
    MessageEvent.CLAIM_TO_CONFIRM: Template(
        "申请 {subject} 等您确认",
        "订单的兑付申请 {subject} 已由对方提交，请核对金额和材料后确认，或说明不确认的原因。",
        ("申请金额 {claimed_fen} 元。", "请在 {due_on} 前办理，逾期申请自动退回。"),
    ),
    MessageEvent.CLAIM_CONFIRMED: Template(
        "申请 {subject} 已经对方确认", "兑付申请 {subject} 已经对方确认，等待主管部门审核。"
    ),
    MessageEvent.CLAIM_DENIED: Template(
        "申请 {subject} 退回",
        "兑付申请 {subject} 没有得到对方确认，已退回，可修改后重新提交，或撤回。",
        (_REASON,),
    ),
    MessageEvent.CLAIM_WITHDRAWN: Template(
        "申请 {subject} 已撤回", "兑付申请 {subject} 已由申请方撤回，发票可另行使用。"
    ),
    MessageEvent.PROPOSAL_WAITING: Template(
        "{proposal_kind}“{title}”等您复核", "{proposal_kind}“{title}”由 {proposer} 提出，须由另一人核对后决定。", ("请在页面上核对全部内容后办理。",)
    ),
    MessageEvent.CLAIM_PAID: Template(
        "兑付申请 {subject} 已支付", "兑付申请 {subject} 的补助资金已支付，请查收。", ("金额 {amount_fen} 元。",)
    ),
    MessageEvent.PAYMENT_BOUNCED: Template(
        "兑付申请 {subject} 被银行退汇",
        "兑付申请 {subject} 的款项被银行退回，请核对收款账户，财政部门会重新支付。",
        (_REASON,),
    ),
    MessageEvent.ALLOTMENT_GIVEN: Template(
        "获得创业券额度 {subject}",
        "{base}给贵单位分配了 {amount_fen} 元创业券额度，由该基地为贵单位下单使用，可用来购买：{services}。",
        ("使用期限至 {use_by_on}。",),
    ),
    MessageEvent.VOUCHER_ISSUED: Template(
        "券 {subject} 已发放", "券 {subject} 已发放到您的单位。", ("券面 {face_fen} 元。", "请在 {use_by_on} 前下单使用。")
    ),
    MessageEvent.VOUCHER_EXPIRED: Template(
        "券 {subject} 已过期收回", "券 {subject} 已过使用期限，余额已收回。"
    ),
    MessageEvent.COMPLETE_BY_NEAR: Template(
        "订单 {subject} 的完成期限将到",
        "订单 {subject} 应在 {complete_by_on} 前完成并确认，逾期锁定的额度会退回。",
        ("还有 {days} 个工作日。",),
    ),
    MessageEvent.USE_BY_NEAR: Template(
        "券 {subject} 将到期", "券 {subject} 的使用期限至 {use_by_on}，逾期余额收回。", ("还有 {days} 个工作日。",)
    ),
    MessageEvent.REDEEM_BY_NEAR: Template(
        "订单 {subject} 的兑付申请期限将到",
        "订单 {subject} 已核销，请在 {redeem_by_on} 前提交兑付申请，逾期不能再申请。",
        ("还有 {days} 个工作日。",),
    ),
    MessageEvent.DEFECTS_NEAR: Template(
        "申请 {subject} 的补正期限将到",
        "兑付申请 {subject} 被退回补正，请在 {due_on} 前补齐后重新提交。",
        ("还有 {days} 个工作日。",),
    ),
    MessageEvent.CONFIRM_NEAR: Template(
        "{subject} 等您确认", "{subject} 需要您在 {due_on} 前确认，逾期按政策规定处理。", ("还有 {days} 个工作日。",)
    ),
    MessageEvent.NOTICE_OPENED: Template(
        "兑付申请 {subject} 开始公示",
        "兑付申请 {subject} 已列入公示 {notice}，公示至 {to_on}，无异议后进入兑付。",
    ),
    MessageEvent.OBJECTION_MADE: Template(
        "公示收到异议 {subject}", "公示 {notice} 收到异议 {subject}，涉及申请 {claim}，请核实并作出处理决定。"
    ),
    MessageEvent.OBJECTION_DECIDED: Template(
        "异议 {subject} 已处理", "对申请 {claim} 的异议 {subject} 已处理：{outcome}。", (_REASON,)
    ),
    MessageEvent.CLAIM_CLEARED: Template(
        "兑付申请 {subject} 公示期满", "兑付申请 {subject} 公示期满无异议，等待编入兑付批次。"
    ),
    MessageEvent.CLAIM_RETURNED: Template(
        "申请 {subject} 需要补正",
        "兑付申请 {subject} 有 {count} 项需要补正，已在补正告知书 {notice} 中一次告知，只需补正这几项，排队次序不变。",
        ("请在 {due_on} 前重新提交。",),
    ),
    MessageEvent.CLAIM_OVERDUE: Template(
        "申请 {subject} 的补正期限已过",
        "兑付申请 {subject} 的补正期限 {due_on} 已过，仍未重新提交，请尽快补正。",
    ),
    MessageEvent.CASE_HANDED_OVER: Template(
        "申请 {subject} 转由您办理", "兑付申请 {subject} 由 {reviewer} 转给您办理。", ("附言：{note}。",)
    ),
    MessageEvent.EXPERT_INVITED: Template(
        "请评审申请 {subject}", "请在 {due_on} 前对兑付申请 {subject} 提出评审意见；与双方有利害关系的，请声明回避。"
    ),
    MessageEvent.EXPERT_ANSWERED: Template("申请 {subject} 的专家已答复", "兑付申请 {subject} 的评审专家已答复，请查看。"),
    MessageEvent.COSIGNED: Template(
        "申请 {subject} 有会签意见", "{functions}已对兑付申请 {subject} 会签，请查看意见。"
    ),
    MessageEvent.APPLICATION_RECEIVED: Template(
        "申领 {subject} 已受理", "申领 {subject} 已受理，排队号 {queue_no}，按排队号先后办理。", ("申领金额 {wanted_fen} 元。",)
    ),
    MessageEvent.APPLICATION_DECIDED: Template(
        "申领 {subject} 已审核", "申领 {subject} 的审核结论：{application_verdict}。",
        (
            "核定 {approved_fen} 元，按排队先后发券。", _REASON,
            "对结论有异议的，可以申诉：登录后在 {appeal_subject} 的页面填写，或拨打主管部门电话、到窗口办理。",
            "申诉期限至 {appeal_by_on}。",
        ),
    ),
    MessageEvent.APPLICATION_MOVED_UP: Template(
        "候补申领 {subject} 已发券", "预算有了余额，候补的申领 {subject} 已按排队先后发放券 {voucher}。", ("券面 {approved_fen} 元。",)
    ),
    MessageEvent.APPLICATION_LAPSED: Template(
        "申领 {subject} 未能发放", "{year} 年度已经结束，预算用完前没有轮到申领 {subject}，可在新年度重新申领。"
    ),
    MessageEvent.APPEAL_LODGED: Template(
        "收到申诉 {subject}", "对 {number} 的决定提出了申诉 {subject}，须由原决定人以外的人处理。"
    ),
    MessageEvent.APPEAL_DECIDED: Template(
        "申诉 {subject} 已处理", "对 {number} 的申诉 {subject} 处理结果：{appeal_state}。",
        ("说明：{result}。", "已恢复锁定 {held_fen} 元，按原排队位置由其他审核人重新审核。"),
    ),
    MessageEvent.PAYEE_CHANGE_ASKED: Template(
        "收款账户变更申请 {subject}", "有人申请变更贵单位的收款账户（编号 {subject}）；现账户继续有效。",
        ("最早在 {cools_until_on} 由另一名工作人员核实后生效。", "如果不是贵单位办理的，请马上联系主管部门。"),
    ),
    MessageEvent.PAYEE_CHANGE_DECIDED: Template(
        "收款账户变更申请 {subject} 已处理", "贵单位的收款账户变更申请（编号 {subject}）的结果：{payee_change_state}。", (_REASON,)
    ),
    MessageEvent.EVALUATION_PUBLISHED: Template(
        "{subject} 的年度评价结果已公布", "{subject} {year} 年度评价结果：{grade}，{total} 分。", (
            "请在 {due_on} 前完成整改并报告。", "整改要求：{demand}。")
    ),
    MessageEvent.REPORT_NEAR: Template(
        "{subject} 的季度数据待报送",
        "{subject} {year} 年第 {quarter} 季度的数据请在 {due_on} 前报送，还有 {days} 个工作日；逾期将记入年度评价。",
    ),
    MessageEvent.RECTIFY_NEAR: Template(
        "{subject} 的整改期限将到", "{subject} 请在 {due_on} 前完成整改并报告，还有 {days} 个工作日。"
    ),
    MessageEvent.RECTIFY_OVERDUE: Template(
        "{subject} 整改逾期", "{subject} 的整改期限 {due_on} 已过，还没有报告整改情况。"
    ),
    MessageEvent.RECTIFY_ANSWERED: Template(
        "{subject} 已报告整改，请核验", "{subject} {year} 年度评价的整改情况已报告（整改期限 {due_on}），请核验。"
    ),
    MessageEvent.RECTIFICATION_DECIDED: Template(
        "{subject} 的整改已核验", "{subject} {year} 年度评价的整改核验结果：{rectification_state}。", (_REASON,)
    ),
}  # fmt: skip


def told(event: MessageEvent, subject: str, facts: Mapping[str, Fact]) -> Told:
    """The message in Chinese. A fact that its sentence names and the note lacks is a dash: nobody's inbox breaks."""
    template = TEMPLATES[event]
    said = _Said({name: shown(name, value) for name, value in facts.items() if value is not None})
    said["subject"] = subject
    details = [text for text in template.details if names(text) <= said.keys()]
    text = "".join((template.sentence, *details)).format_map(said)
    return Told(template.title.format_map(said), text)


class _Said(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "—"
