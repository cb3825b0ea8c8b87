"""Finding what an actor may work on. Another's does not exist: the same refusal as for what is not there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.rules.permissions import Actor


def own_vouchers(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Voucher]:
    """Vouchers of the actor's organisations, locked FOR SHARE in id order so that none is revoked meanwhile."""
    query = (
        select(Voucher)
        .join(Voucher.holder)
        .options(contains_eager(Voucher.holder))
        .where(Voucher.number.in_(set(numbers)), Holder.organisation_id.in_(actor.organisation_ids))
        .order_by(Voucher.id)
        .with_for_update(read=True, of=Voucher)
    )
    return {voucher.number: voucher for voucher in session.scalars(query)}


def vouchers_for_share(session: Session, ids: Sequence[int]) -> dict[int, Voucher]:
    """Vouchers by id with their holders, locked FOR SHARE in id order."""
    query = (
        select(Voucher)
        .where(Voucher.id.in_(set(ids)))
        .order_by(Voucher.id)
        .with_for_update(read=True, of=Voucher)
    )
    return {voucher.id: voucher for voucher in session.scalars(query)}


def holders_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders of the actor's own organisations as holders, locked FOR UPDATE in id order."""
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    return _orders(session, numbers, Order.holder_id.in_(mine))


def platforms_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders of the actor's own platforms, locked FOR UPDATE in id order."""
    return _orders(session, numbers, Order.platform_id.in_(actor.platform_ids))


def either_sides_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders in which the actor is holder or platform, locked FOR UPDATE in id order."""
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    return _orders(session, numbers, Order.holder_id.in_(mine) | Order.platform_id.in_(actor.platform_ids))


def _orders(session: Session, numbers: Sequence[str], condition: ColumnElement[bool]) -> dict[str, Order]:
    query = (
        select(Order)
        .where(Order.number.in_(set(numbers)), condition)
        .options(joinedload(Order.holder, innerjoin=True))
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    return {order.number: order for order in session.scalars(query)}


def one_of(found: dict[str, Order], number: str) -> Order:
    """The order of this number among those found; refused `not_found`."""
    order = found.get(number)
    if order is None:
        raise Refusal(Code.NOT_FOUND, order=number)
    return order


def budget_lines(session: Session, ids: Sequence[int]) -> dict[int, BudgetLine]:
    """Budget lines by id."""
    query = select(BudgetLine).where(BudgetLine.id.in_(set(ids)))
    return {line.id: line for line in session.scalars(query)}


def platform_of(session: Session, platform_id: int, *, actor: Actor) -> Platform:
    """One of the actor's platforms; refused `not_found`."""
    platform = session.get(Platform, platform_id) if platform_id in actor.platform_ids else None
    if platform is None:
        raise Refusal(Code.NOT_FOUND, platform=platform_id)
    return platform
