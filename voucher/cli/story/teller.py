"""The teller of a story: does what was planned in the order of its instants, and follows stories that wait between."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

from voucher.cli.story.papers import claim_papers
from voucher.cli.story.scenes import Scene
from voucher.cli.story.stage import Stage
from voucher.clock import business_date, day_bounds
from voucher.codes import Keys
from voucher.operations.documents import GivenDocument
from voucher.terms import DocumentKind

DAYS = 320
YOUNG = timedelta(days=DAYS)
OFFICE_MINUTES = 8 * 60
PAPERS = (DocumentKind.CONTRACT, DocumentKind.INVOICE, DocumentKind.PAYMENT_PROOF, DocumentKind.RESULT)

T = TypeVar("T")
Story = Generator[datetime, datetime, T]
"""Yields the instant at which it goes on, and is sent that instant; returns what came of it."""


@dataclass(slots=True)
class Teller:
    """Tells scenes in the order of their instants. `approved` are the claims that wait for a batch."""

    stage: Stage
    keys: Keys
    begins: datetime
    ends: datetime
    vouchers: dict[int, str] = field(default_factory=dict)
    approved: list[tuple[str, Scene]] = field(default_factory=list)
    waiting: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    turn: count[int] = field(default_factory=count)

    def on(self, day: float) -> datetime:
        """The instant of a day on the scale of 320, in office hours unless the year is young."""
        span = self.ends - self.begins
        at = self.begins + span * int(day * 100) // (DAYS * 100)
        if span < YOUNG:
            return at
        morning = day_bounds(business_date(at))[0] + timedelta(hours=9)
        return min(morning + timedelta(minutes=int(day * 53) % OFFICE_MINUTES), self.ends)

    def then(self, day: float, work: Callable[[datetime], None]) -> None:
        """Do something on a day; what is planned for the same instant keeps its order."""
        self.then_at(self.on(day), work)

    def then_at(self, at: datetime, work: Callable[[datetime], None]) -> None:
        """Do something at an instant."""
        heappush(self.waiting, (at, next(self.turn), work))

    def follow(self, story: Story[None]) -> None:
        """Let a story go on whenever the instant comes that it waits for."""
        self._wait(story, next(story))

    def _wait(self, story: Story[None], until: datetime) -> None:
        self.then_at(until, partial(self._go_on, story))

    def _go_on(self, story: Story[None], at: datetime) -> None:
        try:
            until = story.send(at)
        except StopIteration:
            return
        self._wait(story, until)

    def tell(self) -> None:
        """Tell everything that was planned, and what is planned meanwhile."""
        while self.waiting:
            at, _, work = heappop(self.waiting)
            work(at)

    def papers(self, order: str) -> tuple[GivenDocument, ...]:
        """The papers of an order's claim."""
        return claim_papers(self.stage.files_dir, PAPERS, about=order)
