"""Scoring a year of a centre or platform (年度评价): the points of each indicator, by the authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.evaluations import Evaluation
from voucher.operations.evaluated import SubjectKey, line_of, lock_evaluated, refuse_year
from voucher.operations.evaluation_rules import rules_for
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell_second import Waiting, tell_second
from voucher.rules.evaluation import result_of
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import EvaluationState, ProposalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateRequest:
    """The points of each indicator for one year, and remarks."""

    key: SubjectKey
    year: int
    points: Mapping[str, int]
    remarks: str = ""


def evaluate(
    session: Session, requests: Sequence[EvaluateRequest], *, actor: Actor, at: datetime
) -> list[Evaluation | Refused]:
    """Score; another person publishes. What was returned is scored anew, by anybody. Nothing follows from it yet.

    Refused one by one: not there or not in the actor's regions (`not_found`), a year that cannot be evaluated
    (`not_evaluable`), one that is scored or published (`already_evaluated`: also for the later of two evaluators at
    once), points that do not fit (`points_invalid`).
    """
    answers: list[Evaluation | Refused] = []
    for request in requests:
        try:
            answers.append(_evaluate(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _evaluate(session: Session, request: EvaluateRequest, *, actor: Actor, at: datetime) -> Evaluation:
    what = lock_evaluated(session, request.key, actor=actor)
    rules = rules_for(session, what.path, request.key.subject, request.year)
    rules = refuse_year(what, rules, request.year, today=business_date(at))
    result = result_of(rules, request.points)
    row = next((each for each in line_of(session, what) if each.year == request.year), None)
    if row is None:
        row = Evaluation(year=request.year, fails_in_row=0, document_no="", state_reason="", **what.columns())
        session.add(row)
    elif row.state != EvaluationState.RETURNED.value:
        raise Refusal(Code.ALREADY_EVALUATED, year=request.year)
    else:
        next_state(EvaluationState(row.state), Event.SCORE)
    row.state = EvaluationState.SCORED.value
    row.rules_code, row.points, row.remarks = rules.code, dict(request.points), request.remarks.strip()
    row.total, row.passed, row.grade = result.total, result.passed, result.grade
    row.scored_by, row.scored_at = actor.person_id, at
    session.flush()
    facts: dict[str, Fact] = {"year": row.year, "total": row.total, "rule_version": rules.code}
    record(session, actor, "evaluation.score", [(what.ref, facts)], at=at)
    waiting = Waiting(
        ProposalKind.EVALUATION,
        what.name,
        f"{row.id}:{at.isoformat()}",
        f"{what.name} {row.year} 年度",
        region_codes=(what.region,),
        where={"evaluation": row.id},
    )
    tell_second(session, waiting, actor=actor, at=at)
    return row
