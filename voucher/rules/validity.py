"""Until when: the last day on which a voucher may be used, a service completed, a claim made.

Each date is the last day that still counts, by the business calendar (Asia/Shanghai). The day on which a
period begins is not counted (民法典 article 201), so one day from 1 March ends with 2 March.
"""

from __future__ import annotations

from datetime import date, timedelta

from voucher.rules.policy import Policy, PolicyUnsetError


def use_by(policy: Policy, issued_on: date) -> date:
    """The last day on which a voucher issued on this day may be used for an order."""
    return _last_day("use_by_days", policy.use_by_days, issued_on)


def complete_by(policy: Policy, held_on: date) -> date:
    """The last day on which a service whose contract was filed on this day may be redeemed."""
    return _last_day("complete_by_days", policy.complete_by_days, held_on)


def redeem_by(policy: Policy, captured_on: date) -> date:
    """The last day on which the money for a service redeemed on this day may be claimed."""
    return _last_day("redeem_by_days", policy.redeem_by_days, captured_on)


def _last_day(key: str, days: int | None, begins_on: date) -> date:
    if days is None:
        raise PolicyUnsetError(key)
    return begins_on + timedelta(days=days)
