"""A platform's own people: its manager lets them in by a one-time code, and ends their roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.parties import Platform
from voucher.models.people import RoleGrant
from voucher.operations.alone import alone
from voucher.operations.authorise import end_grants
from voucher.operations.issue_codes import valid
from voucher.operations.join_codes import HAND_LIFE, CodeRequest, MadeCode, make_codes
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import CodePurpose, Role

_ROLES: Final = (Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER)


@dataclass(frozen=True, slots=True)
class StaffRequest:
    """Somebody is to work at a platform: as scanner or manager."""

    platform_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class EndRequest:
    """Somebody no longer works at a platform."""

    platform_id: int
    person_id: int


def invite(
    session: Session, requests: Sequence[StaffRequest], *, key: bytes, actor: Actor, at: datetime
) -> list[MadeCode | Refused]:
    """A code for each that lets one person work at one of the actor's platforms; good for 48 hours.

    Refused one by one: another's platform (`not_found`), a role that no platform has (`role_scope_missing`).
    """

    def work(request: StaffRequest) -> MadeCode:
        platform = _own(session, request.platform_id, actor)
        if request.role not in _ROLES:
            raise Refusal(Code.ROLE_SCOPE_MISSING, role=request.role.value)
        wanted = CodeRequest(
            organisation_id=platform.organisation_id,
            purpose=CodePurpose.STAFF,
            life=HAND_LIFE,
            role=request.role,
            platform_id=platform.id,
        )
        return make_codes(session, [wanted], key=key, actor=actor, at=at)[0]

    return alone(session, requests, work)


def end_staff(
    session: Session, requests: Sequence[EndRequest], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """End what people do at one of the actor's platforms at once, their sessions too; gives their ids.

    Refused one by one: another's platform, or nobody of this platform (`not_found`; a role for the whole host is not
    the platform's to end), the last manager (`last_in_charge`).
    """

    def work(request: EndRequest) -> int:
        platform = _own(session, request.platform_id, actor)
        rows = session.scalars(
            select(RoleGrant)
            .where(RoleGrant.platform_id == platform.id, valid(business_date(at)))
            .order_by(RoleGrant.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        theirs = [each for each in rows if each.person_id == request.person_id]
        if not theirs:
            raise Refusal(Code.NOT_FOUND, person=request.person_id)
        managers = {each.person_id for each in rows if each.role == Role.PROVIDER_MANAGER.value}
        if managers == {request.person_id}:
            raise Refusal(Code.LAST_IN_CHARGE)
        end_grants(session, theirs, at=at)
        facts: dict[str, Fact] = {"person": request.person_id}
        record(session, actor, "staff.end", [(f"platform:{platform.id}", facts)], at=at)
        return request.person_id

    return alone(session, requests, work)


def _own(session: Session, platform_id: int, actor: Actor) -> Platform:
    platform = session.get(Platform, platform_id) if platform_id in actor.platform_ids else None
    if platform is None:
        raise Refusal(Code.NOT_FOUND, platform=platform_id)
    return platform
