"""Publishing a year's result, and what follows from it: notice, order to put right, striking off, lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.centres import Centre
from voucher.models.evaluations import Evaluation, Rectification
from voucher.operations.ban import BanRequest, enter
from voucher.operations.centres import titles_fall
from voucher.operations.deadlines import calendar_from
from voucher.operations.evaluated import Evaluated, SubjectKey, line_of, lock_evaluated
from voucher.operations.evaluation_rules import rules_of
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.reapply_lock import lock_organisation
from voucher.operations.tell import tell
from voucher.operations.tell_centres import evaluated_note
from voucher.rules.evaluation import EvaluationRules, failed_in_row, rectify_by, years_later
from voucher.rules.lifecycle import Event, next_state, open_to
from voucher.rules.permissions import Actor
from voucher.terms import (
    BanKind,
    CertificationState,
    EvaluationState,
    EvaluationSubject,
    Measure,
    RectificationState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRequest:
    """The result of which evaluation, by which document; what a failed centre must put right."""

    evaluation_id: int
    document_no: str
    demand: str = ""


@dataclass(frozen=True, slots=True)
class ReturnResult:
    """An evaluation to be scored anew, and why."""

    evaluation_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """The published result, and whether it struck the centre or platform off."""

    evaluation: Evaluation
    revoked: bool


def publish_results(
    session: Session, requests: Sequence[ResultRequest], *, actor: Actor, at: datetime
) -> list[PublishedResult | Refused]:
    """Publish results: passed, or failed with a notice (通报) and an order to put right within working days.

    As many failed years in a row as the rules say strike off instead: the certification is revoked, linked titles fall,
    the organisation may not be certified anew for the years of the lock, all in this transaction. A certification that
    captures hold FOR SHARE is waited for. Refused one by one: `not_found`, the one who scored (`self_approval`), not
    scored or published before (`state_changed`), without document or without what is to be put right
    (`reason_missing`).
    """
    answers: list[PublishedResult | Refused] = []
    for request in requests:
        try:
            answers.append(_publish(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def return_results(
    session: Session, requests: Sequence[ReturnResult], *, actor: Actor, at: datetime
) -> list[Evaluation | Refused]:
    """Send scored years back to be scored anew.

    Also by whoever scored. Refused one by one: `not_found`, not scored (`state_changed`), `reason_missing`.
    """
    answers: list[Evaluation | Refused] = []
    for request in requests:
        try:
            row, what = _scored(session, request.evaluation_id, actor=actor)
            if not request.reason.strip():
                raise Refusal(Code.REASON_MISSING)
            row.state = next_state(EvaluationState(row.state), Event.RETURN).value
            row.state_reason = request.reason.strip()
            record(session, actor, "evaluation.return", [(what.ref, {"year": row.year})], at=at)
            answers.append(row)
        except Refusal as refusal:
            answers.append(refused(refusal))
    session.flush()
    return answers


def _scored(session: Session, evaluation_id: int, *, actor: Actor) -> tuple[Evaluation, Evaluated]:
    """The evaluation with what it is of, both locked: what it is of first, as by evaluating."""
    seen = session.get(Evaluation, evaluation_id)
    if seen is None:
        raise Refusal(Code.NOT_FOUND, evaluation=evaluation_id)
    what = lock_evaluated(session, key_of(seen), actor=actor)
    row = session.get_one(Evaluation, evaluation_id, with_for_update=True, populate_existing=True)
    return row, what


def key_of(row: Evaluation) -> SubjectKey:
    """What an evaluation is of."""
    if row.centre_id is not None:
        return SubjectKey(EvaluationSubject.CENTRE, row.centre_id)
    return SubjectKey(EvaluationSubject.PLATFORM, row.certification_id or 0)


def _publish(session: Session, request: ResultRequest, *, actor: Actor, at: datetime) -> PublishedResult:
    row, what = _scored(session, request.evaluation_id, actor=actor)
    following = next_state(EvaluationState(row.state), Event.PUBLISH)
    if row.scored_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL)
    rules = rules_of(session, row.rules_code)
    years = {
        each.year: each.passed
        for each in line_of(session, what)
        if each.state == EvaluationState.PUBLISHED.value
    }
    in_row = failed_in_row(rules, {**years, row.year: row.passed}, row.year)
    struck_off = in_row >= rules.fails_in_row
    if not request.document_no.strip() or not (row.passed or struck_off or request.demand.strip()):
        raise Refusal(Code.REASON_MISSING)
    row.state, row.document_no, row.fails_in_row = following.value, request.document_no.strip(), in_row
    row.published_by, row.published_at = actor.person_id, at
    order = None
    if not row.passed:
        order = _follow(session, (row, what, rules), request.demand.strip(), actor=actor, at=at)
    session.flush()
    facts: dict[str, Fact] = {
        "year": row.year,
        "passed": row.passed,
        "fails_in_row": in_row,
        "document_no": row.document_no,
        "rule_version": rules.code,
    }
    record(session, actor, "evaluation.publish", [(what.ref, facts)], at=at)
    tell(session, [evaluated_note(what, row, order)], at=at)
    return PublishedResult(row, revoked=struck_off)


def _follow(
    session: Session,
    failed: tuple[Evaluation, Evaluated, EvaluationRules],
    demand: str,
    *,
    actor: Actor,
    at: datetime,
) -> Rectification | None:
    """What a failed year brings: a notice, and either an order to put right or the end."""
    row, what, rules = failed
    today = business_date(at)
    uscc = lock_organisation(session, what.organisation_id) or ""
    warned = BanRequest(
        uscc=uscc,
        kind=BanKind.EVALUATION,
        measure=Measure.WARN,
        legal_basis=rules.clause("fails_in_row"),
        decision_no=row.document_no,
        from_on=today,
        source=f"evaluation:{row.id}",
    )
    decided, order = [warned], None
    if row.fails_in_row >= rules.fails_in_row:
        _strike_off(session, row, what, at=at)
        decided.append(replace(warned, measure=Measure.REVOKE_CERT))
        if rules.lock_years:
            decided.append(
                replace(
                    warned,
                    measure=Measure.REAPPLY_LOCK,
                    legal_basis=rules.clause("lock_years"),
                    region_code=what.region,
                    to_on=years_later(today, rules.lock_years),
                )
            )
    else:
        order = _order(session, (row, what, rules), demand, today=today)
    for each in decided:
        enter(session, each, actor=actor, at=at)
    return order


def _strike_off(session: Session, row: Evaluation, what: Evaluated, *, at: datetime) -> None:
    """Revoke the certification; the titles that rest on it fall; an order to put right that is open ends."""
    what.row.state = next_state(CertificationState(what.row.state), Event.REVOKE).value
    what.row.state_reason = f"连续 {row.fails_in_row} 年评价不合格（{row.document_no}）"
    if isinstance(what.row, Centre):
        titles_fall(session, what.row, at=at)
    before = select(Rectification).where(
        Rectification.evaluation_id.in_([each.id for each in line_of(session, what)]),
        Rectification.state.in_([each.value for each in RectificationState if open_to(each)]),
    )
    for order in session.scalars(before.with_for_update()):
        order.state = next_state(RectificationState(order.state), Event.FAIL).value
        order.decided_by, order.decided_at, order.reason = row.published_by, at, what.row.state_reason


def _order(
    session: Session, failed: tuple[Evaluation, Evaluated, EvaluationRules], demand: str, *, today: date
) -> Rectification:
    """The order to put right. A certification in force is RECTIFYING; a suspended one stays suspended."""
    row, what, rules = failed
    due_on = rectify_by(rules, calendar_from(session, today), today)
    order = Rectification(
        evaluation_id=row.id,
        demand=demand,
        ordered_on=today,
        due_on=due_on,
        state=RectificationState.ORDERED.value,
    )
    session.add(order)
    if what.row.state == CertificationState.CERTIFIED.value:
        what.row.state = next_state(CertificationState.CERTIFIED, Event.ORDER_RECTIFICATION).value
        what.row.state_reason = f"{row.year} 年度评价不合格（{row.document_no}）"
    return order
