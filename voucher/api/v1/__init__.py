"""Version 1 of the API: one blueprint a subject, listed here."""

from __future__ import annotations

from typing import Final

from flask_smorest import Blueprint

from voucher.api.v1 import account

BLUEPRINTS: Final[tuple[Blueprint, ...]] = (account.blueprint,)
