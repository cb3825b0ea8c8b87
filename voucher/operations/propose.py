"""The platform proposes an amount at the counter: an order is placed, accepted and held in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, contains_eager

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.sessions import RedemptionSession
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.admit import Admitted, Wish, admit
from voucher.operations.contracts import Paper, Parties, file_papers, forget_unused, parties_of
from voucher.operations.file_contract import held_facts
from voucher.operations.hold import Held, HoldRequest
from voucher.operations.outcome import Refused, refused
from voucher.operations.place_order import new_order, units_of
from voucher.operations.quotas import hold_within
from voucher.operations.sweep import sweep_holds
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, SessionState

CONFIRM_MINUTES = 10
_SESSIONS = (
    select(RedemptionSession, Voucher)
    .join(Voucher, Voucher.id == RedemptionSession.voucher_id)
    .join(Voucher.holder)
    .options(contains_eager(Voucher.holder))
    .where(
        RedemptionSession.number.in_(bindparam("numbers", expanding=True)),
        RedemptionSession.platform_id.in_(bindparam("platforms", expanding=True)),
    )
    .order_by(RedemptionSession.id)
    .with_for_update(of=RedemptionSession)
    .suffix_with(find.VOUCHER_FOR_SHARE, dialect="postgresql")
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class ProposeRequest:
    """What was done for the holder of a scanned session, and its full price in fen.

    `contract_no` where the work is part of a contract, `whole_fen` its whole amount (None: as it is on file, or the
    price where it is new). `units` counts what a cap per unit multiplies (persons trained, samples).
    """

    session_number: str
    service: str
    gross_fen: Fen
    contract_no: str = ""
    provider_ref: str = ""
    description: str = ""
    whole_fen: Fen | None = None
    units: int = 1


def propose(
    session: Session, requests: Sequence[ProposeRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """SCANNED → PROPOSED: the voucher's part is computed, clamped and held for ten minutes.

    This holder's overdue proposals are voided first. Vouchers of one book, each session once (it is `not_found`
    a second time). Refused, alone: `not_found`, `session_closed`, `state_changed`, `qr_expired` for a session past
    its time, every verdict of `admit`, and what `file_papers` and `hold` refuse.
    """
    found = _sessions(session, requests, actor)
    vouchers = {voucher.id: voucher for _, voucher in found}
    sweep_holds(session, at=at, holder_ids=sorted({row.holder_id for row, _ in found}))
    rows = {row.number: row for row, _ in found}
    checked = [_check(rows.pop(request.session_number, None), request, at) for request in requests]
    ready = [
        (request, row)
        for request, row in zip(requests, checked, strict=True)
        if isinstance(row, RedemptionSession)
    ]
    wishes = [Wish(vouchers[row.voucher_id], row.platform_id or 0, request.service) for request, row in ready]
    verdicts = admit(session, wishes, actor=actor, at=at)
    ids = take_ids(session, Order, len(ready))
    drafts: dict[str, HoldRequest] = {}
    papers: dict[str, Paper] = {}
    refusals: dict[str, Refused] = {}
    for order_id, (request, row), verdict in zip(ids, ready, verdicts, strict=True):
        if isinstance(verdict, Refused):
            refusals[row.number] = verdict
            continue
        voucher = vouchers[row.voucher_id]
        drafts[row.number] = _draft(order_id, voucher, verdict, request, at=at)
        if request.contract_no:
            papers[row.number] = _paper(request, parties_of(voucher, verdict.platform), at=at)
    refusals |= _file(session, papers, drafts, actor=actor, at=at)
    held = dict(zip(drafts, hold_within(session, list(drafts.values()), actor=actor, at=at), strict=True))
    forget_unused(session, [(draft.filed, draft.order) for draft in drafts.values()])
    results: list[Held | Refused] = []
    for each in checked:
        if isinstance(each, Refused):
            results.append(each)
            continue
        answer = refusals.get(each.number) or held[each.number]
        if isinstance(answer, Held):
            _propose(session, each, answer.order, at=at)
        results.append(answer)
    journal.record(session, actor, "session.propose", held_facts(results), at=at)
    session.flush()
    return results


def _sessions(
    session: Session, requests: Sequence[ProposeRequest], actor: Actor
) -> list[tuple[RedemptionSession, Voucher]]:
    """The sessions that the actor's platforms scanned, locked, with their vouchers locked FOR SHARE."""
    given = {
        "numbers": list({request.session_number for request in requests}),
        "platforms": list(actor.platform_ids),
    }
    return [(row, voucher) for row, voucher in session.execute(_SESSIONS, given)]


def _check(
    row: RedemptionSession | None, request: ProposeRequest, at: datetime
) -> RedemptionSession | Refused:
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
    order.units = units_of(admitted.policy, request.units)
    order.accepted_at = at
    confirm_by = at + timedelta(minutes=CONFIRM_MINUTES)
    region = admitted.platform.region_code
    return HoldRequest(order, voucher, admitted.policy, region, request.gross_fen, confirm_by)


def _paper(request: ProposeRequest, parties: Parties, *, at: datetime) -> Paper:
    """The contract that the work is part of."""
    return Paper(
        parties,
        request.contract_no,
        business_date(at),
        request.gross_fen,
        amount_fen=request.whole_fen,
        dated=False,
    )


def _file(
    session: Session,
    papers: Mapping[str, Paper],
    drafts: dict[str, HoldRequest],
    *,
    actor: Actor,
    at: datetime,
) -> dict[str, Refused]:
    """Put the contracts of drafts on file, by session number; a draft whose contract does not fit is taken out."""
    found: dict[str, Refused] = {}
    answers = file_papers(session, list(papers.values()), actor=actor, at=at)
    for number, answer in zip(papers, answers, strict=True):
        if isinstance(answer, Refusal):
            found[number] = refused(answer)
            del drafts[number]
        else:
            drafts[number] = replace(drafts[number], filed=answer)
            drafts[number].order.contract_on = answer.signed_on
    return found


def _propose(session: Session, row: RedemptionSession, order: Order, *, at: datetime) -> None:
    session.add(order)
    row.state = SessionState.PROPOSED.value
    row.order_id = order.id
    row.proposed_at = at
    row.confirm_by = order.hold_expires_at
