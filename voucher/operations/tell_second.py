"""Telling who else may decide that a proposal waits for a second person: nobody who made it, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Fact
from voucher.models.people import Person, RoleGrant
from voucher.operations.regions import paths_of
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, ProposalKind, Role


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: its number, what it is told once for, its title, and who may answer: officers of regions, or checkers of a book.

    `where` are the facts by which its page is found.
    """

    kind: ProposalKind
    subject: str
    once: int | str
    title: str
    region_codes: Collection[str] = ()
    book_id: int | None = None
    where: Mapping[str, Fact] = field(default_factory=dict)


def tell_second(session: Session, waiting: Waiting, *, actor: Actor, at: datetime) -> int:
    """Tell everybody who may answer, but not the proposer; gives the number of messages. Again, it tells nobody."""
    facts: dict[str, Fact] = {"proposal_kind": waiting.kind.value, "title": waiting.title, **waiting.where}
    proposer = session.get(Person, actor.person_id)
    if proposer is not None:
        facts["proposer"] = proposer.name
    note = Note(
        MessageEvent.PROPOSAL_WAITING,
        waiting.subject,
        facts,
        person_ids=tuple(_others(session, waiting, actor=actor, at=at)),
        once=f"{waiting.kind.value}:{waiting.once}",
    )
    return tell(session, [note], at=at)


def _others(session: Session, waiting: Waiting, *, actor: Actor, at: datetime) -> list[int]:
    on = business_date(at)
    above = {
        code for path in paths_of(session, waiting.region_codes).values() for code in path.split("/") if code
    }
    officers = and_(
        RoleGrant.role == Role.PROGRAMME_OFFICER.value,
        RoleGrant.region_code.in_(above) if above else false(),
    )
    checkers = and_(
        RoleGrant.role == Role.FINANCE_CHECKER.value,
        RoleGrant.book_id == waiting.book_id if waiting.book_id is not None else false(),
    )
    query = (
        select(RoleGrant.person_id)
        .where(
            or_(officers, checkers),
            RoleGrant.from_on <= on,
            or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
            RoleGrant.person_id != actor.person_id,
        )
        .distinct()
        .order_by(RoleGrant.person_id)
    )
    return list(session.scalars(query))
