"""Invoices as claims use them: one live use of each over all programmes and regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.codes import normalise_uscc
from voucher.errors import Code, Refusal
from voucher.ledger.bulk import is_postgresql
from voucher.models.claims import Claim, Invoice
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.money import Fen
from voucher.rules.invoices import InvoiceError, normalise
from voucher.rules.permissions import Actor

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenInvoice:
    """An invoice as it is written into a claim; `code` is empty for a fully digital one. `net_fen`: without tax."""

    number: str
    code: str = ""
    issued_on: date
    net_fen: Fen
    buyer_uscc: str
    seller_uscc: str


def drafted(given: Sequence[GivenInvoice]) -> tuple[Invoice, ...]:
    """The rows of a claim's invoices, without their claim yet.

    Refused as `invoice_mismatch`: no invoice at all, or one twice (`field` repeated), a number that is none (number).
    """
    rows = tuple(_row(each) for each in given)
    keys = {row.key for row in rows}
    if not rows or len(keys) != len(rows):
        field = "repeated" if rows else "number"
        raise Refusal(Code.INVOICE_MISMATCH, field=field, expected="")
    return rows


def used(session: Session, keys: Sequence[str], actor: Actor) -> dict[str, str]:
    """Which of these invoices a claim uses now, and the claim's number where it is the actor's own (else empty)."""
    query = (
        select(Invoice.key, Claim.number, Holder.organisation_id)
        .join(Claim, Claim.id == Invoice.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(Invoice.key.in_(keys), Invoice.released_at.is_(None))
    )
    return {
        key: number if organisation_id in actor.organisation_ids else ""
        for key, number, organisation_id in session.execute(query)
    }


def insert_all(session: Session, rows: Sequence[Invoice]) -> bool:
    """Insert every row, or say that a rival was first with one of them (the caller takes all back).

    On PostgreSQL a rival's uncommitted row is waited for. Rows go in by key, so that two claims do not wait for
    each other.
    """
    dialect = postgresql if is_postgresql(session) else sqlite
    ordered = sorted(rows, key=lambda row: row.key)
    inserted = 0
    for start in range(0, len(ordered), _AT_ONCE):
        values = [
            {
                "key": row.key,
                "claim_id": row.claim_id,
                "issued_on": row.issued_on,
                "net_fen": row.net_fen,
                "buyer_uscc": row.buyer_uscc,
                "seller_uscc": row.seller_uscc,
            }
            for row in ordered[start : start + _AT_ONCE]
        ]
        statement = dialect.insert(Invoice).values(values).on_conflict_do_nothing().returning(Invoice.key)
        inserted += len(session.execute(statement).all())
    return inserted == len(rows)


def _row(given: GivenInvoice) -> Invoice:
    try:
        key = normalise(given.number, given.code)
    except InvoiceError as unreadable:
        raise Refusal(Code.INVOICE_MISMATCH, field="number", expected="") from unreadable
    return Invoice(
        key=key,
        issued_on=given.issued_on,
        net_fen=given.net_fen,
        buyer_uscc=normalise_uscc(given.buyer_uscc),
        seller_uscc=normalise_uscc(given.seller_uscc),
    )
