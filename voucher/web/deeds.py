"""How entries of the journal read in a history: what was done, in Chinese, with the facts that matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from voucher.money import Fen, format_yuan
from voucher.queries.claims import Deed
from voucher.terms import ApplicationVerdict, Verdict

_ACTIONS: Final[Mapping[str, str]] = {
    "centre.certify": "登记载体认定",
    "centre.suspend": "暂停",
    "centre.restore": "恢复",
    "centre.revoke": "摘牌",
    "centre.report": "报送季度数据",
    "evaluation.score": "年度评分",
    "evaluation.return": "退回重评",
    "evaluation.publish": "公布评价结果",
    "rectification.answer": "报告整改情况",
    "rectification.settle": "整改核验",
    "claim.submit": "提交兑付申请",
    "claim.confirm": "另一方答复",
    "claim.lapse": "另一方没有按期确认，退回",
    "claim.resubmit": "补正后重新提交",
    "claim.withdraw": "撤回申请",
    "claim.review": "审核",
    "claim.factor": "按申报结束后确定的比例折算",
    "factor.propose": "提出补助比例",
    "factor.approve": "补助比例复核通过",
    "factor.refuse": "补助比例退回",
    "claim.take": "由其办理",
    "claim.release": "放回待办",
    "claim.hand_over": "转给同事办理",
    "claim.return": "退回补正",
    "claim.invite": "邀请专家评审",
    "claim.opinion": "专家答复",
    "claim.report": "登记第三方报告",
    "claim.cosign": "会签",
    "order.beneficiaries": "确定受益企业",
    "order.attendance": "登记到场企业",
    "claim.revoke": "撤销核定",
    "claim.open_notice": "列入公示",
    "claim.clear": "公示期满，无异议",
    "claim.objection": "异议处理",
    "claim.settle_finding": "处理检查发现",
    "order.place": "企业下单",
    "order.accept": "机构接单",
    "order.decline": "机构未接单",
    "order.file_contract": "合同备案，额度锁定",
    "order.deliver": "机构交付",
    "order.send_back": "企业退回重做",
    "order.ask_extension": "机构申请延期",
    "order.answer_extension": "企业答复延期",
    "order.state_relation": "关联关系声明",
    "order.dispute": "提出争议",
    "dispute.state": "争议陈述",
    "dispute.offer": "提出争议处理意见",
    "dispute.escalate": "争议移送主管部门裁定",
    "dispute.end": "争议办结",
    "contract.supplement": "机构提交补充协议",
    "contract.answer_supplement": "企业答复补充协议",
    "order.confirm": "企业确认，额度核销",
    "order.cancel": "订单取消",
    "order.reverse": "核销冲正",
    "order.expire": "订单逾期失效",
    "budget.propose_close": "提出年终处理",
    "budget.approve_close": "年终处理复核通过",
    "budget.refuse_close": "年终处理退回",
    "budget.close": "指标年终关闭",
    "order.unclaimed": "逾期未申请兑付，额度退回",
    "session.propose": "机构现场报价，额度锁定",
    "session.confirm": "企业现场确认，额度核销",
    "batch.make": "建立批次",
    "claim.in_batch": "编入兑付批次",
    "claim.paid": "已付款到收款账户",
    "batch.take_in": "编入申请",
    "batch.take_out": "移出申请",
    "batch.submit": "提交复核",
    "batch.send_back": "退回经办",
    "batch.approve": "复核通过，资金转为应付",
    "batch.export": "导出支付文件",
    "line.reconcile": "登记银行回单",
    "line.pay_again": "退汇重付",
    "voucher.issue": "发放",
    "voucher.revoke": "撤销",
    "voucher.expire": "到期收回",
    "voucher.give_back": "企业退券",
    "application.submit": "提交申领",
    "application.mend": "补正后重新提交",
    "application.withdraw": "撤回申领",
    "application.decide": "申领审核",
    "application.issue": "按排队发券",
    "application.send_back": "不能发券，重新审核",
    "application.lapse": "年度结束，未发放",
    "appeal.lodge": "提出申诉",
    "appeal.decide": "申诉处理",
    "claim.reopen": "申诉成立，重新审核",
    "claim.prepare_papers": "准备兑付材料",
    "claim.drop_papers": "撤下准备的材料",
    "team.convert": "团队转为企业",
    "holder.register": "持券单位登记",
    "staff.end": "平台人员终止",
    "device.register": "登记柜台设备",
    "device.revoke": "停用柜台设备",
    "platform.register": "平台登记",
    "platform.certify": "认定入库",
    "platform.suspend": "暂停收券",
    "platform.restore": "恢复收券",
    "platform.revoke": "摘牌",
}
_AMOUNTS: Final[Mapping[str, str]] = {
    "claimed_fen": "申请",
    "approved_fen": "核定",
    "face_fen": "面额",
    "total_fen": "合计",
    "amount_fen": "金额",
    "released_fen": "退回",
    "captured_fen": "核销",
    "held_fen": "锁定",
    "wanted_fen": "申领",
}
_TEXTS: Final[Mapping[str, str]] = {
    "document_no": "文号",
    "reason": "理由",
    "batch": "批次",
    "payee": "收款人",
}
_COUNTS: Final[Mapping[str, str]] = {
    "lines": "共 {} 笔",
    "line": "第 {} 笔",
    "attempt": "第 {} 次支付",
}
_TONES: Final[Mapping[str, str]] = {
    "order.reverse": "danger",
    "platform.suspend": "warning",
    "platform.revoke": "danger",
    "voucher.revoke": "danger",
    "batch.send_back": "warning",
    "line.pay_again": "warning",
}


_INSIDE: Final = frozenset(
    {
        "claim.take", "claim.release", "claim.hand_over", "claim.invite", "claim.opinion", "claim.report",
        "claim.cosign", "claim.settle_finding",
    }
)  # fmt: skip
"""How the bureau comes to a decision: who works on a case, who was asked, what was found. The sides read its result."""


def of_the_sides(deeds: Iterable[Deed]) -> list[Deed]:
    """The deeds that firm and provider read of their claim: an expert is to be free of them."""
    return [deed for deed in deeds if deed.action not in _INSIDE]


def timeline_of(deeds: Iterable[Deed]) -> list[dict[str, Any]]:
    """The items of the `timeline` component."""
    return [
        {
            "at": deed.at,
            "title": _ACTIONS.get(deed.action, deed.action),
            "by": deed.who,
            "note": _note(deed.facts),
            "tone": _TONES.get(deed.action),
        }
        for deed in deeds
    ]


def _note(facts: Mapping[str, Any]) -> str:
    parts = []
    if "decision" in facts:
        parts.append(ApplicationVerdict(facts["decision"]).label)
    if "verdict" in facts:
        parts.append(Verdict(facts["verdict"]).label)
    parts += [
        f"{label} {format_yuan(Fen(facts[name]))} 元"
        for name, label in _AMOUNTS.items()
        if facts.get(name) is not None
    ]
    parts += [f"{label} {facts[name]}" for name, label in _TEXTS.items() if facts.get(name)]
    parts += [words.format(facts[name]) for name, words in _COUNTS.items() if facts.get(name)]
    if "paid" in facts:
        parts.append("已支付" if facts["paid"] else "退汇")
    return "，".join(parts)
