"""Reminding people of what runs out (临期提醒): three working days before, and one, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, day_bounds
from voucher.errors import Fact
from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.claims import Claim
from voucher.models.contracts import Instalment
from voucher.models.disputes import Dispute
from voucher.models.orders import Order
from voucher.models.review import ClaimReturn
from voucher.models.vouchers import Voucher
from voucher.operations.centre_reminders import order_reminders, report_reminders
from voucher.operations.deadlines import calendar_from
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules.validity import redeem_by
from voucher.rules.working_days import Calendar, add_working_days, working_days_between
from voucher.terms import ClaimState, InstalmentState, MessageEvent, OrderState, VoucherState

AHEAD: Final = (1, 3)
_HOLDING = (OrderState.HELD.value, OrderState.DELIVERED.value)


@dataclass(frozen=True, slots=True)
class _Window:
    """Today, and the last days that are one and three working days ahead."""

    today: date
    calendar: Calendar

    @property
    def last_on(self) -> date:
        return add_working_days(self.calendar, self.today, max(AHEAD))

    def note(
        self,
        event: MessageEvent,
        subject: str,
        due: tuple[str, date],
        *,
        holder_id: int | None = None,
        platform_id: int | None = None,
    ) -> Note:
        """The reminder for the nearest of the two marks that the day is within."""
        name, due_on = due
        near = next(ahead for ahead in AHEAD if due_on <= add_working_days(self.calendar, self.today, ahead))
        days = working_days_between(self.calendar, self.today, due_on)
        facts: Mapping[str, Fact] = {name: due_on.isoformat(), "days": days}
        once = f"{due_on.isoformat()}:{near}"
        return Note(event, subject, facts, holder_id=holder_id, platform_id=platform_id, once=once)


def remind(session: Session, *, at: datetime) -> int:
    """Tell of every complete-by, use-by, redeem-by, mending, confirming and settling day, report of a centre and order to put right up to three working days ahead.

    Once when three working days are left and once when one is; run again it tells nothing anew. Returns the number
    of messages.
    """
    today = business_date(at)
    window = _Window(today, calendar_from(session, today))
    notes = [
        *_orders(session, window),
        *_instalments(session, window),
        *_disputes(session, window),
        *_vouchers(session, window),
        *_captured(session, window),
        *_claims(session, window),
        *report_reminders(session, today=today, calendar=window.calendar),
        *order_reminders(session, today=today, calendar=window.calendar),
    ]
    return tell(session, notes, at=at)


def _orders(session: Session, window: _Window) -> Iterable[Note]:
    due = Order.complete_by.between(window.today, window.last_on)
    query = select(Order).where(Order.state.in_(_HOLDING), due).order_by(Order.id)
    for order in session.scalars(query):
        if order.complete_by is not None:
            yield window.note(
                MessageEvent.COMPLETE_BY_NEAR,
                order.number,
                ("complete_by_on", order.complete_by),
                holder_id=order.holder_id,
                platform_id=order.platform_id,
            )
    asked = Order.confirm_by.between(window.today, window.last_on)
    query = select(Order).where(Order.state == OrderState.DELIVERED.value, asked).order_by(Order.id)
    for order in session.scalars(query):
        if order.confirm_by is not None:
            yield window.note(
                MessageEvent.CONFIRM_NEAR,
                order.number,
                ("due_on", order.confirm_by),
                holder_id=order.holder_id,
            )


def _instalments(session: Session, window: _Window) -> Iterable[Note]:
    """Parts of held orders that are to be delivered."""
    query = (
        select(Instalment, Order)
        .join(Order, Order.id == Instalment.order_id)
        .where(
            Instalment.state == InstalmentState.PLANNED.value,
            Instalment.due_on.between(window.today, window.last_on),
            Order.state == OrderState.HELD.value,
        )
        .order_by(Instalment.id)
    )
    for row, order in session.execute(query):
        due = ("due_on", row.due_on)
        note = window.note(MessageEvent.INSTALMENT_NEAR, order.number, due, platform_id=order.platform_id)
        facts = {**note.facts, "title": row.title}
        yield replace(note, facts=facts, once=f"{row.position}:{note.once}")


def _disputes(session: Session, window: _Window) -> Iterable[Note]:
    """Open disputes that the sides have a few days left to settle."""
    query = (
        select(Dispute.settle_by, Order)
        .join(Order, Order.id == Dispute.order_id)
        .where(Dispute.outcome.is_(None), Dispute.settle_by.between(window.today, window.last_on))
        .order_by(Dispute.id)
    )
    for settle_by, order in session.execute(query):
        if settle_by is not None:
            yield window.note(
                MessageEvent.DISPUTE_NEAR,
                order.number,
                ("settle_by_on", settle_by),
                holder_id=order.holder_id,
                platform_id=order.platform_id,
            )


def _vouchers(session: Session, window: _Window) -> Iterable[Note]:
    """Live vouchers that have something left."""
    due = Voucher.use_by.between(window.today, window.last_on)
    query = select(Voucher).where(Voucher.state == VoucherState.LIVE.value, due).order_by(Voucher.id)
    by_book: dict[int, list[Voucher]] = {}
    for voucher in session.scalars(query):
        by_book.setdefault(voucher.book_id, []).append(voucher)
    for book_id, vouchers in sorted(by_book.items()):
        left = standings(session, book_id, [accounts.voucher(voucher.number) for voucher in vouchers])
        for voucher in vouchers:
            if left[accounts.voucher(voucher.number)].available_fen:
                due_on = ("use_by_on", voucher.use_by)
                yield window.note(
                    MessageEvent.USE_BY_NEAR, voucher.number, due_on, holder_id=voucher.holder_id
                )


def _captured(session: Session, window: _Window) -> Iterable[Note]:
    """Captured orders that nobody has claimed the money for."""
    captured = Order.state == OrderState.CAPTURED.value
    codes = session.scalars(select(Order.policy_code).where(captured).distinct()).all()
    for code, policy in sorted(policies_of(session, codes).items()):
        if policy.redeem_by_days is None:
            continue
        first, last = (day - timedelta(days=policy.redeem_by_days) for day in (window.today, window.last_on))
        since, until = day_bounds(first)[0], day_bounds(last)[1]
        query = select(Order).where(captured, Order.policy_code == code, Order.captured_at >= since)
        for order in session.scalars(query.where(Order.captured_at < until).order_by(Order.id)):
            if order.captured_at is not None:
                due_on = ("redeem_by_on", redeem_by(policy, business_date(order.captured_at)))
                yield window.note(
                    MessageEvent.REDEEM_BY_NEAR, order.number, due_on, holder_id=order.holder_id
                )


def _claims(session: Session, window: _Window) -> Sequence[Note]:
    """Claims to be mended, for whoever claims; claims to be confirmed, for the other side."""
    mended = (
        select(Claim, Order, ClaimReturn.due_on)
        .join(Order, Order.id == Claim.order_id)
        .join(ClaimReturn, ClaimReturn.claim_id == Claim.id)
        .where(
            Claim.state == ClaimState.RETURNED.value,
            ClaimReturn.answered_at.is_(None),
            ClaimReturn.due_on.between(window.today, window.last_on),
        )
    )
    awaited = (
        select(Claim, Order, Claim.confirm_by)
        .join(Order, Order.id == Claim.order_id)
        .where(
            Claim.state == ClaimState.AWAITING.value,
            Claim.confirm_by.between(window.today, window.last_on),
        )
    )
    notes = []
    for event, query, other_side in (
        (MessageEvent.DEFECTS_NEAR, mended, False),
        (MessageEvent.CONFIRM_NEAR, awaited, True),
    ):
        for claim, order, due_on in session.execute(query.order_by(Claim.id)):
            if due_on is None:
                continue
            platform = claim.by_platform is not other_side
            notes.append(
                window.note(
                    event,
                    claim.number,
                    ("due_on", due_on),
                    holder_id=None if platform else order.holder_id,
                    platform_id=order.platform_id if platform else None,
                )
            )
    return notes
