"""Payments to look at again: invoices of paid claims three months later, and those that turned red (domain 4, rows 10, 11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, day_bounds
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.models.settlements import SettlementLine
from voucher.queries.paging import in_regions
from voucher.rules.permissions import Actor
from voucher.terms import LineState, TaxVerdict

AGAIN_DAYS: Final = 90
_DEAD: Final = (TaxVerdict.RED.value, TaxVerdict.VOID.value)
_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """An invoice of a claim that was paid, and what the tax bureau's site said of it last. Amount in fen."""

    claim_number: str
    holder_name: str
    key: str
    amount_fen: int
    paid_at: datetime
    verdict: TaxVerdict | None
    checked_on: date | None

    @property
    def is_dead(self) -> bool:
        """Whether it is red or void by now: the subsidy is to be claimed back."""
        return self.verdict is not None and self.verdict.value in _DEAD

    @property
    def due_on(self) -> date:
        """From when it is to be looked up again."""
        return business_date(self.paid_at) + timedelta(days=AGAIN_DAYS)


def after_payment(session: Session, actor: Actor, *, on: date) -> list[PaidInvoice]:
    """Invoices that turned red or void after they were paid, and those paid 90 days ago and not looked up since.

    Of claims in the actor's regions or books, dead ones first, then the oldest; at most 20,000.
    """
    _, before = day_bounds(on - timedelta(days=AGAIN_DAYS))
    query = (
        select(Claim.number, Holder.name, Invoice.key, SettlementLine.amount_fen, SettlementLine.paid_at)
        .add_columns(Invoice.verdict, Invoice.checked_on)
        .join(Claim, Claim.id == SettlementLine.claim_id)
        .join(InvoiceUse, InvoiceUse.claim_id == Claim.id)
        .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(
            SettlementLine.state == LineState.PAID.value,
            InvoiceUse.released_at.is_(None),
            or_(in_regions(actor), Claim.book_id.in_(actor.book_ids)),
            or_(Invoice.verdict.in_(_DEAD), SettlementLine.paid_at < before),
        )
        .order_by(SettlementLine.paid_at, Invoice.key)
        .limit(_MOST)
    )
    found = [
        PaidInvoice(number, name, key, amount, paid_at, TaxVerdict(verdict) if verdict else None, checked_on)
        for number, name, key, amount, paid_at, verdict, checked_on in session.execute(query)
    ]
    due = [each for each in found if each.is_dead or each.checked_on is None or each.checked_on < each.due_on]
    return sorted(due, key=lambda each: not each.is_dead)
