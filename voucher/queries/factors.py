"""The factors of programmes' years as finance sees them: what was fixed, by whom, and the money of the year."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.models.people import Person
from voucher.models.programmes import Programme
from voucher.models.prorata import Factor
from voucher.money import Fen
from voucher.queries.budgets import budget_lines
from voucher.rules.permissions import Actor
from voucher.terms import FactorState


@dataclass(frozen=True, slots=True)
class FactorLine:
    """A factor, its state, the programme's name, and who proposed and decided it."""

    row: Factor
    state: FactorState
    programme_name: str
    proposer: str
    decider: str | None


def factors(session: Session, actor: Actor, *, programme_code: str = "") -> list[FactorLine]:
    """The factors of the actor's books, the newest year first."""
    decider = aliased(Person)
    query = (
        select(Factor, Programme.name, Person.name, decider.name)
        .join(Programme, Programme.code == Factor.programme_code)
        .join(Person, Person.id == Factor.proposed_by)
        .outerjoin(decider, decider.id == Factor.decided_by)
        .where(Programme.book_id.in_(actor.book_ids))
        .order_by(Factor.year.desc(), Factor.id.desc())
    )
    if programme_code:
        query = query.where(Factor.programme_code == programme_code)
    return [
        FactorLine(row, FactorState(row.state), name, proposer, who)
        for row, name, proposer, who in session.execute(query)
    ]


def live_factor(session: Session, actor: Actor, programme_code: str, year: int) -> FactorLine | None:
    """The factor of a programme's year that is proposed or approved."""
    found = factors(session, actor, programme_code=programme_code)
    live = [each for each in found if each.row.year == year and each.state is not FactorState.REFUSED]
    return live[0] if live else None


def funded(session: Session, actor: Actor, programme_code: str, year: int) -> Fen:
    """What was appropriated to the programme's lines of a year."""
    lines = budget_lines(session, actor, year=year)
    return Fen(sum(line.funded_fen for line in lines if line.programme_code == programme_code))
