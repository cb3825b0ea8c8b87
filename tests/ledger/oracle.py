"""The ledger once more, written to be obviously right: sums over a list, and no other code of the kernel.

A limit is looked up by account code here, not taken from the chart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from voucher.ledger.accounts import Ref
from voucher.ledger.events import Event, Leg

DEBITS = {
    "budget": "budget_exceeded", "voucher": "voucher_exhausted", "allot": "allotment_exhausted",
    "order": "already_settled", "payable": "payable_exceeded", "escrow": "payable_exceeded",
    "pledge": "pledge_exceeded", "share": "already_settled", "cap": "cap_exceeded", "quota": "quota_exceeded",
    "contract": "contract_exceeded", "funded": "budget_exceeded", "count": "count_exceeded",
    "holding": "count_exceeded",
}  # fmt: skip
CREDITS = {"receivable": "balance_exceeded"}


@dataclass
class Book:
    """Everything that was posted in one book, as a list."""

    closed: date | None = None
    events: list[Event] = field(default_factory=list)

    def legs(self) -> list[tuple[UUID, int, Leg]]:
        return [(event.id, number, leg) for event in self.events for number, leg in enumerate(event.legs)]

    def figures(self, ref: Ref) -> tuple[int, int, int, int]:
        """Posted debits and credits, pending debits and credits."""
        legs = self.legs()
        resolved = {leg.pending for _, _, leg in legs if leg.pending}
        totals = [0, 0, 0, 0]
        for key, number, leg in legs:
            for side, account in enumerate((leg.debit, leg.credit)):
                if account == ref:
                    if leg.phase in ("single", "post"):
                        totals[side] += leg.amount
                    if leg.phase == "pending" and (key, number) not in resolved:
                        totals[2 + side] += leg.amount
        return totals[0], totals[1], totals[2], totals[3]

    def left(self, ref: Ref) -> int:
        """What a limited account still leaves."""
        debited, credited, debits_pending, credits_pending = self.figures(ref)
        if ref.code in CREDITS:
            return debited - credited - credits_pending
        return credited - debited - debits_pending

    def take(self, event: Event) -> str:
        """`accepted`, `replayed`, or the code of the refusal."""
        for known in self.events:
            if known.id == event.id:
                return "replayed" if known == event else "key_reused"
        if self.closed and event.event_on <= self.closed:
            return "period_closed"
        if event.reverses and event.reverses in [known.reverses for known in self.events]:
            return "already_resolved"
        trial = Book(None, [*self.events])
        for count in range(1, len(event.legs) + 1):
            leg = event.legs[count - 1]
            if leg.pending:
                answer = trial.resolvable(leg)
                if answer:
                    return answer
            part = Event(event.id, event.kind, event.legs[:count], 0, event.event_on, "", "")
            trial.events = [*self.events, part]
            for ref in (leg.debit, leg.credit):
                if ref.code in DEBITS | CREDITS and trial.left(ref) < 0:
                    return (DEBITS | CREDITS)[ref.code]
        self.events.append(event)
        return "accepted"

    def resolvable(self, leg: Leg) -> str | None:
        """Why a leg may not resolve what it names, if it may not."""
        assert leg.pending is not None
        if leg.pending in [other.pending for _, _, other in self.legs()]:
            return "already_resolved"
        held = [other for key, number, other in self.legs() if (key, number) == leg.pending]
        if not held or held[0].phase != "pending":
            return "already_resolved"
        return "capture_above_hold" if leg.amount > held[0].amount else None
