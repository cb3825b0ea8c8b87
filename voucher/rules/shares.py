"""Sharing an amount out over several orders."""

from __future__ import annotations

from collections.abc import Sequence

from voucher.money import Fen


def by_weight(whole_fen: Fen, weights: Sequence[int]) -> tuple[Fen, ...]:
    """The amount in parts in proportion to the weights, by largest remainder: the parts add up to it exactly.

    Raises ValueError where no weight is above zero, or one is below.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("an amount is shared out over weights above zero")
    parts = [whole_fen * weight // total for weight in weights]
    left = whole_fen - sum(parts)
    order = sorted(range(len(weights)), key=lambda place: -(whole_fen * weights[place] % total))
    for place in order[:left]:
        parts[place] += 1
    return tuple(Fen(part) for part in parts)
