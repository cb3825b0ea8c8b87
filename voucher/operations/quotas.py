"""What a recognition agreement adds to a hold: its ceilings for a year, for each firm and in total, and who pays a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.agreements import versions_of
from voucher.operations.funders import Funder
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused
from voucher.rules.agreement import Agreement, ruling
from voucher.rules.clamp import LimitName
from voucher.rules.permissions import Actor
from voucher.rules.recognition import not_recognised, parties_between
from voucher.terms import RecognitionReason, ShareSide


@dataclass(frozen=True, slots=True)
class Quota:
    """What an agreement leaves in the book of the voucher's programme: to one firm, or in total (`firm_ref` empty)."""

    agreement: Agreement
    firm_ref: str
    period: int
    amount_fen: Fen

    @property
    def name(self) -> LimitName:
        """What the limit is called."""
        return "quota"

    @property
    def keeps(self) -> bool:
        """A version with a smaller ceiling lowers it."""
        return False

    @property
    def set_by(self) -> tuple[str, str]:
        """The version that says the amount, and for whom."""
        return self.agreement.code, self.firm_ref

    @property
    def account(self) -> Ref:
        """The limited account."""
        return accounts.quota(self.agreement.agreement, self.firm_ref, self.period)

    @property
    def source(self) -> Ref:
        """Where it is opened from."""
        return accounts.quota_source(self.agreement.agreement, self.period)

    @property
    def used(self) -> Ref:
        """Where what is charged goes."""
        return accounts.quota_used(self.agreement.agreement, self.period)


def quotas_of(order: Order, voucher: Voucher, agreement: Agreement) -> tuple[Quota, ...]:
    """The ceilings that an order under this agreement is charged to, in the calendar year of the order."""
    ceilings = (
        (voucher.holder.cap_owner, agreement.firm_ceiling_fen),
        ("", agreement.total_ceiling_fen),
    )
    return tuple(
        Quota(agreement, firm_ref, order.fiscal_year, amount)
        for firm_ref, amount in ceilings
        if amount is not None
    )


def funders_of(session: Session, order: Order, agreement: Agreement, *, home: str) -> tuple[Funder, ...]:
    """The other region's book as a co-funder of an order, where the agreement gives it a share; `home`: the owner region.

    It pays out of its pledge for the agreement and the programme. Nothing where one book pays for both regions.
    """
    parties = parties_between(agreement, home, order.recognised_region)
    if parties is None:
        raise ValueError(f"order {order.number} is under {agreement.code}, which does not bind its regions")
    book_id = session.scalars(select(Book.book_id).where(Book.code == parties[1].book)).one()
    if book_id == order.book_id:
        return ()
    pledge = accounts.pledge(f"{agreement.agreement}|{order.programme_code}", order.fiscal_year)
    return tuple(
        Funder(book_id, pledge, share.parts, share.of)
        for share in agreement.funding_shares
        if share.funder is ShareSide.PROVIDER
    )


def hold_within(
    session: Session, requests: Sequence[HoldRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """`hold`, each order under an agreement by the agreement's rates, within its ceilings, and paid as it says.

    Where a ceiling leaves nothing the refusal is `not_recognised` (reason `ceiling`) with the agreement's clause.
    """
    ids = {each.order.agreement_version_id for each in requests if each.order.agreement_version_id}
    agreements = versions_of(session, ids)
    ruled = [
        _ruled(session, each, agreements[each.order.agreement_version_id])
        if each.order.agreement_version_id
        else each
        for each in requests
    ]
    answers = hold(session, ruled, actor=actor, at=at)
    return [_told(request, answer) for request, answer in zip(ruled, answers, strict=True)]


def _ruled(session: Session, request: HoldRequest, agreement: Agreement) -> HoldRequest:
    return replace(
        request,
        policy=ruling(request.policy, agreement),
        limits=(*request.limits, *quotas_of(request.order, request.voucher, agreement)),
        funders=funders_of(session, request.order, agreement, home=request.policy.owner_region),
    )


def _told(request: HoldRequest, answer: Held | Refused) -> Held | Refused:
    quotas = [each for each in request.limits if isinstance(each, Quota)]
    if not quotas or isinstance(answer, Held) or answer.code is not Code.QUOTA_EXCEEDED:
        return answer
    agreement = quotas[0].agreement
    is_firms = answer.facts.get("quota_fen") == agreement.firm_ceiling_fen
    clause = agreement.clause("firm_ceiling_fen" if is_firms else "total_ceiling_fen")
    ceiling = not_recognised(RecognitionReason.CEILING, agreement, clause)
    return Refused(Code.NOT_RECOGNISED, {**answer.facts, **ceiling})
