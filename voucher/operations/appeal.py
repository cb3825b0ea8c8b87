"""Appeals (申诉) against a rejected application or claim, decided by another person than the one who rejected.

An appeal that is upheld puts an application back into its queue, at its old place. A claim goes back to review likewise:
its money is held again, and another reviewer than the first decides (`reopen_claim`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.applications import Appeal, Application, ApplicationDecision
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.models.review import Review
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.alone import alone
from voucher.operations.cases import bar_interested, recused
from voucher.operations.deadlines import deadline
from voucher.operations.move_up import queue_of
from voucher.operations.outcome import Refused
from voucher.operations.policies import policy_of
from voucher.operations.reopen_claim import rejected_case, reopen
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region, permitted
from voucher.terms import (
    AppealChannel,
    AppealState,
    ApplicationState,
    ApplicationVerdict,
    ClaimState,
    MessageEvent,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class AppealRequest:
    """An appeal against the rejection of an application or a claim, by its number."""

    subject: str
    text: str
    channel: AppealChannel = AppealChannel.PAGE


@dataclass(frozen=True, slots=True)
class AppealDecision:
    """What became of an appeal, and why."""

    number: str
    is_upheld: bool
    result: str


@dataclass(frozen=True, slots=True)
class Appealed:
    """The appeal as it stands now; `held_fen` is what was held again for a claim that goes back to review."""

    number: str
    state: AppealState
    subject: str
    held_fen: int = 0


@dataclass(frozen=True, slots=True)
class _Rejection:
    """A decision that may be appealed: of what, in which round, by whom, and on which day it was made.

    `by_platform`: the provider sent the claim, as under 通兑, so the appeal is the provider's.
    """

    application_id: int | None
    claim_id: int | None
    round: int
    holder: Holder
    policy_code: str
    against_id: int
    decided_on: date
    platform_id: int | None = None
    by_platform: bool = False


def lodge(
    session: Session, requests: Sequence[AppealRequest], *, actor: Actor, at: datetime
) -> list[Appealed | Refused]:
    """Lodge appeals: the side that sent it by page, or an official of its region for one who called or came.

    Refused, alone: what is not the actor's or in their region (`not_found`), a claim that the other side sent
    (`other_side_claims`), one who may not appeal for that side (`not_permitted`), what was not rejected
    (`state_changed`), no text (`reason_missing`), after the policy's days (`appeal_late`), a second appeal against
    the same decision (`appeal_made`).
    """
    return alone(session, requests, lambda request: _lodge(session, request, actor=actor, at=at))


def decide_appeals(
    session: Session, requests: Sequence[AppealDecision], *, actor: Actor, at: datetime
) -> list[Appealed | Refused]:
    """Decide appeals. Upheld, what was rejected waits for review again, at its old place; a claim's money is held again.

    Refused, alone: outside the actor's regions (`not_found`), by whoever rejected, or of the actor's own firm or
    making (`self_approval`), of a firm the actor is recused from (`recused`), decided already (`state_changed`),
    without a reason (`reason_missing`); of a claim also another authority's programme (`not_own_programme`), and upheld
    where something is missing that its rejection released: what `reopen` is refused for, with what is left.
    """
    return alone(session, requests, lambda request: _decide(session, request, actor=actor, at=at))


def _lodge(session: Session, request: AppealRequest, *, actor: Actor, at: datetime) -> Appealed:
    rejection = _application(session, request.subject) or _claim(session, request.subject)
    if rejection is None or not _sees(session, rejection, request.channel, actor):
        raise Refusal(Code.NOT_FOUND, subject=request.subject[:40])
    if request.channel is AppealChannel.PAGE:
        _bar_other_side(rejection, actor)
    if not request.text.strip():
        raise Refusal(Code.REASON_MISSING)
    if rejection.against_id == 0:
        raise Refusal(Code.STATE_CHANGED)
    made = select(Appeal).where(Appeal.subject == request.subject, Appeal.round == rejection.round)
    before = session.scalars(made).one_or_none()
    if before is not None:
        raise Refusal(Code.APPEAL_MADE, appeal=before.number, state=before.state)
    days = policy_of(session, rejection.policy_code).appeal_days
    last = deadline(session, rejection.decided_on, days) if days else None
    if last is not None and business_date(at) > last:
        raise Refusal(Code.APPEAL_LATE, appeal_by_on=last.isoformat())
    row = Appeal(
        number=f"{request.subject}-S{rejection.round}",
        subject=request.subject,
        round=rejection.round,
        application_id=rejection.application_id,
        claim_id=rejection.claim_id,
        holder_id=rejection.holder.id,
        text=request.text.strip(),
        channel=request.channel.value,
        state=AppealState.LODGED.value,
        lodged_by=actor.person_id,
        lodged_at=at,
        appeal_by=last,
        against_id=rejection.against_id,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"subject": row.subject, "channel": row.channel}
    journal.record(session, actor, "appeal.lodge", [(row.number, facts)], at=at)
    told: dict[str, Fact] = {"number": row.subject}
    region = rejection.holder.region_code
    tell(session, [Note(MessageEvent.APPEAL_LODGED, row.number, told, region_code=region)], at=at)
    return Appealed(row.number, AppealState.LODGED, row.subject)


def _sees(session: Session, rejection: _Rejection, channel: AppealChannel, actor: Actor) -> bool:
    if channel is AppealChannel.PAGE:
        return (
            rejection.holder.organisation_id in actor.organisation_ids
            or rejection.platform_id in actor.platform_ids
        )
    return covers_region(actor, _path(session, rejection.holder))


def _bar_other_side(rejection: _Rejection, actor: Actor) -> None:
    """Refuse the side that did not send the claim (`other_side_claims`), and who may not appeal (`not_permitted`)."""
    if rejection.by_platform:
        own, permission = rejection.platform_id in actor.platform_ids, "provider:appeal:lodge"
    else:
        own = rejection.holder.organisation_id in actor.organisation_ids
        permission = "enterprise:appeal:lodge"
    if not own:
        raise Refusal(Code.OTHER_SIDE_CLAIMS, claimant="provider" if rejection.by_platform else "enterprise")
    if not permitted(actor, permission):
        raise Refusal(Code.NOT_PERMITTED)


def _path(session: Session, holder: Holder) -> str:
    return session.scalars(select(Region.path).where(Region.code == holder.region_code)).one()


def _application(session: Session, number: str) -> _Rejection | None:
    """The last decision on an application, locked; `against_id` 0 where it is no rejection."""
    query = select(Application).where(Application.number == number).with_for_update(of=Application)
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        return None
    decided = session.scalars(
        select(ApplicationDecision).where(
            ApplicationDecision.application_id == row.id,
            ApplicationDecision.round == row.round,
            ApplicationDecision.verdict == ApplicationVerdict.REJECT.value,
        )
    ).one_or_none()
    against = decided.decided_by if decided and row.state == ApplicationState.REJECTED.value else 0
    on = business_date(decided.decided_at if decided else row.submitted_at)
    return _Rejection(row.id, None, row.round, row.holder, row.policy_code, against, on)


def _claim(session: Session, number: str) -> _Rejection | None:
    """The rejection of a claim in its present hearing; `against_id` 0 where it is no rejection."""
    query = (
        select(Claim, Order.policy_code, Order.platform_id, Holder, Review)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .outerjoin(Review, (Review.claim_id == Claim.id) & (Review.hearing == Claim.hearing))
        .where(Claim.number == number)
        .with_for_update(of=Claim)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    claim, policy_code, holder = row.Claim, row.policy_code, row.Holder
    review: Review | None = row.Review
    rejected = claim.state == ClaimState.REJECTED.value
    is_no = review is not None and review.verdict == Verdict.REJECT.value
    against = review.reviewer_id if review is not None and rejected and is_no else 0
    on = business_date(review.reviewed_at if review is not None else claim.submitted_at)
    return _Rejection(
        None, claim.id, claim.hearing, holder, policy_code, against, on, row.platform_id, claim.by_platform
    )


def _decide(session: Session, request: AppealDecision, *, actor: Actor, at: datetime) -> Appealed:
    query = select(Appeal).where(Appeal.number == request.number)
    row = session.scalars(query).one_or_none()
    if row is None or not covers_region(actor, _path(session, row.holder)):
        raise Refusal(Code.NOT_FOUND, appeal=request.number[:40])
    application = _reopened(session, row)
    case = None if row.claim_id is None else rejected_case(session, row.claim_id, actor=actor)
    session.refresh(row, with_for_update={"of": Appeal})
    firm_id = row.holder.organisation_id
    wrote_it = row.lodged_by == actor.person_id and row.channel == AppealChannel.PAGE.value
    if row.against_id == actor.person_id or wrote_it or firm_id in actor.organisation_ids:
        raise Refusal(Code.SELF_APPROVAL, appeal=row.number)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    if case is not None:
        bar_interested(session, case, actor=actor, interests=interests)
    if firm_id in interests:
        raise Refusal(Code.RECUSED, organisation=row.holder.name)
    event = Event.APPROVE if request.is_upheld else Event.REJECT
    following = next_state(AppealState(row.state), event)
    if not request.result.strip():
        raise Refusal(Code.REASON_MISSING)
    row.state, row.result = following.value, request.result.strip()
    row.decided_by, row.decided_at = actor.person_id, at
    if application is not None and request.is_upheld:
        application.state = next_state(ApplicationState(application.state), Event.RESUME).value
        application.round += 1
        application.decided_at = application.closed_at = None
    held = reopen(session, case, actor=actor, at=at) if case is not None and request.is_upheld else Fen(0)
    facts: dict[str, Fact] = {"subject": row.subject, "state": following.value}
    journal.record(session, actor, "appeal.decide", [(row.number, facts)], at=at)
    session.flush()
    told: dict[str, Fact] = {
        "number": row.subject,
        "appeal_state": following.value,
        "result": row.result,
        "held_fen": held or None,
    }
    provider_id = case.order.platform_id if case is not None and case.claim.by_platform else None
    note = Note(
        MessageEvent.APPEAL_DECIDED, row.number, told, organisation_id=firm_id, platform_id=provider_id
    )
    tell(session, [note], at=at)
    return Appealed(row.number, following, row.subject, held)


def _reopened(session: Session, row: Appeal) -> Application | None:
    """The application that an appeal is about, its queue and itself locked; None for a claim's."""
    if row.application_id is None:
        return None
    application = session.get_one(Application, row.application_id)
    queue_of(session, application.programme_code, application.year)
    session.refresh(application, with_for_update={"of": Application})
    return application
