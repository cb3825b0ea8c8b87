"""Recusal (回避): an interest in an organisation takes its cases off a person, until it is ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import is_postgresql
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.review import CaseTaking, Recusal
from voucher.operations import journal
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor, person_ref


@dataclass(frozen=True, slots=True)
class RecusalRequest:
    """A person's interest in the organisation of this USCC (or temporary id), and what it is."""

    person_id: int
    uscc: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recused:
    """The interest as it is kept, and how many cases went back for others."""

    recusal_id: int
    organisation: str
    given_back: int


def recuse(
    session: Session, requests: Sequence[RecusalRequest], *, actor: Actor, at: datetime
) -> list[Recused | Refused]:
    """Declare interests, one's own or (an officer) a colleague's: the person decides no case of the organisation.

    Cases of it that the person has in hand go back for everybody. Declaring it again changes nothing. Refused, each
    alone: no organisation of this code (`not_found`), no reason (`reason_missing`).
    """
    query = select(Organisation).where(Organisation.uscc.in_([request.uscc for request in requests]))
    known = {row.uscc: row for row in session.scalars(query)}
    answers: list[Recused | Refused] = []
    for request in requests:
        organisation = known.get(request.uscc)
        if organisation is None:
            answers.append(Refused(Code.NOT_FOUND, {"uscc": request.uscc}))
        elif not request.reason.strip():
            answers.append(Refused(Code.REASON_MISSING))
        else:
            answers.append(_declared(session, request, organisation, actor=actor, at=at))
    return answers


def end_recusals(
    session: Session, recusal_ids: Sequence[int], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """End interests that are over; the row stays. Refused, each alone: `not_found`, and one's own (`self_approval`)."""
    answers: list[int | Refused] = []
    for recusal_id in recusal_ids:
        try:
            row = session.get(Recusal, recusal_id, with_for_update=True, populate_existing=True)
            if row is None or row.ended_at is not None:
                raise Refusal(Code.NOT_FOUND, recusal=recusal_id)
            if row.person_id == actor.person_id:
                raise Refusal(Code.SELF_APPROVAL)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        row.ended_by, row.ended_at = actor.person_id, at
        subject = (person_ref(row.person_id), {"organisation": row.organisation_id})
        journal.record(session, actor, "person.end_recusal", [subject], at=at)
        answers.append(recusal_id)
    session.flush()
    return answers


def _declared(
    session: Session, request: RecusalRequest, organisation: Organisation, *, actor: Actor, at: datetime
) -> Recused:
    dialect = postgresql if is_postgresql(session) else sqlite
    values = {
        "person_id": request.person_id,
        "organisation_id": organisation.id,
        "reason": request.reason.strip(),
        "declared_by": actor.person_id,
        "declared_at": at,
    }
    session.execute(dialect.insert(Recusal).values(values).on_conflict_do_nothing())
    kept = session.scalars(
        select(Recusal.id).where(
            Recusal.person_id == request.person_id,
            Recusal.organisation_id == organisation.id,
            Recusal.ended_at.is_(None),
        )
    ).one()
    given_back = _give_back(session, request.person_id, organisation.id)
    facts: dict[str, Fact] = {"organisation": organisation.uscc, "cases": given_back}
    journal.record(session, actor, "person.recuse", [(person_ref(request.person_id), facts)], at=at)
    return Recused(kept, organisation.name, given_back)


def _give_back(session: Session, person_id: int, organisation_id: int) -> int:
    about = (
        select(Claim.id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Platform.__table__, Platform.id == Order.platform_id)
        .where(or_(Holder.organisation_id == organisation_id, Platform.organisation_id == organisation_id))
    )
    gone = delete(CaseTaking).where(CaseTaking.person_id == person_id, CaseTaking.claim_id.in_(about))
    return len(session.execute(gone.returning(CaseTaking.claim_id)).all())
