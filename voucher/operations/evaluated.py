"""What is evaluated: a centre, or a platform under one certification; locked, with its years so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.centres import Centre
from voucher.models.evaluations import Evaluation
from voucher.models.parties import Certification, Platform
from voucher.operations.regions import paths_of
from voucher.rules.evaluation import EvaluationRules
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import CertificationState, EvaluationSubject


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """Which centre (`Centre.id`), or which platform (`Certification.id`)."""

    subject: EvaluationSubject
    id: int


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The locked row, whose it is, where it is certified, and how the journal names it."""

    key: SubjectKey
    row: Centre | Certification
    organisation_id: int
    platform_id: int | None
    name: str
    region: str
    path: str
    ref: str

    @property
    def column(self) -> Any:
        """The column of `Evaluation` that names it."""
        is_centre = self.key.subject is EvaluationSubject.CENTRE
        return Evaluation.centre_id if is_centre else Evaluation.certification_id

    def columns(self) -> dict[str, int | None]:
        """The two columns of an evaluation of it."""
        is_centre = self.key.subject is EvaluationSubject.CENTRE
        return {
            "centre_id": self.key.id if is_centre else None,
            "certification_id": None if is_centre else self.key.id,
        }


def lock_evaluated(session: Session, key: SubjectKey, *, actor: Actor) -> Evaluated:
    """The centre, or platform and certification, FOR UPDATE (docs/locking.md, row 10).

    Refused as `not_found`: not there, or certified for a region that is not the actor's.
    """
    found = _centre(session, key.id) if key.subject is EvaluationSubject.CENTRE else _platform(session, key)
    if found is None or not covers_region(actor, found.path):
        raise Refusal(Code.NOT_FOUND, **{key.subject.value: key.id})
    return found


def lock_own(session: Session, key: SubjectKey, *, actor: Actor) -> Evaluated:
    """The same for its own people. Refused as `not_found`: not there, or another's."""
    found = _centre(session, key.id) if key.subject is EvaluationSubject.CENTRE else _platform(session, key)
    if found is None or not _is_own(found, actor):
        raise Refusal(Code.NOT_FOUND, **{key.subject.value: key.id})
    return found


def _is_own(what: Evaluated, actor: Actor) -> bool:
    if what.platform_id is not None:
        return what.platform_id in actor.platform_ids
    return what.organisation_id in actor.organisation_ids


def _centre(session: Session, centre_id: int) -> Evaluated | None:
    query = select(Centre).where(Centre.id == centre_id).with_for_update(of=Centre)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        return None
    path = paths_of(session, [row.certifying_region])[row.certifying_region]
    key = SubjectKey(EvaluationSubject.CENTRE, row.id)
    ref = f"centre:{row.id}"
    return Evaluated(key, row, row.organisation_id, None, row.name, row.certifying_region, path, ref)


def _platform(session: Session, key: SubjectKey) -> Evaluated | None:
    owner = select(Certification.platform_id).where(Certification.id == key.id).scalar_subquery()
    locked = select(Platform).where(Platform.id == owner).with_for_update(of=Platform)
    platform = session.scalars(locked).one_or_none()
    if platform is None:
        return None
    query = select(Certification).where(Certification.id == key.id).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one()
    path = paths_of(session, [row.region_code])[row.region_code]
    ref = f"platform:{platform.id}"
    organisation_id = platform.organisation_id
    return Evaluated(key, row, organisation_id, platform.id, platform.name, row.region_code, path, ref)


def line_of(session: Session, what: Evaluated) -> list[Evaluation]:
    """Every evaluation of the same centre or platform, also under earlier documents of the same authority and region.

    What was struck off counts no more: whoever is certified anew after a lock begins at nothing.
    """
    conditions: list[ColumnElement[bool]]
    row = what.row
    if isinstance(row, Centre):
        table: Any = Centre
        conditions = [
            Centre.organisation_id == row.organisation_id,
            Centre.kind == row.kind,
            Centre.authority == row.authority,
            Centre.certifying_region == row.certifying_region,
        ]
    else:
        table = Certification
        conditions = [
            Certification.platform_id == row.platform_id,
            Certification.authority == row.authority,
            Certification.region_code == row.region_code,
        ]
    live = or_(table.state != CertificationState.REVOKED.value, table.id == row.id)
    query = select(Evaluation).join(table, table.id == what.column).where(*conditions, live)
    return list(session.scalars(query.order_by(Evaluation.year).execution_options(populate_existing=True)))


def refuse_year(what: Evaluated, rules: EvaluationRules | None, year: int, *, today: date) -> EvaluationRules:
    """The rules, where the year can be evaluated. Refused as `not_evaluable` with the reason."""
    row = what.row
    reason = None
    if rules is None:
        reason = "no_rules"
    elif year > today.year:
        reason = "future"
    elif row.from_on > date(year, 12, 31) or (row.to_on is not None and row.to_on <= date(year, 1, 1)):
        reason = "not_then"
    elif row.state == CertificationState.REVOKED.value:
        reason = "revoked"
    if rules is None or reason is not None:
        raise Refusal(Code.NOT_EVALUABLE, reason=reason, year=year)
    return rules
