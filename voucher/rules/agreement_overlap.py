"""Two agreements that would rule the same pair of regions equally near, for one kind and service on one day.

Where one binds a region by its ancestor and the other by itself, the nearer one rules (`recognition`), and they may
stand beside each other. Two that name the same two regions may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from voucher.rules.agreement import Agreement
from voucher.terms import PartyRole


def overlap(
    agreement: Agreement, other: Agreement, *, other_ends_on: date | None = None
) -> tuple[str, str] | None:
    """The home and the certifying region that both rule on some day; None where they leave each other alone.

    `other_ends_on` is the first day without orders where the other one was ended early.
    """
    if not _same_days(agreement, other, other_ends_on):
        return None
    if set(agreement.kinds).isdisjoint(other.kinds) or set(agreement.services).isdisjoint(other.services):
        return None
    theirs = set(_ways(other))
    return next((way for way in _ways(agreement) if way in theirs), None)


def _same_days(agreement: Agreement, other: Agreement, other_ends_on: date | None) -> bool:
    ends = min((day for day in (other.effective_to, other_ends_on) if day is not None), default=date.max)
    begin, begun = agreement.effective_from or date.min, other.effective_from or date.min
    return begin < ends and begun < (agreement.effective_to or date.max)


def _ways(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """Every home and certifying region that the parties name themselves, in the directions agreed."""
    for home in agreement.parties:
        for certifying in agreement.parties:
            if (
                home != certifying
                and home.part is not PartyRole.PROVIDER
                and certifying.part is not PartyRole.HOME
            ):
                yield home.region, certifying.region
