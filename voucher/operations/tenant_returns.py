"""What comes back to a tenant that has left: it goes on to the base's voucher in the same posting."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Leg
from voucher.models.orders import Order
from voucher.models.tenancies import Allotment, OrderBeneficiary
from voucher.operations.find_allotments import account_of
from voucher.terms import AllotmentState


class TenantReturns:
    """The allotments that orders draw on. None is asked for where no order has beneficiaries.

    To be made before the accounts are locked, with `refs` among them, and read again behind the locks: an exit that
    came between ended allotments under the same locks.
    """

    def __init__(self, session: Session, orders: Sequence[Order]) -> None:
        self._ids = [order.id for order in orders if order.beneficiaries]
        self._rows: dict[Ref, Allotment] = {}
        self.read_again(session)

    def read_again(self, session: Session) -> None:
        """Read the allotments afresh."""
        if not self._ids:
            return
        lines = select(OrderBeneficiary.allotment_id).where(OrderBeneficiary.order_id.in_(self._ids))
        query = select(Allotment).where(Allotment.id.in_(lines)).order_by(Allotment.id)
        rows = session.scalars(query.execution_options(populate_existing=True))
        self._rows = {account_of(row): row for row in rows}

    @property
    def refs(self) -> list[Ref]:
        """The vouchers' accounts, to be locked with the allotments' own."""
        return [accounts.voucher(row.voucher.number) for row in self._rows.values()]

    def on_legs(self, allot: Ref, amount_fen: int) -> tuple[Leg, ...]:
        """allot → voucher of what comes back to an allotment that has ended; nothing to one that lives."""
        row = self._rows.get(allot)
        if row is None or amount_fen <= 0 or row.state == AllotmentState.LIVE.value:
            return ()
        return (self.on(allot, amount_fen),)

    def on(self, allot: Ref, amount_fen: int) -> Leg:
        """allot → voucher, whatever the allotment's state: of a voucher that goes back to its budget line."""
        return Leg(allot, accounts.voucher(self._rows[allot].voucher.number), amount_fen)

    def note(self, legs: Sequence[Leg]) -> None:
        """Write on the allotments what posted legs took off their accounts to the voucher."""
        for leg in legs:
            if leg.debit in self._rows and leg.credit.code == "voucher":
                self._rows[leg.debit].allotted_fen -= leg.amount
