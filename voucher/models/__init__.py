"""Tables: columns, constraints, relationships. No decisions."""

from voucher.models import (
    applications,
    claims,
    files,
    journal,
    ledger,
    messages,
    orders,
    parties,
    people,
    programmes,
    regions,
    review,
    sessions,
    settlements,
    vouchers,
)

__all__ = [
    "applications",
    "claims",
    "files",
    "journal",
    "ledger",
    "messages",
    "orders",
    "parties",
    "people",
    "programmes",
    "regions",
    "review",
    "sessions",
    "settlements",
    "vouchers",
]
