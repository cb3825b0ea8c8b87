"""Finding rows by key, many at once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from voucher.ledger.verify_columns import Column

_TRIES = 4


class Keys:
    """The rows of a key of one or more columns, found by a 64-bit number mixed from them.

    Should two keys mix to one number, other factors are tried; what is found is compared in full.
    """

    def __init__(self, *parts: Column) -> None:
        self._parts = parts

    def find(self, *parts: Column, guess: Column | None = None) -> Column:
        """The row of each key that is asked for, -1 for one that is not there.

        Rows mostly lie in the order in which they were written: `guess` says where each would be then, and only
        what is not there is searched for.
        """
        found = np.full(len(parts[0]), -1, np.int32)
        if not len(self._parts[0]):
            return found
        if guess is None:
            return self._searched(parts)
        found = np.clip(guess, 0, len(self._parts[0]) - 1).astype(np.int32)
        elsewhere = np.flatnonzero(~self._same(found, parts))
        if len(elsewhere):
            found[elsewhere] = self._searched(tuple(part[elsewhere] for part in parts))
        return found

    def _same(self, rows: Column, parts: tuple[Column, ...]) -> Column:
        same = np.ones(len(rows), bool)
        for mine, asked in zip(self._parts, parts, strict=True):
            same &= mine[rows] == asked
        return same

    def _searched(self, parts: tuple[Column, ...]) -> Column:
        rows, mixed, factors = self._index
        asked = _mixed(parts, factors)
        # Asked in order, the search goes through memory once instead of jumping about.
        order = np.argsort(asked)
        places = np.searchsorted(mixed, asked[order])
        places[places == len(mixed)] = 0
        found = np.empty(len(order), np.int32)
        found[order] = rows[places]
        found[~self._same(found, parts)] = -1
        return found

    @cached_property
    def _index(self) -> tuple[Column, Column, Column]:
        """The rows in the order of their mixed numbers, these numbers, and the factors that made them."""
        for seed in range(_TRIES):
            factors = np.random.default_rng(seed).integers(1, 1 << 64, len(self._parts), dtype=np.uint64)
            mixed = _mixed(self._parts, factors | np.uint64(1))
            order = np.argsort(mixed)
            mixed = mixed[order]
            if not np.any(mixed[1:] == mixed[:-1]):
                break
        return order.astype(np.int32), mixed, factors | np.uint64(1)


def _mixed(parts: tuple[Column, ...], factors: Column) -> Column:
    mixed = np.zeros(len(parts[0]), np.uint64)
    for part, factor in zip(parts, factors, strict=True):
        mixed += part.astype(np.uint64, copy=False) * factor
    return mixed
