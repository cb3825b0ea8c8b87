"""Applying for a voucher (申领): by a holder, in a window, with the undertaking signed; and mending or withdrawing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.models.applications import Application, ApplicationQueue, Undertaking
from voucher.models.numbers import take_ids
from voucher.models.parties import Holder
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.applicant import Applicant, applicant_of, holding_of, own_holder
from voucher.operations.move_up import issuer, move_up, queue_of
from voucher.operations.outcome import Refused, only
from voucher.operations.policies import policy_in_force
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.operations.tell import Note, tell
from voucher.rules import applying, eligibility
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ApplicationState, HolderClass, IssueMode, MessageEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """A wish for a voucher. An empty `holder_ref` is the actor's only holder; the class counts where it may choose.

    `undertaking_version` and `signed_name`: which version was shown in full, and the name that was put under it.
    """

    programme_code: str
    wanted_fen: Fen
    purpose: str
    holder_ref: str = ""
    holder_class: HolderClass | None = None
    undertaking_version: int | None = None
    signed_name: str = ""


@dataclass(frozen=True, slots=True)
class MendRequest:
    """A returned application, mended."""

    number: str
    wanted_fen: Fen
    purpose: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The application, its place in the queue, and the voucher where it was issued at once."""

    number: str
    queue_no: int
    state: ApplicationState
    voucher_number: str = ""


def apply(
    session: Session, requests: Sequence[ApplyRequest], *, actor: Actor, at: datetime
) -> list[Applied | Refused]:
    """Submit applications. Where the policy issues automatically, the voucher follows at once while the money lasts.

    The queue number is taken under the queue's lock, so numbers rise in the order of commits. Refused, alone: a
    holder that is not the actor's, or no programme (`not_found`), no policy (`policy_not_published`), outside the
    window (`application_closed`), another unfinished one (`application_open`), not eligible (`not_qualified`),
    the policy's limits (`count_exceeded`, `voucher_idle`, `holding_exceeded`, `face_out_of_range`), the newest
    undertaking unsigned (`undertaking_unsigned`); issuing at once also refuses as `issue` does, but for a budget
    that is used up: then it waits.
    """
    return alone(session, requests, lambda request: _apply(session, request, actor=actor, at=at))


def mend(
    session: Session, requests: Sequence[MendRequest], *, actor: Actor, at: datetime
) -> list[Applied | Refused]:
    """Send returned applications in again; they keep their place. Refused, alone: another's (`not_found`), one that
    was not returned (`state_changed`), an amount that face and holding limits refuse."""

    def resubmit(request: MendRequest) -> Applied:
        row, _ = own_application(session, request.number, actor=actor)
        following = next_state(ApplicationState(row.state), Event.RESUBMIT)
        policy = policy_in_force(session, row.programme_code, at)
        holding = holding_of(session, row.programme_code, row.holder_id, year=row.year, besides=row.id)
        for finding in (
            eligibility.face(policy, request.wanted_fen),
            applying.held(policy, holding, request.wanted_fen),
        ):
            if finding is not None:
                raise Refusal(finding[0], **finding[1])
        row.state, row.round, row.reason = following.value, row.round + 1, ""
        row.wanted_fen, row.purpose, row.decided_at = request.wanted_fen, request.purpose, None
        facts: dict[str, Fact] = {"wanted_fen": row.wanted_fen}
        journal.record(session, actor, "application.mend", [(row.number, facts)], at=at)
        session.flush()
        return Applied(row.number, row.queue_no, following)

    return alone(session, requests, resubmit)


def withdraw(
    session: Session, numbers: Sequence[str], *, actor: Actor, at: datetime
) -> list[Applied | Refused]:
    """Take back applications that have no voucher yet; whoever waits behind moves up with the next run.

    Refused, alone: another's (`not_found`), one that is finished (`state_changed`).
    """

    def take_back(number: str) -> Applied:
        row, _ = own_application(session, number, actor=actor)
        following = next_state(ApplicationState(row.state), Event.WITHDRAW)
        row.state, row.closed_at = following.value, at
        journal.record(session, actor, "application.withdraw", [(row.number, {})], at=at)
        session.flush()
        return Applied(row.number, row.queue_no, following)

    return alone(session, numbers, take_back)


def own_application(session: Session, number: str, *, actor: Actor) -> tuple[Application, ApplicationQueue]:
    """One of the actor's organisations' applications with its queue, both locked. Refused: `not_found`."""
    query = (
        select(Application)
        .join(Application.holder)
        .where(Application.number == number, Holder.organisation_id.in_(actor.organisation_ids))
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, application=number[:40])
    queue = queue_of(session, row.programme_code, row.year)
    session.refresh(row, with_for_update={"of": Application})
    return row, queue


def _apply(session: Session, request: ApplyRequest, *, actor: Actor, at: datetime) -> Applied:
    holder = own_holder(session, request.holder_ref, actor=actor)
    if session.get(Programme, request.programme_code) is None:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    queue = queue_of(session, request.programme_code, fiscal_year(at))
    asking = applicant_of(session, request.programme_code, holder, at=at, wanted_class=request.holder_class)
    asking.require(request.wanted_fen)
    signed = _signed(asking, request)
    queue.last_no += 1
    row = _row(session, asking, request, queue=queue, at=at)
    row.submitted_by = actor.person_id
    if signed is not None:
        row.undertaking_id, row.signed_name, row.signed_at = signed.id, request.signed_name.strip(), at
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {
        "queue_no": row.queue_no,
        "wanted_fen": row.wanted_fen,
        "undertaking": signed.version if signed else None,
        "rule_version": row.policy_code,
    }
    journal.record(session, actor, "application.submit", [(row.number, facts)], at=at)
    tell(session, _received(row), at=at)
    if asking.policy.issue_mode is IssueMode.AUTOMATIC:
        return _automatic(session, asking, row, queue=queue, at=at)
    return Applied(row.number, row.queue_no, ApplicationState.SUBMITTED)


def _signed(asking: Applicant, request: ApplyRequest) -> Undertaking | None:
    newest = asking.undertaking
    if newest is not None and (
        request.undertaking_version != newest.version or not request.signed_name.strip()
    ):
        raise Refusal(Code.UNDERTAKING_UNSIGNED, version=newest.version)
    return newest


def _row(
    session: Session, asking: Applicant, request: ApplyRequest, *, queue: ApplicationQueue, at: datetime
) -> Application:
    (row_id,) = take_ids(session, Application, 1)
    if asking.window is None:
        raise LookupError("an application that was admitted has an open window")
    return Application(
        id=row_id,
        number=numbered("A", queue.year, row_id),
        programme_code=queue.programme_code,
        year=queue.year,
        queue_no=queue.last_no,
        window_id=asking.window.id,
        policy_code=asking.policy.code,
        holder_id=asking.holder.id,
        holder_class=asking.holder_class.value,
        wanted_fen=request.wanted_fen,
        purpose=request.purpose,
        state=ApplicationState.SUBMITTED.value,
        submitted_at=at,
        holder=asking.holder,
    )


def _received(row: Application) -> list[Note]:
    """The firm is told its number; officials only where somebody has to decide."""
    facts: dict[str, Fact] = {"queue_no": row.queue_no, "wanted_fen": row.wanted_fen}
    return [
        Note(
            MessageEvent.APPLICATION_RECEIVED,
            row.number,
            facts,
            organisation_id=row.holder.organisation_id,
        )
    ]


def _automatic(
    session: Session, asking: Applicant, row: Application, *, queue: ApplicationQueue, at: datetime
) -> Applied:
    """Approved by the policy itself: qualified from the roster where it says so, then to the waiting list and on."""
    if asking.window is None:
        raise LookupError("an application that was admitted has an open window")
    if not asking.is_qualified:
        request = QualifyRequest(asking.holder.ref, asking.holder_class)
        officer = issuer(asking.programme, asking.window)
        only(qualify(session, row.programme_code, [request], actor=officer, at=at))
    row.state = next_state(ApplicationState(row.state), Event.APPROVE).value
    row.approved_fen, row.decided_at = row.wanted_fen, at
    session.flush()
    for moved in move_up(session, queue, at=at):
        if moved.number == row.number and moved.refused is not None:
            raise Refusal(moved.refused.code, **moved.refused.facts)
        if moved.number == row.number:
            return Applied(row.number, row.queue_no, ApplicationState.ISSUED, moved.voucher_number)
    return Applied(row.number, row.queue_no, ApplicationState(row.state))
