"""The ceilings of a recognition agreement as allowance accounts: for each firm, and in total, for a year (协议额度)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Code
from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.hold import Held, HoldRequest, hold
from voucher.operations.outcome import Refused
from voucher.rules.agreement import Agreement
from voucher.rules.clamp import LimitName
from voucher.rules.permissions import Actor
from voucher.rules.recognition import not_recognised
from voucher.terms import RecognitionReason


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


def quotas_of(order: Order, voucher: Voucher, agreement: Agreement | None) -> tuple[Quota, ...]:
    """The ceilings that an order under this agreement is charged to, in the calendar year of the order."""
    if agreement is None:
        return ()
    ceilings = (
        (voucher.holder.cap_owner, agreement.firm_ceiling_fen),
        ("", agreement.total_ceiling_fen),
    )
    return tuple(
        Quota(agreement, firm_ref, order.fiscal_year, amount)
        for firm_ref, amount in ceilings
        if amount is not None
    )


def hold_within(
    session: Session, requests: Sequence[HoldRequest], *, actor: Actor, at: datetime
) -> list[Held | Refused]:
    """`hold`; where an agreement's ceiling leaves nothing, `not_recognised` (reason `ceiling`) with its clause."""
    answers = hold(session, requests, actor=actor, at=at)
    return [_told(request, answer) for request, answer in zip(requests, answers, strict=True)]


def _told(request: HoldRequest, answer: Held | Refused) -> Held | Refused:
    quotas = [each for each in request.limits if isinstance(each, Quota)]
    if not quotas or isinstance(answer, Held) or answer.code is not Code.QUOTA_EXCEEDED:
        return answer
    agreement = quotas[0].agreement
    is_firms = answer.facts.get("quota_fen") == agreement.firm_ceiling_fen
    clause = agreement.clause("firm_ceiling_fen" if is_firms else "total_ceiling_fen")
    ceiling = not_recognised(RecognitionReason.CEILING, agreement, clause)
    return Refused(Code.NOT_RECOGNISED, {**answer.facts, **ceiling})
