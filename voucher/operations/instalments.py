"""The parts that an order is delivered, confirmed and captured in (分期验收)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.contracts import Instalment
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations.attendance import Attendance
from voucher.operations.capture import CaptureRequest
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
        self._attendance = Attendance(session, orders)
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

    def taking(self, order: Order, amount_fen: Fen | None = None) -> tuple[CaptureRequest, Instalment | None]:
        """What confirming the delivered part (of an order without instalments: all) captures, and that part.

        None: all of its share. Of an order for tenants: the parts of those who attended. Refused: more than its share
        (`capture_above_hold`), a line of which nobody knows whether its tenant attended (`attendance_missing`).
        """
        if order.beneficiaries:
            return self._attendance.taking(order, amount_fen), None
        row = self.first(order, InstalmentState.DELIVERED)
        if row is None:
            return CaptureRequest(order, Fen(order.held_fen) if amount_fen is None else amount_fen), None
        taken = Fen(row.subsidy_fen) if amount_fen is None else amount_fen
        if taken > row.subsidy_fen:
            raise Refusal(Code.CAPTURE_ABOVE_HOLD, held_fen=row.subsidy_fen, asked_fen=taken)
        following = self._following(row)
        kept = Fen(sum(each.subsidy_fen for each in following))
        return CaptureRequest(order, taken, kept, last=not following), row

    def _following(self, row: Instalment) -> list[Instalment]:
        waiting = (InstalmentState.PLANNED.value, InstalmentState.DELIVERED.value)
        return [each for each in self._rows[row.order_id] if each.id != row.id and each.state in waiting]
