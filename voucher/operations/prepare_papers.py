"""Papers prepared for a claim before it is written: what a bookkeeper may do, and anybody who prepares for a firm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.joining import PreparedPaper
from voucher.models.orders import Order
from voucher.operations import find
from voucher.operations.alone import alone
from voucher.operations.documents import GivenDocument
from voucher.operations.journal import record
from voucher.operations.keep_files import keep_files
from voucher.operations.outcome import Refused
from voucher.operations.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.terms import OrderState, PayoutMode

_OPEN: Final = (OrderState.HELD, OrderState.DELIVERED, OrderState.CAPTURED)


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    """Papers for the claim of one order, to be taken along when the firm writes it."""

    order_number: str
    papers: tuple[GivenDocument, ...]


def prepare_papers(
    session: Session, requests: Sequence[PrepareRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Keep papers with orders of the actor's firms; gives how many were added. The same file again adds nothing.

    Refused one by one: another's order (`not_found`), one without contract or claimed already (`state_changed`), one
    whose claim is the provider's to write (`not_permitted`), nothing handed in (`file_refused`).
    """
    orders = find.holders_orders(session, [each.order_number for each in requests], actor=actor)
    return alone(session, requests, lambda request: _prepare(session, request, orders, actor=actor, at=at))


def drop_papers(
    session: Session, order_number: str, paper_ids: Sequence[int], *, actor: Actor, at: datetime
) -> int:
    """Take prepared papers of an order of the actor's firms away again; gives how many. Refused: `not_found`."""
    order = find.one_of(find.holders_orders(session, [order_number], actor=actor), order_number)
    gone = session.execute(
        update(PreparedPaper)
        .where(
            PreparedPaper.order_id == order.id,
            PreparedPaper.id.in_(paper_ids),
            PreparedPaper.dropped_at.is_(None),
        )
        .values(dropped_at=at)
        .returning(PreparedPaper.id)
    ).all()
    facts: dict[str, Fact] = {"papers": len(gone)}
    record(session, actor, "claim.drop_papers", [(order.number, facts)], at=at)
    return len(gone)


def _prepare(
    session: Session,
    request: PrepareRequest,
    orders: dict[str, Order],
    *,
    actor: Actor,
    at: datetime,
) -> int:
    order = find.one_of(orders, request.order_number)
    if order.state not in {state.value for state in _OPEN}:
        raise Refusal(Code.STATE_CHANGED, state=order.state)
    if policy_of(session, order.rule_code).payout_mode is PayoutMode.PAY_PROVIDER:
        raise Refusal(Code.NOT_PERMITTED)
    if not request.papers:
        raise Refusal(Code.FILE_REFUSED, reason="missing")
    there = select(PreparedPaper.kind, PreparedPaper.sha256).where(
        PreparedPaper.order_id == order.id, PreparedPaper.dropped_at.is_(None)
    )
    known = {(kind, digest) for kind, digest in session.execute(there)}
    new = {(each.kind.value, each.sha256): each for each in request.papers}
    added = [each for key, each in new.items() if key not in known]
    keep_files(session, [each.stored for each in added], actor=actor, at=at)
    session.add_all(
        PreparedPaper(
            order_id=order.id,
            kind=each.kind.value,
            sha256=each.sha256,
            file_name=each.file_name,
            prepared_by=actor.person_id,
            prepared_at=at,
        )
        for each in added
    )
    facts: dict[str, Fact] = {"papers": len(added)}
    record(session, actor, "claim.prepare_papers", [(order.number, facts)], at=at)
    session.flush()
    return len(added)
