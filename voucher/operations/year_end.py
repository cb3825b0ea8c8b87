"""A budget line when its year is over: carried to the next year or lapsed, by the decision of two persons (年终结转)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.year_ends import YearEnd, YearEndAnswer
from voucher.money import Fen
from voucher.operations.expire import Slice, expire_of_line
from voucher.operations.journal import record
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell_second import Waiting, tell_second
from voucher.rules.permissions import Actor
from voucher.terms import LiveVouchers, PostingKind, ProposalKind, YearEndAction


@dataclass(frozen=True, slots=True)
class YearEndRequest:
    """What is proposed for a line, by which document. `to_code`: the line that takes what is carried; else empty."""

    line_code: str
    action: YearEndAction
    document_no: str
    vouchers: LiveVouchers = LiveVouchers.KEEP
    to_code: str = ""


@dataclass(frozen=True, slots=True)
class YearEndReply:
    """The other person's answer for a line: to which proposal, and the amount that was left on it when they saw it."""

    line_code: str
    amount_fen: Fen
    approved: bool
    proposal_id: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How many vouchers a part took back, and whether the line is closed now; what was moved, in fen, if it is."""

    line_code: str
    fallen: int
    closed: bool
    moved_fen: Fen


def propose_year_end(
    session: Session, requests: Sequence[YearEndRequest], *, actor: Actor, at: datetime
) -> list[YearEnd | Refused]:
    """Propose what becomes of lines whose year is over; another person answers. Nothing is posted.

    Refused, alone: a line, or a line to carry to, that is not there, not in the actor's books, of another programme,
    closed or not of the following year (`not_found`); a line that is closed (`period_closed`); a year that is not over
    (`period_not_over`); a proposal that is still to be answered or carried out (`state_changed`); one that was approved
    and cannot be carried out, for the line to carry to has closed meanwhile, gives way to another.
    """
    answers: list[YearEnd | Refused] = []
    for request in requests:
        try:
            answers.append(_propose(session, request, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def answer_year_end(
    session: Session, replies: Sequence[YearEndReply], *, actor: Actor, at: datetime
) -> list[YearEndAnswer | Refused]:
    """Approve or refuse open proposals. Approved, `apply_year_end` carries them out; a refused one stays on record.

    Refused, alone: no open proposal (`not_found`), one's own (`self_approval`), another proposal or another amount
    than was seen (`state_changed`).
    """
    answers: list[YearEndAnswer | Refused] = []
    for reply in replies:
        try:
            answers.append(_answer(session, reply, actor=actor, at=at))
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def apply_year_end(
    session: Session, line_code: str, *, actor: Actor, at: datetime, limit: int = 500
) -> Ended:
    """Carry out the approved decision of a line, a part at a time: take back vouchers, then move what is left and close.

    budget(Y) → budget of the next year's line, or → lapsed(Y); the line is closed on this day. What vouchers and orders
    give back later goes through the closed line to lapsed. To be called until it says that the line is closed; again
    it changes nothing. Refused: `not_found` without an approved decision, `period_closed` on a closed day, or where the
    line to carry to has closed meanwhile: another decision is then proposed.
    """
    line, book_id = _line(session, line_code, actor)
    decision, answer = _latest(session, line)
    if decision is None or answer is None or not answer.approved:
        raise Refusal(Code.NOT_FOUND, budget_line=line_code)
    if line.closed_on is not None:
        return Ended(line.code, 0, True, Fen(0))
    to = None if decision.to_line_id is None else _target_now(session, decision.to_line_id)
    if to is not None and to.closed_on is not None:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=to.closed_on.isoformat())
    fallen = 0
    after: int | None = 0 if decision.vouchers == LiveVouchers.FALL.value else None
    while after is not None:
        if fallen >= limit:
            return Ended(line.code, fallen, False, Fen(0))
        part = Slice(business_date(at), after, limit)
        step = expire_of_line(session, line.id, part, actor=actor, at=at)
        fallen, after = fallen + step.done, step.after
    moved = _move(session, (line, book_id), (decision, to), actor=actor, at=at)
    line.closed_on = business_date(at)
    session.flush()
    facts: dict[str, Fact] = {
        "action": decision.action,
        "amount_fen": moved,
        "document_no": decision.document_no,
    }
    record(session, actor, "budget.close", [(f"budget:{line.code}", facts)], at=at)
    return Ended(line.code, fallen, True, moved)


def approved_year_ends(session: Session) -> list[str]:
    """The codes of lines whose latest decision is approved and not carried out yet, of all books."""
    latest = select(func.max(YearEnd.id)).group_by(YearEnd.budget_line_id)
    query = (
        select(BudgetLine.code)
        .join(YearEnd, YearEnd.budget_line_id == BudgetLine.id)
        .join(YearEndAnswer, YearEndAnswer.id == YearEnd.id)
        .where(YearEnd.id.in_(latest), YearEndAnswer.approved.is_(True), BudgetLine.closed_on.is_(None))
        .order_by(BudgetLine.id)
    )
    return list(session.scalars(query))


def _propose(session: Session, request: YearEndRequest, *, actor: Actor, at: datetime) -> YearEnd:
    line, book_id = _line(session, request.line_code, actor)
    if line.closed_on is not None:
        raise Refusal(Code.PERIOD_CLOSED, closed_through=line.closed_on.isoformat())
    if fiscal_year(at) <= line.year:
        raise Refusal(Code.PERIOD_NOT_OVER, through=f"{line.year}-12-31")
    decision, answer = _latest(session, line)
    if decision is not None and _stands(session, decision, answer):
        raise Refusal(Code.STATE_CHANGED, budget_line=line.code)
    row = YearEnd(
        budget_line_id=line.id,
        action=request.action.value,
        to_line_id=_target(session, line, request),
        vouchers=request.vouchers.value,
        document_no=request.document_no,
        amount_fen=_left(session, line, book_id),
        proposed_by=actor.person_id,
        proposed_at=at,
    )
    session.add(row)
    session.flush()
    facts: dict[str, Fact] = {"action": row.action, "vouchers": row.vouchers, "document_no": row.document_no}
    record(session, actor, "budget.propose_close", [(f"budget:{line.code}", facts)], at=at)
    title = f"{line.name}：{request.action.label}"
    waiting = Waiting(
        ProposalKind.YEAR_END, line.code, row.id, title, book_id=book_id, where={"line": line.code}
    )
    tell_second(session, waiting, actor=actor, at=at)
    return row


def _target(session: Session, line: BudgetLine, request: YearEndRequest) -> int | None:
    if request.action is YearEndAction.LAPSE:
        return None
    query = select(BudgetLine).where(
        BudgetLine.code == request.to_code,
        BudgetLine.programme_code == line.programme_code,
        BudgetLine.year == line.year + 1,
        BudgetLine.closed_on.is_(None),
    )
    target = session.scalars(query).one_or_none()
    if target is None:
        raise Refusal(Code.NOT_FOUND, budget_line=request.to_code)
    return target.id


def _answer(session: Session, reply: YearEndReply, *, actor: Actor, at: datetime) -> YearEndAnswer:
    line, book_id = _line(session, reply.line_code, actor)
    decision, answer = _latest(session, line)
    if decision is None or answer is not None:
        raise Refusal(Code.NOT_FOUND, budget_line=reply.line_code)
    if decision.proposed_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, budget_line=line.code)
    if decision.id != reply.proposal_id:
        raise Refusal(Code.STATE_CHANGED, budget_line=line.code)
    left = _left(session, line, book_id)
    if reply.approved and left != reply.amount_fen:
        raise Refusal(Code.STATE_CHANGED, budget_line=line.code, left_fen=left)
    row = YearEndAnswer(
        id=decision.id,
        approved=reply.approved,
        amount_fen=left,
        proposed_by=decision.proposed_by,
        decided_by=actor.person_id,
        decided_at=at,
    )
    session.add(row)
    session.flush()
    action = "budget.approve_close" if reply.approved else "budget.refuse_close"
    record(session, actor, action, [(f"budget:{line.code}", {"amount_fen": left})], at=at)
    return row


def _line(session: Session, code: str, actor: Actor) -> tuple[BudgetLine, int]:
    """A line of the actor's books (of any book for the system), locked, and its book."""
    query = (
        select(BudgetLine, Programme.book_id)
        .join(Programme, Programme.code == BudgetLine.programme_code)
        .where(BudgetLine.code == code)
        .with_for_update(of=BudgetLine, key_share=True)
        .execution_options(populate_existing=True)
    )
    if actor.person_id:
        query = query.where(Programme.book_id.in_(actor.book_ids))
    found = session.execute(query).one_or_none()
    if found is None:
        raise Refusal(Code.NOT_FOUND, budget_line=code)
    return found[0], found[1]


def _latest(session: Session, line: BudgetLine) -> tuple[YearEnd | None, YearEndAnswer | None]:
    answer = aliased(YearEndAnswer)
    query = (
        select(YearEnd, answer)
        .outerjoin(answer, answer.id == YearEnd.id)
        .where(YearEnd.budget_line_id == line.id)
        .order_by(YearEnd.id.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return (None, None) if found is None else (found[0], found[1])


def _left(session: Session, line: BudgetLine, book_id: int) -> Fen:
    ref = accounts.budget(line.code, line.year)
    return Fen(lock(session, book_id, [ref]).available(ref))


def _target_now(session: Session, line_id: int) -> BudgetLine:
    """The line that takes what is carried, locked: it may not close before the money is on it."""
    query = select(BudgetLine).where(BudgetLine.id == line_id).with_for_update(read=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _stands(session: Session, decision: YearEnd, answer: YearEndAnswer | None) -> bool:
    """Whether a proposal is still to be answered or carried out; one whose target has closed meanwhile is not."""
    if answer is None or not answer.approved or decision.to_line_id is None:
        return answer is None or answer.approved
    return _target_now(session, decision.to_line_id).closed_on is None


def _move(
    session: Session,
    owned: tuple[BudgetLine, int],
    decision: tuple[YearEnd, BudgetLine | None],
    *,
    actor: Actor,
    at: datetime,
) -> Fen:
    """Post all that is left on the line; nothing left: nothing is posted."""
    (line, book_id), (row, to) = owned, decision
    source = accounts.budget(line.code, line.year)
    kind, target = PostingKind.LAPSE, accounts.lapsed(line.year)
    if to is not None:
        kind, target = PostingKind.CARRY, accounts.budget(to.code, to.year)
    locked = lock(session, book_id, [source, target])
    left = Fen(locked.available(source))
    if not left:
        return left
    event = Event(
        id=posting_id("year_end", line.code, row.id),
        kind=kind,
        legs=(Leg(source, target, left),),
        fiscal_year=line.year,
        event_on=business_date(at),
        rule_version="",
        actor_ref=actor.ref,
    )
    (answer,) = post(session, locked, [event], at=at)
    if isinstance(answer, Rejected):
        raise Refusal(answer.code, **answer.facts)
    return left
