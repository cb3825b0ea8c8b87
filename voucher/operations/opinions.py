"""Opinions on a claim: of experts, asked one by one and answering once; and reports of third parties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import is_postgresql
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.people import Person, RoleGrant
from voucher.models.review import AuditReport, ExpertOpinion
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.cases import Case, bar_interested, bar_others, case_of, cases, recused
from voucher.operations.keep_files import keep_files
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.store import Stored
from voucher.terms import ClaimState, MessageEvent, OpinionVerdict, Role

_OPEN = frozenset({ClaimState.SUBMITTED, ClaimState.RETURNED})


@dataclass(frozen=True, slots=True)
class Invitation:
    """An expert asked about one claim, to answer by a day."""

    claim_number: str
    expert_id: int
    due_on: date


@dataclass(frozen=True, slots=True)
class OpinionRequest:
    """What an expert says: a verdict with its amount in fen and text, or the conflict that forbids one."""

    claim_number: str
    verdict: OpinionVerdict | None = None
    amount_fen: Fen | None = None
    text: str = ""
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A third party's report, with its file. Amount in fen."""

    claim_number: str
    organisation: str
    report_no: str
    reported_on: date
    amount_fen: Fen
    file: Stored
    text: str = ""


def invite_experts(
    session: Session, requests: Sequence[Invitation], *, actor: Actor, at: datetime
) -> list[str | Refused]:
    """Ask experts, who are told and see that claim until it is decided; asking again in its round changes nothing.

    Gives claim numbers. ValueError for a last day in the past. Refused, each alone: `not_found` (claim, or no such
    expert), `self_approval` (also for asking oneself), `recused` (the reviewer, or the expert, also one who declared
    a conflict in an earlier round), `case_taken`, a decided claim (`state_changed`).
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    experts = _experts(session, [request.expert_id for request in requests], on=business_date(at))
    interests = recused(session, [actor.person_id, *experts])
    answers: list[str | Refused] = []
    for request in requests:
        if request.due_on < business_date(at):
            raise ValueError("an opinion is due today or later")
        try:
            case = _workable(session, found, request.claim_number, actor=actor, interests=interests)
            if request.expert_id == actor.person_id:
                raise Refusal(Code.SELF_APPROVAL, claim=request.claim_number)
            if request.expert_id not in experts:
                raise Refusal(Code.NOT_FOUND, expert=request.expert_id)
            if case.sides & interests.get(request.expert_id, frozenset()) or _declared(
                session, case, request
            ):
                raise Refusal(Code.RECUSED, claim=request.claim_number)
            _ask(session, case, request, actor=actor, at=at)
            answers.append(request.claim_number)
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def give_opinions(
    session: Session, requests: Sequence[OpinionRequest], *, actor: Actor, at: datetime
) -> list[str | Refused]:
    """Answer as an expert, once for each claim; whoever asked is told. Gives claim numbers.

    ValueError for neither or both of verdict and conflict. Refused, each alone: a claim that the actor was not
    asked about in its round (`not_found`), of the actor's own house or making (`self_approval`; a conflict may be
    declared), one that is decided or back at its firm (`state_changed`), a second answer (`opinion_given`), a verdict
    without text (`reason_missing`), an amount above what is claimed (`approved_above_claim`).
    """
    asked = _asked(session, [request.claim_number for request in requests], actor)
    answers: list[str | Refused] = []
    for request in requests:
        if (request.verdict is None) != bool(request.conflict.strip()):
            raise ValueError("an expert gives a verdict or declares a conflict")
        try:
            row, claim = _answerable(asked.get(request.claim_number), request)
            if request.verdict is not None:
                _bar_own(session, claim, actor)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        row.conflict = request.conflict.strip() or None
        row.verdict = request.verdict.value if request.verdict else None
        row.amount_fen, row.text, row.given_at = request.amount_fen, request.text.strip(), at
        facts: dict[str, Fact] = {"opinion": row.verdict or "conflict", "amount_fen": request.amount_fen}
        journal.record(session, actor, "claim.opinion", [(claim.number, facts)], at=at)
        note = Note(MessageEvent.EXPERT_ANSWERED, claim.number, {}, (row.invited_by,), once=str(row.id))
        tell(session, [note], at=at)
        answers.append(claim.number)
    session.flush()
    return answers


def record_reports(
    session: Session, requests: Sequence[ReportRequest], *, actor: Actor, at: datetime
) -> list[str | Refused]:
    """Put third parties' reports into the files of claims. Gives claim numbers.

    Refused, each alone: `not_found`, `self_approval`, `recused`, `case_taken`, `state_changed`, and a report number
    that the claim has already (`already_registered`).
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    interests = recused(session, [actor.person_id])
    answers: list[str | Refused] = []
    for request in requests:
        try:
            case = _workable(session, found, request.claim_number, actor=actor, interests=interests)
            _keep_report(session, case, request, actor=actor, at=at)
            answers.append(request.claim_number)
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _workable(
    session: Session,
    found: dict[str, Case],
    number: str,
    *,
    actor: Actor,
    interests: dict[int, frozenset[int]],
) -> Case:
    """A case that is open and that this actor may work on."""
    case = case_of(found, number)
    bar_interested(session, case, actor=actor, interests=interests.get(actor.person_id, frozenset()))
    bar_others(session, case, actor=actor)
    if ClaimState(case.claim.state) not in _OPEN:
        raise Refusal(Code.STATE_CHANGED, state=case.claim.state)
    return case


def _experts(session: Session, ids: Sequence[int], *, on: date) -> frozenset[int]:
    query = select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id)
    query = query.where(
        RoleGrant.person_id.in_(ids),
        RoleGrant.role == Role.EXPERT.value,
        RoleGrant.from_on <= on,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
        Person.disabled_at.is_(None),
    )
    return frozenset(session.scalars(query))


def _declared(session: Session, case: Case, request: Invitation) -> bool:
    """Whether this expert declared a conflict with the claim, in whichever round."""
    query = select(ExpertOpinion.id).where(
        ExpertOpinion.claim_id == case.claim.id,
        ExpertOpinion.person_id == request.expert_id,
        ExpertOpinion.conflict.is_not(None),
        ExpertOpinion.round != case.claim.round,
    )
    return session.scalars(query.limit(1)).first() is not None


def _ask(session: Session, case: Case, request: Invitation, *, actor: Actor, at: datetime) -> None:
    values = {
        "claim_id": case.claim.id,
        "round": case.claim.round,
        "person_id": request.expert_id,
        "invited_by": actor.person_id,
        "invited_at": at,
        "due_on": request.due_on,
    }
    dialect = postgresql if is_postgresql(session) else sqlite
    insert = dialect.insert(ExpertOpinion).values(values).on_conflict_do_nothing()
    if session.scalars(insert.returning(ExpertOpinion.id)).one_or_none() is None:
        return
    number, facts = request.claim_number, {"due_on": str(request.due_on)}
    journal.record(session, actor, "claim.invite", [(number, {"expert": request.expert_id, **facts})], at=at)
    note = Note(MessageEvent.EXPERT_INVITED, number, facts, (request.expert_id,), once=str(case.claim.round))
    tell(session, [note], at=at)


def _asked(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, tuple[ExpertOpinion, Claim]]:
    query = (
        select(ExpertOpinion, Claim)
        .join(Claim, Claim.id == ExpertOpinion.claim_id)
        .where(
            Claim.number.in_(set(numbers)),
            ExpertOpinion.person_id == actor.person_id,
            ExpertOpinion.round == Claim.round,
        )
        .order_by(Claim.id)
        .with_for_update(of=(Claim, ExpertOpinion))
        .execution_options(populate_existing=True)
    )
    return {claim.number: (row, claim) for row, claim in session.execute(query)}


def _answerable(
    asked: tuple[ExpertOpinion, Claim] | None, request: OpinionRequest
) -> tuple[ExpertOpinion, Claim]:
    if asked is None:
        raise Refusal(Code.NOT_FOUND, claim=request.claim_number)
    row, claim = asked
    if row.given_at is not None:
        raise Refusal(Code.OPINION_GIVEN, claim=claim.number)
    if ClaimState(claim.state) is not ClaimState.SUBMITTED:
        raise Refusal(Code.STATE_CHANGED, state=claim.state)
    if request.verdict is not None and not request.text.strip():
        raise Refusal(Code.REASON_MISSING, claim=claim.number)
    if request.amount_fen is not None and request.amount_fen > claim.claimed_fen:
        raise Refusal(
            Code.APPROVED_ABOVE_CLAIM, approved_fen=request.amount_fen, claimed_fen=claim.claimed_fen
        )
    return row, claim


def _bar_own(session: Session, claim: Claim, actor: Actor) -> None:
    query = (
        select(Holder.organisation_id, Platform.organisation_id, Order.platform_id)
        .select_from(Order)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Platform.__table__, Platform.id == Order.platform_id)
        .where(Order.id == claim.order_id)
    )
    firm_id, host_id, platform_id = session.execute(query).one()
    own = {firm_id, host_id} & actor.organisation_ids or platform_id in actor.platform_ids
    if own or claim.submitted_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, claim=claim.number)


def _keep_report(session: Session, case: Case, request: ReportRequest, *, actor: Actor, at: datetime) -> None:
    values = {
        "claim_id": case.claim.id,
        "organisation": request.organisation.strip(),
        "report_no": request.report_no.strip(),
        "reported_on": request.reported_on,
        "amount_fen": request.amount_fen,
        "text": request.text.strip(),
        "file_sha256": request.file.sha256,
        "file_name": request.file.file_name,
        "recorded_by": actor.person_id,
        "recorded_at": at,
    }
    dialect = postgresql if is_postgresql(session) else sqlite
    insert = dialect.insert(AuditReport).values(values).on_conflict_do_nothing()
    if session.scalars(insert.returning(AuditReport.id)).one_or_none() is None:
        raise Refusal(Code.ALREADY_REGISTERED, subject=request.report_no)
    keep_files(session, [request.file], actor=actor, at=at)
    facts: dict[str, Fact] = {"report_no": request.report_no, "amount_fen": request.amount_fen}
    journal.record(session, actor, "claim.report", [(request.claim_number, facts)], at=at)
