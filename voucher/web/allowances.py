"""The version that an order placed now would fall under, as pages show it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.models.vouchers import Voucher
from voucher.operations.policies import policy_in_force
from voucher.rules.policy import Policy


def policy_for(session: Session, voucher: Voucher, at: datetime) -> Policy | None:
    """The version that an order placed now would fall under; None between two versions."""
    try:
        return policy_in_force(session, voucher.programme_code, at)
    except Refusal:
        return None
