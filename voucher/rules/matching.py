"""The three-way match of a claim: contract, invoices and payment must tell one story (domain, section 4 item 12)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from voucher.errors import Code
from voucher.rules.eligibility import Finding
from voucher.rules.invoices import Invoice, mismatch
from voucher.rules.policy import Policy
from voucher.terms import DocumentKind, PaymentChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What is known of the service: who bought, from whose host (USCC), and since when a contract may exist.

    `host_uscc` and `since_on` are None for a post-subsidy, where any seller will do and no order came before.
    `former_uscc` and `former_name` are those of the team that ordered, where it became the enterprise since.
    """

    enterprise_uscc: str
    enterprise_name: str
    host_uscc: str | None
    since_on: date | None
    today: date
    former_uscc: str = ""
    former_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment as claimed: when, from whose account (the name on it), and how."""

    paid_on: date
    payer_name: str
    channel: PaymentChannel


def papers(policy: Policy, kinds: Sequence[DocumentKind]) -> Finding:
    """`evidence_missing` with the kinds that the policy asks for and the claim lacks, as `missing`."""
    lacking = [kind.value for kind in policy.evidence if kind not in kinds]
    if not lacking:
        return None
    return Code.EVIDENCE_MISSING, {"missing": ",".join(lacking)}


def three_ways(
    policy: Policy, deal: Deal, invoices: Sequence[Invoice], payments: Sequence[Payment]
) -> Finding:
    """What does not fit of contract, invoices and payments, or None.

    `invoice_mismatch`: an invoice that is not the enterprise's, or not from the provider's host; one or a payment
    that does not lie between the contract (without one, the order) and today; no payment at all. `field` says what:
    buyer, seller, date, paid_on, payment. `payer_mismatch`: an account in another name. `channel_not_accepted`: a
    way of paying that the policy does not name, or cash where it names none.
    """
    for invoice in invoices:
        finding = mismatch(
            invoice,
            enterprise_uscc=_own(invoice, deal),
            host_uscc=deal.host_uscc,
            contract_on=deal.since_on,
        )
        if finding is not None:
            return finding
        if invoice.issued_on > deal.today:
            return Code.INVOICE_MISMATCH, {"field": "date", "expected": deal.today.isoformat()}
    if not payments:
        return Code.INVOICE_MISMATCH, {"field": "payment", "expected": ""}
    return next(filter(None, (_payment(policy, deal, payment) for payment in payments)), None)


def _own(invoice: Invoice, deal: Deal) -> str:
    """The number under which the enterprise bought: its own, or the one that it had as a team."""
    former = bool(deal.former_uscc) and invoice.buyer_uscc == deal.former_uscc
    return deal.former_uscc if former else deal.enterprise_uscc


def accepted_channels(policy: Policy) -> tuple[PaymentChannel, ...]:
    """The ways of paying that the policy accepts; where it names none, everything but cash (domain 4, item 12)."""
    return policy.payment_channels or tuple(
        channel for channel in PaymentChannel if channel is not PaymentChannel.CASH
    )


def bare_name(name: str) -> str:
    """A name as it is compared: full-width forms and brackets folded, without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def _payment(policy: Policy, deal: Deal, payment: Payment) -> Finding:
    if bare_name(payment.payer_name) not in {bare_name(deal.enterprise_name), bare_name(deal.former_name)} - {
        ""
    }:
        return Code.PAYER_MISMATCH, {"payer": payment.payer_name, "expected": deal.enterprise_name}
    accepted = accepted_channels(policy)
    if payment.channel not in accepted:
        names = ",".join(channel.value for channel in accepted)
        return Code.CHANNEL_NOT_ACCEPTED, {"channel": payment.channel.value, "accepted": names}
    if deal.since_on is not None and payment.paid_on < deal.since_on:
        return Code.INVOICE_MISMATCH, {"field": "paid_on", "expected": deal.since_on.isoformat()}
    if payment.paid_on > deal.today:
        return Code.INVOICE_MISMATCH, {"field": "paid_on", "expected": deal.today.isoformat()}
    return None
