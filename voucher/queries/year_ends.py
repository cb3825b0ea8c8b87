"""The end of a budget year as finance sees it: decisions, the carry-over table (R19) and what expired (R16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Row, Select, cast, func, select
from sqlalchemy.orm import Session, aliased

from voucher.ledger import accounts
from voucher.models.ledger import Account, Book, Posting, Transfer
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.people import Person
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.vouchers import Voucher
from voucher.models.year_ends import YearEnd, YearEndAnswer
from voucher.queries.budgets import LineStanding, budget_lines
from voucher.queries.paging import Page, as_term, paged
from voucher.rules.permissions import Actor
from voucher.terms import LiveVouchers, OrderState, PostingKind, YearEndAction, YearEndState

_BACK = (PostingKind.EXPIRE, PostingKind.GIVE_BACK, PostingKind.REVOKE)
_DECIDED = {state.value for state in (OrderState.APPROVED, OrderState.IN_BATCH, OrderState.SETTLED)}
_OPEN = _DECIDED | {
    state.value
    for state in (
        OrderState.HELD, OrderState.DELIVERED, OrderState.DISPUTED, OrderState.CAPTURED, OrderState.CLAIMED,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal for a line with its answer, and how far it is."""

    row: YearEnd
    line_code: str
    to_code: str | None
    action: YearEndAction
    vouchers: LiveVouchers
    state: YearEndState
    proposer: str
    decider: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryRow:
    """A line in the carry-over table, in fen. `closing_fen` is what is with vouchers, orders and on the line still.

    `difference_fen` is opening and in less paid, lapsed, carried and closing: nothing, where the books tie out.
    """

    programme_name: str
    funder: str
    line_code: str
    line_name: str
    opening_fen: int
    in_fen: int
    paid_fen: int
    expired_fen: int
    lapsed_fen: int
    carried_fen: int
    closing_fen: int
    closed_on: date | None

    @property
    def difference_fen(self) -> int:
        """What does not tie out."""
        gone = self.paid_fen + self.lapsed_fen + self.carried_fen + self.closing_fen
        return self.opening_fen + self.in_fen - gone


def decisions(session: Session, actor: Actor, *, line_code: str = "") -> list[Decision]:
    """The decisions of the actor's books, the newest first."""
    decider, target = aliased(Person), aliased(BudgetLine)
    query = (
        select(YearEnd, YearEndAnswer, BudgetLine, target, Person.name, decider.name)
        .join(BudgetLine, BudgetLine.id == YearEnd.budget_line_id)
        .join(Programme, Programme.code == BudgetLine.programme_code)
        .join(Person, Person.id == YearEnd.proposed_by)
        .outerjoin(target, target.id == YearEnd.to_line_id)
        .outerjoin(YearEndAnswer, YearEndAnswer.id == YearEnd.id)
        .outerjoin(decider, decider.id == YearEndAnswer.decided_by)
        .where(Programme.book_id.in_(actor.book_ids))
        .order_by(YearEnd.id.desc())
    )
    if line_code:
        query = query.where(BudgetLine.code == line_code)
    rows: Sequence[Row[*tuple[Any, ...]]] = session.execute(query).all()
    return [
        Decision(
            row,
            line.code,
            to.code if to is not None else None,
            YearEndAction(row.action),
            LiveVouchers(row.vouchers),
            _state(answer, line, to),
            proposer,
            who,
            answer.decided_at if answer is not None else None,
        )
        for row, answer, line, to, proposer, who in rows
    ]


def _state(answer: YearEndAnswer | None, line: BudgetLine, to: BudgetLine | None) -> YearEndState:
    if answer is None:
        return YearEndState.PROPOSED
    if not answer.approved:
        return YearEndState.REFUSED
    if (
        to is not None
        and to.closed_on is not None
        and (line.closed_on is None or line.closed_on > to.closed_on)
    ):
        return YearEndState.OVERTAKEN
    return YearEndState.APPROVED if line.closed_on is None else YearEndState.DONE


def following_lines(session: Session, actor: Actor, line: LineStanding) -> list[LineStanding]:
    """The open lines of the same programme in the following year: to which money may be carried."""
    return [
        each
        for each in budget_lines(session, actor, year=line.year + 1)
        if each.programme_code == line.programme_code and each.closed_on is None
    ]


def carry_table(session: Session, actor: Actor, year: int) -> list[CarryRow]:
    """R19 年终结转表: every line of a year of the actor's books, from the ledger's own postings."""
    lines = budget_lines(session, actor, year=year)
    funders = {book.book_id: book.authority for book in session.scalars(select(Book))}
    moved = _moved(session, lines)
    paid, unpaid = _orders(session, lines)
    found = []
    for line in lines:
        flows = moved.get(line.account_id, {})
        found.append(
            CarryRow(
                programme_name=line.programme_name,
                funder=funders[line.book_id],
                line_code=line.code,
                line_name=line.name,
                opening_fen=flows.get("opening", 0),
                in_fen=flows.get("in", 0),
                paid_fen=paid.get(line.code, 0),
                expired_fen=flows.get("expired", 0),
                lapsed_fen=flows.get("lapsed", 0),
                carried_fen=flows.get("carried", 0),
                closing_fen=line.available_fen + line.on_vouchers_fen + unpaid.get(line.code, 0),
                closed_on=line.closed_on,
            )
        )
    return found


def _moved(session: Session, lines: Sequence[LineStanding]) -> dict[int, dict[str, int]]:
    """By account id of a line, what came in, was carried, lapsed and came back from vouchers."""
    ids = {accounts.budget(line.code, line.year).id for line in lines}
    books = {line.book_id for line in lines}
    found: dict[int, dict[str, int]] = {}
    for mine, other, sign in (
        (Transfer.credit_id, Transfer.debit_id, 1),
        (Transfer.debit_id, Transfer.credit_id, -1),
    ):
        query = (
            select(mine, Posting.kind, Account.code, func.sum(Transfer.amount))
            .join(Posting, (Posting.book_id == Transfer.book_id) & (Posting.id == Transfer.posting_id))
            .join(Account, (Account.book_id == Transfer.book_id) & (Account.id == other))
            .where(Transfer.book_id.in_(books), mine.in_(ids))
            .group_by(mine, Posting.kind, Account.code)
        )
        for account, kind, code, amount in session.execute(query) if lines else ():
            name = _flow(kind, code, sign)
            if name:
                flows = found.setdefault(account, {})
                flows[name] = flows.get(name, 0) + int(amount) * (sign if name == "in" else 1)
    return found


def _flow(kind: str, other: str, sign: int) -> str:
    """What a movement of a line's account is called in the table; empty: vouchers and orders say it themselves."""
    if kind == PostingKind.CARRY.value:
        return "opening" if sign > 0 else "carried"
    if sign < 0 and other == "lapsed":
        return "lapsed"
    if kind in (PostingKind.FUND.value, PostingKind.ALLOT.value, PostingKind.OVERBOOK.value):
        return "in"
    return "expired" if sign > 0 and kind in {each.value for each in _BACK} else ""


def _orders(session: Session, lines: Sequence[LineStanding]) -> tuple[dict[str, int], dict[str, int]]:
    """By code of a line what was paid, and what orders hold, captured or were granted and is not paid."""
    paid: dict[str, int] = {}
    unpaid: dict[str, int] = {}
    line_id = func.coalesce(Voucher.budget_line_id, Order.budget_line_id)
    query = (
        select(BudgetLine.code, Order.state, func.sum(Order.held_fen))
        .add_columns(func.sum(Order.captured_fen), func.sum(Order.approved_fen))
        .select_from(Order)
        .outerjoin(Voucher, Voucher.id == Order.voucher_id)
        .join(BudgetLine, BudgetLine.id == line_id)
        .where(BudgetLine.code.in_([line.code for line in lines]))
        .group_by(BudgetLine.code, Order.state)
    )
    for code, state, held, captured, approved in session.execute(query):
        if state == OrderState.PAID.value:
            paid[code] = paid.get(code, 0) + int(approved)
        elif state in _OPEN:
            amount = int(approved) if state in _DECIDED else int(held) + int(captured)
            unpaid[code] = unpaid.get(code, 0) + amount
    return paid, unpaid


@dataclass(frozen=True, slots=True)
class ExpiredRow:
    """A voucher of which something went back, in fen, and by what."""

    number: str
    holder: str
    face_fen: int
    use_by: date
    line_code: str
    kind: PostingKind
    returned_on: date
    returned_fen: int

    @property
    def used_fen(self) -> int:
        """What was used of it."""
        return self.face_fen - self.returned_fen


def expired_page(session: Session, actor: Actor, year: int, *, page: int) -> Page[ExpiredRow]:
    """R16 到期回收表: what vouchers of the actor's books gave back in a year, oldest voucher first."""
    return paged(session, _expired(actor, year), ExpiredRow, page=page)


def expired_rows(session: Session, actor: Actor, year: int) -> Iterator[ExpiredRow]:
    """All rows of the table, read as they are written out."""
    for row in session.execute(_expired(actor, year), execution_options={"yield_per": 1000}):
        yield ExpiredRow(*row)


def _expired(actor: Actor, year: int) -> Select[*tuple[Any, ...]]:
    kind = as_term(Posting.kind, PostingKind)
    return (
        select(Voucher.number, Holder.name, Voucher.face_fen, Voucher.use_by, BudgetLine.code)
        .add_columns(kind, Posting.event_on, cast(func.sum(Transfer.amount), BigInteger).label("returned"))
        .select_from(Voucher)
        .join(Holder, Holder.id == Voucher.holder_id)
        .join(BudgetLine, BudgetLine.id == Voucher.budget_line_id)
        .join(
            Account,
            (Account.book_id == Voucher.book_id)
            & (Account.code == "voucher")
            & (Account.owner_ref == Voucher.number),
        )
        .join(Transfer, (Transfer.book_id == Account.book_id) & (Transfer.debit_id == Account.id))
        .join(Posting, (Posting.book_id == Transfer.book_id) & (Posting.id == Transfer.posting_id))
        .where(
            Voucher.book_id.in_(actor.book_ids),
            Posting.kind.in_([each.value for each in _BACK]),
            Posting.fiscal_year == year,
        )
        .group_by(
            Voucher.id, Voucher.number, Holder.name, Voucher.face_fen, Voucher.use_by,
            BudgetLine.code, Posting.kind, Posting.event_on,
        )
        .order_by(Voucher.id)
    )  # fmt: skip
