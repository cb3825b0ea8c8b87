"""What the tax bureau's site says of invoices: written down check by check, and asked for before money moves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim, Invoice, InvoiceUse, TaxCheck
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.operations import journal
from voucher.operations.invoices import locked
from voucher.operations.policies import policies_of
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import TaxVerdict

DEAD = (TaxVerdict.RED.value, TaxVerdict.VOID.value)


@dataclass(frozen=True, slots=True)
class TaxResult:
    """What was found out about one invoice, by its key, on a day."""

    key: str
    verdict: TaxVerdict
    checked_on: date
    note: str = ""


def record_tax_checks(
    session: Session, results: Sequence[TaxResult], *, actor: Actor, at: datetime
) -> dict[TaxVerdict, int]:
    """Write checks down and bring the invoices' standing to the latest; gives how many had which verdict.

    All or none: raises Refusal `not_found` (`invoice`) for an invoice of no claim in the actor's regions or books, and `invoice_mismatch`
    (`field` date) for a day that is still to come. An invoice that is red or void by its latest check can neither
    be claimed nor go into a batch.
    """
    today = business_date(at)
    rows = locked(session, [result.key for result in results])
    known = _within(session, rows, actor)
    for result in results:
        if result.key not in known:
            raise Refusal(Code.NOT_FOUND, invoice=result.key)
        if result.checked_on > today:
            raise Refusal(Code.INVOICE_MISMATCH, field="date", expected=today.isoformat())
    found: dict[TaxVerdict, int] = {}
    facts: list[tuple[str, dict[str, Fact]]] = []
    for result in results:
        row = rows[result.key]
        if row.checked_on is None or result.checked_on >= row.checked_on:
            row.verdict, row.checked_on = result.verdict.value, result.checked_on
        found[result.verdict] = found.get(result.verdict, 0) + 1
        said: dict[str, Fact] = {"verdict": result.verdict.value, "checked_on": result.checked_on.isoformat()}
        facts.append((result.key, said))
    values = [
        {
            "invoice_id": rows[result.key].id,
            "verdict": result.verdict.value,
            "checked_on": result.checked_on,
            "note": result.note[:200],
            "checked_by": actor.person_id,
            "recorded_at": at,
        }
        for result in results
    ]
    if values:
        session.connection().execute(insert(TaxCheck), values)
    journal.record(session, actor, "invoice.check", facts, at=at)
    session.flush()
    return found


def refuse_dead_invoices(session: Session, pairs: Sequence[tuple[Claim, Order]], *, at: datetime) -> None:
    """Bar a batch from claims with an invoice that is red or void, or not checked as lately as the policy asks.

    Raises Refusal `invoice_void`, or `invoice_unchecked` where `Policy.invoice_recheck_days` is set and the latest
    check (any verdict but unknown) is older, or there is none.
    """
    if not pairs:
        return
    policies = policies_of(session, {order.policy_code for _, order in pairs})
    by_claim = {claim.id: policies[order.policy_code] for claim, order in pairs}
    query = (
        select(InvoiceUse.claim_id, Invoice.key, Invoice.verdict, Invoice.checked_on)
        .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
        .where(InvoiceUse.claim_id.in_(by_claim), InvoiceUse.released_at.is_(None))
        .order_by(Invoice.key)
    )
    today = business_date(at)
    for claim_id, key, verdict, checked_on in session.execute(query):
        if verdict in DEAD:
            raise Refusal(Code.INVOICE_VOID, invoice=key, tax_verdict=verdict)
        days = by_claim[claim_id].invoice_recheck_days
        if days is None:
            continue
        oldest = today - timedelta(days=days)
        if verdict != TaxVerdict.NORMAL.value or checked_on is None or checked_on < oldest:
            raise Refusal(Code.INVOICE_UNCHECKED, invoice=key, days=days)


def _within(session: Session, keys: Collection[str], actor: Actor) -> set[str]:
    """Those of these invoices that a claim of the actor's regions or books uses, or used."""
    query = (
        select(Invoice.key, Claim.book_id, Region.path)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .join(Claim, Claim.id == InvoiceUse.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(Invoice.key.in_(keys))
    )
    return {
        key
        for key, book_id, path in session.execute(query)
        if book_id in actor.book_ids or covers_region(actor, path)
    }
