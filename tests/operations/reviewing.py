"""Pieces of reviews for tests: a policy that asks for more, further reviewers, experts and cosigners."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.models.claims import Claim
from voucher.models.people import RoleGrant
from voucher.models.programmes import PolicyVersion
from voucher.money import Fen
from voucher.operations.claim import claim
from voucher.operations.defects import answered
from voucher.operations.outcome import Refused, only
from voucher.operations.return_claim import Defect, Returned, ReturnRequest, return_claims
from voucher.operations.review import Reviewed, ReviewRequest, review
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, Role, Verdict

CONTACT = "王老师 0351-1234567"


def asks(told: Told, **parameters: object) -> None:
    """Fill these parameters into the world's policy version."""

    def work(session: Session, at: datetime) -> None:
        row = session.get_one(PolicyVersion, told.world.policy_code)
        more = "".join(f"\n[{key}]\nvalue = {json.dumps(value)}\n" for key, value in parameters.items())
        rewrite(session, [row.fills[0] + more], code=row.code)

    told.do(work)


def pays_provider(told: Told) -> None:
    """The version is one of 通兑."""

    def work(session: Session, at: datetime) -> None:
        row = session.get_one(PolicyVersion, told.world.policy_code)
        fill = row.fills[0].replace('"reimburse_enterprise"', '"pay_provider"')
        rewrite(session, [fill], code=row.code)

    told.do(work)


def reviewer(told: Told, *, region_code: str = "140000") -> Actor:
    """One more reviewer."""
    return told.do(
        lambda session, at: factories.person(session, Role.REVIEWER, region_code=region_code, at=at)
    )


def expert(told: Told) -> Actor:
    """Somebody who may be asked for an opinion."""
    return told.do(lambda session, at: factories.person(session, Role.EXPERT, at=at))


def cosigner(told: Told, function: str, *, region_code: str = "140000") -> Actor:
    """Somebody who signs for an authority of the region."""

    def work(session: Session, at: datetime) -> Actor:
        actor = factories.person(session, Role.COSIGNER, region_code=region_code, at=at)
        grant = session.scalars(select(RoleGrant).where(RoleGrant.person_id == actor.person_id)).one()
        grant.function = function
        return replace(actor, functions=frozenset({function}))

    return told.do(work)


def returning(
    number: str, *items: ClaimItem, actor: Actor, late_reason: str = "", text: str = "请补正"
) -> Callable[[Session, datetime], list[Returned | Refused]]:
    """The work of sending a claim back with these items."""
    defects = tuple(Defect(item, text) for item in items)
    request = ReturnRequest(number, defects, CONTACT, late_reason)
    return lambda session, at: return_claims(session, [request], actor=actor, at=at)


def sent_back(told: Told, number: str, *items: ClaimItem, late_reason: str = "") -> Returned:
    """Send a claim back; gives its notice."""
    work = returning(number, *items, actor=told.world.reviewer, late_reason=late_reason)
    return told.do(lambda session, at: only(work(session, at)))


def mended(told: Told, number: str) -> None:
    """The claim comes back as the rounds see it: submitted again, its open round answered."""

    def work(session: Session, at: datetime) -> None:
        row = session.scalars(select(Claim).where(Claim.number == number)).one()
        row.state, row.submitted_at = ClaimState.SUBMITTED.value, at
        answered(session, [row.id], at=at)

    told.do(work)


def deciding(
    number: str, verdict: Verdict, *, actor: Actor, amount: int | None = None
) -> Callable[[Session, datetime], list[Reviewed | Refused]]:
    """The work of one decision."""
    request = ReviewRequest(number, verdict, None if amount is None else Fen(amount), "与合同不符")
    return lambda session, at: review(session, [request], actor=actor, at=at)


def providers_claim(told: Told) -> str:
    """A claim that the provider sent itself; the version is one of 通兑 already."""
    account = told.account(told.world.platform.organisation_id)
    request = told.claim_request(told.captured_order(), payee_account_id=account)
    manager = told.world.platform.manager
    return told.do(lambda session, at: only(claim(session, [request], actor=manager, at=at)).number)
