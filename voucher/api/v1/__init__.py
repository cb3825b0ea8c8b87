"""Version 1 of the API: one blueprint a subject, listed here."""

from __future__ import annotations

from typing import Final

from flask_smorest import Blueprint

from voucher.api.v1 import (
    account,
    applications,
    authority,
    catalogue,
    checks,
    claim_steps,
    claims,
    desk,
    factors,
    holidays,
    incubator,
    join,
    ledger,
    messages,
    notices,
    objections,
    offers,
    order_cases,
    orders,
    parties,
    policy_proposals,
    programme,
    reviews,
    sessions,
    settlements,
    staff,
    tenant_orders,
    vouchers,
)

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    account.blueprint,
    join.blueprint,
    authority.blueprint,
    desk.blueprint,
    staff.blueprint,
    vouchers.blueprint,
    offers.blueprint,
    applications.blueprint,
    sessions.blueprint,
    orders.blueprint,
    order_cases.blueprint,
    incubator.blueprint,
    tenant_orders.blueprint,
    catalogue.blueprint,
    claims.blueprint,
    claim_steps.blueprint,
    reviews.blueprint,
    checks.blueprint,
    parties.blueprint,
    policy_proposals.blueprint,
    programme.blueprint,
    settlements.blueprint,
    factors.blueprint,
    ledger.blueprint,
    messages.blueprint,
    notices.blueprint,
    objections.blueprint,
    holidays.blueprint,
)
