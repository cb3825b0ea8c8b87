"""Changing a contract's amount: the provider files a supplement, the firm confirms it (补充协议)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.locking import lock
from voucher.models.contracts import Contract, Supplement
from voucher.models.orders import Order, rule_code
from voucher.models.parties import Holder, Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.charges import Room, post_all
from voucher.operations.contracts import Ceiling
from voucher.operations.keep_files import keep_files
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules.clamp import Limit
from voucher.rules.permissions import Actor
from voucher.rules.subsidy import Case, compute
from voucher.store import Stored
from voucher.terms import AskState, MessageEvent


@dataclass(frozen=True, slots=True)
class SupplementRequest:
    """A signed supplement to the contract of one order: its number, day, and the contract's whole amount after it."""

    order_number: str
    number: str
    signed_on: date
    amount_fen: Fen
    reason: str
    file: Stored | None = None


@dataclass(frozen=True, slots=True)
class SupplementAnswer:
    """The firm's answer to the open supplement of an order's contract."""

    order_number: str
    granted: bool
    reason: str = ""


def file_supplement(
    session: Session, request: SupplementRequest, *, actor: Actor, at: datetime
) -> Supplement:
    """The provider files a supplement; nothing changes until the firm confirms. An open one is replaced.

    Refused: `not_found` (also an order without a contract on file), `contract_date_invalid` for a day before the
    contract's or after today, `reason_missing`, `contract_differs` where the amount stays the same.
    """
    order = find.one_of(
        find.platforms_orders(session, [request.order_number], actor=actor), request.order_number
    )
    contract = _contract(session, order)
    if not contract.signed_on <= request.signed_on <= business_date(at):
        days: dict[str, Fact] = {"contract_on": request.signed_on.isoformat()}
        raise Refusal(Code.CONTRACT_DATE_INVALID, **days, order_on=contract.signed_on.isoformat())
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    if request.amount_fen == contract.amount_fen:
        signed = contract.signed_on.isoformat()
        raise Refusal(Code.CONTRACT_DIFFERS, contract_fen=contract.amount_fen, contract_on=signed)
    _replace(session, contract, at)
    keep_files(session, [request.file] if request.file else [], actor=actor, at=at)
    row = _row(request, order, contract)
    row.filed_by, row.filed_at = actor.person_id, at
    session.add(row)
    facts: dict[str, Fact] = {"was_fen": row.was_fen, "contract_fen": row.amount_fen, "reason": row.reason}
    journal.record(session, actor, "contract.supplement", [(order.number, facts)], at=at)
    session.flush()
    event = MessageEvent.SUPPLEMENT_FILED
    tell(session, [Note(event, order.number, facts, holder_id=order.holder_id, once=at.isoformat())], at=at)
    return row


def _replace(session: Session, contract: Contract, at: datetime) -> None:
    """An open supplement gives way to a new one."""
    before = _asked(session, contract)
    if before is not None:
        before.state, before.answered_at, before.answer_reason = AskState.REFUSED.value, at, "replaced"
        session.flush()


def _row(request: SupplementRequest, order: Order, contract: Contract) -> Supplement:
    file = request.file
    return Supplement(
        contract_id=contract.id,
        order_id=order.id,
        number=request.number,
        signed_on=request.signed_on,
        was_fen=contract.amount_fen,
        amount_fen=request.amount_fen,
        reason=request.reason.strip(),
        file_sha256=file.sha256 if file else None,
        file_name=file.file_name if file else "",
        media_type=file.media_type if file else "",
        state=AskState.ASKED.value,
    )


def answer_supplement(
    session: Session, answer: SupplementAnswer, *, actor: Actor, at: datetime
) -> Supplement:
    """The firm confirms the new amount, and the contract's ceilings are brought to it at once; or it refuses.

    Refused: `not_found` (also without an open supplement), `contract_exceeded` where more is subsidised already than
    the new amount allows, `reason_missing` for a refusal.
    """
    order = find.one_of(find.holders_orders(session, [answer.order_number], actor=actor), answer.order_number)
    contract = _contract(session, order)
    row = _asked(session, contract)
    if row is None:
        raise Refusal(Code.NOT_FOUND, order=order.number)
    if answer.granted:
        _bring_to(session, contract, Fen(row.amount_fen), actor=actor, at=at)
        contract.amount_fen = row.amount_fen
    elif not answer.reason.strip():
        raise Refusal(Code.REASON_MISSING, order=order.number)
    row.state = (AskState.GRANTED if answer.granted else AskState.REFUSED).value
    row.answered_by, row.answered_at, row.answer_reason = actor.person_id, at, answer.reason.strip()
    facts: dict[str, Fact] = {"contract_fen": row.amount_fen, "granted": answer.granted}
    journal.record(session, actor, "contract.answer_supplement", [(order.number, facts)], at=at)
    session.flush()
    said: dict[str, Fact] = {"answer": AskState(row.state).label, "reason": row.answer_reason or None}
    event = MessageEvent.SUPPLEMENT_ANSWERED
    note = Note(event, order.number, said, platform_id=order.platform_id, once=at.isoformat())
    tell(session, [note], at=at)
    return row


def _bring_to(session: Session, contract: Contract, amount_fen: Fen, *, actor: Actor, at: datetime) -> None:
    """Open or lower every ceiling of the contract to what the rates of its orders give on the new amount."""
    ceilings = _ceilings(session, contract, amount_fen)
    refs = [ref for each in ceilings for ref in (each.account, each.source)]
    locked = lock(session, contract.book_id, refs)
    room = Room(session, locked, ceilings)
    for each in ceilings:
        standing: Limit = room.limit(each)
        if standing.used_fen > each.amount_fen:
            raise Refusal(
                Code.CONTRACT_EXCEEDED, contract_fen=each.amount_fen, used_fen=standing.used_fen, left_fen=0
            )
    post_all(session, locked, room.adjustments(actor, business_date(at)), at=at)


def _ceilings(session: Session, contract: Contract, amount_fen: Fen) -> list[Ceiling]:
    """The highest that an order of each programme gives on the amount, and the highest of all."""
    query = (
        select(Order.programme_code, Order.policy_code, Order.agreement_version_id, Order.service)
        .add_columns(Voucher.holder_class, Holder.region_code, Platform.region_code)
        .join(Voucher, Voucher.id == Order.voucher_id)
        .join(Holder, Holder.id == Voucher.holder_id)
        .join(Platform, Platform.id == Order.platform_id)
        .where(Order.contract_ref == contract.ref)
        .distinct()
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {rule_code(row.policy_code, row.agreement_version_id) for row in rows})
    highest: dict[str, tuple[Fen, str]] = {}
    for programme, policy_code, version_id, service, holder_class, firm_region, platform_region in rows:
        case = Case(
            holder_class=holder_class,
            service=service,
            contract_fen=amount_fen,
            applicant_region=firm_region,
            provider_region=platform_region,
            units=None,
        )
        found = compute(policies[rule_code(policy_code, version_id)], case).amount_fen, policy_code
        highest[programme] = max(highest.get(programme, found), found)
    highest[""] = max(highest.values())
    return [
        Ceiling(contract.ref, programme, most, policy_code, keeps=False)
        for programme, (most, policy_code) in highest.items()
    ]


def _contract(session: Session, order: Order) -> Contract:
    """The contract that an order is on, locked; refused `not_found`."""
    query = select(Contract).where(Contract.ref == order.contract_ref).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, order=order.number)
    return row


def _asked(session: Session, contract: Contract) -> Supplement | None:
    query = select(Supplement).where(
        Supplement.contract_id == contract.id, Supplement.state == AskState.ASKED.value
    )
    return session.scalars(query.with_for_update()).one_or_none()
