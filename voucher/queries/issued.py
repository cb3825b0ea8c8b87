"""Vouchers as the authority sees them: every voucher of its books or regions, and what was done with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, SQLColumnExpression, and_, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.ledger import accounts
from voucher.models.ledger import Account
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.people import Person
from voucher.models.programmes import BudgetLine, Programme
from voucher.models.regions import Region
from voucher.models.tenancies import Allotment
from voucher.models.vouchers import Voucher
from voucher.queries.claims import Deed, history
from voucher.queries.housed import housed
from voucher.queries.paging import Page, as_term, holding, in_regions, paged
from voucher.queries.vouchers import VoucherView, of_allotment, view_of
from voucher.rules.permissions import Actor
from voucher.terms import HolderClass, OrderState, VoucherState

_THEIRS = aliased(Account)
"""The accounts of what a base allotted to its tenants."""


@dataclass(frozen=True, slots=True)
class VoucherFilter:
    """Which vouchers: in a state, naming this text (number, holder), of a budget line (empty: every one)."""

    state: VoucherState | None = None
    text: str = ""
    line_code: str = ""


@dataclass(frozen=True, slots=True)
class IssuedLine:
    """A voucher in a list; what is left of it, allotted to tenants and free, and on hold, in fen."""

    number: str
    state: VoucherState
    holder_name: str
    holder_ref: str
    line_code: str
    issued_at: datetime
    use_by: date
    face_fen: int
    left_fen: int
    allotted_fen: int
    held_fen: int


@dataclass(frozen=True, slots=True)
class OrderOf:
    """An order on a voucher."""

    number: str
    state: OrderState
    platform_name: str
    placed_at: datetime
    held_fen: int
    captured_fen: int
    approved_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFile:
    """A voucher with its figures, its orders and its history."""

    voucher: Voucher
    state: VoucherState
    holder_class: HolderClass
    programme_name: str
    line: BudgetLine
    issuer: str
    view: VoucherView
    account_id: int
    orders: Sequence[OrderOf]
    history: Sequence[Deed]


def issued_vouchers(
    session: Session, actor: Actor, wanted: VoucherFilter, *, page: int = 1
) -> Page[IssuedLine]:
    """The vouchers of the actor's books, or of holders in their regions; newest first."""
    pending = func.coalesce(Account.debits_pending, 0)
    left = func.coalesce(Account.credits_posted - Account.debits_posted - Account.debits_pending, 0)
    of_voucher = and_(
        Account.book_id == Voucher.book_id,
        Account.code == "voucher",
        Account.owner_ref == Voucher.number,
    )
    query = _seen(
        actor,
        Voucher.number,
        as_term(Voucher.state, VoucherState),
        Holder.name,
        Holder.ref,
        BudgetLine.code,
        Voucher.issued_at,
        Voucher.use_by,
        Voucher.face_fen,
        left,
        _of_tenants(_THEIRS.credits_posted - _THEIRS.debits_posted - _THEIRS.debits_pending),
        pending + _of_tenants(_THEIRS.debits_pending),
    ).outerjoin(Account, of_voucher)
    conditions: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        conditions.append(Voucher.state == wanted.state.value)
    if wanted.text:
        conditions.append(holding(wanted.text, Voucher.number, Holder.name, Holder.ref))
    if wanted.line_code:
        conditions.append(BudgetLine.code == wanted.line_code)
    return paged(session, query.where(*conditions).order_by(Voucher.id.desc()), IssuedLine, page=page)


def issued_file(session: Session, actor: Actor, number: str) -> IssuedFile | None:
    """One voucher of the actor's books or regions; None for another's."""
    row = session.execute(
        _seen(actor, Voucher, BudgetLine, Programme.name, Person.name)
        .join(Programme, Programme.code == Voucher.programme_code)
        .join(Person, Person.id == Voucher.issued_by)
        .where(Voucher.number == number)
    ).one_or_none()
    if row is None:
        return None
    voucher, line, programme_name, issuer = row
    ref = accounts.voucher(voucher.number)
    return IssuedFile(
        voucher=voucher,
        state=VoucherState(voucher.state),
        holder_class=HolderClass(voucher.holder_class),
        programme_name=programme_name,
        line=line,
        issuer=issuer,
        view=view_of(session, voucher),
        account_id=ref.id,
        orders=_orders(session, voucher.id),
        history=history(session, [voucher.number]),
    )


def _of_tenants(figure: SQLColumnExpression[int]) -> ColumnElement[int]:
    """A figure of the accounts of a voucher's allotments, summed to a whole number (PostgreSQL's sum is none)."""
    theirs = select(func.sum(figure)).select_from(Allotment).join(_THEIRS, of_allotment(_THEIRS))
    summed = func.coalesce(theirs.where(Allotment.voucher_id == Voucher.id).scalar_subquery(), 0)
    return cast(summed, BigInteger)


def _seen(actor: Actor, *columns: Any) -> Select[Any]:
    """These columns from the vouchers that the actor may see, with holder, region and budget line."""
    query: Select[Any] = (
        select(*columns)
        .select_from(Voucher)
        .join(Holder, Holder.id == Voucher.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .join(BudgetLine, BudgetLine.id == Voucher.budget_line_id)
    )
    return query.where(or_(Voucher.book_id.in_(actor.book_ids), in_regions(actor)))


def _orders(session: Session, voucher_id: int) -> list[OrderOf]:
    query = (
        select(
            Order.number,
            as_term(Order.state, OrderState),
            housed(),
            Order.placed_at,
            Order.held_fen,
            Order.captured_fen,
            Order.approved_fen,
        )
        .join(Platform.__table__, Platform.__table__.c.id == Order.platform_id)
        .where(Order.voucher_id == voucher_id)
        .order_by(Order.id.desc())
    )
    return [OrderOf(*row) for row in session.execute(query)]
