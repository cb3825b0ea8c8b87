"""How alike two texts are, without keeping either: a few small hashes of overlapping pieces (MinHash).

Sixteen minima are kept of each text; the share that two texts have in common estimates the share of pieces that they
have in common. Pure; no dependency; the same text gives the same hashes on every machine.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from hashlib import blake2b

MINIMA = 16
_PIECE = 8
_SHORTEST = 80
_MOST = 200_000


def plain(text: str) -> str:
    """Letters and digits alone, full-width folded, lower case: what layout, blanks and numbering cannot change."""
    folded = unicodedata.normalize("NFKC", text[:_MOST]).lower()
    return "".join(each for each in folded if each.isalnum())


def minima(text: str) -> tuple[str, ...]:
    """Sixteen hashes (12 hex digits, the place in front) of a text; none for one of fewer than 80 letters and digits."""
    bare = plain(text)
    if len(bare) < _SHORTEST:
        return ()
    pieces = {bare[start : start + _PIECE] for start in range(len(bare) - _PIECE + 1)}
    least = [2**64] * MINIMA
    for piece in pieces:
        wide = (
            blake2b(piece.encode(), digest_size=64).digest()
            + blake2b(piece.encode(), digest_size=64, key=b"2").digest()
        )
        for place in range(MINIMA):
            value = int.from_bytes(wide[8 * place : 8 * place + 8])
            least[place] = min(least[place], value)
    return tuple(f"{place:02x}{value:016x}"[:14] for place, value in enumerate(least))


def percent_alike(common: int) -> int:
    """The estimate in percent from how many of the sixteen two texts share."""
    return 100 * common // MINIMA


def common(one: Collection[str], other: Collection[str]) -> int:
    """How many of the hashes two texts share."""
    return len(set(one) & set(other))
