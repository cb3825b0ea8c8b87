"""The Chinese words for the facts of refusals whose values are members of closed lists."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from voucher.errors import Code, Fact
from voucher.terms import (
    AffiliationKind,
    AgreementState,
    AppealState,
    ApplicationState,
    ApplicationVerdict,
    BanKind,
    BatchState,
    CertificationState,
    Certifier,
    ClaimItem,
    ClaimState,
    DocumentKind,
    HolderClass,
    LineState,
    MessageChannel,
    ObjectionState,
    OrderFileKind,
    OrderState,
    PayeeChangeState,
    PaymentChannel,
    PolicyState,
    ProposalKind,
    RecognitionReason,
    RectificationState,
    RemittanceState,
    Role,
    SessionState,
    Side,
    TaxVerdict,
    Term,
    Verdict,
    VoucherState,
)

REASONS: Final[Mapping[str, str]] = {
    "holder_class": "单位类别不在支持范围内",
    "unconfirmed": "企业未在期限内答复验收",
    "roster": "未列入当年名单",
    "certifier": "认定部门不符合政策要求",
    "end": "截止日期应晚于起始日期",
    "endless": "暂停参与和限制申报必须写明截止日期",
    "notice": "写明陈述申辩期限的，应先有告知日期，且期限不早于告知日期",
    "objection": "决定应在告知之后、陈述申辩期限届满之后生效",
    "no_rules": "该地区没有公布适用于这一年度的评价办法",
    "future": "年度还没有开始",
    "not_then": "该年度没有有效的认定",
    "revoked": "资格已经摘牌",
    "quarter_running": "季度还没有结束",
    "evaluated": "该年度已经评价",
    "no_centre": "该单位没有登记为孵化载体",
    "authority": "认定该载体的不是政策要求的部门",
    "kind": "资格不包括这种券",
    "service": "资格不包括此项服务",
    "period": "资格不在有效期内",
    "not_in_policy": "政策不支持此项服务",
    "no_rate": "政策没有规定此项服务的补助比例",
    "not_qualified": "尚未通过资格审核",
    "not_tenant": "下单之日不在双创中心内",
    "centre_certifier": "所在的双创中心不是政策要求的部门认定的",
    "centre_region": "载体由其他地区认定，由那里的项目支持",
    "centre_state": "所在的双创中心不在认定有效期内，或已被暂停、摘牌",
    "outside": "当日不在入驻期内",
    "overlaps": "与已登记的入驻时间重叠",
    "days": "日期顺序不正确，或晚于今天",
    "own": "基地不能登记为自己的入驻企业",
    "left": "已经登记退出",
    "ordered": "这一天或之后的订单以在载体内为前提",
    "graduated": "已经登记毕业",
    "region": "所在地区不在政策范围内",
    "no_window": "主管部门还没有公布申领期",
    "not_yet": "申领期还没有开始",
    "over": "申领期已经结束",
    "not_reviewer": "不是该申请所在地区的审核人",
    "interested": "与该申请有利害关系，应当回避",
    "signed": "已代表会签单位签署该申请",
    "decided": "申诉前已对该申请作出过决定",
    "same_person": "是本人",
    "not_offered": "政策没有规定分期验收",
    "too_many": "期数超过上限",
    "for_tenants": "为入驻企业下的订单不能分期",
    "sum": "各期金额之和与本订单的合同金额不一致",
    "due_order": "各期的交付日期应依次往后，且不晚于完成期限",
    "not_extendable": "政策没有规定可以延期",
    "beyond": "超过政策允许的延长天数",
    "not_later": "应晚于现在的完成期限",
    "missing": "没有收到文件",
    "size": "文件太大",
    "rows": "行数超过上限",
    "cells": "单元格太多（最多 24 万个）",
    "too_large": "文件太大",
    "empty": "文件是空的",
    "type": "文件类型不受支持",
    "extension": "文件内容与扩展名不符",
    "pixels": "图片像素太多（最多 5000 万）",
    "unpacked": "压缩内容解开后太大",
    "script": "文件里含有网页代码、脚本或程序",
    "several": "一次只能上传一个文件，或者几张照片",
    "ticket": "上传凭据不是本人的：文件须由附上它的人上传",
    "slow": "照片处理超时，请分几次上传",
    "photos": "照片太多（一次最多 20 张）",
    "mixed": "文件里夹带了另一个压缩包",
    "not_invoice": "XML 文件不是电子发票",
    "header": "表头不完整",
    "unreadable": "文件无法读取",
}

FUNCTIONS: Final[Mapping[str, str]] = {
    "science": "科技部门",
    "finance": "财政部门",
    "tax": "税务部门",
    "human_resources": "人社部门",
    "education": "教育部门",
    "industry": "工信部门",
}
RELATIONS: Final[Mapping[str, str]] = {"same_party": "同一法人"}
INVOICE_FIELDS: Final[Mapping[str, str]] = {
    "buyer": "购买方",
    "seller": "销售方",
    "date": "开票日期",
    "number": "发票号码",
    "repeated": "同一张发票填写了两次",
    "amount": "金额",
    "paid_on": "付款日期",
    "payment": "付款记录",
    "recorded_date": "与其他申请所填的开票日期",
    "recorded_net": "与其他申请所填的不含税金额",
    "recorded_buyer": "与其他申请所填的购买方",
    "recorded_seller": "与其他申请所填的销售方",
}
CLAIMANTS: Final[Mapping[str, str]] = {"provider": "服务机构", "enterprise": "企业"}


def _labels(*lists: type[Term]) -> dict[str, str]:
    """Value -> label; of a value that several lists have, the first list's."""
    members = list(chain.from_iterable(lists))
    return {member.value: member.label for member in reversed(members)}


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "state": {"used": "已使用"}
    | _labels(
        OrderState,
        SessionState,
        ClaimState,
        BatchState,
        LineState,
        VoucherState,
        CertificationState,
        PolicyState,
        ApplicationState,
        AppealState,
        AgreementState,
        RemittanceState,
    ),
    "reason": REASONS,
    "relation": {**_labels(AffiliationKind), **RELATIONS},
    "field": INVOICE_FIELDS,
    "holder_class": _labels(HolderClass),
    "role": _labels(Role),
    "roles": _labels(Role),
    "missing": _labels(DocumentKind, OrderFileKind),
    "ban": _labels(BanKind),
    "proposal_kind": _labels(ProposalKind),
    "rectification_state": _labels(RectificationState),
    "authority": _labels(Certifier),
    "certifier": _labels(Certifier),
    "party": _labels(Side),
    "verdict": _labels(Verdict),
    "message_channel": _labels(MessageChannel),
    "outcome": _labels(ObjectionState),
    "application_verdict": _labels(ApplicationVerdict),
    "appeal_state": _labels(AppealState),
    "payee_change_state": _labels(PayeeChangeState),
    "items": _labels(ClaimItem),
    "functions": FUNCTIONS,
    "tax_verdict": _labels(TaxVerdict),
    "item": _labels(ClaimItem),
    "channel": _labels(PaymentChannel),
    "accepted": _labels(PaymentChannel),
    "claimant": CLAIMANTS,
}


def word_of(code: Code, name: str, value: Fact) -> str | None:
    """The word for a fact that one code means otherwise than the others; None where it has none of its own."""
    if code is Code.NOT_RECOGNISED and name == "reason":
        return RecognitionReason(str(value)).label if value in set(RecognitionReason) else None
    if name == "clause":
        return clause_word(str(value))
    return None


def clause_word(item: str) -> str:
    """An item of a document: 第 18 条, or what is no number as it stands (文末)."""
    return f"第 {item} 条" if item.isdecimal() else item


def word(name: str, value: str) -> str:
    """The Chinese word for a fact's value; several stand with commas between; what somebody wrote stays as it is."""
    known = _WORDS.get(name)
    if known is None or known.keys().isdisjoint(value.split(",")):
        return value
    return "、".join(known.get(part, part) for part in value.split(","))
