"""The clock of a review (审核时限): working days that a case waited for us, not those it waited for its firm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from voucher.rules.working_days import Calendar, add_working_days, working_days_between


@dataclass(frozen=True, slots=True)
class Pause:
    """The time that a case was with its firm; `to_on` None: it still is."""

    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """How many working days a case took so far; `days` is what the policy allows (None: it sets nothing).

    `due_on` is the last day, known only while the clock runs and has time left.
    """

    used: int
    days: int | None
    paused: bool
    due_on: date | None

    @property
    def left(self) -> int | None:
        """Working days left; negative when overdue."""
        return None if self.days is None else self.days - self.used

    @property
    def overdue(self) -> bool:
        """Whether we took longer than the policy allows."""
        return self.left is not None and self.left < 0


def clock(
    calendar: Calendar, began_on: date, pauses: Sequence[Pause], *, days: int | None, today: date
) -> Clock:
    """The clock of a case that came in on `began_on` (not counted itself), as it stands today.

    A day on which the case came back to us is not counted, like the day on which it came in.
    """
    used, since = 0, began_on
    paused = False
    for pause in sorted(pauses, key=lambda each: each.from_on):
        used += max(0, working_days_between(calendar, since, pause.from_on))
        paused = pause.to_on is None
        since = pause.to_on or today
    if not paused:
        used += max(0, working_days_between(calendar, since, today))
    running = not paused and days is not None and used <= days
    due_on = add_working_days(calendar, today, days - used) if running and days is not None else None
    return Clock(used, days, paused, due_on)
