"""May this holder apply now: each condition by itself, so that people see all of them before they fill anything in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from voucher.clock import iso
from voucher.errors import Code
from voucher.money import Fen
from voucher.rules.eligibility import Finding
from voucher.rules.policy import Policy
from voucher.terms import HolderClass, HolderKind

_GROUPS = {
    HolderKind.TEAM: HolderClass.TEAM,
    HolderKind.FOUNDER: HolderClass.TEAM,
    HolderKind.BASE: HolderClass.INCUBATION_BASE,
}
_FIRMS = (HolderClass.TECH_SME, HolderClass.HIGH_TECH, HolderClass.ENTERPRISE, HolderClass.STARTUP)


@dataclass(frozen=True, slots=True)
class Window:
    """A published application window, half-open; `closes_at` None: always open."""

    opens_at: datetime
    closes_at: datetime | None
    document_no: str

    def is_open(self, at: datetime) -> bool:
        """Whether applications are taken at this instant."""
        return self.opens_at <= at and (self.closes_at is None or at < self.closes_at)

    def overlaps(self, other: Window) -> bool:
        """Whether both would be open at one instant."""
        starts_before = other.closes_at is None or self.opens_at < other.closes_at
        return starts_before and (self.closes_at is None or other.opens_at < self.closes_at)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition by name, and what speaks against it (None: it is met)."""

    name: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Holding:
    """What a holder has and has asked for in a programme.

    `held_fen`: what is left on live vouchers, locked money included, and what open applications ask for.
    `applications`: those of the year that were not rejected or withdrawn. `idle_voucher`: a live one never used.
    """

    held_fen: Fen
    applications: int = 0
    idle_voucher: str | None = None
    open_application: str | None = None
    open_state: str = ""


def opening(windows: Sequence[Window], at: datetime) -> Finding:
    """`application_closed` unless a window is open; names the next one, else the last, by dates and document."""
    if any(window.is_open(at) for window in windows):
        return None
    if not windows:
        return Code.APPLICATION_CLOSED, {"reason": "no_window"}
    coming = [window for window in windows if window.opens_at > at]
    named = min(coming, key=_opens) if coming else max(windows, key=_opens)
    return Code.APPLICATION_CLOSED, {
        "reason": "not_yet" if coming else "over",
        "opens_at": iso(named.opens_at),
        "closes_at": iso(named.closes_at) if named.closes_at else None,
        "document_no": named.document_no,
    }


def _opens(window: Window) -> datetime:
    return window.opens_at


def classes_of(policy: Policy, kind: HolderKind) -> tuple[HolderClass, ...]:
    """The classes that a holder of this kind may apply as, in the policy's order; never empty.

    Where the policy serves none of them, the kind's own class, which `eligibility.holder_class` then refuses.
    """
    group = (_GROUPS[kind],) if kind in _GROUPS else _FIRMS
    served = tuple(each for each in policy.holder_classes if each in group)
    return served or ((_GROUPS[kind],) if kind in _GROUPS else (HolderClass.ENTERPRISE,))


def one_at_a_time(holding: Holding) -> Finding:
    """`application_open` while another application of the programme and year is not finished."""
    if holding.open_application is None:
        return None
    return Code.APPLICATION_OPEN, {"application": holding.open_application, "state": holding.open_state}


def count(policy: Policy, holding: Holding) -> Finding:
    """`count_exceeded` once the policy's number of applications a year is used up."""
    most = policy.applications_most
    if most is None or holding.applications < most:
        return None
    return Code.COUNT_EXCEEDED, {"limit": most, "used": holding.applications}


def idle(policy: Policy, holding: Holding) -> Finding:
    """`voucher_idle` while a voucher lies unused, where the policy asks that it is used first."""
    if not policy.idle_refuses or holding.idle_voucher is None:
        return None
    return Code.VOUCHER_IDLE, {"voucher": holding.idle_voucher}


def held(policy: Policy, holding: Holding, wanted_fen: Fen) -> Finding:
    """`holding_exceeded` where what is held and wanted together passes the policy's `held_most_fen`."""
    most = policy.held_most_fen
    if most is None or holding.held_fen + wanted_fen <= most:
        return None
    return Code.HOLDING_EXCEEDED, {
        "held_most_fen": most,
        "held_fen": holding.held_fen,
        "wanted_fen": wanted_fen,
    }


def fitting(amounts: Sequence[int], left_fen: int, *, skips: bool) -> list[int]:
    """The places of those in a queue that the money is enough for, in order.

    Strict: the first that does not fit stops all behind it. `skips`: a smaller one behind it may go first.
    """
    chosen: list[int] = []
    for place, amount in enumerate(amounts):
        if amount <= left_fen:
            left_fen -= amount
            chosen.append(place)
        elif not skips:
            break
    return chosen
