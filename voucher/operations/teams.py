"""Teams and founders without a USCC: holders of vouchers under a temporary id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.codes import temporary_id
from voucher.errors import Code, Fact, Refusal
from voucher.models.joining import TeamMember
from voucher.models.numbers import take_ids
from voucher.models.parties import Holder, Organisation
from voucher.operations.alone import alone
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.operations.regions import paths_of
from voucher.operations.register import Registered
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import HolderKind

WITHOUT_USCC: Final = frozenset({HolderKind.TEAM, HolderKind.FOUNDER})
LEAST_MEMBERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRequest:
    """A team or founder: the name, the region, and the names of the members, the leader first. No ID numbers."""

    kind: HolderKind
    name: str
    region_code: str
    members: tuple[str, ...]


def register_teams(
    session: Session, requests: Sequence[TeamRequest], *, actor: Actor, at: datetime
) -> list[Registered | Refused]:
    """Make teams and founders organisations and holders under a new temporary id each.

    Refused one by one: a kind that must have a USCC (`uscc_invalid`), a region that is not there or not the actor's
    (`not_found`), a team of fewer than three different names, a founder without one (`members_missing`).
    """
    paths = paths_of(session, (request.region_code for request in requests))

    def work(request: TeamRequest) -> Registered:
        if request.kind not in WITHOUT_USCC:
            raise Refusal(Code.USCC_INVALID, uscc="")
        path = paths.get(request.region_code)
        if path is None or not covers_region(actor, path):
            raise Refusal(Code.NOT_FOUND, region=request.region_code)
        return _register(session, request, actor=actor, at=at)

    return alone(session, requests, work)


def _register(session: Session, request: TeamRequest, *, actor: Actor, at: datetime) -> Registered:
    names = list(dict.fromkeys(name.strip() for name in request.members if name.strip()))
    least = LEAST_MEMBERS if request.kind is HolderKind.TEAM else 1
    if len(names) < least:
        raise Refusal(Code.MEMBERS_MISSING, given=len(names))
    (key,) = take_ids(session, Organisation, 1)
    ref = temporary_id(fiscal_year(at), key)
    session.add(
        Organisation(
            id=key,
            uscc=ref,
            name=request.name,
            region_code=request.region_code,
            legal_representative=names[0],
            created_at=at,
        )
    )
    session.flush()
    session.add(
        Holder(
            ref=ref,
            kind=request.kind.value,
            name=request.name,
            organisation_id=key,
            region_code=request.region_code,
            created_at=at,
        )
    )
    session.add_all(TeamMember(organisation_id=key, name=name) for name in names)
    session.flush()
    facts: dict[str, Fact] = {"kind": request.kind.value, "members": len(names)}
    record(session, actor, "holder.register", [(f"holder:{ref}", facts)], at=at)
    return Registered(key, ref, True)
