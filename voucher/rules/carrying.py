"""Unused allowance that is carried into later years (余杭: 结转，最多三年): what one more charge in a year may take.

Every year's allowance may be used in its own year and in the `years` after it, the oldest first; then it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

from voucher.money import Fen


def room_in(entitled: Mapping[int, int], used: Mapping[int, int], *, years: int, year: int) -> Fen:
    """The most that a charge in `year` may still take, so that everything used in any year finds its allowance.

    Uses of the years c with c - years and c both within a stretch can only be met by allowances of that stretch: so in
    every stretch that the new charge lies in, allowance less use bounds it. Never below zero, where a version lowered
    an allowance that was used already.
    """
    known = [year, *entitled, *used]
    first, last = min(known), max(known)
    room: int | None = None
    for begin in range(first - years, year - years + 1):
        for end in range(year, last + 1):
            given = sum(amount for each, amount in entitled.items() if begin <= each <= end)
            taken = sum(amount for each, amount in used.items() if begin + years <= each <= end)
            room = given - taken if room is None else min(room, given - taken)
    return Fen(max(room or 0, 0))
