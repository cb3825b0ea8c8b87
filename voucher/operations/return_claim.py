"""Sending a claim back to be mended: every defect at once (一次性告知), and only once for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.review import ClaimDefect, ClaimReturn, ExpertOpinion
from voucher.operations import journal
from voucher.operations.cases import Case, bar_interested, bar_others, bar_signers, case_of, cases, recused
from voucher.operations.deadlines import deadline
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, MessageEvent


@dataclass(frozen=True, slots=True)
class Defect:
    """One item to be mended, and how."""

    item: ClaimItem
    text: str


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """Everything that is wrong with one claim. `late_reason`: why an item is told only now."""

    claim_number: str
    defects: tuple[Defect, ...]
    contact: str
    late_reason: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """The notice of defects (补正告知书): its number, round and items, the last day (None: the policy sets none)."""

    claim_number: str
    notice_number: str
    round: int
    items: tuple[ClaimItem, ...]
    due_on: date | None


def return_claims(
    session: Session, requests: Sequence[ReturnRequest], *, actor: Actor, at: datetime
) -> list[Returned | Refused]:
    """Send claims back to their firms: the claim is RETURNED, a round of defects is written, its place is kept.

    The last day is `Policy.defect_days` working days from today. ValueError for a request without defects or with
    an item twice. Refused, each alone: `not_found`, `self_approval`, `recused`, `case_taken`, a claim that does not
    wait for review (`state_changed`), a defect without text (`reason_missing`), and in a later round an item that
    was not open in the round before, without `late_reason` (`told_late`): all defects are told at once.
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    before = _items_before(session, [case.claim for case in found.values()])
    answers: list[Returned | Refused] = []
    for request in requests:
        try:
            case = case_of(found, request.claim_number)
            bar_interested(session, case, actor=actor, interests=interests)
            bar_others(session, case, actor=actor)
            bar_signers(case, actor=actor)
            following = next_state(ClaimState(case.claim.state), Event.RETURN)
            if case.claim.state != ClaimState.SUBMITTED.value:
                raise Refusal(Code.STATE_CHANGED, state=case.claim.state, event=Event.RETURN.value)
            _check(request, before.get(case.claim.id))
            case.claim.state = following.value
            answers.append(_write(session, case, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    _tell(session, found, [each for each in answers if isinstance(each, Returned)], actor=actor, at=at)
    session.flush()
    return answers


def mark_overdue(session: Session, *, at: datetime, limit: int) -> int:
    """Mark rounds whose last day is over and remind their firms, once each; gives how many.

    Nothing is rejected by time alone: the claim stays RETURNED, stands in the list of overdue ones, and may still
    be sent again; rejecting it is a reviewer's decision. The journal says `system`.
    """
    query = (
        select(ClaimReturn, Claim, Order.platform_id, Holder.organisation_id)
        .join(Claim, Claim.id == ClaimReturn.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(
            ClaimReturn.due_on < business_date(at),
            ClaimReturn.answered_at.is_(None),
            ClaimReturn.overdue_at.is_(None),
            Claim.state == ClaimState.RETURNED.value,
        )
        .order_by(ClaimReturn.id)
        .limit(limit)
        .with_for_update(of=ClaimReturn, skip_locked=True)
    )
    notes = []
    for row, claim, platform_id, firm_id in session.execute(query).all():
        row.overdue_at = at
        notes.append(
            Note(
                MessageEvent.CLAIM_OVERDUE,
                claim.number,
                {"due_on": str(row.due_on)},
                once=row.number,
                organisation_id=None if claim.by_platform else firm_id,
                platform_id=platform_id if claim.by_platform else None,
            )
        )
    tell(session, notes, at=at)
    session.flush()
    return len(notes)


def _items_before(session: Session, claims: Sequence[Claim]) -> Mapping[int, frozenset[str]]:
    """The items of each claim's last round; nothing for one that was never sent back."""
    rounds = {claim.id: claim.round for claim in claims}
    query = (
        select(ClaimReturn.claim_id, ClaimReturn.round, ClaimDefect.item)
        .join(ClaimDefect, ClaimDefect.return_id == ClaimReturn.id)
        .where(ClaimReturn.claim_id.in_(rounds))
        .order_by(ClaimReturn.round)
    )
    found: dict[int, dict[int, set[str]]] = {}
    for claim_id, number, item in session.execute(query):
        found.setdefault(claim_id, {}).setdefault(number, set()).add(item)
    return {claim_id: frozenset(by_round[max(by_round)]) for claim_id, by_round in found.items()}


def _check(request: ReturnRequest, before: frozenset[str] | None) -> None:
    items = [defect.item.value for defect in request.defects]
    if not items or len(set(items)) < len(items):
        raise ValueError("a round names at least one item, and each once")
    if not all(defect.text.strip() for defect in request.defects):
        raise Refusal(Code.REASON_MISSING, claim=request.claim_number)
    late = [item for item in items if before is not None and item not in before]
    if late and not request.late_reason.strip():
        raise Refusal(Code.TOLD_LATE, claim=request.claim_number, items=",".join(late))


def _write(session: Session, case: Case, request: ReturnRequest, *, actor: Actor, at: datetime) -> Returned:
    claim, days, today = case.claim, case.policy.defect_days, business_date(at)
    claim.round += 1
    claim.returned_at, claim.return_reason = at, ""
    unanswered = update(ExpertOpinion).where(
        ExpertOpinion.claim_id == claim.id, ExpertOpinion.given_at.is_(None)
    )
    session.execute(unanswered.values(round=claim.round))
    due_on = None if days is None else deadline(session, today, days)
    (return_id,) = take_ids(session, ClaimReturn, 1)
    number = f"{claim.number}-{claim.round}"
    session.add(
        ClaimReturn(
            id=return_id,
            claim_id=claim.id,
            round=claim.round,
            number=number,
            due_on=due_on,
            contact=request.contact.strip(),
            late_reason=request.late_reason.strip(),
            returned_by=actor.person_id,
            returned_at=at,
        )
    )
    session.flush()
    session.add_all(
        ClaimDefect(return_id=return_id, item=each.item.value, text=each.text.strip())
        for each in request.defects
    )
    items = tuple(each.item for each in request.defects)
    return Returned(claim.number, number, claim.round, items, due_on)


def _tell(
    session: Session, found: Mapping[str, Case], answers: Sequence[Returned], *, actor: Actor, at: datetime
) -> None:
    journalled: list[tuple[str, dict[str, Fact]]] = []
    notes = []
    for each in answers:
        case = found[each.claim_number]
        facts: dict[str, Fact] = {
            "notice": each.notice_number,
            "count": len(each.items),
            "due_on": each.due_on.isoformat() if each.due_on else None,
        }
        items = ",".join(item.value for item in each.items)
        journalled.append((each.claim_number, {**facts, "items": items, "rule_version": case.policy.code}))
        notes.append(
            Note(
                MessageEvent.CLAIM_RETURNED,
                each.claim_number,
                facts,
                organisation_id=None if case.claim.by_platform else case.firm_id,
                platform_id=case.order.platform_id if case.claim.by_platform else None,
                once=each.notice_number,
            )
        )
    journal.record(session, actor, "claim.return", journalled, at=at)
    tell(session, notes, at=at)
