"""Versions as they are stored, parsed once: a version never changes, so it is kept by what it says and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

from voucher.rules.policy import Policy
from voucher.rules.policy_reading import read
from voucher.terms import VersionStanding

_parsed: dict[tuple[str, date | None], Policy] = {}


@dataclass(frozen=True, slots=True)
class Stored:
    """The text of a stored version, its fill-ins, and the code of its parent."""

    text: str
    fills: tuple[str, ...]
    parent_code: str | None


def parsed(key: tuple[str, date | None], fetch: Callable[[], tuple[Stored, Policy | None]]) -> Policy:
    """The policy of a version by its sha256 and the first day on which it is no longer in force.

    `fetch` gives the stored text and the parent, and is asked once for a process. The day is the stored one: a version
    that another follows ends earlier than its text says.
    """
    if key not in _parsed:
        stored, parent = fetch()
        policy = read(stored.text, stored.fills, parent=parent)
        _parsed[key] = replace(policy, effective_to=key[1])
    return _parsed[key]


def digest(text: str, fills: tuple[str, ...], parent_sha256: str | None) -> str:
    """What stands for a version: its text, its fill-ins, and what it inherits."""
    above = () if parent_sha256 is None else (f"parent {parent_sha256}",)
    return sha256("\0".join((text, *fills, *above)).encode()).hexdigest()


def standing(
    effective_from: date, effective_to: date | None, superseded_by: str | None, *, on: date
) -> VersionStanding:
    """How a published version stands on a day: not yet in force, in force, over, or over because another followed."""
    if on < effective_from:
        return VersionStanding.UPCOMING
    if effective_to is None or on < effective_to:
        return VersionStanding.ACTIVE
    return VersionStanding.EXPIRED if superseded_by is None else VersionStanding.SUPERSEDED
