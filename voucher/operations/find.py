"""Finding what an actor may work on. Another's does not exist: the same refusal as for what is not there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session, contains_eager

from voucher.errors import Code, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.programmes import BudgetLine
from voucher.models.vouchers import Voucher
from voucher.rules.lifecycle import Event
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel

VOUCHER_FOR_SHARE = text("FOR SHARE OF voucher")
ORDER_FOR_UPDATE = text("FOR UPDATE OF service_order")
"""Behind FOR UPDATE of another table in the same statement: SQLAlchemy itself writes one such clause only."""


def own_vouchers(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Voucher]:
    """Vouchers of the actor's organisations, locked FOR SHARE in id order so that none is revoked meanwhile."""
    query = (
        select(Voucher)
        .join(Voucher.holder)
        .options(contains_eager(Voucher.holder))
        .where(Voucher.number.in_(set(numbers)), Holder.organisation_id.in_(actor.organisation_ids))
        .order_by(Voucher.id)
        .with_for_update(read=True, of=Voucher)
        .execution_options(populate_existing=True)
    )
    return {voucher.number: voucher for voucher in session.scalars(query)}


def vouchers_for_share(session: Session, ids: Sequence[int]) -> dict[int, Voucher]:
    """Vouchers by id with their holders, locked FOR SHARE in id order."""
    query = (
        select(Voucher)
        .where(Voucher.id.in_(set(ids)))
        .order_by(Voucher.id)
        .with_for_update(read=True, of=Voucher)
        .execution_options(populate_existing=True)
    )
    return {voucher.id: voucher for voucher in session.scalars(query)}


class _Vouchers(dict[int, Voucher]):
    def __missing__(self, voucher_id: int) -> Voucher:
        raise Refusal(Code.STATE_CHANGED)


def vouchers_of_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[int, Voucher]:
    """Vouchers, by id, of the orders in which the actor is holder or platform, locked FOR SHARE.

    To be called before these orders are locked: vouchers come first (docs/locking.md). Looking up one that is not
    there is refused as `state_changed`: while its lock was waited for, it became another holder's.
    """
    named = select(Order.voucher_id).where(Order.number.in_(set(numbers)), _holds(actor) | _serves(actor))
    query = (
        select(Voucher)
        .where(Voucher.id.in_(named))
        .order_by(Voucher.id)
        .with_for_update(read=True, of=Voucher)
        .execution_options(populate_existing=True)
    )
    return _Vouchers({voucher.id: voucher for voucher in session.scalars(query)})


def holders_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders of the actor's own organisations as holders, locked FOR UPDATE in id order."""
    return _orders(session, numbers, _holds(actor))


def platforms_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders of the actor's own platforms, locked FOR UPDATE in id order."""
    return _orders(session, numbers, _serves(actor))


def either_sides_orders(session: Session, numbers: Sequence[str], *, actor: Actor) -> dict[str, Order]:
    """Orders in which the actor is holder or platform, locked FOR UPDATE in id order."""
    return _orders(session, numbers, _holds(actor) | _serves(actor))


def _holds(actor: Actor) -> ColumnElement[bool]:
    mine = select(Holder.id).where(Holder.organisation_id.in_(actor.organisation_ids))
    return Order.holder_id.in_(mine)


def _serves(actor: Actor) -> ColumnElement[bool]:
    return Order.platform_id.in_(actor.platform_ids)


def _orders(session: Session, numbers: Sequence[str], condition: ColumnElement[bool]) -> dict[str, Order]:
    query = (
        select(Order)
        .where(Order.number.in_(set(numbers)), condition)
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {order.number: order for order in session.scalars(query)}


def one_of(found: dict[str, Order], number: str) -> Order:
    """The order of this number among those found; refused `not_found`."""
    order = found.get(number)
    if order is None:
        raise Refusal(Code.NOT_FOUND, order=number)
    return order


def remote_one(found: dict[str, Order], number: str, event: Event) -> Order:
    """The remote order of this number among those found; refused `not_found`.

    An order of the counter moves with its session and not by itself: `state_changed`.
    """
    order = one_of(found, number)
    if order.channel != OrderChannel.REMOTE.value:
        raise Refusal(Code.STATE_CHANGED, state=order.state, event=event.value)
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
