"""A returned claim comes back (补正): only what the defects name may be changed, and its place is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim, Document, Invoice, InvoiceUse
from voucher.models.files import StoredFile
from voucher.money import Fen
from voucher.operations import defects, documents, invoices, journal
from voucher.operations.bar_claim import bars
from voucher.operations.check_claim import check_claims
from voucher.operations.claim import Claimed, Draft, claimed_of, next_actor
from voucher.operations.claim_papers import GivenPayment, Papers, judge, live_payments, write_payments
from voucher.operations.claim_subjects import claimants_subject
from voucher.operations.deadlines import deadline
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import Refused, refused
from voucher.operations.own_claims import OwnClaim, one_of, own_claims
from voucher.operations.payees import accounts_in_use
from voucher.operations.tell import tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, DocumentKind, PaymentChannel

ITEM_OF: Mapping[DocumentKind, ClaimItem] = {
    DocumentKind.CONTRACT: ClaimItem.CONTRACT,
    DocumentKind.INVOICE: ClaimItem.INVOICES,
    DocumentKind.PAYMENT_PROOF: ClaimItem.PAYMENT,
    DocumentKind.RESULT: ClaimItem.RESULT,
}
"""The item that a kind of paper belongs to; ClaimItem.OTHER opens every paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What is new in a claim that comes back; None leaves an item as it was. Papers replace those of their kind."""

    claim_number: str
    contract_fen: Fen | None = None
    invoices: tuple[GivenInvoice, ...] | None = None
    payments: tuple[GivenPayment, ...] | None = None
    payee_account_id: int | None = None
    documents: tuple[GivenDocument, ...] = ()

    @property
    def entries(self) -> set[ClaimItem]:
        """The items whose entries it changes."""
        said: dict[ClaimItem, object] = {
            ClaimItem.CONTRACT: self.contract_fen,
            ClaimItem.INVOICES: self.invoices,
            ClaimItem.PAYMENT: self.payments,
            ClaimItem.PAYEE: self.payee_account_id,
        }
        return {item for item, value in said.items() if value is not None}

    @property
    def papers(self) -> set[ClaimItem]:
        """The items whose papers it changes."""
        return {ITEM_OF[each.kind] for each in self.documents}


def resubmit(
    session: Session, requests: Sequence[Mended], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """RETURNED → SUBMITTED; one that the other side did not confirm → AWAITING again, wholly open.

    `queued_at` stays. Everything is judged anew, as at the first time. Refused, each alone: `not_found`,
    `other_side_claims`, not returned (`state_changed`), a change of an item that no defect names
    (`item_not_open`), and what `judge`, `bars` and `invoices.book` refuse.
    """
    found = own_claims(session, [request.claim_number for request in requests], actor)
    results: list[Claimed | Refused] = []
    for request in requests:
        try:
            own = one_of(found, request.claim_number)
            results.append(_resubmit(session, own, request, actor=actor, at=at))
        except Refusal as refusal:
            results.append(refused(refusal))
    return results


def items_open(session: Session, claim: Claim) -> frozenset[ClaimItem]:
    """The items of a returned claim that may be changed: those of its open round; the other side's no opens all."""
    return defects.open_items(session, [claim.id]).get(claim.id, frozenset(ClaimItem))


def standing_papers(session: Session, claim: Claim) -> Papers:
    """What the claim has handed in, as it stands."""
    uses = session.execute(
        select(Invoice, InvoiceUse.allocated_fen)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .where(InvoiceUse.claim_id == claim.id, InvoiceUse.released_at.is_(None))
        .order_by(Invoice.key)
    )
    return Papers(
        contract_fen=None if claim.contract_fen is None else Fen(claim.contract_fen),
        invoices=tuple(_given(row, fen) for row, fen in uses),
        payments=tuple(
            GivenPayment(
                amount_fen=Fen(row.amount_fen),
                paid_on=row.paid_on,
                payer_name=row.payer_name,
                payer_account=row.payer_account,
                channel=PaymentChannel(row.channel),
                serial=row.serial,
            )
            for row in live_payments(session, claim.id)
        ),
        documents=_documents(session, claim),
        payee_account_id=claim.payee_account_id,
        origin_region=claim.origin_region,
    )


def _resubmit(session: Session, own: OwnClaim, request: Mended, *, actor: Actor, at: datetime) -> Claimed:
    claim, subject = own.claim, claimants_subject(own.subject, actor, request.claim_number)
    if claim.state != ClaimState.RETURNED.value:
        raise Refusal(Code.STATE_CHANGED, state=claim.state, event=Event.RESUBMIT.value)
    allowed = items_open(session, claim)
    papers_open = ClaimItem.OTHER in allowed
    closed = sorted((request.entries | (set() if papers_open else request.papers)) - allowed)
    if closed:
        raise Refusal(Code.ITEM_NOT_OPEN, item=closed[0])
    papers = with_mended(standing_papers(session, claim), request)
    accounts = accounts_in_use(session, [papers.payee_account_id])
    judged = judge(session, subject, papers, accounts, at=at)
    draft = Draft(claim.id, subject, judged, claimed_of(subject, judged))
    (barred,) = bars(session, [draft.wanted], at=at)
    (booked,) = [barred] if barred is not None else invoices.book(session, [draft.ask], actor)
    if booked is not None:
        raise Refusal(booked.code, **booked.facts)
    before: dict[str, Fact] = {"round": claim.round, "before_fen": claim.claimed_fen}
    _rewrite(session, own, draft, request, at=at)
    _move(session, own, at=at)
    claim.submitted_by, claim.submitted_at = actor.person_id, at
    session.flush()
    handed_in = [(claim.id, each) for each in request.documents]
    documents.keep(session, handed_in, actor=actor, at=at, round_no=claim.round)
    items = ",".join(sorted(request.entries | request.papers))
    facts: dict[str, Fact] = {**before, "items": items, "claimed_fen": claim.claimed_fen}
    journal.record(session, actor, "claim.resubmit", [(claim.number, facts)], at=at)
    check_claims(session, [claim.id], at=at)
    tell(session, [next_actor(subject, claim)], at=at)
    session.flush()
    return Claimed(claim.id, claim.number, Fen(claim.base_fen), Fen(claim.claimed_fen))


def _move(session: Session, own: OwnClaim, *, at: datetime) -> None:
    """To the reviewers, or once more to the other side where that was who sent it back."""
    claim, days = own.claim, own.subject.policy.claim_confirm_days
    again = days is not None and own.subject.platform is not None and claim.confirmed_at is None
    event = Event.ASK if again else Event.RESUBMIT
    claim.state = next_state(ClaimState(claim.state), event).value
    if again and days is not None:
        claim.confirm_by = deadline(session, business_date(at), days)
    defects.answered(session, [claim.id], at=at)
    claim.return_reason = ""


def _rewrite(session: Session, own: OwnClaim, draft: Draft, request: Mended, *, at: datetime) -> None:
    claim, judged = own.claim, draft.judged
    claim.contract_fen = judged.papers.contract_fen
    claim.invoice_net_fen, claim.paid_fen = judged.invoice_net_fen, judged.paid_fen
    claim.paid_on = judged.paid_on
    claim.base_fen, claim.claimed_fen = judged.computation.base_fen, draft.claimed_fen
    claim.payee_account_id = judged.account.id
    session.flush()
    invoices.write_uses(session, [draft.ask], at=at)
    if request.payments is not None:
        write_payments(session, [(claim.id, claim.round, request.payments)], at=at)
    kinds = {each.kind.value for each in request.documents}
    session.execute(
        update(Document)
        .where(Document.claim_id == claim.id, Document.kind.in_(kinds), Document.dropped_at.is_(None))
        .values(dropped_at=at)
    )


def with_mended(papers: Papers, request: Mended) -> Papers:
    """The papers of a claim with what is new in it; papers replace those of their kind."""
    kinds = {each.kind for each in request.documents}
    kept = tuple(each for each in papers.documents if each.kind not in kinds)
    return replace(
        papers,
        contract_fen=papers.contract_fen if request.contract_fen is None else request.contract_fen,
        invoices=papers.invoices if request.invoices is None else request.invoices,
        payments=papers.payments if request.payments is None else request.payments,
        payee_account_id=request.payee_account_id or papers.payee_account_id,
        documents=(*kept, *request.documents),
    )


def _documents(session: Session, claim: Claim) -> tuple[GivenDocument, ...]:
    query = (
        select(Document, StoredFile.facts)
        .outerjoin(StoredFile, StoredFile.sha256 == Document.sha256)
        .where(Document.claim_id == claim.id, Document.dropped_at.is_(None))
        .order_by(Document.id)
    )
    return tuple(
        GivenDocument(
            DocumentKind(row.kind),
            row.sha256,
            row.size_bytes,
            row.media_type,
            row.file_name,
            facts=facts or {},
        )
        for row, facts in session.execute(query)
    )


def _given(row: Invoice, allocated_fen: int) -> GivenInvoice:
    return GivenInvoice(
        number=row.key,
        issued_on=row.issued_on,
        net_fen=Fen(row.net_fen),
        buyer_uscc=row.buyer_uscc,
        seller_uscc=row.seller_uscc,
        buyer_name=row.buyer_name,
        seller_name=row.seller_name,
        allocated_fen=Fen(allocated_fen),
    )
