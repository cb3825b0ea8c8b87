"""An amount that is final, or may still shrink, in the parts of its funders (domain, section 3.4, last line).

`funding.split` says what ceilings leave of a subsidy. From there on the subsidy stands, and its parts are looked for:
the parts of that amount before the ceilings of which they leave this one. A funder below its ceiling pays by its
part, one at its ceiling pays the ceiling.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from math import lcm
from typing import Final

from voucher.money import Fen
from voucher.rules.funding import split
from voucher.rules.policy import WHOLE_BP, Policy, Share
from voucher.rules.shares import by_weight
from voucher.rules.subsidy import Computation, Step, clause_of, round_down

ABOVE_CEILINGS: Final = "出资方超过其上限的部分不予补助"


def left_by_ceilings(shares: Sequence[Share], amount_fen: Fen, base_fen: Fen) -> Fen:
    """What the funders' own ceilings leave of an amount; without funders all of it."""
    return Fen(sum(each.amount_fen for each in split(shares, amount_fen, base_fen))) if shares else amount_fen


def within_ceilings(policy: Policy, shares: Sequence[Share], computed: Computation) -> Computation:
    """What the funders' own ceilings leave of a subsidy on its own base, rounded as the policy says, with a line for it."""
    left = left_by_ceilings(shares, computed.amount_fen, computed.base_fen)
    if left == computed.amount_fen:
        return computed
    left = round_down(policy, left)
    step = Step(ABOVE_CEILINGS, clause_of(policy, "funding_shares"), left)
    return replace(computed, amount_fen=left, steps=(*computed.steps, step))


def exact(shares: Sequence[Share], amount_fen: Fen, base_fen: Fen) -> tuple[Fen, ...]:
    """The parts of a final amount to the fen, by largest remainder: they add up to it.

    Raises ValueError for more than the ceilings of all funders leave.
    """
    if amount_fen == 0:
        return (Fen(0),) * len(shares)
    return by_weight(amount_fen, _entitled(shares, amount_fen, base_fen)[0])


def reserved(shares: Sequence[Share], amount_fen: Fen, base_fen: Fen) -> tuple[Fen, ...]:
    """The most that each funder can come to pay of this amount or of a smaller one: its part, rounded up."""
    if amount_fen == 0:
        return (Fen(0),) * len(shares)
    weights, unit = _entitled(shares, amount_fen, base_fen)
    return tuple(Fen(-(-weight // unit)) for weight in weights)


def _entitled(shares: Sequence[Share], amount_fen: Fen, base_fen: Fen) -> tuple[list[int], int]:
    """What each funder is entitled to pay, exactly, and how many of these units make one fen."""
    whole = lcm(*(share.of for share in shares))
    wanted = amount_fen * whole
    before = bisect_left(range(wanted + 1), wanted, key=lambda each: sum(_given(shares, each, base_fen)))
    if before > wanted:
        raise ValueError(f"the ceilings of all funders leave less than {amount_fen} fen")
    below, above = _given(shares, before - 1, base_fen), _given(shares, before, base_fen)
    rise, rest = sum(above) - sum(below), wanted - sum(below)
    return [low * rise + rest * (high - low) for low, high in zip(below, above, strict=True)], rise * whole


def _given(shares: Sequence[Share], amount_fen: int, base_fen: int) -> list[int]:
    """The parts of an amount after the ceilings, in units of which `whole` make one fen."""
    whole = lcm(*(share.of for share in shares))
    given = {share.funder: amount_fen * share.parts * (whole // share.of) for share in shares}
    for share in sorted(shares, key=lambda each: each.spill_to is None):
        over = max(given[share.funder] - _most(share, given[share.funder], base_fen, whole), 0)
        given[share.funder] -= over
        if share.spill_to is not None:
            given[share.spill_to] += over
    return [given[share.funder] for share in shares]


def _most(share: Share, part: int, base_fen: int, whole: int) -> int:
    ceilings = [part]
    if share.ceiling_fen is not None:
        ceilings.append(share.ceiling_fen * whole)
    if share.ceiling_bp is not None:
        ceilings.append(base_fen * share.ceiling_bp // WHOLE_BP * whole)
    return min(ceilings)
