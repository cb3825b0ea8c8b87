"""The papers of a claim as they are read: its invoices with what others take of them, and its payments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim, ClaimPayment, Invoice, InvoiceUse
from voucher.rules.invoices import Difference, Head, differences
from voucher.terms import PaymentChannel, TaxVerdict


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """An invoice of one claim: the part that the claim counts, what other claims take, all in fen.

    `differences` are those between what was typed and what the original says.
    """

    invoice: Invoice
    allocated_fen: int
    elsewhere_fen: int
    elsewhere: int
    differences: Sequence[Difference]

    @property
    def key(self) -> str:
        return self.invoice.key

    @property
    def issued_on(self) -> date:
        return self.invoice.issued_on

    @property
    def net_fen(self) -> int:
        return self.invoice.net_fen

    @property
    def buyer_uscc(self) -> str:
        return self.invoice.buyer_uscc

    @property
    def seller_uscc(self) -> str:
        return self.invoice.seller_uscc

    @property
    def left_fen(self) -> int:
        """What nobody has taken yet."""
        return self.invoice.net_fen - self.allocated_fen - self.elsewhere_fen

    @property
    def verdict(self) -> TaxVerdict | None:
        """What the tax bureau's site said last."""
        return TaxVerdict(self.invoice.verdict) if self.invoice.verdict else None


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment of a claim."""

    amount_fen: int
    paid_on: date
    payer_name: str
    payer_account: str
    channel: PaymentChannel
    serial: str


def invoice_lines(session: Session, claim: Claim) -> list[InvoiceLine]:
    """The invoices of a claim as it stands; of one that ended, those that it used last."""
    live = InvoiceUse.released_at.is_(None)
    query = (
        select(Invoice, InvoiceUse.allocated_fen, InvoiceUse.released_at)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .where(InvoiceUse.claim_id == claim.id)
        .order_by(Invoice.key)
    )
    rows = session.execute(query).all()
    last = max((released for _, _, released in rows if released is not None), default=None)
    alive = any(released is None for _, _, released in rows)
    shown = [(row, fen) for row, fen, released in rows if released == (None if alive else last)]
    taken = {
        invoice_id: (int(fen), int(claims))
        for invoice_id, fen, claims in session.execute(
            select(InvoiceUse.invoice_id, func.sum(InvoiceUse.allocated_fen), func.count())
            .where(
                InvoiceUse.invoice_id.in_([row.id for row, _ in shown]), live, InvoiceUse.claim_id != claim.id
            )
            .group_by(InvoiceUse.invoice_id)
        )
    }
    return [
        InvoiceLine(row, fen, *taken.get(row.id, (0, 0)), differences(head_of(row), row.original))
        for row, fen in shown
    ]


def taken_of(session: Session, keys: Collection[str], *, but: int = 0) -> dict[str, tuple[int, int]]:
    """By key of an invoice that is known here: its net amount, and what claims other than `but` take of it, in fen."""
    query = (
        select(Invoice.key, Invoice.net_fen, func.sum(InvoiceUse.allocated_fen))
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .where(Invoice.key.in_(keys), InvoiceUse.released_at.is_(None), InvoiceUse.claim_id != but)
        .group_by(Invoice.key, Invoice.net_fen)
    )
    return {key: (net_fen, int(taken)) for key, net_fen, taken in session.execute(query)}


def payment_lines(session: Session, claim: Claim) -> list[PaymentLine]:
    """The payments of a claim as it stands, oldest first."""
    query = (
        select(ClaimPayment)
        .where(ClaimPayment.claim_id == claim.id, ClaimPayment.dropped_at.is_(None))
        .order_by(ClaimPayment.paid_on, ClaimPayment.id)
    )
    return [
        PaymentLine(
            row.amount_fen,
            row.paid_on,
            row.payer_name,
            row.payer_account,
            PaymentChannel(row.channel),
            row.serial,
        )
        for row in session.scalars(query)
    ]


def head_of(row: Invoice) -> Head:
    """What an invoice says, as the rules compare it."""
    return Head(
        issued_on=row.issued_on,
        net_fen=row.net_fen,
        buyer_uscc=row.buyer_uscc,
        seller_uscc=row.seller_uscc,
    )
