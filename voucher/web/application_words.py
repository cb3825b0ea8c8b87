"""What is written on an application, as people read it: a person's words as they are, a rule's code as its sentence."""

from __future__ import annotations

from voucher.errors import Code
from voucher.schemas.messages import SENTENCES


def reason_shown(reason: str) -> str:
    """The reason of the last step; where a rule refused the voucher, the stored code becomes its sentence."""
    return SENTENCES[Code(reason)] if reason in set(Code) else reason
