"""What is done to an amount after every limit: the factor fixed after the window, and who pays which part of it.

Domain, section 3.4, last two lines: the factor first, whole yuan, then the shares and each funder's own ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lcm
from typing import Any

from voucher.money import Fen, floor_yuan
from voucher.rules.policy import WHOLE_BP, Share
from voucher.rules.shares import by_weight


@dataclass(frozen=True, slots=True)
class Funded:
    """A funder's book and what it pays of a subsidy; `lost_fen` is what its ceiling took away from the subsidy."""

    funder: str
    amount_fen: Fen
    lost_fen: Fen


def after_window(amount_fen: Fen, factor_bp: int) -> Fen:
    """The amount times the factor that was fixed when the window had closed, down to whole yuan.

    Raises ValueError for a factor that is not between 0 and 10,000.
    """
    if not 0 <= factor_bp <= WHOLE_BP:
        raise ValueError("a factor lies between 0 and 10,000")
    return floor_yuan(Fen(amount_fen * factor_bp // WHOLE_BP))


def split(shares: Sequence[Share], amount_fen: Fen, base_fen: Fen) -> tuple[Funded, ...]:
    """Who pays what of an amount, to the fen: by the parts with largest remainder, then each funder's ceiling.

    What a funder hands over (`spill_to`) comes before the ceiling of the one that takes it. The amounts add up to
    the subsidy that is left; with what the ceilings took they add up to `amount_fen`. Funders are named once.
    """
    if not shares:
        return ()
    whole = lcm(*(share.of for share in shares))
    parts = by_weight(amount_fen, [share.parts * (whole // share.of) for share in shares])
    given = dict(zip((share.funder for share in shares), parts, strict=True))
    lost = dict.fromkeys(given, Fen(0))
    for share in sorted(shares, key=lambda each: each.spill_to is None):
        over = _over(share, given[share.funder], base_fen)
        given[share.funder] = Fen(given[share.funder] - over)
        if share.spill_to is None:
            lost[share.funder] = over
        else:
            given[share.spill_to] = Fen(given[share.spill_to] + over)
    return tuple(Funded(funder, given[funder], lost[funder]) for funder in given)


def one_whole(shares: Sequence[Share]) -> bool:
    """Whether the parts of all funders make exactly one whole."""
    whole = lcm(*(share.of for share in shares))
    return sum(share.parts * (whole // share.of) for share in shares) == whole


def share_of(fields: Mapping[str, Any]) -> Share:
    """A share from its fields: `bp`, or `parts` of `of` (2 of 3); `spill_to` only beside a ceiling."""
    rest = {key: value for key, value in fields.items() if key != "bp"}
    if "bp" in fields and ("parts" in fields or "of" in fields):
        raise ValueError("分担写 bp，或者写 parts 与 of（例如 parts = 2、of = 3），不能都写")
    if "bp" not in fields and not {"parts", "of"} <= fields.keys():
        raise ValueError("分担应写 bp（万分之几），或者写 parts 与 of（例如 parts = 2、of = 3）")
    if "bp" in fields:
        rest["parts"] = fields["bp"]
    share = Share(**rest)
    if share.parts > share.of:
        raise ValueError("parts 不能大于 of")
    if share.spill_to is not None and share.ceiling_fen is None and share.ceiling_bp is None:
        raise ValueError("没有上限（ceiling_fen 或 ceiling_bp），spill_to 无从适用")
    return share


def _over(share: Share, part_fen: Fen, base_fen: Fen) -> Fen:
    """How much of a part lies above the funder's ceiling."""
    most: int = part_fen
    if share.ceiling_fen is not None:
        most = min(most, share.ceiling_fen)
    if share.ceiling_bp is not None:
        most = min(most, base_fen * share.ceiling_bp // WHOLE_BP)
    return Fen(part_fen - most)
