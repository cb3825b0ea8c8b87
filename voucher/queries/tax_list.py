"""The invoices that are to be looked up at the tax bureau's site: those of claims on their way to the money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.queries.paging import in_regions
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, TaxVerdict

WAITING = (
    ClaimState.SUBMITTED, ClaimState.APPROVED, ClaimState.IN_NOTICE, ClaimState.OBJECTED, ClaimState.CLEARED,
)  # fmt: skip
APPROVED = (ClaimState.APPROVED, ClaimState.IN_NOTICE, ClaimState.OBJECTED, ClaimState.CLEARED)


@dataclass(frozen=True, slots=True)
class TaxListFilter:
    """Which invoices: not looked up since a day (None: all), of approved claims only or of submitted ones too."""

    not_since: date | None = None
    approved_only: bool = True


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One invoice to look up, and the claims that use it. Amounts in fen."""

    key: str
    issued_on: date
    net_fen: int
    buyer_uscc: str
    seller_uscc: str
    claims: int
    verdict: TaxVerdict | None
    checked_on: date | None


def tax_list(session: Session, actor: Actor, wanted: TaxListFilter) -> list[TaxLine]:
    """The invoices in live use by claims of the actor's regions or books, oldest first; at most 20,000."""
    states = APPROVED if wanted.approved_only else WAITING
    query = (
        select(
            Invoice.key,
            Invoice.issued_on,
            Invoice.net_fen,
            Invoice.buyer_uscc,
            Invoice.seller_uscc,
            func.count(Claim.id),
            Invoice.verdict,
            Invoice.checked_on,
        )
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .join(Claim, Claim.id == InvoiceUse.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(
            InvoiceUse.released_at.is_(None),
            Claim.state.in_([state.value for state in states]),
            or_(in_regions(actor), Claim.book_id.in_(actor.book_ids)),
        )
        .group_by(Invoice.id)
        .order_by(Invoice.issued_on, Invoice.key)
        .limit(20_000)
    )
    if wanted.not_since is not None:
        query = query.where(or_(Invoice.checked_on.is_(None), Invoice.checked_on < wanted.not_since))
    return [
        TaxLine(*row[:6], TaxVerdict(row.verdict) if row.verdict else None, row.checked_on)
        for row in session.execute(query)
    ]
