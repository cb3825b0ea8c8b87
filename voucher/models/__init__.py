"""Tables: columns, constraints, relationships. No decisions."""

from voucher.models import (
    claims,
    journal,
    ledger,
    orders,
    parties,
    people,
    programmes,
    regions,
    sessions,
    settlements,
    vouchers,
)

__all__ = [
    "claims",
    "journal",
    "ledger",
    "orders",
    "parties",
    "people",
    "programmes",
    "regions",
    "sessions",
    "settlements",
    "vouchers",
]
