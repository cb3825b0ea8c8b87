"""Version 1 of the API: one blueprint a subject, listed here."""

from __future__ import annotations

from typing import Final

from flask_smorest import Blueprint

from voucher.api.v1 import (
    account,
    checks,
    claims,
    ledger,
    orders,
    parties,
    programme,
    reviews,
    sessions,
    settlements,
    vouchers,
)

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    account.blueprint,
    vouchers.blueprint,
    sessions.blueprint,
    orders.blueprint,
    claims.blueprint,
    reviews.blueprint,
    checks.blueprint,
    parties.blueprint,
    programme.blueprint,
    settlements.blueprint,
    ledger.blueprint,
)
