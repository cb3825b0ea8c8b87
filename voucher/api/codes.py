"""Codes in answers: one-time codes, shown with the first answer and never kept, and the keys of rotating ones."""

from __future__ import annotations

from typing import Any

from voucher.api.entry import settings
from voucher.clock import iso
from voucher.codes import Keys
from voucher.operations.join_codes import MadeCode


class Digits:
    """The digits of the codes that one request made, kept apart from its answer until it is given."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}

    def __call__(self, code: MadeCode) -> dict[str, Any]:
        """A code as it may be kept: without its digits."""
        self._of[code.code_id] = code.digits
        return {
            "code_id": code.code_id,
            "organisation_id": code.organisation_id,
            "digits": None,
            "expires_at": iso(code.expires_at),
        }

    def fill(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer with the digits of codes made just now; a repeated request gets it without."""
        return {name: self._filled(value) for name, value in answer.items()} | self._own(answer)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self.fill(value)
        return [self._filled(each) for each in value] if isinstance(value, list) else value

    def _own(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"digits": self._of.get(answer["code_id"])} if "code_id" in answer else {}


def keys() -> Keys:
    """The keys of the rotating codes, newest first, as configured."""
    own = settings().qr_keys
    return Keys(by_kid={f"{each.kid:02d}": each.key for each in own}, current=f"{own[0].kid:02d}")
