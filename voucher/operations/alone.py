"""Requests of a sequence that are done one by one, each whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from voucher.errors import Refusal
from voucher.operations.outcome import Refused, refused

T = TypeVar("T")
Request = TypeVar("Request")


def alone(session: Session, requests: Sequence[Request], work: Callable[[Request], T]) -> list[T | Refused]:
    """Do `work` for each request within a savepoint of its own; a refusal takes back that request alone."""
    results: list[T | Refused] = []
    for request in requests:
        try:
            with session.begin_nested():
                results.append(work(request))
        except Refusal as refusal:
            results.append(refused(refusal))
    return results
