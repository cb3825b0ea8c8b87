"""The platform proposes an amount at the counter: an order is placed, accepted and held in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import Admitted, Wish, admit
from voucher.operations.file_contract import held_facts
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused, refused
from voucher.operations.place_order import new_order
from voucher.operations.sweep import sweep_holds
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, SessionState

CONFIRM_MINUTES = 10


@dataclass(frozen=True, slots=True)
class ProposeRequest:
    """What was done for the holder of a scanned session, and its full price in fen."""

    session_number: str
    service: str
    gross_fen: Fen
    contract_no: str = ""
    provider_ref: str = ""
    description: str = ""


def propose(
    session: Session, requests: Sequence[ProposeRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """SCANNED → PROPOSED: the voucher's part is computed, clamped and held for ten minutes.

    This holder's overdue proposals are voided first. Refused, alone: `not_found`, `session_closed`,
    `qr_expired` for a session past its time, every verdict of `admit`, and what `hold` refuses.
    """
    rows = _sessions(session, requests, actor)
    vouchers = find.vouchers_for_share(session, [row.voucher_id for row in rows.values()])
    sweep_holds(session, at=at, holder_ids=sorted({row.holder_id for row in rows.values()}))
    checked = [_check(rows, request, at) for request in requests]
    ready = [
        (request, row)
        for request, row in zip(requests, checked, strict=True)
        if isinstance(row, RedemptionSession)
    ]
    wishes = [Wish(vouchers[row.voucher_id], row.platform_id or 0, request.service) for request, row in ready]
    verdicts = admit(session, wishes, actor=actor, at=at)
    ids = take_ids(session, Order, len(ready))
    drafts: dict[str, HoldRequest] = {}
    refusals: dict[str, Refused] = {}
    for order_id, (request, row), verdict in zip(ids, ready, verdicts, strict=True):
        if isinstance(verdict, Refused):
            refusals[row.number] = verdict
            continue
        drafts[row.number] = _draft(order_id, vouchers[row.voucher_id], verdict, request, at=at)
    held = dict(zip(drafts, hold(session, list(drafts.values()), actor=actor, at=at), strict=True))
    results: list[Held | Refused] = []
    for found in checked:
        if isinstance(found, Refused):
            results.append(found)
            continue
        answer = refusals.get(found.number) or held[found.number]
        if isinstance(answer, Held):
            _propose(session, found, answer.order, at=at)
        results.append(answer)
    journal.record(session, actor, "session.propose", held_facts(results), at=at)
    session.flush()
    return results


def _sessions(
    session: Session, requests: Sequence[ProposeRequest], actor: Actor
) -> dict[str, RedemptionSession]:
    query = (
        select(RedemptionSession)
        .where(
            RedemptionSession.number.in_({request.session_number for request in requests}),
            RedemptionSession.platform_id.in_(actor.platform_ids),
        )
        .order_by(RedemptionSession.id)
        .with_for_update(of=RedemptionSession)
        .execution_options(populate_existing=True)
    )
    return {row.number: row for row in session.scalars(query)}


def _check(
    rows: dict[str, RedemptionSession], request: ProposeRequest, at: datetime
) -> RedemptionSession | Refused:
    row = rows.get(request.session_number)
    if row is None:
        return Refused(Code.NOT_FOUND, {"session": request.session_number})
    try:
        next_state(SessionState(row.state), Event.PROPOSE)
    except Refusal as refusal:
        return refused(refusal)
    return Refused(Code.QR_EXPIRED) if at >= row.closes_at else row


def _draft(
    order_id: int, voucher: Voucher, admitted: Admitted, request: ProposeRequest, *, at: datetime
) -> HoldRequest:
    order = new_order(order_id, voucher, admitted, request.service, at=at)
    order.channel = OrderChannel.COUNTER.value
    order.description = request.description
    order.provider_ref = request.provider_ref
    order.contract_no = request.contract_no
    order.contract_on = business_date(at)
    order.contract_fen = order.quote_fen = request.gross_fen
    order.accepted_at = at
    confirm_by = at + timedelta(minutes=CONFIRM_MINUTES)
    return HoldRequest(order, voucher, admitted.policy, admitted.platform.region_code, confirm_by)


def _propose(session: Session, row: RedemptionSession, order: Order, *, at: datetime) -> None:
    session.add(order)
    row.state = SessionState.PROPOSED.value
    row.order_id = order.id
    row.proposed_at = at
    row.confirm_by = order.hold_expires_at
