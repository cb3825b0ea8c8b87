"""The papers of a claim, judged: parties, dates, amounts, payments, and the subsidy that they carry (domain 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.claims import ClaimPayment
from voucher.models.parties import Holder, PayeeAccount
from voucher.money import Fen
from voucher.operations import invoices
from voucher.operations.claim_subjects import Subject
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import Drafted, GivenInvoice
from voucher.operations.payees import payable_to, payee_of
from voucher.operations.share_money import Shared
from voucher.rules import invoices as invoice_rules
from voucher.rules import matching
from voucher.rules.cofunding import within_ceilings
from voucher.rules.subsidy import Case, Computation, compute
from voucher.terms import DocumentKind, HolderClass, HolderKind, PaymentChannel

ORIGINAL: Final = "invoice"
"""The name under which a stored file's facts hold what was read from an electronic invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPayment:
    """One payment, or the part of one that belongs to the claim's order, in fen; the name is the paying account's."""

    amount_fen: Fen
    paid_on: date
    payer_name: str
    payer_account: str
    channel: PaymentChannel = PaymentChannel.BANK_TRANSFER
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What a claim hands in. `contract_fen` is None for a post-subsidy without a contract."""

    contract_fen: Fen | None
    invoices: tuple[GivenInvoice, ...]
    payments: tuple[GivenPayment, ...]
    documents: tuple[GivenDocument, ...]
    payee_account_id: int
    origin_region: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Papers that fit: the payee's account, the invoices under their keys, and what the policy grants."""

    papers: Papers
    account: PayeeAccount
    invoices: tuple[Drafted, ...]
    computation: Computation

    @property
    def invoice_net_fen(self) -> int:
        """What the claim counts of its invoices."""
        return sum(each.allocated_fen for each in self.invoices)

    @property
    def paid_fen(self) -> int:
        """What was paid in all."""
        return sum(each.amount_fen for each in self.papers.payments)

    @property
    def paid_on(self) -> date:
        """The day of the last payment."""
        return max(each.paid_on for each in self.papers.payments)


def judge(
    session: Session, subject: Subject, papers: Papers, accounts: Mapping[int, PayeeAccount], *, at: datetime
) -> Judged:
    """The papers as the policy sees them, before anybody else's use of the invoices is looked at.

    Refused: `evidence_missing`, `invoice_mismatch`, `invoice_void` (an original that is a red-letter invoice),
    `payer_mismatch`, `channel_not_accepted`, `payee_missing`, and `invoice_mismatch` (`field` amount) where no
    subsidy is left.
    """
    drafted = with_originals(invoices.drafted(papers.invoices), papers.documents)
    order, today = subject.order, business_date(at)
    host = subject.platform.organisation if subject.platform is not None else None
    former = _former(session, subject)
    deal = matching.Deal(
        enterprise_uscc=subject.holder.ref,
        enterprise_name=subject.holder.name,
        host_uscc=None if host is None else host.uscc,
        since_on=None if host is None else order.contract_on or business_date(order.placed_at),
        today=today,
        former_uscc=former.ref if former else "",
        former_name=former.name if former else "",
    )
    finding = matching.papers(subject.policy, [each.kind for each in papers.documents])
    finding = finding or matching.three_ways(
        subject.policy, deal, [_sides(each) for each in drafted], [_payment(each) for each in papers.payments]
    )
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    payee = payee_of(session, subject.policy, holder=subject.holder, platform=subject.platform)
    account = payable_to(payee, accounts, account_id=papers.payee_account_id)
    granted = _granted(session, subject, computed(subject, papers, drafted))
    return Judged(papers, account, drafted, granted)


def _former(session: Session, subject: Subject) -> Holder | None:
    """The team that ordered, where it is a firm by now: invoices and payments of that time are in its name."""
    if subject.holder_class != HolderClass.TEAM.value or subject.holder.kind != HolderKind.FIRM.value:
        return None
    query = select(Holder).where(Holder.converted_into == subject.holder.id).order_by(Holder.id.desc())
    return session.scalars(query.limit(1)).first()


def computed(subject: Subject, papers: Papers, drafted: Sequence[Drafted]) -> Computation:
    """What the policy grants on the papers; a contract that was filed for less counts for that."""
    computation = compute(
        subject.policy,
        Case(
            holder_class=subject.holder_class,
            service=subject.order.service,
            contract_fen=_least(subject.order.contract_fen, papers.contract_fen),
            invoice_net_fen=Fen(sum(each.allocated_fen for each in drafted)),
            paid_fen=Fen(sum(each.amount_fen for each in papers.payments)),
            earlier_fen=Fen(subject.order.earlier_fen or 0),
            units=subject.order.units or 1,
            applicant_region=subject.holder.region_code,
            provider_region=subject.platform.region_code
            if subject.platform is not None
            else papers.origin_region or "",
        ),
    )
    if computation.amount_fen == 0:
        raise Refusal(Code.INVOICE_MISMATCH, field="amount", expected="> 0")
    return computation


def _granted(session: Session, subject: Subject, computation: Computation) -> Computation:
    """What the funders' own ceilings leave of the subsidy, with a line that says so."""
    shares = Shared(session, [subject.order]).shares(subject.order, subject.policy)
    granted = within_ceilings(subject.policy, shares, computation)
    if granted.amount_fen == 0:
        raise Refusal(Code.INVOICE_MISMATCH, field="amount", expected="> 0")
    return granted


def with_originals(drafted: Sequence[Drafted], documents: Sequence[GivenDocument]) -> tuple[Drafted, ...]:
    """The invoices, each with what was read from its original among the papers.

    Refused as `invoice_void` where an original is a red-letter invoice, whether the form names it or not.
    """
    originals: dict[str, tuple[Mapping[str, Any], str]] = {}
    for each in documents:
        read = each.facts.get(ORIGINAL) if each.kind is DocumentKind.INVOICE else None
        if not isinstance(read, Mapping):
            continue
        if read.get("red"):
            raise Refusal(Code.INVOICE_VOID, invoice=str(read.get("number", "")), tax_verdict="red")
        try:
            key = invoice_rules.normalise(str(read.get("number", "")), str(read.get("code") or ""))
        except invoice_rules.InvoiceError:
            continue
        originals[key] = (read, each.sha256)
    return tuple(
        replace(each, original=dict(originals[each.key][0]), original_sha256=originals[each.key][1])
        if each.key in originals
        else each
        for each in drafted
    )


def write_payments(
    session: Session, given: Sequence[tuple[int, int, Sequence[GivenPayment]]], *, at: datetime
) -> None:
    """Write the payments of claims, each as (claim id, round, payments), in place of what these had before."""
    ids = [claim_id for claim_id, _, _ in given]
    session.execute(
        update(ClaimPayment)
        .where(ClaimPayment.claim_id.in_(ids), ClaimPayment.dropped_at.is_(None))
        .values(dropped_at=at)
    )
    rows = [
        {
            "claim_id": claim_id,
            "round": round_no,
            "amount_fen": each.amount_fen,
            "paid_on": each.paid_on,
            "payer_name": each.payer_name,
            "payer_account": each.payer_account,
            "channel": each.channel.value,
            "serial": each.serial,
        }
        for claim_id, round_no, payments in given
        for each in payments
    ]
    if rows:
        session.connection().execute(insert(ClaimPayment), rows)


def live_payments(session: Session, claim_id: int) -> list[ClaimPayment]:
    """The payments of a claim as it stands, oldest first."""
    query = select(ClaimPayment).where(ClaimPayment.claim_id == claim_id, ClaimPayment.dropped_at.is_(None))
    return list(session.scalars(query.order_by(ClaimPayment.paid_on, ClaimPayment.id)))


def _sides(drafted: Drafted) -> invoice_rules.Invoice:
    return invoice_rules.Invoice(
        buyer_uscc=drafted.head.buyer_uscc,
        seller_uscc=drafted.head.seller_uscc,
        issued_on=drafted.head.issued_on,
    )


def _payment(given: GivenPayment) -> matching.Payment:
    return matching.Payment(paid_on=given.paid_on, payer_name=given.payer_name, channel=given.channel)


def _least(filed: int | None, claimed: Fen | None) -> Fen | None:
    known = [amount for amount in (filed, claimed) if amount is not None]
    return Fen(min(known)) if known else None
