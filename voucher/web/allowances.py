"""What a holder may still use today, as pages show it; what decides is computed under lock when money moves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.models.vouchers import Voucher
from voucher.operations.policies import policy_in_force
from voucher.queries.vouchers import CapStanding, cap_standing
from voucher.rules.policy import Policy


def policy_for(session: Session, voucher: Voucher, at: datetime) -> Policy | None:
    """The version that an order placed now would fall under; None between two versions."""
    try:
        return policy_in_force(session, voucher.programme_code, at)
    except Refusal:
        return None


def cap_of(session: Session, voucher: Voucher, at: datetime) -> CapStanding | None:
    """What the holder's year still allows under the version in force."""
    policy = policy_for(session, voucher, at)
    return cap_standing(session, policy, voucher, on=business_date(at)) if policy else None
