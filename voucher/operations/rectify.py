"""Orders to put right (限期整改): what the centre reports of it, and whether the authority accepts that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal, found
from voucher.models.evaluations import Evaluation, Rectification
from voucher.operations.evaluated import Evaluated, lock_evaluated, lock_own
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.publish_evaluation import key_of
from voucher.operations.tell import Note, tell
from voucher.operations.tell_centres import note_to
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import CertificationState, MessageEvent, RectificationState, Role


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What was done about an order."""

    rectification_id: int
    text: str


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """What the authority makes of it: put right (PASSED), not (FAILED), or not yet, to be answered anew (ORDERED)."""

    rectification_id: int
    outcome: RectificationState
    reason: str = ""


_EVENTS = {
    RectificationState.PASSED: Event.RECTIFY,
    RectificationState.FAILED: Event.FAIL,
    RectificationState.ORDERED: Event.RETURN,
}


def answer_orders(
    session: Session, requests: Sequence[AnswerRequest], *, actor: Actor, at: datetime
) -> list[Rectification | Refused]:
    """The centre's or platform's own people say what they did; also after the last day, for the authority to weigh.

    Refused one by one: another's order (`not_found`), nothing said (`reason_missing`), one that is answered or ended
    (`state_changed`).
    """
    answers: list[Rectification | Refused] = []
    notes: list[Note] = []
    for request in requests:
        try:
            row, evaluation, what = _order(session, request.rectification_id, actor=actor, own=True)
            if not request.text.strip():
                raise Refusal(Code.REASON_MISSING)
            row.state = next_state(RectificationState(row.state), Event.ANSWER).value
            row.answer, row.answered_by, row.answered_at = request.text.strip(), actor.person_id, at
            record(session, actor, "rectification.answer", [(what.ref, {"rectification": row.id})], at=at)
            notes.append(_answered(row, evaluation, what))
            answers.append(row)
        except Refusal as refusal:
            answers.append(refused(refusal))
    tell(session, notes, at=at)
    session.flush()
    return answers


def settle_orders(
    session: Session, requests: Sequence[SettleRequest], *, actor: Actor, at: datetime
) -> list[Rectification | Refused]:
    """The authority's verdict. Put right: certified again. Not: suspended, no order, hold or capture any more.

    Refused one by one: `not_found`, without a reason unless it was put right (`reason_missing`), an order that has
    ended, or sent back without an answer (`state_changed`). Waits for captures under way.
    """
    answers: list[Rectification | Refused] = []
    for request in requests:
        try:
            answers.append(_settle(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    session.flush()
    return answers


def _answered(row: Rectification, evaluation: Evaluation, what: Evaluated) -> Note:
    """To the officials of the certifying region: an answer waits for their verdict."""
    facts: dict[str, Fact] = {
        "year": evaluation.year,
        "due_on": row.due_on.isoformat(),
        "evaluation": evaluation.id,
    }
    once = f"{row.id}:{row.answered_at}"
    roles = (Role.REVIEWER, Role.PROGRAMME_OFFICER)
    return Note(
        MessageEvent.RECTIFY_ANSWERED,
        what.name,
        facts,
        region_code=what.region,
        region_roles=roles,
        once=once,
    )


def _settle(session: Session, request: SettleRequest, *, actor: Actor, at: datetime) -> Rectification:
    row, evaluation, what = _order(session, request.rectification_id, actor=actor, own=False)
    event, reason = _EVENTS[request.outcome], request.reason.strip()
    if not reason and event is not Event.RECTIFY:
        raise Refusal(Code.REASON_MISSING)
    row.state = next_state(RectificationState(row.state), event).value
    row.decided_by, row.decided_at, row.reason = actor.person_id, at, reason
    _move(what, event, reason or f"{evaluation.year} 年度评价整改合格")
    facts: dict[str, Fact] = {"rectification": row.id, "outcome": row.state, "state": what.row.state}
    record(session, actor, "rectification.settle", [(what.ref, facts)], at=at)
    told: dict[str, Fact] = {
        "year": evaluation.year,
        "rectification_state": request.outcome.value,
        "reason": reason or None,
    }
    note = note_to(what, MessageEvent.RECTIFICATION_DECIDED, told, once=f"{row.id}:{at.isoformat()}")
    tell(session, [note], at=at)
    return row


def _move(what: Evaluated, event: Event, reason: str) -> None:
    """A certification that is not RECTIFYING (suspended by hand meanwhile) is left as it is."""
    moves = {Event.RECTIFY: Event.RECTIFY, Event.FAIL: Event.SUSPEND}
    state = CertificationState(what.row.state)
    if event in moves and state is CertificationState.RECTIFYING:
        what.row.state, what.row.state_reason = next_state(state, moves[event]).value, reason


def _order(
    session: Session, rectification_id: int, *, actor: Actor, own: bool
) -> tuple[Rectification, Evaluation, Evaluated]:
    """The order with what it is about, all locked: the centre or platform first."""
    seen = found(session.get(Rectification, rectification_id))
    evaluation = session.get_one(Evaluation, seen.evaluation_id)
    lock = lock_own if own else lock_evaluated
    what = lock(session, key_of(evaluation), actor=actor)
    row = session.get_one(Rectification, rectification_id, with_for_update=True, populate_existing=True)
    return row, evaluation, what
