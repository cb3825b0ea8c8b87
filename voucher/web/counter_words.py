"""The words that pages of both sides of an order share: states as members of closed lists, services by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.money import format_yuan
from voucher.operations.policies import policy_of
from voucher.rules.policy import Policy, RateLine
from voucher.terms import (
    AskState,
    AttendanceProof,
    ClaimState,
    DeliveryAnswer,
    DisputeOutcome,
    DocumentKind,
    EntryState,
    InstalmentState,
    OrderChannel,
    OrderFileKind,
    OrderSide,
    OrderState,
    PostingKind,
    SessionState,
    VoucherKind,
    VoucherState,
)

ServiceNames = dict[tuple[str, str], str]

_WORDS: Final[dict[str, Any]] = {
    "order_state": OrderState,
    "order_channel": OrderChannel,
    "session_state": SessionState,
    "claim_state": ClaimState,
    "voucher_state": VoucherState,
    "voucher_kind": VoucherKind,
    "document_kind": DocumentKind,
    "asked": AskState,
    "instalment": InstalmentState,
    "delivery_answer": DeliveryAnswer,
    "order_file": OrderFileKind,
    "dispute_outcome": DisputeOutcome,
    "side": OrderSide,
    "entry_state": EntryState,
    "attendance_proof": AttendanceProof,
}
_REASONS: Final = {
    "not confirmed in time": "企业未在时限内确认",
    "reopened": "企业重新出示了券码",
    "wrong_tags": "多次出现错误券码",
    "unconfirmed": "企业未在期限内答复验收",
    "nobody_attended": "没有入驻企业到场",
    "replaced": "已被新的申请取代",
    "complete_by": "超过完成期限",
    "confirm_by": "企业未在时限内确认",
    "redeem_by": "核销后未在期限内申请兑付",
    "use_by": "超过使用期限",
    "year_end": "年终收回",
}
_MOVEMENTS: Final = {kind.value: kind.label for kind in PostingKind} | {
    "issue": "发放到本券",
    "hold": "为订单锁定额度",
    "capture": "核销扣减",
    "release": "锁定的额度退回",
    "reverse": "冲正，退回本券",
    "trim": "审核核减，退回本券",
    "disallow": "不予兑付，退回本券",
    "reinstate": "申诉成立，重新锁定",
}
_STEPS: Final = (
    ("下单", "placed_at", {OrderState.PLACED}),
    ("接单", "accepted_at", {OrderState.ACCEPTED}),
    ("合同备案", "held_at", {OrderState.HELD}),
    ("交付", "delivered_at", {OrderState.DELIVERED}),
    ("核销", "captured_at", {OrderState.CAPTURED}),
    ("兑付申请", None, {OrderState.CLAIMED}),
    ("审核通过", None, {OrderState.APPROVED}),
    ("支付", None, {OrderState.IN_BATCH, OrderState.SETTLED}),
    ("到账", None, {OrderState.PAID}),
)
_STOPPED: Final = frozenset(
    {
        OrderState.DECLINED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.RELEASED,
        OrderState.REVERSED, OrderState.DISALLOWED,
    }
)  # fmt: skip


def words() -> dict[str, Any]:
    """What a blueprint's context processor gives its templates."""
    return {**_WORDS, "reason_shown": reason_shown, "movement_words": _MOVEMENTS}


def reason_shown(reason: str) -> str:
    """A stored reason as people read it: what a person wrote stays as it is."""
    return _REASONS.get(reason, reason)


def rates_shown(policy: Policy) -> list[str]:
    """The rate lines of a policy in plain words."""
    shown = []
    for line in policy.rate_lines:
        service = policy.service(line.service) if line.service else None
        shown.append((f"{service.label}：" if service else "") + line_shown(line))
    return shown


def line_shown(line: RateLine) -> str:
    """The tiers and the highest amount of a rate line."""
    tiers = "，".join(
        (f"{format_yuan(tier.up_to_fen)} 元以内 " if tier.up_to_fen is not None else "")
        + _percent(tier.rate_bp)
        for tier in line.tiers
    )
    return tiers + (f"，最高 {format_yuan(line.cap_fen)} 元" if line.cap_fen is not None else "")


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}%" if rest else f"{whole}%"


def service_names(session: Session, orders: Iterable[Order]) -> ServiceNames:
    """(policy version, service) -> the name that the policy gives the service."""
    found: ServiceNames = {}
    for order in orders:
        key = (order.policy_code, order.service)
        if key not in found:
            service = policy_of(session, order.policy_code).service(order.service)
            found[key] = service.label if service else order.service
    return found


def progress(order: Order) -> list[dict[str, Any]]:
    """The steps of an order from placing to money, as `timeline.steps` draws them."""
    state = OrderState(order.state)
    reached = next((place for place, step in enumerate(_STEPS) if state in step[2]), len(_STEPS))
    if state in _STOPPED or state is OrderState.DISPUTED:
        return _stopped(order, state)
    done = state is OrderState.PAID
    shown: list[dict[str, Any]] = []
    for place, (label, field, _) in enumerate(_STEPS):
        now = place == reached + (0 if done else 1)
        word = "done" if place <= reached else "now" if now else "todo"
        shown.append({"label": label, "state": word, "at": _at(order, field)})
    return shown


def _stopped(order: Order, state: OrderState) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for label, field, _ in _STEPS:
        at = _at(order, field)
        if at is not None:
            shown.append({"label": label, "state": "done", "at": at})
    word = "now" if state is OrderState.DISPUTED else "stopped"
    return [*shown, {"label": state.label, "state": word, "at": order.closed_at}]


def _at(order: Order, field: str | None) -> datetime | None:
    return getattr(order, field) if field else None


def history(order: Order) -> list[dict[str, Any]]:
    """What happened to an order, newest first, as `timeline.timeline` draws it."""
    counter = order.channel == OrderChannel.COUNTER.value
    ended = "danger" if OrderState(order.state) in _STOPPED else None
    events: list[tuple[datetime | None, str, str]] = [
        (order.placed_at, "现场提出核销" if counter else "企业下单", order.description),
        (None if counter else order.accepted_at, "机构接单", ""),
        (None if counter else order.held_at, "合同备案，锁定额度", f"合同编号 {order.contract_no}"),
        (order.delivered_at, "机构交付", f"委托单号 {order.provider_ref}" if order.provider_ref else ""),
        (order.captured_at, "企业确认，核销完成", ""),
        (order.closed_at, OrderState(order.state).label, reason_shown(order.close_reason)),
    ]
    shown = [
        {"at": at, "title": title, "note": note, "tone": ended if at is order.closed_at else None}
        for at, title, note in events
        if at is not None
    ]
    shown.sort(key=lambda each: cast(datetime, each["at"]))
    return shown[::-1]
