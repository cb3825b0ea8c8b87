"""Claiming the money for a redeemed order (兑付申请): contract, invoices, payment and papers (domain 3.3 step 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.money import Fen
from voucher.operations import documents, invoices, journal
from voucher.operations.bar_claim import Wanted, bars
from voucher.operations.check_claim import check_claims
from voucher.operations.claim_papers import GivenPayment, Judged, Papers, judge, write_payments
from voucher.operations.claim_subjects import Subject, claimants_subject, subjects
from voucher.operations.deadlines import deadline
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import Ask, GivenInvoice
from voucher.operations.order_papers import completed, order_papers
from voucher.operations.outcome import Refused, refused
from voucher.operations.payees import accounts_in_use
from voucher.operations.tell import Note, tell
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor
from voucher.rules.validity import redeem_by
from voucher.terms import ClaimState, DocumentKind, MessageEvent, OrderState


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A claim for one captured order, as it is written. Amounts in fen, each above zero."""

    order_number: str
    contract_fen: Fen
    invoices: tuple[GivenInvoice, ...]
    payments: tuple[GivenPayment, ...]
    documents: tuple[GivenDocument, ...]
    payee_account_id: int

    @property
    def papers(self) -> Papers:
        """What is judged."""
        return Papers(
            contract_fen=self.contract_fen,
            invoices=self.invoices,
            payments=self.payments,
            documents=self.documents,
            payee_account_id=self.payee_account_id,
        )


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim that was made: what the subsidy is counted on, and how much is asked for, in fen."""

    claim_id: int
    number: str
    base_fen: Fen
    claimed_fen: Fen


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim that is not written yet."""

    claim_id: int
    subject: Subject
    judged: Judged
    claimed_fen: Fen

    @property
    def ask(self) -> Ask:
        """What it wants of invoices."""
        order = self.subject.order
        stacking = self.subject.policy.stacking
        return Ask(self.claim_id, order.id, order.programme_code, stacking, self.judged.invoices)

    @property
    def wanted(self) -> Wanted:
        """What may bar it."""
        subject, papers = self.subject, self.judged.papers
        return Wanted(
            order=subject.order,
            holder=subject.holder,
            host_id=subject.platform.organisation_id if subject.platform is not None else None,
            policy=subject.policy,
            invoice_keys=tuple(each.key for each in self.judged.invoices),
            invoice_files=tuple(
                each.sha256 for each in papers.documents if each.kind is DocumentKind.INVOICE
            ),
        )


def claim(
    session: Session, requests: Sequence[ClaimRequest], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """Claim the money of captured orders for the side that the policy pays: the order is CLAIMED.

    The claim is AWAITING the other side where the policy gives days for that, otherwise SUBMITTED. Nothing is
    posted; the subsidy asked for is the least of what was redeemed and what the policy grants on the papers.
    Refused, each request alone: an order that is not the actor's (`not_found`), or for the other side to claim
    (`other_side_claims`), one that is not captured or was claimed before (`state_changed`), a claim after the last
    day (`claim_late`), and what `judge` (the papers), `bars` (domain 4) and `invoices.book` (use by others) refuse.
    """
    mine = subjects(session, Order.number.in_([each.order_number for each in requests]), actor)
    named = {subject.order.number: subject for subject in mine.values()}
    accounts = accounts_in_use(session, [request.payee_account_id for request in requests])
    known = order_papers(session, [subject.order for subject in mine.values()])
    drafts: list[Draft | Refused] = []
    begun: set[int] = set()
    for claim_id, request in zip(take_ids(session, Claim, len(requests)), requests, strict=True):
        try:
            subject = claimants_subject(named.get(request.order_number), actor, request.order_number)
            _may_begin(subject, begun, at)
            papers = with_known(request.papers, known[subject.order.id])
            judged = judge(session, subject, papers, accounts, at=at)
            drafts.append(Draft(claim_id, subject, judged, claimed_of(subject, judged)))
            begun.add(subject.order.id)
        except Refusal as refusal:
            drafts.append(refused(refusal))
    return write(session, drafts, actor=actor, at=at)


def write(
    session: Session, drafts: Sequence[Draft | Refused], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """Write the claims that nothing bars and whose invoices can be had, check them, tell whoever is to act next."""
    drafts = _unbarred(session, drafts, at)
    asking = [draft for draft in drafts if isinstance(draft, Draft)]
    booked = dict(
        zip(
            [draft.claim_id for draft in asking],
            invoices.book(session, [draft.ask for draft in asking], actor),
            strict=True,
        )
    )
    valid = [draft for draft in asking if booked[draft.claim_id] is None]
    rows = {draft.claim_id: _row(session, draft, actor=actor, at=at) for draft in valid}
    session.add_all(draft.subject.order for draft in valid)
    session.flush()
    session.add_all(rows.values())
    session.flush()
    invoices.write_uses(session, [draft.ask for draft in valid], at=at)
    write_payments(session, [(draft.claim_id, 0, draft.judged.papers.payments) for draft in valid], at=at)
    handed_in = [(draft.claim_id, each) for draft in valid for each in draft.judged.papers.documents]
    documents.keep(session, handed_in, actor=actor, at=at)
    _close(session, [(draft, rows[draft.claim_id]) for draft in valid], actor=actor, at=at)
    check_claims(session, list(rows), at=at)
    results: list[Claimed | Refused] = []
    for draft in drafts:
        if isinstance(draft, Refused):
            results.append(draft)
            continue
        row = rows.get(draft.claim_id)
        refusal = booked[draft.claim_id]
        results.append(refusal if row is None and refusal is not None else _answer(rows[draft.claim_id]))
    return results


def _unbarred(session: Session, drafts: Sequence[Draft | Refused], at: datetime) -> list[Draft | Refused]:
    """The drafts in order, those that domain 4 bars as their refusals."""
    asking = [draft for draft in drafts if isinstance(draft, Draft)]
    answers = iter(bars(session, [draft.wanted for draft in asking], at=at))
    return [draft if isinstance(draft, Refused) else next(answers) or draft for draft in drafts]


def claimed_of(subject: Subject, judged: Judged) -> Fen:
    """The subsidy to ask for: what the policy grants, and of a voucher no more than was redeemed."""
    granted = judged.computation.amount_fen
    return granted if subject.platform is None else Fen(min(subject.order.captured_fen, granted))


def with_known(papers: Papers, known: Sequence[GivenDocument]) -> Papers:
    """The papers of a claim with those that its order has already."""
    return replace(papers, documents=completed(papers.documents, known))


def _may_begin(subject: Subject, begun: set[int], at: datetime) -> None:
    order = subject.order
    next_state(OrderState(order.state), Event.CLAIM)
    if order.id in begun:
        raise Refusal(Code.STATE_CHANGED, state=OrderState.CLAIMED.value, event=Event.CLAIM.value)
    last_day = redeem_by(subject.policy, business_date(order.captured_at or order.placed_at))
    if business_date(at) > last_day:
        raise Refusal(Code.CLAIM_LATE, redeem_by_on=last_day.isoformat())


def _row(session: Session, draft: Draft, *, actor: Actor, at: datetime) -> Claim:
    subject, judged = draft.subject, draft.judged
    days = subject.policy.claim_confirm_days if subject.platform is not None else None
    return Claim(
        id=draft.claim_id,
        number=numbered("C", fiscal_year(at), draft.claim_id),
        order_id=subject.order.id,
        book_id=subject.order.book_id,
        state=(ClaimState.SUBMITTED if days is None else ClaimState.AWAITING).value,
        by_platform=subject.by_platform,
        origin_region=judged.papers.origin_region,
        contract_fen=judged.papers.contract_fen,
        invoice_net_fen=judged.invoice_net_fen,
        paid_fen=judged.paid_fen,
        paid_on=judged.paid_on,
        base_fen=judged.computation.base_fen,
        claimed_fen=draft.claimed_fen,
        payee_account_id=judged.account.id,
        submitted_by=actor.person_id,
        submitted_at=at,
        queued_at=at,
        confirm_by=None if days is None else deadline(session, business_date(at), days),
    )


def _close(session: Session, made: Sequence[tuple[Draft, Claim]], *, actor: Actor, at: datetime) -> None:
    """Orders become CLAIMED, the journal has its rows, and who acts next is told."""
    facts: list[tuple[str, dict[str, Fact]]] = []
    notes: list[Note] = []
    for draft, row in made:
        order = draft.subject.order
        if order.state == OrderState.CAPTURED.value:
            order.state = next_state(OrderState(order.state), Event.CLAIM).value
        asked: dict[str, Fact] = {"claimed_fen": row.claimed_fen, "base_fen": row.base_fen}
        facts.append((row.number, {"order": order.number, **asked}))
        notes.append(next_actor(draft.subject, row))
    journal.record(session, actor, "claim.submit", facts, at=at)
    tell(session, notes, at=at)
    session.flush()


def next_actor(subject: Subject, row: Claim) -> Note:
    """Who is told of a claim that has come in: the other side while it must confirm, else the reviewers."""
    if row.confirm_by is None or row.state != ClaimState.AWAITING.value:
        facts: dict[str, Fact] = {"claimed_fen": row.claimed_fen}
        region = subject.holder.region_code
        return Note(MessageEvent.CLAIM_SUBMITTED, row.number, facts, region_code=region, once=str(row.round))
    asked: dict[str, Fact] = {"due_on": row.confirm_by.isoformat(), "claimed_fen": row.claimed_fen}
    firm, platform = subject.holder.organisation_id, subject.order.platform_id
    if subject.by_platform:
        return Note(
            MessageEvent.CLAIM_TO_CONFIRM, row.number, asked, organisation_id=firm, once=str(row.round)
        )
    return Note(MessageEvent.CLAIM_TO_CONFIRM, row.number, asked, platform_id=platform, once=str(row.round))


def _answer(row: Claim) -> Claimed:
    return Claimed(row.id, row.number, Fen(row.base_fen), Fen(row.claimed_fen))
