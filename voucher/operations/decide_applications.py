"""Deciding applications (申领审核): approve, return with what to mend, or reject with a reason; one or many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.applications import Application, ApplicationDecision, ApplicationQueue
from voucher.models.parties import Holder, Qualification
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.cases import recused
from voucher.operations.deadlines import deadline
from voucher.operations.move_up import MovedUp, move_up, queue_of
from voucher.operations.outcome import Refused, only, refused
from voucher.operations.policies import policy_in_force, policy_of
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.tell import Note, tell
from voucher.rules import eligibility
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region, runs
from voucher.terms import ApplicationState, ApplicationVerdict, HolderClass, MessageEvent

_EVENTS = {
    ApplicationVerdict.APPROVE: Event.APPROVE,
    ApplicationVerdict.RETURN: Event.RETURN,
    ApplicationVerdict.REJECT: Event.REJECT,
}


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A decision on one application. `approved_fen` counts for an approval (None: all that is wanted)."""

    number: str
    verdict: ApplicationVerdict
    approved_fen: Fen | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """The application after the decision and after its queue moved up.

    `voucher_number` where it was issued; `sent_back` where a rule refused the voucher and it waits for review again.
    """

    number: str
    verdict: ApplicationVerdict
    state: ApplicationState
    voucher_number: str = ""
    sent_back: Refused | None = None


_Key = tuple[str, int]


def decide(
    session: Session, requests: Sequence[DecisionRequest], *, actor: Actor, at: datetime
) -> list[Decided | Refused]:
    """Decide applications in the order of their queues, whatever the order of the requests; then move the queues up.

    An approval qualifies the holder for the year where that is missing. Refused, alone: outside the actor's regions
    (`not_found`), of the actor's own firm or making (`self_approval`), of a
    firm the actor is recused from (`recused`), decided already (`state_changed`), a return
    or rejection without reason (`reason_missing`), more than was wanted (`approved_above_claim`), a face out of
    bounds (`face_out_of_range`), a holder that cannot be qualified (`not_qualified`).
    """
    found, queues = _locked(session, [request.number for request in requests], actor)
    results: dict[int, Application | Refused] = {}
    for place in sorted(range(len(requests)), key=lambda each: _turn(found.get(requests[each].number))):
        request = requests[place]
        try:
            with session.begin_nested():
                results[place] = _decide(session, found.get(request.number), request, actor=actor, at=at)
        except Refusal as refusal:
            results[place] = refused(refusal)
    session.flush()
    moved: dict[str, MovedUp] = {}
    for key in sorted(queues):
        moved |= {each.number: each for each in move_up(session, queues[key], at=at)}
    return [_answer(results[place], request, moved) for place, request in enumerate(requests)]


def _locked(
    session: Session, numbers: Sequence[str], actor: Actor
) -> tuple[dict[str, Application | Refusal], dict[_Key, ApplicationQueue]]:
    """The applications in the actor's regions, their queues locked first; a Refusal for those that are the actor's own."""
    query = (
        select(Application.id, Application.programme_code, Application.year, Region.path)
        .add_columns(Programme.region_code, Programme.name)
        .join(Programme, Programme.code == Application.programme_code)
        .join(Holder, Holder.id == Application.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(Application.number.in_(set(numbers)))
    )
    rows = [row for row in session.execute(query) if covers_region(actor, row.path)]
    keys = sorted({(row.programme_code, row.year) for row in rows})
    queues = {key: queue_of(session, *key) for key in keys}
    locked = (
        select(Application)
        .where(Application.id.in_([row.id for row in rows]))
        .order_by(Application.id)
        .with_for_update(of=Application)
        .execution_options(populate_existing=True)
    )
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    foreign = {row.id: row.name for row in rows if not runs(actor, row.region_code)}
    found: dict[str, Application | Refusal] = {}
    for application in session.scalars(locked):
        firm_id = application.holder.organisation_id
        found[application.number] = application
        if firm_id in actor.organisation_ids or application.submitted_by == actor.person_id:
            found[application.number] = Refusal(Code.SELF_APPROVAL, application=application.number)
        elif firm_id in interests:
            found[application.number] = Refusal(Code.RECUSED, organisation=application.holder.name)
        elif application.id in foreign:
            found[application.number] = Refusal(Code.NOT_OWN_PROGRAMME, programme=foreign[application.id])
    return found, queues


def _turn(found: Application | Refusal | None) -> tuple[str, int, int]:
    if isinstance(found, Application):
        return found.programme_code, found.year, found.queue_no
    return "", 0, 0


def _decide(
    session: Session,
    found: Application | Refusal | None,
    request: DecisionRequest,
    *,
    actor: Actor,
    at: datetime,
) -> Application:
    if found is None:
        raise Refusal(Code.NOT_FOUND, application=request.number[:40])
    if isinstance(found, Refusal):
        raise found
    following = next_state(ApplicationState(found.state), _EVENTS[request.verdict])
    approved = None
    if request.verdict is ApplicationVerdict.APPROVE:
        approved = _approved(session, found, request, at=at)
        _qualified(session, found, actor=actor, at=at)
    elif not request.reason.strip():
        raise Refusal(Code.REASON_MISSING, application=found.number)
    found.state, found.approved_fen, found.decided_at = following.value, approved, at
    found.reason = request.reason.strip()
    found.closed_at = at if following is ApplicationState.REJECTED else None
    session.add(
        ApplicationDecision(
            application_id=found.id,
            round=found.round,
            verdict=request.verdict.value,
            approved_fen=approved,
            reason=found.reason,
            submitted_by=found.submitted_by,
            decided_by=actor.person_id,
            decided_at=at,
        )
    )
    facts: dict[str, Fact] = {"decision": request.verdict.value}
    if approved is not None:
        facts["approved_fen"] = approved
    journal.record(session, actor, "application.decide", [(found.number, facts)], at=at)
    session.flush()
    tell(session, [_note(session, found, request.verdict, at=at)], at=at)
    return found


def _approved(session: Session, found: Application, request: DecisionRequest, *, at: datetime) -> Fen:
    approved = Fen(found.wanted_fen) if request.approved_fen is None else request.approved_fen
    if approved > found.wanted_fen:
        raise Refusal(Code.APPROVED_ABOVE_CLAIM, claimed_fen=found.wanted_fen, approved_fen=approved)
    finding = eligibility.face(policy_in_force(session, found.programme_code, at), approved)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    return approved


def _qualified(session: Session, found: Application, *, actor: Actor, at: datetime) -> None:
    """Qualify the holder in the class it applied as, unless it is qualified for the year."""
    standing = select(Qualification.id).where(
        Qualification.programme_code == found.programme_code,
        Qualification.year == found.year,
        Qualification.holder_id == found.holder_id,
    )
    if session.scalars(standing).first() is None:
        request = QualifyRequest(found.holder.ref, HolderClass(found.holder_class))
        only(qualify(session, found.programme_code, [request], actor=actor, at=at))


def _note(session: Session, found: Application, verdict: ApplicationVerdict, *, at: datetime) -> Note:
    facts: dict[str, Fact] = {
        "application_verdict": verdict.value,
        "approved_fen": found.approved_fen,
        "reason": found.reason or None,
    }
    if verdict is ApplicationVerdict.REJECT:
        days = policy_of(session, found.policy_code).appeal_days
        last = deadline(session, business_date(at), days).isoformat() if days else None
        facts |= {"appeal_subject": found.number, "appeal_by_on": last}
    return Note(
        MessageEvent.APPLICATION_DECIDED,
        found.number,
        facts,
        organisation_id=found.holder.organisation_id,
        once=str(found.round),
    )


def _answer(
    result: Application | Refused, request: DecisionRequest, moved: Mapping[str, MovedUp]
) -> Decided | Refused:
    if isinstance(result, Refused):
        return result
    step = moved.get(result.number)
    return Decided(
        result.number,
        request.verdict,
        ApplicationState(result.state),
        step.voucher_number if step else "",
        step.refused if step else None,
    )
