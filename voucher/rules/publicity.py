"""What a public notice shows, and until when it is open (公示; domain 0 item 12, R5 of section 6)."""

from __future__ import annotations

from datetime import date

from voucher.rules.policy import Policy
from voucher.terms import HolderKind


def working_days_asked(policy: Policy) -> int:
    """For how many working days the policy wants a claim published; 0 where it does not ask for a notice."""
    return policy.notice_days or 0


def shown_name(name: str, kind: HolderKind) -> str:
    """A holder's name as the public reads it: a founder is a natural person, so only the family name stands."""
    return f"{name[:1]}{'*' * (len(name) - 1)}" if kind is HolderKind.FOUNDER else name


def is_over(to_on: date, today: date) -> bool:
    """Whether the last day of a notice has passed."""
    return today > to_on
