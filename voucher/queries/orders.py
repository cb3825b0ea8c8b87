"""Orders as their two sides see them: lists with filters, and one order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload

from voucher.clock import day_bounds
from voucher.errors import Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder, PayeeAccount, Platform
from voucher.models.regions import Region
from voucher.models.vouchers import Voucher
from voucher.queries.paging import Page, in_regions
from voucher.rules.contracts import contract_key
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, OrderState

IN_HAND = (OrderState.CAPTURED, OrderState.CLAIMED, OrderState.APPROVED)
"""Captured, and not in a batch yet: these a platform may still reverse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What a list is narrowed to. `text` is looked for in the order's, contract's and provider's own number."""

    state: str = ""
    text: str = ""
    voucher: str = ""
    platform_id: int | None = None
    since_on: date | None = None
    until_on: date | None = None


def holders_orders(
    session: Session, *, actor: Actor, wanted: OrderFilter, page: int = 1, per_page: int = 20
) -> Page[Order]:
    """Orders of the actor's organisations as holders, newest first."""
    return _page(session, _holders(actor), wanted, page=page, per_page=per_page)


def platforms_orders(
    session: Session, *, actor: Actor, wanted: OrderFilter, page: int = 1, per_page: int = 20
) -> Page[Order]:
    """Orders of the actor's platforms, newest first."""
    return _page(session, _platforms(actor), wanted, page=page, per_page=per_page)


def regions_orders(
    session: Session, *, actor: Actor, wanted: OrderFilter, page: int = 1, per_page: int = 20
) -> Page[Order]:
    """Orders at platforms of holders in the actor's regions, or in the actor's books, newest first."""
    return _page(session, _regions(actor), wanted, page=page, per_page=per_page)


def regions_order(session: Session, number: str, *, actor: Actor) -> Order | None:
    """One order at a platform of a holder in the actor's regions, or in the actor's books; None for another's."""
    return _one(session, number, _regions(actor))


def holders_order(session: Session, number: str, *, actor: Actor) -> Order | None:
    """One order of the actor's organisations as holders; None for another's, or none."""
    return _one(session, number, _holders(actor))


def platforms_order(session: Session, number: str, *, actor: Actor) -> Order | None:
    """One order of the actor's platforms; None for another's, or none."""
    return _one(session, number, _platforms(actor))


def either_sides_order(session: Session, number: str, *, actor: Actor) -> Order | None:
    """One order in which the actor is holder or platform; None for another's, or none."""
    return _one(session, number, or_(_holders(actor), _platforms(actor)))


def latest_captured(session: Session, *, actor: Actor, limit: int = 5) -> list[Order]:
    """The last captured orders of the actor's platforms that no batch has taken yet, newest first."""
    query = (
        _orders()
        .where(_platforms(actor), Order.state.in_([state.value for state in IN_HAND]))
        .order_by(Order.captured_at.desc(), Order.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def counts(session: Session, *, actor: Actor, as_holder: bool) -> dict[OrderState, int]:
    """How many orders the actor's side has in each state."""
    mine = _holders(actor) if as_holder else _platforms(actor)
    query = select(Order.state, func.count()).where(mine).group_by(Order.state)
    return {OrderState(state): number for state, number in session.execute(query)}


def payee_accounts(session: Session, organisation_id: int) -> list[PayeeAccount]:
    """The bank accounts in use of an organisation, oldest first."""
    query = (
        select(PayeeAccount)
        .where(PayeeAccount.organisation_id == organisation_id, PayeeAccount.active.is_(True))
        .order_by(PayeeAccount.id)
    )
    return list(session.scalars(query))


def _holders(actor: Actor) -> ColumnElement[bool]:
    if not actor.organisation_ids:
        return false()
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    return and_(Order.holder_id.in_(mine), Order.channel != OrderChannel.POST_SUBSIDY.value)


def _regions(actor: Actor) -> ColumnElement[bool]:
    holders = select(Holder.id).join(Region, Region.code == Holder.region_code).where(in_regions(actor))
    seen = or_(Order.holder_id.in_(holders), Order.book_id.in_(actor.book_ids))
    return seen & Order.platform_id.is_not(None)


def _platforms(actor: Actor) -> ColumnElement[bool]:
    return Order.platform_id.in_(actor.platform_ids) if actor.platform_ids else false()


def _orders() -> Select[Any]:
    return select(Order).options(
        joinedload(Order.voucher, innerjoin=True),
        joinedload(Order.holder, innerjoin=True),
        joinedload(Order.platform, innerjoin=True).joinedload(Platform.organisation, innerjoin=True),
    )


def _one(session: Session, number: str, mine: ColumnElement[bool]) -> Order | None:
    order: Order | None = session.scalars(_orders().where(Order.number == number, mine)).one_or_none()
    return order


def _page(
    session: Session, mine: ColumnElement[bool], wanted: OrderFilter, *, page: int, per_page: int
) -> Page[Order]:
    conditions = [mine, *_conditions(wanted)]
    total = session.scalars(select(func.count()).select_from(Order).where(*conditions)).one()
    pages = max(1, -(-total // per_page))
    shown = min(max(page, 1), pages)
    query = (
        _orders()
        .where(*conditions)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(per_page)
        .offset((shown - 1) * per_page)
    )
    return Page(list(session.scalars(query)), shown, pages, total)


def _conditions(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(Order.state == wanted.state)
    if wanted.platform_id is not None:
        found.append(Order.platform_id == wanted.platform_id)
    if wanted.voucher:
        found.append(Order.voucher_id.in_(select(Voucher.id).where(Voucher.number == wanted.voucher)))
    if wanted.text:
        found.append(
            or_(
                Order.number == wanted.text.upper(),
                Order.provider_ref.contains(wanted.text, autoescape=True),
                Order.contract_no.contains(wanted.text, autoescape=True),
                *_on_contract(wanted.text),
            )
        )
    if wanted.since_on:
        found.append(Order.placed_at >= day_bounds(wanted.since_on)[0])
    if wanted.until_on:
        found.append(Order.placed_at < day_bounds(wanted.until_on)[1])
    return found


def _on_contract(text: str) -> list[ColumnElement[bool]]:
    """Whether an order is on the contract of this number, however it is written."""
    try:
        return [Order.contract_ref.endswith(f"|{contract_key(text)}", autoescape=True)]
    except Refusal:
        return []
