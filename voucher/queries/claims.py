"""Claims as reviewers, firms and platforms read them: the queue, and everything for one decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, select
from sqlalchemy.orm import Session, joinedload

from voucher.clock import day_bounds
from voucher.models.claims import Claim, Document
from voucher.models.files import StoredFile
from voucher.models.journal import Journal
from voucher.models.orders import Order
from voucher.models.parties import Holder, PayeeAccount, Platform
from voucher.models.people import Person
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.models.review import Review
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.queries.claim_checks import Check, checks_of
from voucher.queries.claim_course import Told, granted, lines_of, shares_of
from voucher.queries.claim_papers import InvoiceLine, PaymentLine, invoice_lines, payment_lines
from voucher.queries.housed import housed
from voucher.queries.paging import Page, as_term, holding, paged, seen_orders
from voucher.queries.policies import policy_of
from voucher.queries.stored_files import stored_files
from voucher.rules.permissions import Actor, person_ref
from voucher.rules.policy import Policy
from voucher.rules.subsidy import Case, Computation, Step, compute
from voucher.terms import ClaimState, DocumentKind, Verdict


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """Which claims: in a state, submitted on these days (both included), naming this text."""

    state: ClaimState | None = None
    text: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim in a list. Amounts in fen."""

    number: str
    state: ClaimState
    submitted_at: datetime
    order_number: str
    holder_name: str
    holder_ref: str
    region_name: str
    platform_name: str | None
    programme_name: str
    claimed_fen: int
    approved_fen: int | None


@dataclass(frozen=True, slots=True)
class Deed:
    """A line of a history: when, what (the journal's action), who, and its facts."""

    at: datetime
    action: str
    who: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFile:
    """Everything on one claim. `stored` is what is known of its documents' files, by hash.

    `lines` say how its amount came about, with the clause of each step. `review` is the decision of its present hearing;
    `overturned` those that appeals overturned, with who made them.
    """

    claim: Claim
    state: ClaimState
    order: Order
    voucher: Voucher | None
    holder: Holder
    platform: Platform | None
    programme_name: str
    region_name: str
    policy: Policy
    computation: Computation
    lines: Sequence[Step]
    payee: PayeeAccount
    submitter: str
    invoices: Sequence[InvoiceLine]
    payments: Sequence[PaymentLine]
    documents: Sequence[tuple[Document, DocumentKind]]
    stored: Mapping[str, StoredFile]
    checks: Sequence[Check]
    review: Review | None
    verdict: Verdict | None
    reviewer: str
    overturned: Sequence[tuple[Review, str]]
    history: Sequence[Deed]


_REVIEWS = select(Review).where(Review.claim_id == bindparam("claim_id")).order_by(Review.hearing)


def claims(session: Session, actor: Actor, wanted: ClaimFilter, *, page: int = 1) -> Page[ClaimLine]:
    """The claims that the actor sees: of holders in their regions, of their firm, of their platform. Oldest first."""
    query = (
        _joined(
            Claim.number,
            as_term(Claim.state, ClaimState),
            Claim.submitted_at,
            Order.number,
            Holder.name,
            Holder.ref,
            Region.name,
            housed(),
            Programme.name,
            Claim.claimed_fen,
            Claim.approved_fen,
        )
        .where(seen_orders(actor), *_conditions(wanted))
        .order_by(Claim.queued_at, Claim.id)
    )
    return paged(session, query, ClaimLine, page=page)


def claim_file(session: Session, actor: Actor, number: str) -> ClaimFile | None:
    """One claim with its order, papers, computation, checks and history; None for one the actor does not see."""
    row = session.execute(
        _joined(Claim, Order, Voucher, Holder, Platform, Programme.name, Region.name, PayeeAccount)
        .outerjoin(Voucher, Voucher.id == Order.voucher_id)
        .options(
            joinedload(Voucher.holder, innerjoin=False), joinedload(Platform.organisation, innerjoin=False)
        )
        .join(PayeeAccount, PayeeAccount.id == Claim.payee_account_id)
        .where(Claim.number == number, seen_orders(actor))
    ).one_or_none()
    if row is None:
        return None
    claim, order, voucher, holder, platform, programme_name, region_name, payee = row
    policy = policy_of(session, order.rule_code)
    lines = invoice_lines(session, claim)
    papers = _documents(session, claim)
    decided = {row.hearing: row for row in session.scalars(_REVIEWS, {"claim_id": claim.id})}
    review = decided.pop(claim.hearing, None)
    reviewers = [row.reviewer_id for row in (*decided.values(), *([review] if review else []))]
    names = _names(session, [claim.submitted_by, *reviewers])
    holder_class = voucher.holder_class if voucher is not None else order.holder_class or ""
    told = Told(claim, order, holder_class, review, shares_of(session, order))
    case = _case(claim, order, holder_class=holder_class, holder=holder, platform=platform)
    computation = granted(told, policy, compute(policy, case))
    return ClaimFile(
        claim=claim,
        state=ClaimState(claim.state),
        order=order,
        voucher=voucher,
        holder=holder,
        platform=platform,
        programme_name=programme_name,
        region_name=region_name,
        policy=policy,
        computation=computation,
        lines=lines_of(session, told, policy, computed=computation, invoices=lines),
        payee=payee,
        submitter=names.get(claim.submitted_by, ""),
        invoices=lines,
        payments=payment_lines(session, claim),
        documents=[(each, DocumentKind(each.kind)) for each in papers],
        stored=stored_files(session, [each.sha256 for each in papers]),
        checks=checks_of(session, policy, claim=claim, order=order, lines=lines),
        review=review,
        verdict=Verdict(review.verdict) if review else None,
        reviewer=names.get(review.reviewer_id, "") if review else "",
        overturned=[(row, names.get(row.reviewer_id, "")) for row in decided.values()],
        history=_with_payment(session, claim.id, history(session, [claim.number, order.number])),
    )


def _documents(session: Session, claim: Claim) -> Sequence[Document]:
    return session.scalars(select(Document).where(Document.claim_id == claim.id).order_by(Document.id)).all()


def document_of(session: Session, actor: Actor, claim_number: str, document_id: int) -> Document | None:
    """A file of a claim; None where the actor does not see the claim, or the file is another's."""
    return session.scalars(
        _joined(Document)
        .join(Document, Document.claim_id == Claim.id)
        .where(Claim.number == claim_number, Document.id == document_id, seen_orders(actor))
    ).one_or_none()


def history(session: Session, subjects: Sequence[str]) -> list[Deed]:
    """What the journal says of these subjects, newest first."""
    rows = session.scalars(
        select(Journal)
        .where(Journal.subject.in_(subjects))
        .order_by(Journal.done_at.desc(), Journal.id.desc())
    ).all()
    ids = {int(row.actor_ref.removeprefix("person:")) for row in rows if row.actor_ref.startswith("person:")}
    names = {person_ref(key): name for key, name in _names(session, sorted(ids)).items()}
    return [Deed(row.done_at, row.action, names.get(row.actor_ref, "系统"), row.facts) for row in rows]


def _with_payment(session: Session, claim_id: int, deeds: Sequence[Deed]) -> list[Deed]:
    """The history with the batch that the claim is in and its payment: the finance office, not its people."""
    query = (
        select(SettlementBatch, SettlementLine)
        .join(SettlementLine, SettlementLine.batch_id == SettlementBatch.id)
        .where(SettlementLine.claim_id == claim_id)
    )
    more: list[Deed] = []
    for batch, line in session.execute(query):
        facts = {"batch": batch.number, "amount_fen": line.amount_fen, "payee": line.payee_name}
        steps = (
            ("claim.in_batch", batch.made_at),
            ("batch.approve", batch.approved_at),
            ("batch.export", batch.exported_at),
            ("claim.paid", line.paid_at),
        )
        more += [Deed(at, action, "财政部门", facts) for action, at in steps if at is not None]
    return sorted([*deeds, *more], key=lambda deed: deed.at, reverse=True)


def _joined(*columns: Any) -> Select[Any]:
    """These columns from claims with their order, holder, its region, platform and programme."""
    return (
        select(*columns)
        .select_from(Claim)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .outerjoin(Platform, Platform.id == Order.platform_id)
        .join(Programme, Programme.code == Order.programme_code)
    )


def _conditions(wanted: ClaimFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(Claim.state == wanted.state.value)
    if wanted.text:
        columns = (Claim.number, Order.number, Holder.name, Holder.ref, Platform.name)
        found.append(holding(wanted.text, *columns))
    if wanted.from_on is not None:
        found.append(Claim.submitted_at >= day_bounds(wanted.from_on)[0])
    if wanted.to_on is not None:
        found.append(Claim.submitted_at < day_bounds(wanted.to_on)[1])
    return [and_(*found)] if found else []


def _case(
    claim: Claim, order: Order, *, holder_class: str, holder: Holder, platform: Platform | None
) -> Case:
    """The claim as the rules compute it; a contract that was filed for less counts for that."""
    amounts = [Fen(each) for each in (order.contract_fen, claim.contract_fen) if each is not None]
    return Case(
        holder_class=holder_class,
        service=order.service,
        contract_fen=min(amounts, default=None),
        invoice_net_fen=Fen(claim.invoice_net_fen),
        paid_fen=Fen(claim.paid_fen),
        audited_fen=None if claim.audited_fen is None else Fen(claim.audited_fen),
        earlier_fen=Fen(order.earlier_fen or 0),
        units=order.units or 1,
        applicant_region=holder.region_code,
        provider_region=platform.region_code if platform is not None else claim.origin_region or "",
    )


def _names(session: Session, ids: Sequence[int]) -> dict[int, str]:
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(ids))).all())
