"""What comes back to a tenant that has left, or from allotments of a voucher that ends: on to the voucher, in one posting."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.events import Leg
from voucher.ledger.locking import Locked
from voucher.models.orders import Order
from voucher.models.tenancies import Allotment, OrderBeneficiary
from voucher.models.vouchers import Voucher
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

    def note_again(self, legs: Sequence[Leg]) -> None:
        """Write on the allotments what posted legs put back on their accounts from the voucher."""
        for leg in legs:
            if leg.credit in self._rows and leg.debit.code == "voucher":
                self._rows[leg.credit].allotted_fen += leg.amount


class VoucherAllotments:
    """What vouchers that end have allotted: it goes back with them. Most vouchers have none."""

    def __init__(self, session: Session, vouchers: Sequence[Voucher]) -> None:
        query = select(Allotment).where(Allotment.voucher_id.in_([voucher.id for voucher in vouchers]))
        self._rows: dict[int, list[Allotment]] = {}
        for row in session.scalars(query.order_by(Allotment.id).execution_options(populate_existing=True)):
            self._rows.setdefault(row.voucher_id, []).append(row)

    @property
    def refs(self) -> list[Ref]:
        """Their accounts, to be locked with the vouchers' own."""
        return [account_of(row) for rows in self._rows.values() for row in rows]

    def left(self, locked: Locked, voucher: Voucher) -> int:
        """What is free on a voucher and on its allotments, in fen."""
        refs = [accounts.voucher(voucher.number), *map(account_of, self._rows.get(voucher.id, ()))]
        return sum(locked.available(ref) for ref in refs)

    def held(self, locked: Locked, voucher: Voucher) -> int:
        """What orders hold of a voucher and of its allotments, in fen."""
        refs = [accounts.voucher(voucher.number), *map(account_of, self._rows.get(voucher.id, ()))]
        return sum(locked.posted(ref) - locked.available(ref) for ref in refs)

    def legs(self, locked: Locked, voucher: Voucher) -> tuple[Leg, ...]:
        """allot → voucher of everything that is free."""
        free = {account_of(row): locked.available(account_of(row)) for row in self._rows.get(voucher.id, ())}
        to = accounts.voucher(voucher.number)
        return tuple(Leg(ref, to, amount) for ref, amount in free.items() if amount)

    def end(self, voucher: Voucher, legs: Sequence[Leg]) -> None:
        """The allotments of a voucher that ended, after these legs were posted."""
        moved = {leg.debit: leg.amount for leg in legs}
        for row in self._rows.get(voucher.id, ()):
            row.allotted_fen -= moved.get(account_of(row), 0)
            row.state = AllotmentState.ENDED.value
