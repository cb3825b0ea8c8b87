"""What the two sides of an order say about their relation: on record, and a tie bars at once (domain 4, row 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.checks import RelationStatement
from voucher.models.orders import Order
from voucher.models.parties import Affiliation, Holder, Platform
from voucher.operations import find, journal
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor
from voucher.terms import AffiliationKind, Side

TEXT_VERSION: Final = "2026-2"
_TIE: Final = ("first_id", "second_id", "kind", "source")


@dataclass(frozen=True, slots=True)
class RelationRequest:
    """What one side says of an order: which tie there is between firm and provider's host, or none."""

    order_number: str
    kind: AffiliationKind | None = None


def state_relation(
    session: Session, requests: Sequence[RelationRequest], *, actor: Actor, at: datetime
) -> list[RelationStatement | Refused]:
    """Keep what a side says, once for each order and side. A tie is entered in the register and bars from then on.

    Refused, alone: an order in which the actor is neither side (`not_found`), one that this side spoke of before
    (`already_registered`).
    """
    numbers = [request.order_number for request in requests]
    orders = find.either_sides_orders(session, numbers, actor=actor)
    answers: list[RelationStatement | Refused] = []
    for request in requests:
        try:
            order = find.one_of(orders, request.order_number)
            answers.append(_state(session, order, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _state(
    session: Session, order: Order, request: RelationRequest, *, actor: Actor, at: datetime
) -> RelationStatement:
    side = Side.PROVIDER if order.platform_id in actor.platform_ids else Side.ENTERPRISE
    before = select(RelationStatement.id).where(
        RelationStatement.order_id == order.id, RelationStatement.side == side.value
    )
    if session.scalars(before).first() is not None:
        raise Refusal(Code.ALREADY_REGISTERED, subject=order.number)
    row = RelationStatement(
        order_id=order.id,
        side=side.value,
        related=request.kind is not None,
        text_version=TEXT_VERSION,
        stated_by=actor.person_id,
        stated_at=at,
    )
    session.add(row)
    session.flush()
    if request.kind is not None:
        _tie(session, order, side, request.kind)
    facts: dict[str, Fact] = {"side": side.value, "kind": request.kind.value if request.kind else None}
    journal.record(session, actor, "order.state_relation", [(order.number, facts)], at=at)
    return row


def _tie(session: Session, order: Order, side: Side, kind: AffiliationKind) -> None:
    owner = select(Holder.organisation_id).where(Holder.id == order.holder_id)
    host = select(Platform.organisation_id).where(Platform.id == order.platform_id)
    parties = {session.scalars(owner).one_or_none(), session.scalars(host).one_or_none()} - {None}
    if len(parties) == 2:
        first, second = sorted(filter(None, parties))
        source = f"{side.label}声明（订单 {order.number}）"
        insert_missing(session, Rows(Affiliation, _TIE, [(first, second, kind.value, source)]))
