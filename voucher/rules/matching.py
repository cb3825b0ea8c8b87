"""The three-way match of a claim: contract, invoices and payment must tell one story (domain, section 4 item 12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from voucher.errors import Code
from voucher.rules.eligibility import Finding
from voucher.rules.invoices import Invoice, mismatch
from voucher.rules.policy import Policy
from voucher.terms import DocumentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What is known of the service: who bought, from whose host (USCC), and since when a contract may exist."""

    enterprise_uscc: str
    host_uscc: str
    since_on: date
    today: date


def papers(policy: Policy, kinds: Sequence[DocumentKind]) -> Finding:
    """`evidence_missing` with the kinds that the policy asks for and the claim lacks, as `missing`."""
    lacking = [kind.value for kind in policy.evidence if kind not in kinds]
    if not lacking:
        return None
    return Code.EVIDENCE_MISSING, {"missing": ",".join(lacking)}


def three_ways(deal: Deal, invoices: Sequence[Invoice], *, paid_on: date) -> Finding:
    """`invoice_mismatch` unless every invoice is the enterprise's, from the provider's host, and all is in time.

    In time: an invoice and the payment lie between the contract (without one, the order) and today. `field` says
    what does not fit: buyer, seller, date, or paid_on.
    """
    for invoice in invoices:
        finding = mismatch(
            invoice,
            enterprise_uscc=deal.enterprise_uscc,
            host_uscc=deal.host_uscc,
            contract_on=deal.since_on,
        )
        if finding is not None:
            return finding
        if invoice.issued_on > deal.today:
            return Code.INVOICE_MISMATCH, {"field": "date", "expected": deal.today.isoformat()}
    if not deal.since_on <= paid_on <= deal.today:
        expected = deal.since_on if paid_on < deal.since_on else deal.today
        return Code.INVOICE_MISMATCH, {"field": "paid_on", "expected": expected.isoformat()}
    return None
