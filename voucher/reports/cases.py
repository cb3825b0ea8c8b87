"""The state machines of the product, drawn from the tables that the product itself goes by (docs/cases.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from voucher.rules.lifecycle import TABLES, Event
from voucher.terms import (
    AppealState,
    ApplicationState,
    BatchState,
    CertificationState,
    ClaimState,
    EvaluationState,
    LineState,
    NoticeState,
    ObjectionState,
    OrderState,
    PolicyState,
    RectificationState,
    SessionState,
    Term,
    VoucherState,
)

TITLES: Final[Mapping[type[StrEnum], str]] = {
    PolicyState: "政策版本",
    ApplicationState: "申领",
    AppealState: "申诉",
    VoucherState: "券",
    OrderState: "服务订单",
    SessionState: "现场核销",
    ClaimState: "兑付申请",
    NoticeState: "公示",
    ObjectionState: "异议",
    BatchState: "兑付批次",
    LineState: "支付明细",
    CertificationState: "服务平台和孵化载体资格",
    EvaluationState: "年度评价",
    RectificationState: "限期整改",
}
BEGINNINGS: Final[Mapping[type[StrEnum], tuple[StrEnum, ...]]] = {
    PolicyState: (PolicyState.DRAFT, PolicyState.PROPOSED),
    ApplicationState: (ApplicationState.SUBMITTED,),
    AppealState: (AppealState.LODGED,),
    VoucherState: (VoucherState.LIVE,),
    OrderState: (OrderState.PLACED, OrderState.HELD, OrderState.APPROVED),
    SessionState: (SessionState.OPEN,),
    ClaimState: (ClaimState.AWAITING, ClaimState.SUBMITTED),
    NoticeState: (NoticeState.OPEN,),
    ObjectionState: (ObjectionState.LODGED,),
    BatchState: (BatchState.COLLECTING,),
    LineState: (LineState.PENDING,),
    CertificationState: (CertificationState.CERTIFIED,),
    EvaluationState: (EvaluationState.SCORED,),
    RectificationState: (RectificationState.ORDERED,),
}
"""In which states a case begins: a counter order is held at once, a post-subsidy begins approved, a claim waits for the other side only where the policy says so."""

EVENTS: Final[Mapping[Event, str]] = {
    Event.ACCEPT: "接受",
    Event.DECLINE: "不接受",
    Event.CANCEL: "取消",
    Event.EXPIRE: "到期",
    Event.HOLD: "锁定额度",
    Event.DELIVER: "交付",
    Event.SEND_BACK: "退回重办",
    Event.CAPTURE: "核销",
    Event.CAPTURE_PART: "分期核销一部分",
    Event.RELEASE: "释放额度",
    Event.REVERSE: "冲正",
    Event.CLAIM: "申请兑付",
    Event.APPROVE: "同意",
    Event.DISALLOW: "不予兑付",
    Event.TAKE_IN: "编入批次",
    Event.TAKE_OUT: "移出批次",
    Event.SETTLE: "转为应付",
    Event.PAY: "支付",
    Event.BOUNCE: "退汇",
    Event.SCAN: "扫码",
    Event.PROPOSE: "报价",
    Event.CONFIRM: "确认",
    Event.REJECT: "不同意",
    Event.SUBMIT: "提交",
    Event.EXPORT: "生成支付文件",
    Event.RECONCILE: "对账",
    Event.REVOKE: "撤销",
    Event.GIVE_BACK: "退券",
    Event.SCORE: "评分",
    Event.ANSWER: "报告整改情况",
    Event.FAIL: "整改不合格",
    Event.ORDER_RECTIFICATION: "责令限期整改",
    Event.RECTIFY: "整改合格",
    Event.SUSPEND: "暂停",
    Event.RESTORE: "恢复",
    Event.PUBLISH: "发布",
    Event.RETURN: "退回补正",
    Event.RESUBMIT: "重新提交",
    Event.WITHDRAW: "撤回",
    Event.OPEN_NOTICE: "开始公示",
    Event.OBJECT: "收到异议",
    Event.CLEAR: "无异议",
    Event.DISPUTE: "提出争议",
    Event.RESUME: "恢复办理",
    Event.ISSUE: "发放",
    Event.ASK: "请求取消",
    Event.DROP: "不再取消",
}


def drawn() -> str:
    """The whole document: a drawing and a table for each machine. KeyError for one without a title or word."""
    parts = [
        "# Cases and their states",
        "",
        "Drawn from `voucher/rules/lifecycle.py` by `voucher docs cases`; a test compares. Do not edit by hand.",
    ]
    for states, title in TITLES.items():
        parts += ["", f"## {title}", "", *_diagram(states), "", *_table(states)]
    missing = TABLES.keys() - TITLES.keys()
    if missing:
        raise KeyError(f"no title for {sorted(each.__name__ for each in missing)}")
    return "\n".join(parts) + "\n"


def _diagram(states: type[StrEnum]) -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in states:
        yield f'    state "{_label(state)}" as {state.value}'
    for state in BEGINNINGS[states]:
        yield f"    [*] --> {state.value}"
    for state, event, following in _moves(states):
        yield f"    {state.value} --> {following.value}: {EVENTS[event]}"
    for state in states:
        if not TABLES[states].get(state):
            yield f"    {state.value} --> [*]"
    yield "```"


def _table(states: type[StrEnum]) -> Iterator[str]:
    yield "| 状态 | 办理 | 之后 |"
    yield "|---|---|---|"
    for state, event, following in _moves(states):
        yield f"| {_label(state)} `{state.value}` | {EVENTS[event]} `{event.value}` | {_label(following)} `{following.value}` |"
    ends = [f"{_label(state)} `{state.value}`" for state in states if not TABLES[states].get(state)]
    if ends:
        yield f"| {'、'.join(ends)} | 办结 | – |"


def _moves(states: type[StrEnum]) -> Iterator[tuple[StrEnum, Event, StrEnum]]:
    """Every step, in the order of the closed lists."""
    for state in states:
        for event, following in TABLES[states].get(state, {}).items():
            yield state, event, following


def _label(state: StrEnum) -> str:
    return state.label if isinstance(state, Term) else state.value
