"""Authorities that sign a case side by side (会签), where the policy names several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.people import RoleGrant
from voucher.models.review import Cosignature
from voucher.operations import journal
from voucher.operations.cases import Case, bar_interested, case_of, cases, recused
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import ClaimState, MessageEvent, Role


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What an authority says of a case: that it agrees, or why not."""

    claim_number: str
    function: str
    agreed: bool
    text: str = ""


def cosign(
    session: Session, requests: Sequence[SignRequest], *, actor: Actor, at: datetime
) -> list[str | Refused]:
    """Sign cases, or object, for an authority that the actor signs for; whoever has the case is told.

    Signing again is allowed while the case is open: the latest word of an authority in the claim's round counts, and
    earlier ones stay. A return opens a new round, which is signed afresh. Gives claim numbers. Refused, each alone:
    `not_found`; an authority that the policy does not ask, or the actor does not sign for in the case's region
    (`not_permitted`); `self_approval`, also for whoever has the case in hand or signed it for another authority; `recused`; a claim that does not wait for review (`state_changed`); an objection without reason
    (`reason_missing`).
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    answers: list[str | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    told: list[Note] = []
    for request in requests:
        try:
            case = case_of(found, request.claim_number)
            bar_interested(session, case, actor=actor, interests=interests)
            _bar_other_authorities(session, case, request, actor=actor, on=business_date(at))
            _bar_second_word(session, case, request, actor=actor)
            if case.claim.state != ClaimState.SUBMITTED.value:
                raise Refusal(Code.STATE_CHANGED, state=case.claim.state)
            if not request.agreed and not request.text.strip():
                raise Refusal(Code.REASON_MISSING, claim=request.claim_number)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        session.add(_row(request, case.claim, actor=actor, at=at))
        number = request.claim_number
        facts: dict[str, Fact] = {"functions": request.function}
        notes.append((number, {**facts, "agreed": request.agreed, "rule_version": case.policy.code}))
        if case.taking is not None:
            people = (case.taking.person_id,)
            told.append(Note(MessageEvent.COSIGNED, number, facts, people, once=at.isoformat()))
        answers.append(number)
    session.flush()
    journal.record(session, actor, "claim.cosign", notes, at=at)
    tell(session, told, at=at)
    return answers


def unsigned(session: Session, claim: Claim, policy: Policy) -> tuple[str, ...]:
    """The authorities that the policy asks and that have not agreed in the claim's round, in the policy's order."""
    query = (
        select(Cosignature.function, Cosignature.agreed)
        .where(Cosignature.claim_id == claim.id, Cosignature.round == claim.round)
        .order_by(Cosignature.id)
    )
    agreed = {row.function: row.agreed for row in session.execute(query)}
    return tuple(function for function in policy.cosigners if not agreed.get(function, False))


def _bar_other_authorities(
    session: Session, case: Case, request: SignRequest, *, actor: Actor, on: date
) -> None:
    """Refuse (`not_permitted`) whoever signs for the authority elsewhere, or here for another one."""
    query = select(RoleGrant.region_code).where(
        RoleGrant.person_id == actor.person_id,
        RoleGrant.role == Role.COSIGNER.value,
        RoleGrant.function == request.function,
        RoleGrant.from_on <= on,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
    )
    here = any(f"/{code}/" in case.region_path for code in session.scalars(query))
    if not here or request.function not in actor.functions & set(case.policy.cosigners):
        raise Refusal(Code.NOT_PERMITTED)


def _bar_second_word(session: Session, case: Case, request: SignRequest, *, actor: Actor) -> None:
    """Refuse (`self_approval`) a second word of one person: side by side means several people."""
    other = select(Cosignature.id).where(
        Cosignature.claim_id == case.claim.id,
        Cosignature.round == case.claim.round,
        Cosignature.person_id == actor.person_id,
        Cosignature.function != request.function,
    )
    in_hand = case.taking is not None and case.taking.person_id == actor.person_id
    if in_hand or session.scalars(other.limit(1)).first() is not None:
        raise Refusal(Code.SELF_APPROVAL, claim=case.claim.number)


def _row(request: SignRequest, claim: Claim, *, actor: Actor, at: datetime) -> Cosignature:
    return Cosignature(
        claim_id=claim.id,
        round=claim.round,
        function=request.function,
        agreed=request.agreed,
        text=request.text.strip(),
        person_id=actor.person_id,
        signed_at=at,
    )
