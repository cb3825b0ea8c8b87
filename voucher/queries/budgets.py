"""Budget lines: what was appropriated, and where each fen of it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.ledger import Account, Book
from voucher.models.orders import Order
from voucher.models.people import Person
from voucher.models.programmes import BudgetDocument, BudgetLine, Programme
from voucher.models.vouchers import Voucher
from voucher.rules.permissions import Actor
from voucher.terms import OrderState

_HELD = (OrderState.HELD, OrderState.DELIVERED)
_REDEEMED = (OrderState.CAPTURED, OrderState.CLAIMED)
_APPROVED = (OrderState.APPROVED, OrderState.IN_BATCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStanding:
    """Where the money of a budget line is. funded = available + on_vouchers + held + in_orders + payable + paid
    (+ what lapsed, or was allotted to or from other lines)."""

    code: str
    name: str
    year: int
    programme_code: str
    programme_name: str
    book_id: int
    account_id: int
    closed_on: date | None
    funded_fen: int
    issued_fen: int
    available_fen: int
    on_vouchers_fen: int
    held_fen: int
    in_orders_fen: int
    payable_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """An appropriation document on a line."""

    document_no: str
    amount_fen: int
    funded_by: str
    funded_at: datetime


@dataclass(frozen=True, slots=True)
class BudgetFile:
    """A line with the documents that funded it."""

    standing: LineStanding
    documents: Sequence[DocumentLine]


def programmes(session: Session, actor: Actor) -> list[Programme]:
    """The programmes of the actor's books."""
    query = select(Programme).where(Programme.book_id.in_(actor.book_ids)).order_by(Programme.code)
    return list(session.scalars(query))


def books(session: Session, actor: Actor) -> list[Book]:
    """The actor's books."""
    return list(session.scalars(select(Book).where(Book.book_id.in_(actor.book_ids)).order_by(Book.code)))


def budget_lines(session: Session, actor: Actor, *, year: int | None = None) -> list[LineStanding]:
    """Every line of the actor's books with its figures, of one fiscal year or of all."""
    query = _lines(actor).order_by(BudgetLine.year.desc(), BudgetLine.code)
    if year is not None:
        query = query.where(BudgetLine.year == year)
    return _standings(session, query)


def budget_file(session: Session, actor: Actor, code: str) -> BudgetFile | None:
    """A line of the actor's books; None for another's."""
    found = _standings(session, _lines(actor).where(BudgetLine.code == code))
    if not found:
        return None
    documents = session.execute(
        select(BudgetDocument.document_no, BudgetDocument.amount_fen, Person.name, BudgetDocument.funded_at)
        .join(BudgetLine, BudgetLine.id == BudgetDocument.budget_line_id)
        .join(Person, Person.id == BudgetDocument.funded_by)
        .where(BudgetLine.code == code)
        .order_by(BudgetDocument.id)
    )
    return BudgetFile(found[0], [DocumentLine(*row) for row in documents])


def budget_years(session: Session, actor: Actor) -> list[int]:
    """The fiscal years that have lines, newest first."""
    query = (
        select(BudgetLine.year)
        .join(Programme, Programme.code == BudgetLine.programme_code)
        .where(Programme.book_id.in_(actor.book_ids))
        .distinct()
        .order_by(BudgetLine.year.desc())
    )
    return list(session.scalars(query))


def _lines(actor: Actor) -> Select[BudgetLine, Programme]:
    query = select(BudgetLine, Programme).join(Programme, Programme.code == BudgetLine.programme_code)
    return query.where(Programme.book_id.in_(actor.book_ids))


def _standings(session: Session, query: Select[BudgetLine, Programme]) -> list[LineStanding]:
    rows = session.execute(query).all()
    ids = [line.id for line, _ in rows]
    funded = _sums(session, BudgetDocument.budget_line_id, func.sum(BudgetDocument.amount_fen), ids)
    issued = _sums(session, Voucher.budget_line_id, func.sum(Voucher.face_fen), ids)
    on_vouchers = _on_vouchers(session, ids)
    orders = _orders(session, ids)
    found = []
    for line, programme in rows:
        budget = accounts.budget(line.code, line.year)
        used = orders.get(line.id, (0, 0, 0, 0))
        found.append(
            LineStanding(
                code=line.code,
                name=line.name,
                year=line.year,
                programme_code=programme.code,
                programme_name=programme.name,
                book_id=programme.book_id,
                account_id=budget.id,
                closed_on=line.closed_on,
                funded_fen=funded.get(line.id, 0),
                issued_fen=issued.get(line.id, 0),
                available_fen=standings(session, programme.book_id, [budget])[budget].available_fen,
                on_vouchers_fen=on_vouchers.get(line.id, 0),
                held_fen=used[0],
                in_orders_fen=used[1],
                payable_fen=used[2],
                paid_fen=used[3],
            )
        )
    return found


def _sums(session: Session, key: Any, amount: Any, ids: Sequence[int]) -> dict[int, int]:
    query = select(key, amount).where(key.in_(ids)).group_by(key)
    return {line: int(total) for line, total in session.execute(query)}


def _on_vouchers(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """What vouchers of these lines still have available."""
    left = Account.credits_posted - Account.debits_posted - Account.debits_pending
    query = (
        select(Voucher.budget_line_id, func.sum(left))
        .join(
            Account,
            (Account.book_id == Voucher.book_id)
            & (Account.code == "voucher")
            & (Account.owner_ref == Voucher.number),
        )
        .where(Voucher.budget_line_id.in_(ids))
        .group_by(Voucher.budget_line_id)
    )
    return {line: int(total) for line, total in session.execute(query)}


def _orders(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int, int, int]]:
    """On hold, in orders, payable and paid, of the orders on vouchers of these lines."""

    def within(states: Sequence[OrderState], amount: Any) -> Any:
        inside = Order.state.in_([state.value for state in states])
        return func.coalesce(func.sum(case((inside, amount), else_=0)), 0)

    query = (
        select(
            Voucher.budget_line_id,
            within(_HELD, Order.held_fen),
            within(_REDEEMED, Order.captured_fen) + within(_APPROVED, Order.approved_fen),
            within((OrderState.SETTLED,), Order.approved_fen),
            within((OrderState.PAID,), Order.approved_fen),
        )
        .join(Order, Order.voucher_id == Voucher.id)
        .where(Voucher.budget_line_id.in_(ids))
        .group_by(Voucher.budget_line_id)
    )
    return {row[0]: (int(row[1]), int(row[2]), int(row[3]), int(row[4])) for row in session.execute(query)}
