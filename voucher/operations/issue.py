"""Issuing vouchers to qualified holders, one or many (domain, section 3.3 step 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.models.numbers import take_ids
from voucher.models.parties import Holder, Qualification
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.charges import (
    Limited,
    Room,
    allowance_of,
    charge_legs,
    limit_refs,
    post_all,
)
from voucher.operations.group_caps import caps_of
from voucher.operations.holdings import Holdings
from voucher.operations.outcome import Refused, refused
from voucher.operations.places import places
from voucher.operations.policies import policy_in_force
from voucher.operations.tell import Note, tell
from voucher.rules.eligibility import face, holder_class
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.validity import use_by
from voucher.terms import CapBasis, MessageEvent, PostingKind, VoucherState


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """A voucher of `face_fen` for one holder (its USCC or temporary id)."""

    holder_ref: str
    face_fen: Fen


@dataclass(frozen=True, slots=True)
class Issued:
    """The voucher that was issued."""

    voucher_id: int
    number: str


@dataclass(frozen=True, slots=True)
class _Draft:
    voucher: Voucher
    holder_ref: str
    caps: tuple[Limited, ...]


def issue(
    session: Session, line_code: str, requests: Sequence[IssueRequest], *, actor: Actor, at: datetime
) -> list[Issued | Refused]:
    """Issue vouchers from one budget line under the policy in force: budget → voucher, for 1 to 1000 holders.

    Refused for the whole call: a line that is not there or not the actor's (`not_found`) or is closed
    (`period_closed`), no policy in force (`policy_not_published`). Refused for one request alone: a holder who is not qualified this year
    (`not_qualified`) or not in a centre as the policy asks (`not_qualified`, `centre_not_certified`), a face value out of range (`face_out_of_range`), more than may be held at once (`holding_exceeded`), a budget that is used up
    (`budget_exceeded`), and, where the cap counts what is claimed, the cap (`cap_exceeded`).
    """
    line, book_id = _line(session, line_code, actor)
    policy = policy_in_force(session, line.programme_code, at)
    qualified = _qualified(session, line, policy, requests, year=fiscal_year(at))
    holdings = Holdings(session, policy, book_id, [holder for holder, _ in qualified.values()])
    around = places(session, [policy], [holder for holder, _ in qualified.values()])
    drafts: list[_Draft | Refused] = []
    for voucher_id, request in zip(take_ids(session, Voucher, len(requests)), requests, strict=True):
        try:
            holder, held_class = _checked(policy, qualified, request)
            around.refuse(policy, holder, business_date(at))
            holdings.refuse(holder, request.face_fen)
        except Refusal as refusal:
            drafts.append(refused(refusal))
            continue
        voucher = Voucher(
            id=voucher_id,
            number=numbered("V", fiscal_year(at), voucher_id),
            book_id=book_id,
            programme_code=line.programme_code,
            policy_code=policy.code,
            budget_line_id=line.id,
            holder_id=holder.id,
            holder_class=held_class,
            face_fen=request.face_fen,
            state=VoucherState.LIVE.value,
            use_by=use_by(policy, business_date(at)),
            issued_by=actor.person_id,
            issued_at=at,
        )
        drafts.append(
            _Draft(
                voucher, holder.ref, _claimed_caps(session, policy, holder, held_class, on=business_date(at))
            )
        )
    return _post(session, line, drafts, actor=actor, at=at)


def _line(session: Session, line_code: str, actor: Actor) -> tuple[BudgetLine, int]:
    query = (
        select(BudgetLine, Programme.book_id)
        .join(Programme, Programme.code == BudgetLine.programme_code)
        .where(BudgetLine.code == line_code, Programme.book_id.in_(actor.book_ids))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise Refusal(Code.NOT_FOUND, budget_line=line_code)
    line, book_id = row
    if line.closed_on is not None:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=line.closed_on.isoformat())
    return line, book_id


def _qualified(
    session: Session, line: BudgetLine, policy: Policy, requests: Sequence[IssueRequest], *, year: int
) -> dict[str, tuple[Holder, str]]:
    """The holders who are qualified, locked; against another issue too where the policy limits what they hold."""
    query = (
        select(Holder, Qualification.holder_class)
        .join(Qualification, Qualification.holder_id == Holder.id)
        .where(
            Holder.ref.in_({request.holder_ref for request in requests}),
            Qualification.programme_code == line.programme_code,
            Qualification.year == year,
            Holder.converted_into.is_(None),
        )
        .order_by(Holder.id)
        .with_for_update(read=policy.held_most_fen is None, key_share=True, of=Holder)
        .execution_options(populate_existing=True)
    )
    return {holder.ref: (holder, held_class) for holder, held_class in session.execute(query)}


def _checked(
    policy: Policy, qualified: dict[str, tuple[Holder, str]], request: IssueRequest
) -> tuple[Holder, str]:
    found = qualified.get(request.holder_ref)
    if found is None:
        raise Refusal(Code.NOT_QUALIFIED, reason="not_qualified", holder=request.holder_ref)
    finding = holder_class(policy, found[1]) or face(policy, request.face_fen)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    return found


def _claimed_caps(
    session: Session, policy: Policy, holder: Holder, held_class: str, *, on: date
) -> tuple[Limited, ...]:
    """The caps that count what is claimed: the holder's, and its group's where the version says so."""
    allowance = allowance_of(policy, holder_ref=holder.cap_owner, holder_class=held_class, on=on)
    if allowance is None or allowance.basis is not CapBasis.CLAIMED:
        return ()
    return caps_of(session, allowance, holder, policy.programme)


def _post(
    session: Session, line: BudgetLine, drafts: Sequence[_Draft | Refused], *, actor: Actor, at: datetime
) -> list[Issued | Refused]:
    valid = [draft for draft in drafts if isinstance(draft, _Draft)]
    if not valid:
        return [draft for draft in drafts if isinstance(draft, Refused)]
    budget = accounts.budget(line.code, line.year)
    caps = [each for draft in valid for each in draft.caps]
    refs = [budget, *(accounts.voucher(draft.voucher.number) for draft in valid)]
    refs += [ref for each in caps for ref in limit_refs(each)]
    locked = lock(session, valid[0].voucher.book_id, refs)
    room = Room(session, locked, caps)
    within = [draft if isinstance(draft, Refused) else _within(room, budget, draft) for draft in drafts]
    accepted = [draft for draft in within if isinstance(draft, _Draft)]
    opening = room.adjustments(actor, business_date(at)) if accepted else []
    events = [_event(budget, draft, actor, at) for draft in accepted]
    answers = iter(post_all(session, locked, [*opening, *events], at=at)[len(opening) :])
    results: list[Issued | Refused] = []
    issued: list[Voucher] = []
    for draft in within:
        if isinstance(draft, Refused):
            results.append(draft)
            continue
        answer = next(answers)
        if isinstance(answer, Rejected):
            results.append(refused(answer))
            continue
        issued.append(draft.voucher)
        results.append(Issued(draft.voucher.id, draft.voucher.number))
    session.add_all(issued)
    facts: list[tuple[str, dict[str, Fact]]] = [
        (voucher.number, {"face_fen": voucher.face_fen, "rule_version": voucher.policy_code})
        for voucher in issued
    ]
    journal.record(session, actor, "voucher.issue", facts, at=at)
    session.flush()
    tell(session, [_note(voucher) for voucher in issued], at=at)
    return results


def _within(room: Room, budget: accounts.Ref, draft: _Draft) -> _Draft | Refused:
    """The draft, if budget and cap leave its face after the drafts before it. A face is granted whole or not."""
    face_fen, left_fen = draft.voucher.face_fen, room.left(budget)
    if left_fen < face_fen:
        return Refused(Code.BUDGET_EXCEEDED, {"needed_fen": face_fen, "left_fen": left_fen})
    for each in draft.caps:
        cap = room.limit(each)
        if cap.available_fen < face_fen:
            facts: dict[str, Fact] = {**cap.facts(), "needed_fen": face_fen, "year": each.period}
            return Refused(Code.CAP_EXCEEDED, facts)
    for each in draft.caps:
        room.take(each.account, face_fen)
    room.take(budget, face_fen)
    return draft


def _event(budget: accounts.Ref, draft: _Draft, actor: Actor, at: datetime) -> Event:
    voucher = draft.voucher
    money = Leg(budget, accounts.voucher(voucher.number), voucher.face_fen)
    return Event(
        id=posting_id("issue", voucher.number),
        kind=PostingKind.ISSUE,
        legs=(money, *(leg for each in draft.caps for leg in charge_legs(each, voucher.face_fen))),
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version=voucher.policy_code,
        actor_ref=actor.ref,
    )


def _note(voucher: Voucher) -> Note:
    facts: dict[str, Fact] = {"face_fen": voucher.face_fen, "use_by_on": voucher.use_by.isoformat()}
    return Note(MessageEvent.VOUCHER_ISSUED, voucher.number, facts, holder_id=voucher.holder_id)
