"""The other side of the order confirms a claim, or denies it with a reason (绑定, domain 3.3 step 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.operations import journal
from voucher.operations.claim import next_actor
from voucher.operations.outcome import Refused, refused
from voucher.operations.own_claims import OwnClaim, one_of, own_claims, to_claimant
from voucher.operations.sweep import SYSTEM
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent

LAPSED = "confirm_by"
"""The return reason of a claim whose other side let its days pass."""


@dataclass(frozen=True, slots=True)
class ClaimAnswer:
    """What the other side says of a claim; denying needs a reason."""

    claim_number: str
    agreed: bool
    reason: str = ""


def confirm_claims(
    session: Session, answers: Sequence[ClaimAnswer], *, actor: Actor, at: datetime
) -> list[ClaimState | Refused]:
    """AWAITING → SUBMITTED, or with a reason → RETURNED; the claimant is told, reviewers too once it is confirmed.

    Refused, each alone: a claim that is not the actor's (`not_found`), one that their own side made
    (`not_permitted`), a denial without a reason (`reason_missing`), one that does not wait for them, or no longer
    (`state_changed`).
    """
    found = own_claims(session, [answer.claim_number for answer in answers], actor)
    results: list[ClaimState | Refused] = []
    notes: list[Note] = []
    facts: list[tuple[str, dict[str, Fact]]] = []
    for answer in answers:
        try:
            own = one_of(found, answer.claim_number)
            results.append(_answer(own, answer, actor=actor, at=at))
        except Refusal as refusal:
            results.append(refused(refusal))
            continue
        facts.append((own.claim.number, {"agreed": answer.agreed, "reason": own.claim.return_reason}))
        if answer.agreed:
            notes += [to_claimant(own, MessageEvent.CLAIM_CONFIRMED), next_actor(own.subject, own.claim)]
        else:
            notes.append(to_claimant(own, MessageEvent.CLAIM_DENIED, reason=own.claim.return_reason))
    journal.record(session, actor, "claim.confirm", facts, at=at)
    tell(session, notes, at=at)
    session.flush()
    return results


def lapse_claims(session: Session, *, at: datetime, limit: int) -> int:
    """Return the claims whose other side let its days pass, and tell both sides; gives how many.

    Claims that somebody works on are passed over. The journal says `system`.
    """
    query = (
        select(Claim, Order, Holder)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(Claim.state == ClaimState.AWAITING.value, Claim.confirm_by < business_date(at))
        .order_by(Claim.id)
        .limit(limit)
        .with_for_update(of=Claim, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    notes: list[Note] = []
    for claim, order, holder in rows:
        claim.state = next_state(ClaimState(claim.state), Event.RETURN).value
        claim.round += 1
        claim.returned_at, claim.return_reason = at, LAPSED
        said: dict[str, Fact] = {"reason": "对方在期限内没有确认"}
        once = str(claim.round)
        notes.append(
            Note(
                MessageEvent.CLAIM_DENIED,
                claim.number,
                said,
                organisation_id=holder.organisation_id,
                platform_id=order.platform_id,
                once=once,
            )
        )
    journal.record(session, SYSTEM, "claim.lapse", [(claim.number, {}) for claim, *_ in rows], at=at)
    tell(session, notes, at=at)
    session.flush()
    return len(rows)


def _answer(own: OwnClaim, answer: ClaimAnswer, *, actor: Actor, at: datetime) -> ClaimState:
    claim = own.claim
    if not own.subject.other_side(actor) or claim.submitted_by == actor.person_id:
        raise Refusal(Code.NOT_PERMITTED)
    event = Event.CONFIRM if answer.agreed else Event.RETURN
    if claim.state != ClaimState.AWAITING.value:
        raise Refusal(Code.STATE_CHANGED, state=claim.state, event=event.value)
    if claim.confirm_by is not None and claim.confirm_by < business_date(at):
        raise Refusal(Code.STATE_CHANGED, state=ClaimState.RETURNED.value, event=event.value)
    if not answer.agreed and not answer.reason.strip():
        raise Refusal(Code.REASON_MISSING, claim=claim.number)
    following = next_state(ClaimState(claim.state), event)
    claim.state = following.value
    if answer.agreed:
        claim.confirmed_by, claim.confirmed_at = actor.person_id, at
    else:
        claim.round += 1
        claim.returned_at, claim.return_reason = at, answer.reason.strip()[:500]
    return following
