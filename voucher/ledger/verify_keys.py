"""Finding rows by key, many at once."""

from __future__ import annotations

import numpy as np

from voucher.ledger.verify_columns import Column

_TRIES = 4


class Keys:
    """The rows of a key of one or more columns, found by a 64-bit number mixed from them.

    Should two keys mix to one number, other factors are tried; what is found is compared in full.
    """

    def __init__(self, *parts: Column) -> None:
        self._parts = parts
        for seed in range(_TRIES):
            factors = np.random.default_rng(seed).integers(1, 1 << 64, len(parts), dtype=np.uint64)
            self._factors = factors | np.uint64(1)
            mixed = self._mixed(parts)
            self._order = np.argsort(mixed).astype(np.int32)
            self._sorted = mixed[self._order]
            if not np.any(self._sorted[1:] == self._sorted[:-1]):
                break

    def find(self, *parts: Column) -> Column:
        """The row of each key that is asked for, -1 for one that is not there."""
        if not len(self._sorted):
            return np.full(len(parts[0]), -1, np.int32)
        mixed = self._mixed(parts)
        # Asked in order, the search goes through memory once instead of jumping about.
        order = np.argsort(mixed)
        places = np.searchsorted(self._sorted, mixed[order])
        places[places == len(self._sorted)] = 0
        found = np.empty(len(order), np.int32)
        found[order] = self._order[places]
        for mine, asked in zip(self._parts, parts, strict=True):
            found[mine[found] != asked] = -1
        return found

    def _mixed(self, parts: tuple[Column, ...]) -> Column:
        mixed = np.zeros(len(parts[0]), np.uint64)
        for part, factor in zip(parts, self._factors, strict=True):
            mixed += part.astype(np.uint64, copy=False) * factor
        return mixed
