"""Claims that a side of their order works on after they were handed in: found and locked, order first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.operations.claim_subjects import Subject, subjects
from voucher.operations.tell import Note
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent


@dataclass(frozen=True, slots=True)
class OwnClaim:
    """A claim, locked, and what it is about."""

    claim: Claim
    subject: Subject


def own_claims(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, OwnClaim]:
    """The claims of these numbers in which the actor is firm or platform, orders locked before claims."""
    wanted = select(Claim.order_id).where(Claim.number.in_(numbers))
    about = subjects(session, Order.id.in_(wanted), actor)
    query = (
        select(Claim)
        .where(Claim.number.in_(numbers), Claim.order_id.in_(about))
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.number: OwnClaim(row, about[row.order_id]) for row in session.scalars(query)}


def one_of(found: dict[str, OwnClaim], number: str) -> OwnClaim:
    """The claim of this number among those found; refused `not_found`."""
    if number not in found:
        raise Refusal(Code.NOT_FOUND, claim=number)
    return found[number]


def to_claimant(own: OwnClaim, event: MessageEvent, *, reason: str = "") -> Note:
    """A note to the side that claims."""
    facts = {"reason": reason} if reason else {}
    subject, once = own.subject, str(own.claim.round)
    if subject.by_platform:
        return Note(event, own.claim.number, facts, platform_id=subject.order.platform_id, once=once)
    return Note(event, own.claim.number, facts, organisation_id=subject.holder.organisation_id, once=once)


def to_other_side(own: OwnClaim, event: MessageEvent, *, reason: str = "") -> Note:
    """A note to the side that confirms."""
    facts = {"reason": reason} if reason else {}
    subject, once = own.subject, str(own.claim.round)
    if subject.by_platform:
        firm = subject.holder.organisation_id
        return Note(event, own.claim.number, facts, organisation_id=firm, once=once)
    return Note(event, own.claim.number, facts, platform_id=subject.order.platform_id, once=once)
