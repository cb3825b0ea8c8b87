"""What time, the holder or the authority takes back of vouchers: expire, give back, revoke (domain 3.3 step 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.capture import release
from voucher.operations.charges import refs_of, return_legs
from voucher.operations.find import budget_lines
from voucher.operations.outcome import Refused, refused
from voucher.operations.tell import Note, tell
from voucher.operations.tenant_returns import VoucherAllotments
from voucher.rules import lifecycle
from voucher.rules.lifecycle import next_state
from voucher.rules.permissions import Actor
from voucher.terms import MessageEvent, OrderState, PostingKind, VoucherState

_WAITING = (OrderState.PLACED.value, OrderState.ACCEPTED.value)
_HOLDING = (OrderState.HELD.value, OrderState.DELIVERED.value)
_KINDS = {
    lifecycle.Event.EXPIRE: PostingKind.EXPIRE,
    lifecycle.Event.GIVE_BACK: PostingKind.GIVE_BACK,
    lifecycle.Event.REVOKE: PostingKind.REVOKE,
}


@dataclass(frozen=True, slots=True)
class TakeBackRequest:
    """A voucher that its holder gives back or the authority revokes, and why."""

    voucher_number: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The voucher after it, and what went back to the budget (or lapsed), in fen."""

    voucher_number: str
    state: VoucherState
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a long run: what was due before the day `on`, from the row behind `after`, at most `limit` rows."""

    on: date
    after: int = 0
    limit: int = 500


@dataclass(frozen=True, slots=True)
class Step:
    """What a part of a run did: how many rows it saw and changed, and `after` for the next (None: that was all)."""

    seen: int
    done: int
    after: int | None


@dataclass(frozen=True, slots=True)
class _Cause:
    event: lifecycle.Event
    actor: Actor
    at: datetime

    def bars(self, voucher: Voucher, left_fen: int, held_fen: int) -> Refused | None:
        """Why the voucher cannot be taken back: money on hold; given back by its holder, that a part was used."""
        if held_fen:
            return Refused(Code.VOUCHER_NOT_USABLE, {"state": "held", "held_fen": held_fen})
        used_fen = voucher.face_fen - left_fen
        if self.event is lifecycle.Event.GIVE_BACK and used_fen:
            return Refused(Code.VOUCHER_NOT_USABLE, {"state": "used", "used_fen": used_fen})
        return None

    def posting(
        self, voucher: Voucher, line: BudgetLine, amount_fen: int, *, first: tuple[Leg, ...]
    ) -> Event:
        return Event(
            id=posting_id(self.event.value, voucher.number),
            kind=_KINDS[self.event],
            legs=(*first, *return_legs(voucher, line, amount_fen)),
            fiscal_year=fiscal_year(self.at),
            event_on=business_date(self.at),
            rule_version=voucher.policy_code,
            actor_ref=self.actor.ref,
        )


def expire_vouchers(session: Session, part: Slice, *, actor: Actor, at: datetime) -> Step:
    """Expire live vouchers whose last day was before `part.on`: what is left goes to the budget line of issue.

    From a closed line it lapses. A voucher with an open hold is passed over and found by the next run; one that
    somebody works on is passed over too. Orders on it that hold nothing yet expire with it. To be called with the
    `after` of the step before until that is None; done again it finds nothing to do. Raises `Refusal`
    (`period_closed`) where the book's day is closed.
    """
    due = (Voucher.use_by < part.on) & (Voucher.state == VoucherState.LIVE.value) & (Voucher.id > part.after)
    found = _vouchers(session, due, limit=part.limit)
    cause, done = _Cause(lifecycle.Event.EXPIRE, actor, at), 0
    for book_id in sorted({voucher.book_id for voucher in found}):
        vouchers = [voucher for voucher in found if voucher.book_id == book_id]
        results = _take(session, cause, [(voucher, "use_by") for voucher in vouchers])
        done += sum(isinstance(result, TakenBack) for result in results)
    return Step(len(found), done, found[-1].id if len(found) == part.limit else None)


def expire_of_line(session: Session, line_id: int, part: Slice, *, actor: Actor, at: datetime) -> Step:
    """Expire the live vouchers of one budget line, whatever their last day: what a decision of the year's end takes back.

    Vouchers with an open hold, or in somebody's hands, are passed over. To be called like `expire_vouchers`.
    """
    mine = Voucher.budget_line_id == line_id
    due = mine & (Voucher.state == VoucherState.LIVE.value) & (Voucher.id > part.after)
    found = _vouchers(session, due, limit=part.limit)
    cause, done = _Cause(lifecycle.Event.EXPIRE, actor, at), 0
    if found:
        results = _take(session, cause, [(voucher, "year_end") for voucher in found])
        done = sum(isinstance(result, TakenBack) for result in results)
    return Step(len(found), done, found[-1].id if len(found) == part.limit else None)


def expire_orders(session: Session, part: Slice, *, actor: Actor, at: datetime) -> Step:
    """Expire held orders whose complete-by day was before `part.on`: every reserved leg is given back.

    To be called like `expire_vouchers`, and before it, so that a voucher whose hold ends expires the same night.
    """
    due = (Order.complete_by < part.on) & Order.state.in_(_HOLDING) & (Order.id > part.after)
    query = select(Order).where(due).order_by(Order.id).limit(part.limit)
    query = query.with_for_update(of=Order, skip_locked=True)
    found = list(session.scalars(query.execution_options(populate_existing=True)))
    done: list[tuple[str, dict[str, Fact]]] = []
    held = {order.number: order.held_fen for order in found}
    for answer in release(session, found, state=OrderState.EXPIRED, actor=actor, at=at) if found else []:
        if isinstance(answer, Refused):
            raise Refusal(answer.code, **answer.facts)
        answer.close_reason = "complete_by"
        done.append((answer.number, {"released_fen": held[answer.number]}))
    journal.record(session, actor, "order.expire", done, at=at)
    session.flush()
    notes = [
        Note(
            MessageEvent.ORDER_EXPIRED, order.number, holder_id=order.holder_id, platform_id=order.platform_id
        )
        for order in found
    ]
    tell(session, notes, at=at)
    return Step(len(found), len(done), found[-1].id if len(found) == part.limit else None)


def give_back(
    session: Session, requests: Sequence[TakeBackRequest], *, actor: Actor, at: datetime
) -> list[TakenBack | Refused]:
    """The holder gives unused vouchers back (退券): the face returns to the budget, the voucher is RETURNED.

    Refused, alone: not the actor's (`not_found`), no longer live (`state_changed`), money of it on hold or used
    (`voucher_not_usable`), a closed period (`period_closed`).
    """
    mine = Voucher.holder_id.in_(select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids)))
    named = Voucher.number.in_({request.voucher_number for request in requests})
    found = _vouchers(session, named & mine)
    return _one_by_one(session, _Cause(lifecycle.Event.GIVE_BACK, actor, at), requests, found)


def revoke(
    session: Session, requests: Sequence[TakeBackRequest], *, actor: Actor, at: datetime
) -> list[TakenBack | Refused]:
    """The authority revokes vouchers of its books (撤销). Refused, alone: as `give_back`, and `reason_missing`."""
    named = Voucher.number.in_({request.voucher_number for request in requests})
    found = _vouchers(session, named & Voucher.book_id.in_(actor.book_ids))
    return _one_by_one(session, _Cause(lifecycle.Event.REVOKE, actor, at), requests, found)


def _vouchers(session: Session, condition: ColumnElement[bool], *, limit: int | None = None) -> list[Voucher]:
    """Vouchers locked FOR UPDATE in id order; of a limited run, those that nobody works on."""
    query = select(Voucher).where(condition).order_by(Voucher.id).limit(limit)
    query = query.with_for_update(of=Voucher, skip_locked=limit is not None)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _one_by_one(
    session: Session, cause: _Cause, requests: Sequence[TakeBackRequest], found: Sequence[Voucher]
) -> list[TakenBack | Refused]:
    by_number = {voucher.number: voucher for voucher in found}
    results: list[TakenBack | Refused] = []
    for request in requests:
        voucher = by_number.get(request.voucher_number)
        try:
            if voucher is None:
                raise Refusal(Code.NOT_FOUND, voucher=request.voucher_number)
            if cause.event is lifecycle.Event.REVOKE and not request.reason.strip():
                raise Refusal(Code.REASON_MISSING)
            next_state(VoucherState(voucher.state), cause.event)
            results += _take(session, cause, [(voucher, request.reason.strip())])
        except Refusal as refusal:
            results.append(refused(refusal))
    return results


def _take(
    session: Session, cause: _Cause, vouchers: Sequence[tuple[Voucher, str]]
) -> list[TakenBack | Refused]:
    """Take back what is left of locked, live vouchers of one book, each with its reason.

    One with an open hold is refused alone (`voucher_not_usable`); a closed period refuses all (raised).
    """
    lines, allots = (
        budget_lines(session, [row.budget_line_id for row, _ in vouchers]),
        _allots(session, vouchers),
    )
    refs = [
        ref
        for voucher, _ in vouchers
        for ref in refs_of(return_legs(voucher, lines[voucher.budget_line_id], 1))
    ]
    locked = lock(session, vouchers[0][0].book_id, [*refs, *allots.refs])
    left = {voucher.id: allots.left(locked, voucher) for voucher, _ in vouchers}
    held = {voucher.id: allots.held(locked, voucher) for voucher, _ in vouchers}
    back = {voucher.id: allots.legs(locked, voucher) for voucher, _ in vouchers}
    events = [
        cause.posting(voucher, lines[voucher.budget_line_id], left[voucher.id], first=back[voucher.id])
        for voucher, _ in vouchers
        if left[voucher.id] and cause.bars(voucher, left[voucher.id], held[voucher.id]) is None
    ]
    for answer in post(session, locked, events, at=cause.at) if events else []:
        if isinstance(answer, Rejected):
            raise Refusal(answer.code, **answer.facts)
    results: list[TakenBack | Refused] = []
    for voucher, reason in vouchers:
        barred = cause.bars(voucher, left[voucher.id], held[voucher.id])
        if barred is not None:
            results.append(barred)
            continue
        voucher.state = next_state(VoucherState(voucher.state), cause.event).value
        voucher.state_reason = reason[:200]
        allots.end(voucher, back[voucher.id])
        results.append(TakenBack(voucher.number, VoucherState(voucher.state), Fen(left[voucher.id])))
    _end_waiting_orders(session, cause, [voucher.id for voucher, _ in vouchers])
    done = [result for result in results if isinstance(result, TakenBack)]
    notes: list[tuple[str, dict[str, Fact]]] = [
        (result.voucher_number, {"amount_fen": result.amount_fen}) for result in done
    ]
    journal.record(session, cause.actor, f"voucher.{cause.event.value}", notes, at=cause.at)
    session.flush()
    if cause.event is lifecycle.Event.EXPIRE:
        _tell(session, [row for row, _ in vouchers], done, at=cause.at)
    return results


def _tell(session: Session, vouchers: Sequence[Voucher], done: Sequence[TakenBack], *, at: datetime) -> None:
    ended = {result.voucher_number for result in done}
    said = [
        Note(MessageEvent.VOUCHER_EXPIRED, row.number, holder_id=row.holder_id)
        for row in vouchers
        if row.number in ended
    ]
    tell(session, said, at=at)


def _allots(session: Session, vouchers: Sequence[tuple[Voucher, str]]) -> VoucherAllotments:
    return VoucherAllotments(session, [voucher for voucher, _ in vouchers])


def _end_waiting_orders(session: Session, cause: _Cause, voucher_ids: Sequence[int]) -> None:
    """Orders that hold nothing yet end with their voucher: it can pay for none of them any more."""
    session.flush()
    ended = select(Voucher.id).where(Voucher.id.in_(voucher_ids), Voucher.state != VoucherState.LIVE.value)
    session.execute(
        update(Order)
        .where(Order.voucher_id.in_(ended), Order.state.in_(_WAITING))
        .values(state=OrderState.EXPIRED.value, closed_at=cause.at, close_reason=cause.event.value)
        .execution_options(synchronize_session=False)
    )
