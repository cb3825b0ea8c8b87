"""What leaves the house, and how a way out says that it did not arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voucher.terms import MessageChannel

TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message on its way. `ref` is its idempotency id: the same for every attempt."""

    ref: str
    channel: MessageChannel
    address: str
    title: str
    text: str


class Undelivered(Exception):
    """The message did not leave, or nobody can tell. `final`: trying again is of no use, or could tell it twice.

    `reason` is a short code for the administrator, without address or text.
    """

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class Courier(Protocol):
    """A way out. `repeatable`: the other side refuses a message id it has, so an interrupted attempt may be repeated."""

    @property
    def repeatable(self) -> bool: ...

    def send(self, parcel: Parcel) -> None:
        """Hand the message over. Raises Undelivered."""
        ...
