"""What is left of a proposal after every limit: voucher, cap, quota, contract (design, section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from voucher.errors import Code
from voucher.money import Fen, floor_yuan
from voucher.terms import Rounding

LimitName = Literal["voucher", "allotment", "cap", "group", "quota", "contract", "pledge", "count"]
ReductionName = LimitName | Literal["rounding", "funder"]

_CODES: dict[LimitName, Code] = {
    "voucher": Code.VOUCHER_EXHAUSTED,
    "allotment": Code.ALLOTMENT_EXHAUSTED,
    "cap": Code.CAP_EXCEEDED,
    "group": Code.CAP_EXCEEDED,
    "quota": Code.QUOTA_EXCEEDED,
    "contract": Code.CONTRACT_EXCEEDED,
    "pledge": Code.PLEDGE_EXCEEDED,
    "count": Code.COUNT_EXCEEDED,
}
_WHOLE: dict[LimitName, str] = {
    "voucher": "face_fen",
    "allotment": "allotment_fen",
    "cap": "cap_fen",
    "group": "group_fen",
    "quota": "quota_fen",
    "contract": "contract_fen",
    "pledge": "pledge_fen",
    "count": "limit",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as its account stands: what is still free, what was opened, what is used or held."""

    name: LimitName
    available_fen: Fen
    opened_fen: Fen
    used_fen: Fen

    def facts(self) -> dict[str, int]:
        """The facts of a refusal by this limit: the whole under its own name, used and left."""
        return {
            _WHOLE[self.name]: self.opened_fen,
            "used_fen": self.used_fen,
            "left_fen": max(self.available_fen, Fen(0)),
        }


@dataclass(frozen=True, slots=True)
class Reduction:
    """One cut: by which limit (or by rounding), by how much, and the limit itself."""

    name: ReductionName
    by_fen: Fen
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Clamped:
    """The amount granted and every cut on the way; the cuts and the grant add up to what was wanted.

    Nothing granted because a limit is used up: `refusal` says which, with `facts`. A wish of zero (a
    subsidy that rounds to nothing) is granted as zero, without refusal.
    """

    granted_fen: Fen
    reductions: tuple[Reduction, ...]
    refusal: Code | None = None
    facts: Mapping[str, int | str] | None = None


def clamp(wanted_fen: Fen, limits: Sequence[Limit], *, rounding: Rounding = Rounding.FEN) -> Clamped:
    """The most of `wanted_fen` that every limit allows, rounded as the policy says.

    Limits cut in the order given (the order of verdicts: voucher, cap, quota, contract), so each cut is what
    that limit takes away beyond the ones before it. Raises ValueError for a negative wish.
    """
    if wanted_fen < 0:
        raise ValueError("a wanted amount cannot be negative")
    granted = wanted_fen
    reductions: list[Reduction] = []
    for limit in limits:
        left = max(limit.available_fen, Fen(0))
        if left < granted:
            reductions.append(Reduction(limit.name, Fen(granted - left), limit))
            granted = left
    rounded = _rounded(granted, rounding)
    if rounded < granted:
        reductions.append(Reduction("rounding", Fen(granted - rounded)))
    if rounded == 0 and wanted_fen > 0:
        for limit in limits:
            if _rounded(max(limit.available_fen, Fen(0)), rounding) == 0:
                return Clamped(rounded, tuple(reductions), _CODES[limit.name], limit.facts())
    return Clamped(rounded, tuple(reductions))


def _rounded(amount_fen: Fen, rounding: Rounding) -> Fen:
    return floor_yuan(amount_fen) if rounding is Rounding.YUAN else amount_fen
