"""Applying for a post-subsidy (后补助): a claim without voucher, whose order begins with it (design, sections 2.2, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.parties import Holder, PayeeAccount, Qualification
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.money import Fen
from voucher.operations.claim import Claimed, Draft, claimed_of, write
from voucher.operations.claim_papers import GivenPayment, Judged, Papers, judge
from voucher.operations.claim_subjects import Subject
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import Refused, refused
from voucher.operations.payees import accounts_in_use
from voucher.operations.place_order import units_of
from voucher.operations.policies import policy_in_force
from voucher.operations.relations import known
from voucher.rules.permissions import Actor
from voucher.terms import OrderChannel, OrderState, VoucherKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardRequest:
    """What a firm has paid for and asks a part of, in fen. `origin_region`: where what was bought comes from.

    Invoices are the firm's own, from any seller; contract number, day and amount only where there is a contract.
    `units` counts what a cap per unit multiplies.
    """

    programme_code: str
    holder_ref: str
    service: str
    description: str
    origin_region: str
    invoices: tuple[GivenInvoice, ...]
    payments: tuple[GivenPayment, ...]
    documents: tuple[GivenDocument, ...]
    payee_account_id: int
    contract_no: str = ""
    contract_on: date | None = None
    contract_fen: Fen | None = None
    units: int = 1

    @property
    def papers(self) -> Papers:
        """What is judged."""
        return Papers(
            contract_fen=self.contract_fen,
            invoices=self.invoices,
            payments=self.payments,
            documents=self.documents,
            payee_account_id=self.payee_account_id,
            origin_region=self.origin_region,
        )


def apply_for_award(
    session: Session, requests: Sequence[AwardRequest], *, actor: Actor, at: datetime
) -> list[Claimed | Refused]:
    """Claim a post-subsidy: an order of channel POST_SUBSIDY and its claim, SUBMITTED; nothing is posted yet.

    The version in force today rules it. Refused, each alone: a programme that pays no post-subsidy or does not
    exist, a holder that is not the actor's, a region that is none (`not_found`), a firm that a decision shuts out
    (`party_banned`, before anything else is judged, also in the preview), one that is not qualified this
    year (`not_qualified`), a service outside the policy (`service_not_certified`), and what a claim's papers and
    invoices are refused for.
    """
    accounts = accounts_in_use(session, [request.payee_account_id for request in requests])
    drafts: list[Draft | Refused] = []
    order_ids = take_ids(session, Order, len(requests))
    for order_id, claim_id, request in zip(
        order_ids, take_ids(session, Claim, len(requests)), requests, strict=True
    ):
        try:
            subject = _subject(session, order_id, request, actor=actor, at=at)
            drafts.append(_draft(session, claim_id, subject, (request, accounts), at=at))
        except Refusal as refusal:
            drafts.append(refused(refusal))
    return write(session, drafts, actor=actor, at=at)


def preview_award(session: Session, request: AwardRequest, *, actor: Actor, at: datetime) -> Judged:
    """What the policy would make of an application: nothing is written. Raises the Refusal that it would meet."""
    subject = _subject(session, 0, request, actor=actor, at=at)
    accounts = accounts_in_use(session, [request.payee_account_id])
    return judge(session, subject, request.papers, accounts, at=at)


def _draft(
    session: Session,
    claim_id: int,
    subject: Subject,
    given: tuple[AwardRequest, dict[int, PayeeAccount]],
    *,
    at: datetime,
) -> Draft:
    request, accounts = given
    judged = judge(session, subject, request.papers, accounts, at=at)
    subject.order.wanted_fen = judged.computation.amount_fen
    return Draft(claim_id, subject, judged, claimed_of(subject, judged))


def _subject(
    session: Session, order_id: int, request: AwardRequest, *, actor: Actor, at: datetime
) -> Subject:
    programme = session.get(Programme, request.programme_code)
    holder = session.scalars(
        select(Holder).where(
            Holder.ref == request.holder_ref, Holder.organisation_id.in_(actor.organisation_ids)
        )
    ).one_or_none()
    if programme is None or holder is None:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    if session.get(Region, request.origin_region) is None:
        raise Refusal(Code.NOT_FOUND, region=request.origin_region)
    _refuse_banned(session, holder, on=business_date(at))
    policy = policy_in_force(session, programme.code, at)
    if policy.kind is not VoucherKind.POST_SUBSIDY:
        raise Refusal(Code.NOT_FOUND, programme=request.programme_code)
    year = fiscal_year(at)
    named = select(Qualification.holder_class).where(
        Qualification.programme_code == programme.code,
        Qualification.holder_id == holder.id,
        Qualification.year == year,
    )
    holder_class = session.scalars(named).one_or_none()
    if holder_class is None:
        raise Refusal(Code.NOT_QUALIFIED, reason="not_qualified", year=year)
    order = Order(
        id=order_id,
        number=numbered("O", year, order_id) if order_id else "",
        book_id=programme.book_id,
        channel=OrderChannel.POST_SUBSIDY.value,
        state=OrderState.CLAIMED.value,
        holder_id=holder.id,
        holder_class=holder_class,
        programme_code=programme.code,
        policy_code=policy.code,
        service=request.service,
        description=request.description,
        contract_no=request.contract_no,
        contract_on=request.contract_on,
        contract_fen=request.contract_fen,
        units=units_of(policy, request.units),
        fiscal_year=business_date(at).year,
        captured_fen=0,
        placed_at=at,
    )
    return Subject(order, None, holder, None, policy, holder_class)


def _refuse_banned(session: Session, holder: Holder, *, on: date) -> None:
    """A firm that is shut out is told so before it attaches its papers."""
    owners = {holder.organisation_id} if holder.organisation_id is not None else set()
    parties = known(session, owners, set(), years={on.year}, on=on)
    parties.refuse_banned(holder.organisation_id, None)
