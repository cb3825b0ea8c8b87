"""What the checks found, in Chinese: what was seen, with the numbers, and what the reviewer can do (domain 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voucher.money import Fen, format_yuan
from voucher.terms import DocumentKind, FindingKind, PartyMarkKind


@dataclass(frozen=True, slots=True)
class Said:
    """A finding as it is read: its title, what was seen, what to do, and how heavy it is."""

    title: str
    seen: str
    advice: str
    weight: str


WEIGHTS: Final[Mapping[int, str]] = {1: "供参考", 2: "请核实", 3: "重点核实"}

TEXTS: Final[Mapping[FindingKind, tuple[str, str]]] = {
    FindingKind.WEAK_HOLDING: (
        "双方之间有 {share_bp} 的持股，低于政策限制的 {limit_bp}。",
        "核对最新的股权登记；达到比例的，不予兑付。",
    ),
    FindingKind.SHARED_MARK: (
        "企业与服务机构登记的{mark}相同。",
        "请双方说明原因；同一人代办的，核对授权书。",
    ),
    FindingKind.SAME_ACCOUNT: (
        "付款账户或收款账户登记在服务机构名下。",
        "调取银行回单，核对付款人户名是否为企业本身。",
    ),
    FindingKind.SAME_SOURCE: (
        "企业与服务机构在同一网络地址办理了这笔业务。",
        "同一园区属于正常；结合其他情况判断是否由一方代办。",
    ),
    FindingKind.SAME_ADDRESS: (
        "企业与服务机构的登记地址相同。",
        "集群注册和孵化器内常见，不单独作为不予兑付的理由。",
    ),
    FindingKind.SAME_INVOICE_FILE: (
        "同一发票文件曾随申请 {other} 提交，但填写的发票号码不同。",
        "打开两份文件核对号码；填错的，退回更正。",
    ),
    FindingKind.NEAR_BENEFIT: (
        "“{programme}”支持过该企业的同类服务或相同金额的服务。",
        "核对两份合同的服务内容；同一项服务的，不予兑付。",
    ),
    FindingKind.JUST_UNDER: (
        "{days} 天内同一机构、同类服务有 {count} 份合同略低于分档金额 {threshold_fen} 元，合计 {sum_fen} 元。",
        "核对是否为一项服务拆成几份合同；补助已按合计金额分档计算。",
    ),
    FindingKind.ONE_CONTROLLER: (
        "同一实际控制人另有 {count} 家企业领取了本项目的券。",
        "核对各企业是否独立经营、服务内容是否重复。",
    ),
    FindingKind.OVER_CAPACITY: (
        "服务平台当天确认了 {count} 笔服务，超过申报的每日 {capacity} 笔。",
        "向服务平台核对人员、设备和原始记录。",
    ),
    FindingKind.ABOVE_LIST: (
        "合同金额 {price_fen} 元，高于平台公布的价格 {listed_fen} 元。",
        "请服务平台说明加价的内容；没有依据的部分核减。",
    ),
    FindingKind.ABOVE_PEERS: (
        "合同金额 {price_fen} 元，高于同类 {count} 份合同中九成的金额 {p90_fen} 元。",
        "核对服务内容与数量；必要时征求专家意见。",
    ),
    FindingKind.EXCLUDED_WORD: (
        "{where}中出现“{word}”，政策不支持此类内容。",
        "打开材料核对是否属于法定检验或一般贸易服务。",
    ),
    FindingKind.FIGURE_JUMP: (
        "名单中 {from_year} 年与 {to_year} 年的{figure}相差 {times} 倍。",
        "核对是否把元与万元写混；据实更正后再看是否仍符合条件。",
    ),
    FindingKind.SHOWN_WHERE_SCANNED: (
        "出示券码与扫码在同一网络地址。",
        "使用服务机构的无线网络时属于正常；可电话向企业核实到场人员。",
    ),
    FindingKind.SHOWN_WITH_OTHERS: (
        "近 90 天内另有 {count} 家企业从同一网络地址出示券码（如申请 {other}）。",
        "核对是否由他人代为出示；券不得转让、出借。",
    ),
    FindingKind.RING: (
        "服务机构也向该企业购买服务，{count} 方之间形成循环。",
        "核对各方的服务是否真实，资金是否回流。",
    ),
    FindingKind.FARMED_SOURCE: (
        "近 90 天内另有 {count} 家企业从同一网络地址提交申请（如申请 {other}）。",
        "核对是否由中介批量代办，代办人是否有授权。",
    ),
    FindingKind.FARMED_PAYER: (
        "近 90 天内另有 {count} 家企业用同一账户付款（如申请 {other}）。",
        "付款应来自企业自己的账户；调取银行回单核对。",
    ),
    FindingKind.FARMED_FILE: (
        "另有 {count} 家企业提交过内容完全相同的文件（如申请 {other}）。",
        "打开两份文件核对主体与金额。",
    ),
    FindingKind.FARMED_AGENT: (
        "另有 {count} 家企业登记了同一代办人电话。",
        "核对代办授权和企业本人的知情情况。",
    ),
    FindingKind.SAME_RESULT: (
        "另有 {count} 家企业提交过同一份服务成果（如申请 {other}）。",
        "对照两份成果；不是为该企业完成的，不予兑付。",
    ),
    FindingKind.SIMILAR_TEXT: (
        "成果文字与申请 {other} 约有 {percent}% 相同。",
        "对照两份成果，核对是否为该企业单独完成；通用格式除外。",
    ),
}

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "mark": {kind.value: kind.label for kind in PartyMarkKind},
    "figure": {"staff": "职工人数", "revenue": "营业收入"},
    "where": {"description": "服务内容", **{kind.value: f"{kind.label}的文件名" for kind in DocumentKind}},
}


def said(kind: FindingKind, weight: int, facts: Mapping[str, Any]) -> Said:
    """The finding in words. KeyError where a fact is missing that its sentence names."""
    seen, advice = TEXTS[kind]
    words = {name: _written(name, value) for name, value in facts.items()}
    if facts.get("days", 0) is None:
        words["days"] = "90"
    return Said(kind.label, seen.format(**words), advice, WEIGHTS[weight])


def _written(name: str, value: Any) -> str:
    if name.endswith("_fen") and isinstance(value, int):
        return format_yuan(Fen(value))
    if name.endswith("_bp") and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}%"
    return _WORDS.get(name, {}).get(str(value), str(value))
