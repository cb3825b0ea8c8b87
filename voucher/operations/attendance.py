"""Who of a group order attended, and what is captured of it: the parts of those who did (到场, 核销)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.errors import Code, Refusal
from voucher.ledger.accounts import Ref
from voucher.models.ledger import Account, Transfer
from voucher.models.orders import Order
from voucher.models.tenancies import OrderBeneficiary
from voucher.money import Fen
from voucher.operations.capture import CaptureRequest
from voucher.operations.find_allotments import account_of
from voucher.operations.group_lines import lines_of
from voucher.terms import Phase


class Attendance:
    """The lines of locked orders and what each holds. Nothing is asked where no order has any."""

    def __init__(self, session: Session, orders: Sequence[Order]) -> None:
        self._lines = lines_of(session, orders)
        self._held = held_by_account(session, [order for order in orders if order.beneficiaries])

    def taking(self, order: Order, amount_fen: Fen | None) -> CaptureRequest:
        """What confirming the order captures: the parts of those who attended, or less where an amount says so.

        The one tenant of an order attended by being served: there nothing has to be shown. Refused: a line of which
        nobody knows (`attendance_missing`), more than those parts (`capture_above_hold`).
        """
        lines = self._lines[order.id]
        unknown = [line for line in lines if line.attended is None]
        if unknown and len(lines) > 1:
            raise Refusal(Code.ATTENDANCE_MISSING, unknown=len(unknown))
        absent = frozenset(account_of(line.allotment) for line in lines if line.attended is False)
        held = self._held.get(order.id, {})
        most = Fen(sum(amount for ref, amount in held.items() if ref not in absent))
        taken = most if amount_fen is None else amount_fen
        if taken > most:
            raise Refusal(Code.CAPTURE_ABOVE_HOLD, held_fen=most, asked_fen=taken)
        return CaptureRequest(order, taken, absent=absent)


def held_by_account(session: Session, orders: Sequence[Order]) -> dict[int, dict[Ref, int]]:
    """What the open hold of each order reserves on each allotment, in fen."""
    of_posting = {order.hold_posting: order.id for order in orders if order.hold_posting}
    if not of_posting:
        return {}
    payer = aliased(Account)
    query = (
        select(Transfer.posting_id, Transfer.amount, payer.code, payer.owner_ref, payer.period)
        .join(payer, (payer.book_id == Transfer.book_id) & (payer.id == Transfer.debit_id))
        .where(
            Transfer.book_id.in_({order.book_id for order in orders}),
            Transfer.posting_id.in_(of_posting),
            Transfer.phase == Phase.PENDING.value,
            payer.code == "allot",
        )
    )
    found: dict[int, dict[Ref, int]] = {}
    for posting, amount, code, owner, period in session.execute(query):
        found.setdefault(of_posting[posting], {})[Ref(code, owner, period)] = amount
    return found


def needs_showing(lines: Sequence[OrderBeneficiary]) -> bool:
    """Whether it has to be shown who attended before the order is captured."""
    return len(lines) > 1 and any(line.attended is None for line in lines)
