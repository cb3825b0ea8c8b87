"""The claims that somebody works on: found in their regions and locked, and who may do what with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.models.review import CaseTaking, Cosignature, Recusal, Review, StandIn
from voucher.operations.policies import policies_of
from voucher.rules.permissions import Actor, covers_region, runs
from voucher.rules.policy import Policy
from voucher.terms import Role


@dataclass(frozen=True, slots=True)
class Case:
    """A claim with its order and policy, who has it in hand, and the organisations on both sides.

    `is_run` says that the programme is one of the actor's authority, not of one below it. `deciders` decided an earlier
    hearing of the claim.
    """

    claim: Claim
    order: Order
    policy: Policy
    taking: CaseTaking | None
    region_path: str
    firm_id: int | None
    host_id: int | None
    is_run: bool = True
    signers: frozenset[int] = frozenset()
    deciders: frozenset[int] = frozenset()

    @property
    def sides(self) -> frozenset[int]:
        """The organisations that this case is about."""
        return frozenset(each for each in (self.firm_id, self.host_id) if each is not None)


def cases(session: Session, numbers: Collection[str], *, actor: Actor) -> dict[str, Case]:
    """The claims of these numbers in the actor's regions, each locked FOR UPDATE in id order, read afresh."""
    query = (
        select(Claim, Order, Region.path, Holder.organisation_id, Platform.organisation_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .outerjoin(Platform.__table__, Platform.id == Order.platform_id)
        .where(Claim.number.in_(set(numbers)))
        .order_by(Claim.id)
        .with_for_update(of=Claim)
        .execution_options(populate_existing=True)
    )
    rows = [row for row in session.execute(query) if covers_region(actor, row.path)]
    policies = policies_of(session, {order.rule_code for _, order, *_ in rows})
    held = {
        each.claim_id: each
        for each in session.scalars(
            select(CaseTaking)
            .where(CaseTaking.claim_id.in_([row[0].id for row in rows]))
            .execution_options(populate_existing=True)
        )
    }
    signers = _signers(session, [row[0].id for row in rows])
    deciders = _deciders(session, [row[0] for row in rows])
    return {
        claim.number: Case(
            claim,
            order,
            policies[order.rule_code],
            held.get(claim.id),
            path,
            firm,
            host,
            runs(actor, policies[order.rule_code].owner_region),
            signers.get(claim.id, frozenset()),
            deciders.get(claim.id, frozenset()),
        )
        for claim, order, path, firm, host in rows
    }


def case_of(found: dict[str, Case], number: str) -> Case:
    """The case of this number among those found; refused `not_found`, `not_own_programme` where others carry it out."""
    case = found.get(number)
    if case is None:
        raise Refusal(Code.NOT_FOUND, claim=number)
    if not case.is_run:
        raise others_programme(case.policy)
    return case


def others_programme(policy: Policy) -> Refusal:
    """The refusal of an authority that may read a programme and does not own it."""
    return Refusal(Code.NOT_OWN_PROGRAMME, programme=policy.title)


def recused(session: Session, person_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """For each of these people the organisations in which they have a declared interest."""
    query = select(Recusal.person_id, Recusal.organisation_id).where(
        Recusal.person_id.in_(set(person_ids)), Recusal.ended_at.is_(None)
    )
    found: dict[int, set[int]] = {}
    for person_id, organisation_id in session.execute(query):
        found.setdefault(person_id, set()).add(organisation_id)
    return {person_id: frozenset(ids) for person_id, ids in found.items()}


def bar_interested(session: Session, case: Case, *, actor: Actor, interests: Collection[int]) -> None:
    """Refuse whoever belongs to one of the sides or wrote the claim (`self_approval`), or is recused (`recused`)."""
    own = case.sides & actor.organisation_ids or {case.order.platform_id} & actor.platform_ids
    if own or case.claim.submitted_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, claim=case.claim.number)
    named = sorted(case.sides & set(interests))
    if named:
        name = session.scalars(select(Organisation.name).where(Organisation.id == named[0])).one()
        raise Refusal(Code.RECUSED, claim=case.claim.number, organisation=name)


def bar_others(session: Session, case: Case, *, actor: Actor) -> None:
    """Refuse (`case_taken`) whoever has not the case in hand, where somebody has."""
    if case.taking is not None and case.taking.person_id != actor.person_id:
        raise taken(session, case)


def bar_signers(case: Case, *, actor: Actor) -> None:
    """Refuse (`self_approval`) whoever signed the case for an authority, in whichever round, or decided it before.

    Nobody says yes twice, and nobody decides again what an appeal opened.
    """
    if actor.person_id in case.signers | case.deciders:
        raise Refusal(Code.SELF_APPROVAL, claim=case.claim.number)


def taken(session: Session, case: Case) -> Refusal:
    """The refusal that names who has the case in hand (nobody: only the claim)."""
    if case.taking is None:
        return Refusal(Code.CASE_TAKEN, claim=case.claim.number)
    name = session.scalars(select(Person.name).where(Person.id == case.taking.person_id)).one()
    return Refusal(Code.CASE_TAKEN, claim=case.claim.number, reviewer=name)


def standing_in(on: date) -> ColumnElement[bool]:
    """Whether a row of `StandIn` is valid on this day."""
    return and_(StandIn.from_on <= on, StandIn.to_on > on, StandIn.ended_at.is_(None))


def stood_in_for(session: Session, person_id: int, *, on: date) -> frozenset[int]:
    """Everybody for whom this person stands in on this day."""
    query = select(StandIn.person_id).where(StandIn.colleague_id == person_id, standing_in(on))
    return frozenset(session.scalars(query))


def reviewer_paths(session: Session, person_ids: Sequence[int], *, on: date) -> dict[int, frozenset[str]]:
    """For each of these people who reviews on this day: the codes of the regions, empty for one who does not."""
    query = select(RoleGrant.person_id, RoleGrant.region_code).join(Person, Person.id == RoleGrant.person_id)
    query = query.where(
        RoleGrant.person_id.in_(person_ids),
        RoleGrant.role == Role.REVIEWER.value,
        RoleGrant.region_code.is_not(None),
        RoleGrant.from_on <= on,
        or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
        Person.disabled_at.is_(None),
    )
    found: dict[int, set[str]] = {person_id: set() for person_id in person_ids}
    for person_id, code in session.execute(query):
        found[person_id].add(str(code))
    return {person_id: frozenset(codes) for person_id, codes in found.items()}


def bar_unfit(session: Session, case: Case, colleague_id: int, *, on: date) -> None:
    """Refuse (`colleague_unfit`) a colleague who does not review the case's region, has an interest in it, signed or decided it."""
    codes = reviewer_paths(session, [colleague_id], on=on)[colleague_id]
    reason = "" if any(f"/{code}/" in case.region_path for code in codes) else "not_reviewer"
    if not reason and case.sides & recused(session, [colleague_id]).get(colleague_id, frozenset()):
        reason = "interested"
    if not reason and colleague_id in case.signers:
        reason = "signed"
    if not reason and colleague_id in case.deciders:
        reason = "decided"
    if reason:
        raise Refusal(Code.COLLEAGUE_UNFIT, claim=case.claim.number, reason=reason)


def _signers(session: Session, claim_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """Whoever signed these cases for an authority, in whichever round, by claim id."""
    query = select(Cosignature.claim_id, Cosignature.person_id).where(Cosignature.claim_id.in_(claim_ids))
    found: dict[int, frozenset[int]] = {}
    for claim_id, person_id in session.execute(query):
        found[claim_id] = found.get(claim_id, frozenset()) | {person_id}
    return found


def _deciders(session: Session, claims: Sequence[Claim]) -> dict[int, frozenset[int]]:
    """Whoever decided an earlier hearing of these claims, by claim id. Most have none: nothing is asked for them."""
    again = {claim.id: claim.hearing for claim in claims if claim.hearing > 1}
    if not again:
        return {}
    query = select(Review.claim_id, Review.hearing, Review.reviewer_id).where(Review.claim_id.in_(again))
    found: dict[int, frozenset[int]] = {}
    for claim_id, hearing, person_id in session.execute(query):
        if hearing < again[claim_id]:
            found[claim_id] = found.get(claim_id, frozenset()) | {person_id}
    return found
