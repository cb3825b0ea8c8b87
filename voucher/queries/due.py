"""How much time's work there is: counted before it begins, for whoever watches it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.terms import OrderState, VoucherState

_HOLDING = (OrderState.HELD.value, OrderState.DELIVERED.value)


def vouchers_due(session: Session, on: date) -> int:
    """How many live vouchers had their last day before this day, held or not."""
    due = (Voucher.use_by < on) & (Voucher.state == VoucherState.LIVE.value)
    return session.scalar(select(func.count()).select_from(Voucher).where(due)) or 0


def orders_due(session: Session, on: date) -> int:
    """How many held orders had their complete-by day before this day."""
    due = (Order.complete_by < on) & Order.state.in_(_HOLDING)
    return session.scalar(select(func.count()).select_from(Order).where(due)) or 0
