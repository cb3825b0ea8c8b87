"""Withdrawing a claim that is not decided yet: the order can be claimed again, its invoices used again (撤回)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.operations import invoices, journal
from voucher.operations.claim_subjects import claimants_subject
from voucher.operations.outcome import Refused, refused
from voucher.operations.own_claims import OwnClaim, one_of, own_claims, to_other_side
from voucher.operations.tell import tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent, OrderState


def withdraw_claims(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[ClaimState | Refused]:
    """AWAITING, SUBMITTED or RETURNED → WITHDRAWN, by the side that claimed; nothing is posted.

    The order is CAPTURED again, that of a post-subsidy CANCELLED. Refused, each alone: not the actor's
    (`not_found`), claimed by the other side (`other_side_claims`), decided already (`state_changed`).
    """
    found = own_claims(session, numbers, actor)
    results: list[ClaimState | Refused] = []
    done: list[OwnClaim] = []
    for number in numbers:
        try:
            own = one_of(found, number)
            claimants_subject(own.subject, actor, number)
            following = next_state(ClaimState(own.claim.state), Event.WITHDRAW)
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        order = own.subject.order
        leave = Event.WITHDRAW if own.subject.platform is not None else Event.DROP
        order.state = next_state(OrderState(order.state), leave).value
        if leave is Event.DROP:
            order.closed_at, order.close_reason = at, "withdrawn"
        own.claim.state, own.claim.withdrawn_at = following.value, at
        done.append(own)
        results.append(following)
    invoices.release(session, [own.claim.id for own in done], at=at)
    facts = [(own.claim.number, {"order": own.subject.order.number}) for own in done]
    journal.record(session, actor, "claim.withdraw", facts, at=at)
    asked = [own for own in done if own.claim.confirm_by is not None and own.subject.platform is not None]
    tell(session, [to_other_side(own, MessageEvent.CLAIM_WITHDRAWN) for own in asked], at=at)
    session.flush()
    return results
