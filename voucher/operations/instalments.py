"""The parts that an order is delivered, confirmed and captured in (分期验收)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.contracts import Instalment
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.hold import Held
from voucher.rules.contracts import Part, split
from voucher.rules.policy import Policy
from voucher.terms import InstalmentState


def plan_instalments(session: Session, held: Held, parts: Sequence[Part], *, policy: Policy) -> None:
    """Write the parts of an order that was just held, each with its share of what was held. None: nothing."""
    shares = split(policy, held.held_fen, parts) if parts else []
    held.order.instalments = len(parts)
    for position, (part, share) in enumerate(zip(parts, shares, strict=True), start=1):
        session.add(
            Instalment(
                order_id=held.order.id,
                position=position,
                title=part.title,
                amount_fen=part.amount_fen,
                due_on=part.due_on,
                subsidy_fen=share,
                captured_fen=0,
                state=InstalmentState.PLANNED.value,
            )
        )


class Instalments:
    """The instalments of locked orders, read in one statement; none is asked for where no order has any."""

    def __init__(self, session: Session, orders: Sequence[Order]) -> None:
        self._rows: dict[int, list[Instalment]] = {}
        ids = [order.id for order in orders if order.instalments]
        if not ids:
            return
        query = (
            select(Instalment)
            .where(Instalment.order_id.in_(ids))
            .order_by(Instalment.order_id, Instalment.position)
            .execution_options(populate_existing=True)
        )
        for row in session.scalars(query):
            self._rows.setdefault(row.order_id, []).append(row)

    def first(self, order: Order, state: InstalmentState) -> Instalment | None:
        """The order's first part in this state; None for an order without."""
        return next((row for row in self._rows.get(order.id, []) if row.state == state.value), None)

    def after(self, row: Instalment) -> Fen:
        """What is held for the parts that are still to come after this one, in fen."""
        return Fen(sum(each.subsidy_fen for each in self._following(row)))

    def is_last(self, row: Instalment) -> bool:
        """Whether no part is to come after this one."""
        return not self._following(row)

    def _following(self, row: Instalment) -> list[Instalment]:
        waiting = (InstalmentState.PLANNED.value, InstalmentState.DELIVERED.value)
        return [each for each in self._rows[row.order_id] if each.id != row.id and each.state in waiting]
