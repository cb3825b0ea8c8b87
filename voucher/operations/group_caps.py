"""The cap that firms of one controller share, where a version says so (合并计算同一控制人的企业): a second limit.

A group is named by what the register says: the controller's key, of the topmost parent first; without one the topmost
parent itself. Ties that are declared only (shareholdings) do not make a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.models.parties import Holder, Organisation
from voucher.money import Fen
from voucher.operations.carried import Charged, carrying
from voucher.operations.charges import Allowance, Limited
from voucher.rules.clamp import LimitName
from voucher.rules.policy import Policy
from voucher.terms import CapScope

_MOST_PARENTS: Final = 10


@dataclass(frozen=True, slots=True)
class GroupCap:
    """The cap of a group in a period: the highest that the version gives any of its members."""

    policy: Policy
    key: str
    period: int

    @property
    def name(self) -> LimitName:
        """What the limit is called."""
        return "group"

    @property
    def keeps(self) -> bool:
        """A version with a smaller cap lowers it."""
        return False

    @property
    def amount_fen(self) -> Fen:
        """The highest cap with this scope: which member charges does not matter."""
        return self.policy.group_cap_fen

    @property
    def set_by(self) -> tuple[str, str]:
        """The version that says the amount."""
        return self.policy.code, "group"

    @property
    def account(self) -> Ref:
        """The limited account that all members draw on."""
        return accounts.cap(self.policy.cap_family, f"group:{self.key}", self.period)

    @property
    def source(self) -> Ref:
        """Where it is opened from."""
        return accounts.cap_source(f"{self.policy.cap_family}|group", self.period)

    @property
    def used(self) -> Ref:
        """Where what is charged goes; apart from the holders' own, so that no fen is counted twice."""
        return accounts.cap_used(f"{self.policy.cap_family}|group", self.period)


def caps_of(
    session: Session, allowance: Allowance | None, holder: Holder, programme_code: str
) -> tuple[Limited, ...]:
    """Every cap that a charge falls under: the holder's, with what is carried into its year, and its group's."""
    (own,) = carrying(session, [Charged(allowance, holder.id, programme_code)])
    (group,) = group_caps(session, [(own, holder.organisation_id)])
    return () if own is None else (own, *group)


def group_caps(
    session: Session, charged: Sequence[tuple[Allowance | None, int | None]]
) -> list[tuple[Limited, ...]]:
    """For each charge (the holder's own cap, its organisation) the cap of its group; none where no version asks.

    A team or founder without organisation belongs to no group.
    """
    asked = {
        organisation_id
        for allowance, organisation_id in charged
        if organisation_id is not None and allowance is not None and _shared(allowance)
    }
    keys = _keys(session, asked) if asked else {}
    return [
        (GroupCap(allowance.policy, keys[organisation_id], allowance.period),)
        if allowance is not None and organisation_id in keys and _shared(allowance)
        else ()
        for allowance, organisation_id in charged
    ]


def _shared(allowance: Allowance) -> bool:
    cap = allowance.policy.cap_for(allowance.holder_class)
    return cap is not None and cap.scope is CapScope.CONTROL_GROUP


def _keys(session: Session, ids: set[int]) -> dict[int, str]:
    """The name of each organisation's group."""
    rows: dict[int, Organisation] = {}
    missing = set(ids)
    for _ in range(_MOST_PARENTS):
        if not missing:
            break
        found = session.scalars(select(Organisation).where(Organisation.id.in_(missing)))
        rows |= {row.id: row for row in found}
        missing = {row.parent_id for row in rows.values() if row.parent_id is not None} - rows.keys()
    return {each: _key(rows, each) for each in ids}


def _key(rows: dict[int, Organisation], organisation_id: int) -> str:
    own = top = rows[organisation_id]
    seen = {own.id}
    while top.parent_id in rows and top.parent_id not in seen:
        top = rows[top.parent_id]
        seen.add(top.id)
    return top.controller_key or own.controller_key or top.uscc
