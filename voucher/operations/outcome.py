"""What an operation over a sequence answers for one of its requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from voucher.errors import Code, Fact, Refusal
from voucher.ledger.events import Rejected

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused:
    """One request of a sequence was refused, alone, and left no trace."""

    code: Code
    facts: Mapping[str, Fact] = field(default_factory=dict)


def refused(reason: Refusal | Rejected) -> Refused:
    """A refusal of a rule, or of the ledger, as the answer to one request."""
    return Refused(reason.code, dict(reason.facts))


def one_book(book_ids: Iterable[int]) -> int:
    """The book that all requests of a sequence belong to. Raises ValueError where they belong to several."""
    found = set(book_ids)
    if len(found) != 1:
        raise ValueError(f"a sequence is posted in one book, not in {sorted(found)}")
    return found.pop()


def only(results: Sequence[T | Refused]) -> T:
    """The answer to a sequence of one; raises its `Refusal` where it was refused."""
    (result,) = results
    if isinstance(result, Refused):
        raise Refusal(result.code, **result.facts)
    return result
