"""Standing in (AB角): a colleague works on somebody's cases for a time; what is open then goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.review import CaseTaking, StandIn
from voucher.operations import journal
from voucher.operations.cases import reviewer_paths
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor, person_ref


@dataclass(frozen=True, slots=True)
class StandInRequest:
    """Who stands in for whom, from a day until before another one."""

    person_id: int
    colleague_id: int
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """The stand-in as it is kept, and how many cases were handed back."""

    stand_in_id: int
    handed_back: int


def name_stand_ins(
    session: Session, requests: Sequence[StandInRequest], *, actor: Actor, at: datetime
) -> list[Standing | Refused]:
    """Let colleagues stand in. ValueError for a period without a day.

    Refused, each alone: a colleague who is the person, or reviews in none of the person's regions (`colleague_unfit`).
    The period may begin in the past; it counts from today.
    """
    today, answers = business_date(at), list[Standing | Refused]()
    people = [person for request in requests for person in (request.person_id, request.colleague_id)]
    regions = reviewer_paths(session, people, on=today)
    notes: list[tuple[str, dict[str, Fact]]] = []
    for request in requests:
        if request.from_on >= request.to_on:
            raise ValueError("a stand-in has at least one day")
        reason = "same_person" if request.person_id == request.colleague_id else ""
        if not reason and not regions[request.colleague_id]:
            reason = "not_reviewer"
        if reason:
            answers.append(Refused(Code.COLLEAGUE_UNFIT, {"reason": reason}))
            continue
        row = StandIn(
            person_id=request.person_id,
            colleague_id=request.colleague_id,
            from_on=request.from_on,
            to_on=request.to_on,
            named_at=at,
        )
        session.add(row)
        session.flush()
        facts: dict[str, Fact] = {
            "colleague": request.colleague_id,
            "from_on": str(request.from_on),
            "to_on": str(request.to_on),
        }
        notes.append((person_ref(request.person_id), facts))
        answers.append(Standing(row.id, 0))
    journal.record(session, actor, "person.stand_in", notes, at=at)
    return answers


def end_stand_ins(
    session: Session, stand_in_ids: Sequence[int], *, actor: Actor, at: datetime
) -> list[Standing | Refused]:
    """Come back (either of the two may say so): what the colleague has in hand for the person goes back to them.

    Refused, each alone: `not_found`, where it has ended already, or concerns neither.
    """
    answers: list[Standing | Refused] = []
    for stand_in_id in stand_in_ids:
        try:
            row = session.get(StandIn, stand_in_id, with_for_update=True, populate_existing=True)
            if (
                row is None
                or row.ended_at is not None
                or actor.person_id not in (row.person_id, row.colleague_id)
            ):
                raise Refusal(Code.NOT_FOUND, stand_in=stand_in_id)
            answers.append(_ended(session, row, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def hand_back_over(session: Session, *, actor: Actor, at: datetime, limit: int) -> int:
    """End the stand-ins whose period is over and hand the open cases back; gives how many ended. For the worker."""
    query = (
        select(StandIn)
        .where(StandIn.to_on <= business_date(at), StandIn.ended_at.is_(None))
        .order_by(StandIn.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(query).all()
    for row in rows:
        _ended(session, row, actor=actor, at=at)
    return len(rows)


def _ended(session: Session, row: StandIn, *, actor: Actor, at: datetime) -> Standing:
    row.ended_at = at
    back = (
        update(CaseTaking)
        .where(CaseTaking.person_id == row.colleague_id, CaseTaking.for_id == row.person_id)
        .values(person_id=row.person_id, for_id=None, taken_at=at)
        .returning(CaseTaking.claim_id)
    )
    handed_back = len(session.execute(back).all())
    session.flush()
    facts: dict[str, Fact] = {"colleague": row.colleague_id, "cases": handed_back}
    subject = (person_ref(row.person_id), facts)
    journal.record(session, actor, "person.end_stand_in", [subject], at=at)
    return Standing(row.id, handed_back)
