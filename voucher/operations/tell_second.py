"""Telling who else may decide that a proposal waits for a second person: nobody who made it, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
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
        person_ids=tuple(sorted(_others(session, waiting, actor=actor, at=at))),
        once=f"{waiting.kind.value}:{waiting.once}",
    )
    return tell(session, [note], at=at)


def _others(session: Session, waiting: Waiting, *, actor: Actor, at: datetime) -> set[int]:
    """Checkers of the book; officers of each region, or of the nearest one above it that has another one."""
    found: set[int] = set()
    if waiting.book_id is not None:
        checker = RoleGrant.role == Role.FINANCE_CHECKER.value, RoleGrant.book_id == waiting.book_id
        found |= _holding(session, checker, actor=actor, at=at)
    for path in paths_of(session, waiting.region_codes).values():
        for code in reversed(path.strip("/").split("/")):
            officer = RoleGrant.role == Role.PROGRAMME_OFFICER.value, RoleGrant.region_code == code
            officers = _holding(session, officer, actor=actor, at=at)
            if officers:
                found |= officers
                break
    return found


def _holding(
    session: Session, grant: tuple[ColumnElement[bool], ...], *, actor: Actor, at: datetime
) -> set[int]:
    """Who holds such a role today, but for the proposer."""
    on = business_date(at)
    query = select(RoleGrant.person_id).where(
        *grant,
        RoleGrant.from_on <= on,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
        RoleGrant.person_id != actor.person_id,
    )
    return set(session.scalars(query))
