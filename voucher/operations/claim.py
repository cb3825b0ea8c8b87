"""Claiming the money for a redeemed order (兑付申请): contract, invoices, payment and papers (domain 3.3 step 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact, Refusal
from voucher.models.claims import Claim, Invoice
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, PayeeAccount, Platform
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import documents, invoices, journal
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import Refused, refused
from voucher.operations.payees import accounts_in_use, payable_to, payee_of
from voucher.operations.policies import policies_of
from voucher.operations.tell import Note, tell
from voucher.rules import invoices as invoice_rules
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.matching import Deal, papers, three_ways
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Case, Computation, compute
from voucher.rules.validity import redeem_by
from voucher.terms import ClaimState, MessageEvent, OrderState

_TRIES = 5


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """A claim for one captured order, as the firm writes it. Amounts in fen, each above zero."""

    order_number: str
    contract_fen: Fen
    invoices: tuple[GivenInvoice, ...]
    paid_fen: Fen
    paid_on: date
    payer_account: str
    documents: tuple[GivenDocument, ...]
    payee_account_id: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim that was made: what the subsidy is counted on, and how much is asked for, in fen."""

    claim_id: int
    number: str
    base_fen: Fen
    claimed_fen: Fen


@dataclass(frozen=True, slots=True)
class _Subject:
    order: Order
    voucher: Voucher
    holder: Holder
    platform: Platform
    policy: Policy
    firm: Organisation | None


@dataclass(frozen=True, slots=True)
class _Draft:
    subject: _Subject
    request: ClaimRequest
    account: PayeeAccount
    invoices: tuple[Invoice, ...]
    computation: Computation

    @property
    def claimed_fen(self) -> Fen:
        return Fen(min(self.subject.order.captured_fen, self.computation.amount_fen))


def claim(
    session: Session, requests: Sequence[ClaimRequest], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """Claim the money of captured orders of the actor's firm: the order is CLAIMED, the claim SUBMITTED.

    Nothing is posted; the subsidy asked for is the least of what was redeemed and what the policy grants on the
    papers. Refused, each request alone: an order that is not the firm's (`not_found`), one that is not captured or
    was claimed before (`state_changed`), a claim after the last day (`claim_late`), papers that the policy asks
    for (`evidence_missing`), parties, dates or amounts that do not fit (`invoice_mismatch`), a payee without a
    confirmed account (`payee_missing`), an invoice that another claim uses (`invoice_used`).
    """
    subjects = _subjects(session, [request.order_number for request in requests], actor)
    accounts = accounts_in_use(session, [request.payee_account_id for request in requests])
    drafts: list[_Draft | Refused] = []
    for request in requests:
        try:
            subject = subjects.get(request.order_number)
            drafts.append(_draft(session, subject, request, accounts, at=at))
        except Refusal as refusal:
            drafts.append(refused(refusal))
    return _write(session, drafts, actor=actor, at=at)


def _subjects(session: Session, numbers: Sequence[str], actor: Actor) -> dict[str, _Subject]:
    """The actor's orders of these numbers, locked."""
    query = (
        select(Order, Voucher, Holder, Platform, Organisation)
        .join(Voucher, Voucher.id == Order.voucher_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Platform, Platform.id == Order.platform_id)
        .outerjoin(Organisation, Organisation.id == Holder.organisation_id)
        .options(lazyload(Voucher.holder))
        .where(Order.number.in_(numbers), Holder.organisation_id.in_(actor.organisation_ids))
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    )
    rows = session.execute(query).all()
    policies = policies_of(session, {order.policy_code for order, *_ in rows})
    return {
        order.number: _Subject(order, voucher, holder, platform, policies[order.policy_code], firm)
        for order, voucher, holder, platform, firm in rows
    }


def _draft(
    session: Session,
    subject: _Subject | None,
    request: ClaimRequest,
    accounts: dict[int, PayeeAccount],
    *,
    at: datetime,
) -> _Draft:
    if subject is None:
        raise Refusal(Code.NOT_FOUND, order=request.order_number)
    order, today = subject.order, business_date(at)
    next_state(OrderState(order.state), Event.CLAIM)
    last_day = redeem_by(subject.policy, business_date(order.captured_at or order.placed_at))
    if today > last_day:
        raise Refusal(Code.CLAIM_LATE, redeem_by_on=last_day.isoformat())
    kept = invoices.drafted(request.invoices)
    deal = Deal(
        enterprise_uscc=subject.holder.ref,
        host_uscc=subject.platform.organisation.uscc,
        since_on=order.contract_on or business_date(order.placed_at),
        today=today,
    )
    sides = [
        invoice_rules.Invoice(
            buyer_uscc=each.buyer_uscc, seller_uscc=each.seller_uscc, issued_on=each.issued_on
        )
        for each in kept
    ]
    finding = papers(subject.policy, [each.kind for each in request.documents])
    finding = finding or three_ways(deal, sides, paid_on=request.paid_on)
    if finding is not None:
        raise Refusal(finding[0], **finding[1])
    payee = payee_of(session, subject.policy, holder=subject.holder, platform=subject.platform)
    account = payable_to(payee, accounts, account_id=request.payee_account_id)
    computation = _computed(subject, request, kept)
    return _Draft(subject, request, account, kept, computation)


def _computed(subject: _Subject, request: ClaimRequest, kept: Sequence[Invoice]) -> Computation:
    """What the policy grants on the papers; a contract that was filed for less counts for that."""
    filed = subject.order.contract_fen
    case = Case(
        holder_class=subject.voucher.holder_class,
        service=subject.order.service,
        contract_fen=request.contract_fen if filed is None else Fen(min(filed, request.contract_fen)),
        invoice_net_fen=Fen(sum(each.net_fen for each in kept)),
        paid_fen=request.paid_fen,
        applicant_region=subject.holder.region_code,
        provider_region=subject.platform.region_code,
    )
    computation = compute(subject.policy, case)
    if computation.amount_fen == 0:
        raise Refusal(Code.INVOICE_MISMATCH, field="amount", expected="> 0")
    return computation


def _write(
    session: Session, drafts: Sequence[_Draft | Refused], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """Write the rows of all drafts whose invoices nobody uses.

    A rival who took an invoice in the meantime shows as a row that was not inserted: everything is taken back to
    the savepoint and judged again, now with the rival's invoice in sight.
    """
    for _ in range(_TRIES):
        usable = _with_free_invoices(session, drafts, actor)
        valid = [draft for draft in usable if isinstance(draft, _Draft)]
        savepoint = session.begin_nested()
        rows = _claim_rows(session, valid, actor=actor, at=at)
        session.flush()
        if invoices.insert_all(session, [row for draft in valid for row in draft.invoices]):
            return _written(session, usable, rows, actor=actor, at=at)
        savepoint.rollback()
    raise Refusal(Code.BUSY)


def _written(
    session: Session, usable: Sequence[_Draft | Refused], rows: Sequence[Claim], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    valid = [draft for draft in usable if isinstance(draft, _Draft)]
    _settle_states(session, valid, rows, actor=actor, at=at)
    made = iter(rows)
    return [draft if isinstance(draft, Refused) else _answer(next(made)) for draft in usable]


def _with_free_invoices(
    session: Session, drafts: Sequence[_Draft | Refused], actor: Actor
) -> list[_Draft | Refused]:
    """The drafts in order; one whose order or invoice an earlier one or another claim takes is refused."""
    keys = [row.key for draft in drafts if isinstance(draft, _Draft) for row in draft.invoices]
    used = invoices.used(session, keys, actor)
    orders: set[int] = set()
    usable: list[_Draft | Refused] = []
    for draft in drafts:
        if isinstance(draft, Refused):
            usable.append(draft)
            continue
        clash = next((row.key for row in draft.invoices if row.key in used), None)
        if clash is not None:
            usable.append(Refused(Code.INVOICE_USED, {"invoice": clash, "claim": used[clash]}))
        elif draft.subject.order.id in orders:
            facts = {"state": OrderState.CLAIMED.value, "event": Event.CLAIM.value}
            usable.append(Refused(Code.STATE_CHANGED, facts))
        else:
            orders.add(draft.subject.order.id)
            used |= {row.key: draft.subject.order.number for row in draft.invoices}
            usable.append(draft)
    return usable


def _claim_rows(session: Session, drafts: Sequence[_Draft], *, actor: Actor, at: datetime) -> list[Claim]:
    rows = []
    for claim_id, draft in zip(take_ids(session, Claim, len(drafts)), drafts, strict=True):
        request = draft.request
        row = Claim(
            id=claim_id,
            number=numbered("C", fiscal_year(at), claim_id),
            order_id=draft.subject.order.id,
            book_id=draft.subject.order.book_id,
            state=ClaimState.SUBMITTED.value,
            contract_fen=request.contract_fen,
            invoice_net_fen=sum(each.net_fen for each in draft.invoices),
            paid_fen=request.paid_fen,
            paid_on=request.paid_on,
            payer_account=request.payer_account,
            base_fen=draft.computation.base_fen,
            claimed_fen=draft.claimed_fen,
            payee_account_id=draft.account.id,
            submitted_by=actor.person_id,
            submitted_at=at,
        )
        for invoice in draft.invoices:
            invoice.claim_id = claim_id
        rows.append(row)
    session.add_all(rows)
    return rows


def _settle_states(
    session: Session, drafts: Sequence[_Draft], rows: Sequence[Claim], *, actor: Actor, at: datetime
) -> None:
    """Orders become CLAIMED, documents get their claim, the journal its rows."""
    notes: list[tuple[str, dict[str, Fact]]] = []
    handed_in: list[tuple[int, GivenDocument]] = []
    for draft, row in zip(drafts, rows, strict=True):
        order = draft.subject.order
        order.state = next_state(OrderState(order.state), Event.CLAIM).value
        handed_in += [(row.id, each) for each in draft.request.documents]
        facts: dict[str, Fact] = {
            "order": order.number,
            "claimed_fen": row.claimed_fen,
            "base_fen": row.base_fen,
        }
        notes.append((row.number, facts))
    documents.keep(session, handed_in, actor=actor, at=at)
    journal.record(session, actor, "claim.submit", notes, at=at)
    session.flush()
    said = [
        Note(
            MessageEvent.CLAIM_SUBMITTED,
            row.number,
            {"claimed_fen": row.claimed_fen},
            region_code=draft.subject.holder.region_code,
        )
        for draft, row in zip(drafts, rows, strict=True)
    ]
    tell(session, said, at=at)


def _answer(row: Claim) -> Claimed:
    return Claimed(row.id, row.number, Fen(row.base_fen), Fen(row.claimed_fen))
