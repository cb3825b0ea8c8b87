"""What a public notice shows, and until when it is open (公示; domain 0 item 12, R5 of section 6)."""

from __future__ import annotations

import hmac
from datetime import date
from hashlib import sha256
from typing import Final

from voucher.rules.policy import Policy
from voucher.terms import HolderKind

_LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_WORD_LENGTH: Final = 8


def working_days_asked(policy: Policy) -> int:
    """For how many working days the policy wants a claim published; 0 where it does not ask for a notice."""
    return policy.notice_days or 0


def shown_name(name: str, kind: HolderKind) -> str:
    """A holder's name as the public reads it: a founder is a natural person, so only the family name stands."""
    return f"{name[:1]}{'*' * (len(name) - 1)}" if kind is HolderKind.FOUNDER else name


def is_over(to_on: date, today: date) -> bool:
    """Whether the last day of a notice has passed."""
    return today > to_on


def lookup_word(secret: str, objection_number: str) -> str:
    """The word that goes with an objection's number: whoever knows both may follow it without an account.

    Made of the installation's secret and the number, so it is stored nowhere; another secret makes other words.
    """
    digest = hmac.new(secret.encode(), f"objection:{objection_number}".encode(), sha256).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_WORD_LENGTH])


def is_lookup_word(secret: str, objection_number: str, said: str) -> bool:
    """Whether this is the word of that number, however it was typed."""
    word = "".join(said.upper().split()).replace("-", "")
    return hmac.compare_digest(word.encode(), lookup_word(secret, objection_number).encode())
