"""What the checks found, for those who may see it: one claim's findings, open ones over all claims, bans, changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from voucher.models.checks import CheckFinding, PartyBan, PayeeChange, RelationStatement
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder, Organisation, Platform
from voucher.models.people import Person
from voucher.models.regions import Region
from voucher.models.review import Review
from voucher.queries.paging import Page, paged
from voucher.rules.permissions import Actor
from voucher.terms import BanKind, Measure, OrderState, PayeeChangeState, Side, Verdict

_UNDER_WAY = (
    OrderState.PLACED,
    OrderState.ACCEPTED,
    OrderState.HELD,
    OrderState.DELIVERED,
    OrderState.CAPTURED,
)


@dataclass(frozen=True, slots=True)
class FindingLine:
    """A finding with who settled it."""

    row: CheckFinding
    settler: str


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A claim with findings that nobody settled."""

    number: str
    holder_name: str
    count: int
    heaviest: int
    found_at: datetime


@dataclass(frozen=True, slots=True)
class BanLine:
    """A ban, with the party's name where it is registered here."""

    row: PartyBan
    name: str
    entered_by: str

    def is_in_force(self, on: date) -> bool:
        """Whether it is in force on this day."""
        row = self.row
        return row.lifted_at is None and row.from_on <= on and (row.to_on is None or on < row.to_on)

    @property
    def kind(self) -> BanKind:
        """What kind of decision it is."""
        return BanKind(self.row.kind)

    @property
    def measure(self) -> Measure:
        """What it does."""
        return Measure(self.row.measure)


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A change of a bank account, with whose and by whom."""

    row: PayeeChange
    name: str
    uscc: str
    asked_by: str

    @property
    def state(self) -> PayeeChangeState:
        """Where it stands."""
        return PayeeChangeState(self.row.state)


@dataclass(frozen=True, slots=True)
class ReviewerPace:
    """One reviewer in a year: decisions, how many in under two minutes after the one before, how many against a finding."""

    name: str
    decided: int
    hasty: int
    despite: int


def findings_of(session: Session, claim_number: str) -> list[FindingLine]:
    """The findings of a claim's latest round, the heaviest first. The caller has seen that the claim may be read."""
    latest = (
        select(func.max(CheckFinding.round))
        .join(Claim, Claim.id == CheckFinding.claim_id)
        .where(Claim.number == claim_number)
        .scalar_subquery()
    )
    query = (
        select(CheckFinding, Person.name)
        .join(Claim, Claim.id == CheckFinding.claim_id)
        .outerjoin(Person, Person.id == CheckFinding.settled_by)
        .where(Claim.number == claim_number, CheckFinding.round == latest)
        .order_by(CheckFinding.seq)
    )
    return [FindingLine(row, name or "") for row, name in session.execute(query)]


def open_claims(session: Session, actor: Actor, *, page: int) -> Page[OpenClaim]:
    """Claims of the actor's regions with findings that nobody settled, the heaviest and then the oldest first."""
    heaviest, first = func.max(CheckFinding.weight), func.min(CheckFinding.found_at)
    query: Any = (
        select(Claim.number, Holder.name, func.count(), heaviest, first)
        .join(CheckFinding, CheckFinding.claim_id == Claim.id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(
            CheckFinding.settled_at.is_(None),
            CheckFinding.round == Claim.round,
            _covered(actor),
        )
        .group_by(Claim.id, Claim.number, Holder.name)
        .order_by(heaviest.desc(), first, Claim.id)
    )
    return paged(session, query, OpenClaim, page=page)


def bans(session: Session, *, text: str, page: int) -> Page[BanLine]:
    """All bans, the latest first; `text` is part of a code, a name or a decision's number."""
    query: Any = (
        select(PartyBan, func.coalesce(Organisation.name, ""), Person.name)
        .outerjoin(Organisation, Organisation.uscc == PartyBan.uscc)
        .join(Person, Person.id == PartyBan.entered_by)
        .order_by(PartyBan.id.desc())
    )
    if text:
        like = f"%{text}%"
        query = query.where(
            PartyBan.uscc.like(like) | PartyBan.decision_no.like(like) | Organisation.name.like(like)
        )
    return paged(session, query, BanLine, page=page)


def changes(session: Session, actor: Actor, *, page: int) -> Page[ChangeLine]:
    """Changes of accounts in the actor's regions; those that wait first, then the latest."""
    waiting = PayeeChange.state == PayeeChangeState.WAITING.value
    query: Any = (
        select(PayeeChange, Organisation.name, Organisation.uscc, Person.name)
        .join(Organisation, Organisation.id == PayeeChange.organisation_id)
        .join(Region, Region.code == Organisation.region_code)
        .join(Person, Person.id == PayeeChange.asked_by)
        .where(_covered(actor))
        .order_by(waiting.desc(), PayeeChange.id.desc())
    )
    return paged(session, query, ChangeLine, page=page)


@dataclass(frozen=True, slots=True)
class UnstatedOrder:
    """An order of which one side has not said whether the two are related."""

    number: str
    holder_name: str
    host_name: str


def unstated_orders(session: Session, actor: Actor) -> list[UnstatedOrder]:
    """The actor's orders under way, as firm or as platform, that their side has not spoken of; at most fifty."""
    mine = Order.platform_id.in_(actor.platform_ids)
    said = select(RelationStatement.order_id).where(
        RelationStatement.side == case((mine, Side.PROVIDER.value), else_=Side.ENTERPRISE.value)
    )
    query = (
        select(Order.number, Holder.name, Organisation.name)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Platform, Platform.id == Order.platform_id)
        .join(Organisation, Organisation.id == Platform.organisation_id)
        .where(
            or_(mine, Holder.organisation_id.in_(actor.organisation_ids)),
            Order.state.in_([state.value for state in _UNDER_WAY]),
            Order.id.not_in(said.correlate(Order)),
        )
        .order_by(Order.id.desc())
        .limit(50)
    )
    return [UnstatedOrder(*row) for row in session.execute(query)]


def own_organisations(session: Session, actor: Actor) -> list[Organisation]:
    """The firms that the actor acts for, and the hosts of the actor's platforms."""
    hosts = select(Platform.organisation_id).where(Platform.id.in_(actor.platform_ids))
    query = select(Organisation).where(
        or_(Organisation.id.in_(actor.organisation_ids), Organisation.id.in_(hosts))
    )
    return list(session.scalars(query.order_by(Organisation.id)))


def own_changes(session: Session, organisation_ids: Sequence[int]) -> list[ChangeLine]:
    """The changes that these organisations asked for, the latest first, at most twenty."""
    query: Any = (
        select(PayeeChange, Organisation.name, Organisation.uscc, Person.name)
        .join(Organisation, Organisation.id == PayeeChange.organisation_id)
        .join(Person, Person.id == PayeeChange.asked_by)
        .where(PayeeChange.organisation_id.in_(organisation_ids))
        .order_by(PayeeChange.id.desc())
        .limit(20)
    )
    return [ChangeLine(*row) for row in session.execute(query)]


_HASTY_SECONDS = 120


def reviewer_paces(session: Session, actor: Actor, *, since: datetime) -> list[ReviewerPace]:
    """Decisions since an instant on claims of the actor's regions, reviewer by reviewer (domain 4, row 25)."""
    flagged = (
        select(CheckFinding.claim_id)
        .where(CheckFinding.weight > 1, CheckFinding.settled_at.is_(None))
        .distinct()
    ).subquery()
    query = (
        select(Person.name, Review.reviewed_at, Review.verdict, flagged.c.claim_id)
        .join(Person, Person.id == Review.reviewer_id)
        .join(Claim, Claim.id == Review.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .outerjoin(flagged, flagged.c.claim_id == Claim.id)
        .where(Review.reviewed_at >= since, _covered(actor))
        .order_by(Person.name, Review.reviewer_id, Review.reviewed_at)
    )
    found: dict[str, list[int]] = {}
    before: dict[str, datetime] = {}
    for name, at, verdict, claim_id in session.execute(query):
        counts = found.setdefault(name, [0, 0, 0])
        counts[0] += 1
        if name in before and (at - before[name]).total_seconds() < _HASTY_SECONDS:
            counts[1] += 1
        if claim_id is not None and verdict != Verdict.REJECT.value:
            counts[2] += 1
        before[name] = at
    return [ReviewerPace(name, *counts) for name, counts in found.items()]


def _covered(actor: Actor) -> ColumnElement[bool]:
    """Regions, joined in the query, that lie in one of the actor's."""
    return or_(False, *(Region.path.contains(f"/{code}/", autoescape=True) for code in actor.region_codes))
