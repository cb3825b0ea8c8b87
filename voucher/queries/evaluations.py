"""Results of yearly evaluations and orders to put right, as authorities, centres, platforms and the public read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.models.centres import Centre
from voucher.models.evaluations import Evaluation, EvaluationRulesVersion, Rectification
from voucher.models.parties import Certification, Organisation, Platform
from voucher.models.people import Person
from voucher.models.regions import Region
from voucher.queries.paging import Page, in_regions, paged
from voucher.rules.permissions import Actor
from voucher.terms import EvaluationState, EvaluationSubject, RectificationState

_ENDED = (RectificationState.PASSED.value, RectificationState.FAILED.value)


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A year of a centre or platform: its name and organisation, who scored, and the order to put right, if any."""

    row: Evaluation
    name: str
    organisation: str
    region: str
    scored_by: str
    order: Rectification | None

    @property
    def subject(self) -> EvaluationSubject:
        """What was evaluated."""
        return EvaluationSubject.CENTRE if self.row.centre_id else EvaluationSubject.PLATFORM

    @property
    def state(self) -> EvaluationState:
        """How far it is."""
        return EvaluationState(self.row.state)

    @property
    def order_state(self) -> RectificationState | None:
        """How far the order is."""
        return RectificationState(self.order.state) if self.order else None


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results: a year, a state, only those with an open order."""

    year: int | None = None
    state: EvaluationState | None = None
    open_orders: bool = False


def _results() -> Select[Evaluation, str, str, str, str, Rectification]:
    place = Platform.__table__
    region = func.coalesce(Centre.certifying_region, Certification.region_code)
    owner = func.coalesce(Centre.organisation_id, place.c.organisation_id)
    scorer = aliased(Person)
    return (
        select(
            Evaluation,
            func.coalesce(Centre.name, place.c.name),
            Organisation.name,
            Region.name,
            scorer.name,
            Rectification,
        )
        .outerjoin(Centre, Centre.id == Evaluation.centre_id)
        .outerjoin(Certification, Certification.id == Evaluation.certification_id)
        .outerjoin(place, place.c.id == Certification.platform_id)
        .join(Organisation, Organisation.id == owner)
        .join(Region, Region.code == region)
        .join(scorer, scorer.id == Evaluation.scored_by)
        .outerjoin(Rectification, Rectification.evaluation_id == Evaluation.id)
        .order_by(Evaluation.year.desc(), Evaluation.id.desc())
    )


def results(session: Session, actor: Actor, wanted: ResultFilter, *, page: int = 1) -> Page[ResultLine]:
    """Results of the actor's regions, the latest year first."""
    query: Any = _results().where(in_regions(actor))
    if wanted.year is not None:
        query = query.where(Evaluation.year == wanted.year)
    if wanted.state is not None:
        query = query.where(Evaluation.state == wanted.state.value)
    if wanted.open_orders:
        query = query.where(and_(Rectification.id.is_not(None), Rectification.state.not_in(_ENDED)))
    return paged(session, query, ResultLine, page=page)


def result(session: Session, actor: Actor, evaluation_id: int) -> ResultLine | None:
    """One result of the actor's regions."""
    row = session.execute(_results().where(Evaluation.id == evaluation_id, in_regions(actor))).one_or_none()
    return ResultLine(*row) if row else None


def own_results(session: Session, actor: Actor) -> list[ResultLine]:
    """What was published about the actor's own centres and platforms."""
    query = _results().where(
        Evaluation.state == EvaluationState.PUBLISHED.value,
        or_(
            Centre.organisation_id.in_(actor.organisation_ids),
            Certification.platform_id.in_(actor.platform_ids),
        ),
    )
    return [ResultLine(*row) for row in session.execute(query)]


def published(session: Session, *, page: int = 1) -> Page[ResultLine]:
    """Every published result, for everybody."""
    query: Any = _results().where(Evaluation.state == EvaluationState.PUBLISHED.value)
    return paged(session, query, ResultLine, page=page)


def results_of_year(session: Session, actor: Actor, year: int) -> dict[int, ResultLine]:
    """Published results of the actor's regions for one year, by centre."""
    query = _results().where(
        in_regions(actor),
        Evaluation.year == year,
        Evaluation.state == EvaluationState.PUBLISHED.value,
        Evaluation.centre_id.is_not(None),
    )
    lines = [ResultLine(*row) for row in session.execute(query)]
    return {line.row.centre_id: line for line in lines if line.row.centre_id is not None}


def results_about(
    session: Session, *, centre_id: int | None = None, platform_id: int | None = None
) -> Sequence[ResultLine]:
    """Every result of one centre or platform, whatever state it is in, for its authority."""
    query = _results().where(
        Evaluation.centre_id == centre_id
        if centre_id is not None
        else Certification.platform_id == platform_id
    )
    return [ResultLine(*row) for row in session.execute(query)]


def rules_versions(session: Session, actor: Actor) -> Sequence[EvaluationRulesVersion]:
    """The published evaluation files of the actor's regions, the latest first."""
    query = (
        select(EvaluationRulesVersion)
        .join(Region, Region.code == EvaluationRulesVersion.region_code)
        .where(in_regions(actor))
        .order_by(EvaluationRulesVersion.from_on.desc(), EvaluationRulesVersion.code)
    )
    return session.scalars(query).all()
