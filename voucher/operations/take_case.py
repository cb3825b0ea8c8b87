"""Taking a case in hand, giving it back, handing it over: one case is with one reviewer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import is_postgresql
from voucher.models.review import CaseTaking
from voucher.operations import journal
from voucher.operations.cases import (
    Case,
    bar_interested,
    bar_signers,
    bar_unfit,
    case_of,
    cases,
    recused,
    stood_in_for,
    taken,
)
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, MessageEvent, Role

OPEN = frozenset({ClaimState.AWAITING, ClaimState.SUBMITTED, ClaimState.RETURNED})


@dataclass(frozen=True, slots=True)
class HandOver:
    """A case for a colleague, with a note on where it stands."""

    claim_number: str
    colleague_id: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class InHand:
    """Who has the case now; None for nobody."""

    claim_number: str
    person_id: int | None


def take_cases(
    session: Session, claim_numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[InHand | Refused]:
    """Take cases in hand. One that the actor has already stays theirs; one of whom they stand in for comes over.

    Refused, each alone: another region's (`not_found`), one of the actor's own house, making or signature (`self_approval`)
    or interest (`recused`), one that another has in hand (`case_taken`), one that is decided (`state_changed`).
    """
    found = cases(session, claim_numbers, actor=actor)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    covered = stood_in_for(session, actor.person_id, on=business_date(at))
    answers: list[InHand | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    for number in claim_numbers:
        try:
            case = case_of(found, number)
            bar_interested(session, case, actor=actor, interests=interests)
            bar_signers(case, actor=actor)
            _bar_closed(case)
            for_id = _free(session, case, actor=actor, covered=covered)
            if case.taking is None or case.taking.person_id != actor.person_id:
                _put(
                    session, case, CaseTaking(person_id=actor.person_id, for_id=for_id, taken_at=at, note="")
                )
                notes.append((number, {"for": for_id}))
            answers.append(InHand(number, actor.person_id))
        except Refusal as refusal:
            answers.append(refused(refusal))
    journal.record(session, actor, "claim.take", notes, at=at)
    return answers


def release_cases(
    session: Session, claim_numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[InHand | Refused]:
    """Put cases back for everybody. A programme officer may do so with a colleague's.

    Refused, each alone: `not_found`, and a case that the actor has not in hand (`case_taken`).
    """
    found = cases(session, claim_numbers, actor=actor)
    answers: list[InHand | Refused] = []
    for number in claim_numbers:
        try:
            case = case_of(found, number)
            _bar_givers(session, case, actor=actor, at=at)
            session.execute(delete(CaseTaking).where(CaseTaking.claim_id == case.claim.id))
            answers.append(InHand(number, None))
        except Refusal as refusal:
            answers.append(refused(refusal))
    notes: list[tuple[str, dict[str, Fact]]] = [
        (each.claim_number, {}) for each in answers if isinstance(each, InHand)
    ]
    journal.record(session, actor, "claim.release", notes, at=at)
    return answers


def hand_over(
    session: Session, requests: Sequence[HandOver], *, actor: Actor, at: datetime
) -> list[InHand | Refused]:
    """Give cases to colleagues, who are told. The one who has it may do so, whoever stands in, or an officer.

    Refused, each alone: `not_found`, a case in another's hand (`case_taken`), a decided one (`state_changed`), and a
    colleague who does not review there or has an interest (`colleague_unfit`).
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    answers: list[InHand | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    told: list[Note] = []
    for request in requests:
        try:
            case = case_of(found, request.claim_number)
            _bar_closed(case)
            if case.taking is not None:
                _bar_givers(session, case, actor=actor, at=at)
            bar_unfit(session, case, request.colleague_id, on=business_date(at))
            row = CaseTaking(person_id=request.colleague_id, for_id=None, taken_at=at, note=request.note)
            _put(session, case, row)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        number = request.claim_number
        answers.append(InHand(number, request.colleague_id))
        notes.append((number, {"to": request.colleague_id, "note": request.note}))
        event, facts = MessageEvent.CASE_HANDED_OVER, {"reviewer": actor.name, "note": request.note or None}
        told.append(Note(event, number, facts, (request.colleague_id,), once=at.isoformat()))
    journal.record(session, actor, "claim.hand_over", notes, at=at)
    tell(session, told, at=at)
    return answers


def _bar_closed(case: Case) -> None:
    state = ClaimState(case.claim.state)
    if state not in OPEN:
        raise Refusal(Code.STATE_CHANGED, state=state.value)


def _free(session: Session, case: Case, *, actor: Actor, covered: frozenset[int]) -> int | None:
    """For whom the actor takes the case: None for themself. Refused where another has it."""
    if case.taking is None or case.taking.person_id == actor.person_id:
        return None
    if case.taking.person_id in covered:
        return case.taking.person_id
    raise taken(session, case)


def _bar_givers(session: Session, case: Case, *, actor: Actor, at: datetime) -> None:
    if case.taking is not None:
        covered = stood_in_for(session, actor.person_id, on=business_date(at))
        if case.taking.person_id in covered | {actor.person_id} or Role.PROGRAMME_OFFICER in actor.roles:
            return
    raise taken(session, case)


def _put(session: Session, case: Case, row: CaseTaking) -> None:
    """Write who has the case, in place of whoever had it."""
    values = {"person_id": row.person_id, "for_id": row.for_id, "taken_at": row.taken_at, "note": row.note}
    dialect = postgresql if is_postgresql(session) else sqlite
    insert = dialect.insert(CaseTaking).values(claim_id=case.claim.id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=[CaseTaking.claim_id], set_=values))
