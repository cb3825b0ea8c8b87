"""A claim whose rejection was wrong goes back to review, at its old place in the queue, for another reviewer (重新审核)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.cases import Case, case_of, cases
from voucher.operations.find import vouchers_for_share
from voucher.operations.invoices import Ask, Drafted, book, write_uses
from voucher.operations.reinstate import reinstate
from voucher.rules.invoices import Head
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OrderState


def rejected_case(session: Session, claim_id: int, *, actor: Actor) -> Case:
    """The case of a claim, locked: its voucher, its order, the claim. Refused: `not_found`, `not_own_programme`."""
    query = select(Claim.number, Order.id, Order.voucher_id).join(Order, Order.id == Claim.order_id)
    number, order_id, voucher_id = session.execute(query.where(Claim.id == claim_id)).one()
    vouchers_for_share(session, [each for each in (voucher_id,) if each])
    order = select(Order).where(Order.id == order_id).with_for_update(of=Order)
    session.scalars(order.execution_options(populate_existing=True)).one()
    return case_of(cases(session, [number], actor=actor), number)


def reopen(session: Session, case: Case, *, actor: Actor, at: datetime) -> Fen:
    """REJECTED → SUBMITTED and its order DISALLOWED → CLAIMED, in a new hearing; gives what is held again, in fen.

    The claim keeps its place in the queue, and uses its invoices again. Who decided before does not decide again
    (`cases`). Raises Refusal with what is missing: what `reinstate` raises, `invoice_used`, `invoice_exceeded`,
    `invoice_void`; `state_changed` for a claim that is not rejected.
    """
    claim, order = case.claim, case.order
    following = next_state(ClaimState(claim.state), Event.RESUME)
    order_state = next_state(OrderState(order.state), Event.RESUME)
    _use_invoices_again(session, case, actor=actor, at=at)
    held = reinstate(session, case, actor=actor, at=at)
    claim.state, order.state = following.value, order_state.value
    claim.hearing += 1
    claim.approved_fen = claim.decided_at = order.closed_at = None
    order.close_reason = ""
    facts: dict[str, Fact] = {"held_fen": held, "hearing": claim.hearing, "rule_version": case.policy.code}
    journal.record(session, actor, "claim.reopen", [(claim.number, facts)], at=at)
    session.flush()
    return held


def _use_invoices_again(session: Session, case: Case, *, actor: Actor, at: datetime) -> None:
    """Use again what the claim used of invoices until it was rejected, as far as it is still there."""
    claim, order = case.claim, case.order
    query = (
        select(Invoice, InvoiceUse.allocated_fen)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .where(InvoiceUse.claim_id == claim.id, InvoiceUse.released_at == claim.decided_at)
        .order_by(InvoiceUse.id)
    )
    last = {row.key: (row, Fen(part)) for row, part in session.execute(query)}
    drafts = tuple(_as_recorded(row, part) for row, part in last.values())
    ask = Ask(claim.id, order.id, order.programme_code, case.policy.stacking, drafts)
    (refused,) = book(session, [ask], actor)
    if refused is not None:
        raise Refusal(refused.code, **refused.facts)
    write_uses(session, [ask], at=at)


def _as_recorded(row: Invoice, part_fen: Fen) -> Drafted:
    if part_fen > row.net_fen:
        raise Refusal(Code.INVOICE_EXCEEDED, invoice=row.key, net_fen=row.net_fen, left_fen=row.net_fen)
    head = Head(
        issued_on=row.issued_on,
        net_fen=row.net_fen,
        buyer_uscc=row.buyer_uscc,
        seller_uscc=row.seller_uscc,
    )
    return Drafted(row.key, head, (row.buyer_name, row.seller_name), part_fen)
