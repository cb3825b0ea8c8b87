"""What a recognition agreement adds to a hold: its ceilings for a year, for each firm and in total, and who pays a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import standings
from voucher.models.ledger import Book
from voucher.models.orders import Order
from voucher.models.parties import Certification
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.agreements import versions_of
from voucher.operations.charges import opened_with
from voucher.operations.funders import Funder
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused
from voucher.operations.policies import policy_in_force
from voucher.operations.recognise import Recognition
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

    @property
    def clause(self) -> str:
        """The item of the agreement that sets it."""
        return self.agreement.clause("firm_ceiling_fen" if self.firm_ref else "total_ceiling_fen")


@dataclass(frozen=True, slots=True)
class QuotaRoom:
    """A ceiling as it stands now: of this firm or in total, used (with what is held) and left, in fen."""

    quota: Quota
    used_fen: int

    @property
    def is_firms(self) -> bool:
        """Whether it is this firm's own."""
        return bool(self.quota.firm_ref)

    @property
    def left_fen(self) -> int:
        """What may still be used."""
        return max(self.quota.amount_fen - self.used_fen, 0)


def quotas_of(voucher: Voucher, agreement: Agreement, year: int) -> tuple[Quota, ...]:
    """The ceilings that an order of this calendar year under this agreement is charged to."""
    ceilings = (
        (voucher.holder.cap_owner, agreement.firm_ceiling_fen),
        ("", agreement.total_ceiling_fen),
    )
    return tuple(
        Quota(agreement, firm_ref, year, amount) for firm_ref, amount in ceilings if amount is not None
    )


def quota_rooms(session: Session, book_id: int, quotas: Sequence[Quota]) -> list[QuotaRoom]:
    """What these ceilings leave as they stand; what decides is computed under lock when money moves."""
    opened = opened_with(session, book_id, quotas)
    now = standings(session, book_id, [each.account for each in quotas]) if quotas else {}
    return [QuotaRoom(each, opened[each.account] - now[each.account].available_fen) for each in quotas]


def rooms_of_order(session: Session, order: Order, voucher: Voucher) -> list[QuotaRoom]:
    """What the agreement of an order leaves of its ceilings; none at a platform of the home region."""
    if order.agreement_version_id is None:
        return []
    agreement = versions_of(session, [order.agreement_version_id])[order.agreement_version_id]
    return quota_rooms(session, order.book_id, quotas_of(voucher, agreement, order.fiscal_year))


def rooms_at(
    session: Session, voucher: Voucher, platform_id: int, services: Sequence[str], *, at: datetime
) -> list[QuotaRoom]:
    """What orders placed now at this platform would find of the ceilings of the agreements that admit them."""
    policy, on = policy_in_force(session, voucher.programme_code, at), business_date(at)
    rows = session.scalars(select(Certification).where(Certification.platform_id == platform_id)).all()
    recognition = Recognition(session, [platform_id], locked=False)
    found: dict[str, Agreement] = {}
    for service in services:
        try:
            admitted = recognition.admit(policy, rows, platform_id=platform_id, service=service, on=on)
        except Refusal:
            continue
        if admitted is not None:
            found[admitted.agreement.code] = admitted.agreement
    quotas = [quota for each in found.values() for quota in quotas_of(voucher, each, fiscal_year(at))]
    return quota_rooms(session, voucher.book_id, quotas)


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

    Where a ceiling leaves nothing the refusal is `not_recognised` (reason `ceiling`) with the agreement's clause, and
    with what is left of its ceilings for this firm and in total.
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
    return [_told(session, request, answer) for request, answer in zip(ruled, answers, strict=True)]


def _ruled(session: Session, request: HoldRequest, agreement: Agreement) -> HoldRequest:
    return replace(
        request,
        policy=ruling(request.policy, agreement),
        limits=(*request.limits, *quotas_of(request.voucher, agreement, request.order.fiscal_year)),
        funders=funders_of(session, request.order, agreement, home=request.policy.owner_region),
    )


def _told(session: Session, request: HoldRequest, answer: Held | Refused) -> Held | Refused:
    quotas = [each for each in request.limits if isinstance(each, Quota)]
    if not quotas or isinstance(answer, Held) or answer.code is not Code.QUOTA_EXCEEDED:
        return answer
    rooms = quota_rooms(session, request.order.book_id, quotas)
    least = min(rooms, key=lambda each: each.left_fen)
    ceiling = not_recognised(RecognitionReason.CEILING, least.quota.agreement, least.quota.clause)
    left: dict[str, Fact] = {
        "firm_left_fen" if each.is_firms else "total_left_fen": each.left_fen for each in rooms
    }
    return Refused(Code.NOT_RECOGNISED, {**answer.facts, **left, **ceiling})
