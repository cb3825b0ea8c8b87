"""Changing the account that an organisation is paid to: asked for, cooled, confirmed by a second officer (domain 4, row 26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.checks import PayeeChange
from voucher.models.claims import Claim
from voucher.models.parties import Organisation, PayeeAccount, Platform
from voucher.operations import journal
from voucher.operations.affiliate import PayeeRequest, account_number, owned_by
from voucher.operations.outcome import Refused, refused
from voucher.operations.regions import paths_of
from voucher.operations.tell import Note, tell
from voucher.rules.matching import bare_name
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import ClaimState, MessageEvent, PayeeChangeState

COOLING_DAYS: Final = 3
_STILL_OPEN: Final = tuple(
    state.value for state in ClaimState if state not in (ClaimState.IN_BATCH, ClaimState.PAID)
)


@dataclass(frozen=True, slots=True)
class DecideRequest:
    """A second officer's answer to a change: agreed after asking the organisation back, or not, with the reason."""

    change_id: int
    agreed: bool
    reason: str = ""


def ask_changes(
    session: Session, requests: Sequence[PayeeRequest], *, actor: Actor, at: datetime
) -> list[PayeeChange | Refused]:
    """Ask for another account; the one in force stays in force. The entry point has proved the person a second time.

    A change that waits is replaced, and cools anew. Refused, alone: an organisation that is neither the actor's nor
    in the actor's regions (`not_found`), a number that is none or an account in another's name (`payee_missing`),
    the account that is in force (`state_changed`).
    """
    answers: list[PayeeChange | Refused] = []
    for request in requests:
        try:
            answers.append(_ask(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def decide_changes(
    session: Session, requests: Sequence[DecideRequest], *, actor: Actor, at: datetime
) -> list[PayeeChange | Refused]:
    """Put changes in force, or decline them. Claims that are not in a batch yet follow to the new account.

    Refused, alone: not there or outside the actor's regions (`not_found`), decided before (`state_changed`), whoever
    asked for it or belongs to the organisation (`self_approval`), agreed before the cooling is over (`payee_cooling`), declined without a reason
    (`reason_missing`).
    """
    answers: list[PayeeChange | Refused] = []
    for request in requests:
        try:
            answers.append(_decide(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def _ask(session: Session, request: PayeeRequest, *, actor: Actor, at: datetime) -> PayeeChange:
    owner = owned_by(session, request.uscc, actor)
    number = account_number(owner, request.account_no)
    if bare_name(request.account_name) != bare_name(owner.name):
        raise Refusal(Code.PAYEE_MISSING, payee=owner.name)
    in_force = select(PayeeAccount.account_no).where(
        PayeeAccount.organisation_id == owner.id, PayeeAccount.active
    )
    if number in session.scalars(in_force).all():
        raise Refusal(Code.STATE_CHANGED)
    session.execute(
        update(PayeeChange)
        .where(PayeeChange.organisation_id == owner.id, PayeeChange.state == PayeeChangeState.WAITING.value)
        .values(state=PayeeChangeState.DECLINED.value, reason="replaced")
    )
    row = PayeeChange(
        organisation_id=owner.id,
        account_name=request.account_name,
        bank=request.bank,
        account_no=number,
        state=PayeeChangeState.WAITING.value,
        asked_by=actor.person_id,
        asked_at=at,
        cools_until=business_date(at) + timedelta(days=COOLING_DAYS),
    )
    session.add(row)
    session.flush()
    _record(session, row, "organisation.ask_payee_change", actor=actor, at=at)
    facts: dict[str, Fact] = {"cools_until_on": row.cools_until.isoformat()}
    _tell(session, row, MessageEvent.PAYEE_CHANGE_ASKED, facts, at=at)
    return row


def _decide(session: Session, request: DecideRequest, *, actor: Actor, at: datetime) -> PayeeChange:
    query = (
        select(PayeeChange, Organisation)
        .join(Organisation, Organisation.id == PayeeChange.organisation_id)
        .where(PayeeChange.id == request.change_id)
        .with_for_update(of=PayeeChange)
        .execution_options(populate_existing=True)
    )
    found = session.execute(query).one_or_none()
    if found is None or not covers_region(
        actor, paths_of(session, [found[1].region_code])[found[1].region_code]
    ):
        raise Refusal(Code.NOT_FOUND, change=request.change_id)
    row, owner = found
    if row.state != PayeeChangeState.WAITING.value:
        raise Refusal(Code.STATE_CHANGED)
    if row.asked_by == actor.person_id or _belongs(session, owner, actor):
        raise Refusal(Code.SELF_APPROVAL)
    if request.agreed and business_date(at) < row.cools_until:
        raise Refusal(Code.PAYEE_COOLING, cools_until=row.cools_until.isoformat())
    if not request.agreed and not request.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    row.decided_by, row.decided_at, row.reason = actor.person_id, at, request.reason.strip()[:200]
    row.state = (PayeeChangeState.CONFIRMED if request.agreed else PayeeChangeState.DECLINED).value
    if request.agreed:
        _put_in_force(session, row, owner, at=at)
    session.flush()
    _record(session, row, "organisation.decide_payee_change", actor=actor, at=at)
    facts: dict[str, Fact] = {"payee_change_state": row.state, "reason": row.reason or None}
    _tell(session, row, MessageEvent.PAYEE_CHANGE_DECIDED, facts, at=at)
    return row


def _belongs(session: Session, owner: Organisation, actor: Actor) -> bool:
    hosted = select(Platform.id).where(
        Platform.organisation_id == owner.id, Platform.id.in_(actor.platform_ids)
    )
    return owner.id in actor.organisation_ids or session.scalars(hosted.limit(1)).first() is not None


def _put_in_force(session: Session, row: PayeeChange, owner: Organisation, *, at: datetime) -> None:
    query = select(PayeeAccount).where(PayeeAccount.organisation_id == owner.id, PayeeAccount.active)
    before = list(session.scalars(query))
    for account in before:
        account.active = False
    account = PayeeAccount(
        organisation_id=owner.id,
        account_name=row.account_name,
        bank=row.bank,
        account_no=row.account_no,
        created_at=at,
    )
    session.add(account)
    session.flush()
    session.execute(
        update(Claim)
        .where(Claim.payee_account_id.in_([each.id for each in before]), Claim.state.in_(_STILL_OPEN))
        .values(payee_account_id=account.id)
    )


def _tell(
    session: Session, row: PayeeChange, event: MessageEvent, facts: dict[str, Fact], *, at: datetime
) -> None:
    """Tell the people of the organisation and of its platforms: a stranger's change is seen while it cools."""
    hosted = select(Platform.id).where(Platform.organisation_id == row.organisation_id)
    platforms: list[int | None] = [*session.scalars(hosted.order_by(Platform.id)), None]
    notes = [
        Note(event, str(row.id), facts, organisation_id=row.organisation_id, platform_id=platform_id)
        for platform_id in platforms
    ]
    tell(session, notes, at=at)


def _record(session: Session, row: PayeeChange, action: str, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {"change": row.id, "state": row.state}
    journal.record(session, actor, action, [(f"organisation:{row.organisation_id}", facts)], at=at)
