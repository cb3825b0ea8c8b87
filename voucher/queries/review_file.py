"""What a reviewer sees of a claim beside its papers: who has it, what was told, who said what, what room is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import business_date
from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Organisation
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.models.review import (
    AuditReport,
    CaseTaking,
    ClaimDefect,
    ClaimReturn,
    Cosignature,
    ExpertOpinion,
    Recusal,
    StandIn,
)
from voucher.queries.claims import ClaimFile
from voucher.queries.vouchers import CapStanding, cap_standing, view_of
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, OpinionVerdict, OrderChannel, Role


@dataclass(frozen=True, slots=True)
class Taking:
    """Who has the case, since when, for whom, and the note it came with."""

    person_id: int
    reviewer: str
    stands_for: str | None
    taken_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Round:
    """One notice of defects with its items, in the order of the list."""

    notice: ClaimReturn
    items: tuple[tuple[ClaimItem, str], ...]
    reviewer: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """An expert who was asked, and the answer if there is one."""

    row: ExpertOpinion
    expert: str
    verdict: OpinionVerdict | None


@dataclass(frozen=True, slots=True)
class Signature:
    """What an authority last said in this round; `agreed` None: nothing yet."""

    function: str
    authority: str
    agreed: bool | None
    text: str
    signer: str
    signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another claim of the same firm at the same platform. Amounts in fen."""

    number: str
    state: ClaimState
    submitted_at: datetime
    service: str
    claimed_fen: int
    approved_fen: int | None


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of voucher, cap and contract now, in fen; None where there is no such limit."""

    voucher_fen: int | None
    cap: CapStanding | None
    contract_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFile:
    """The part of a case that review made."""

    taking: Taking | None
    rounds: Sequence[Round]
    opinions: Sequence[Opinion]
    reports: Sequence[AuditReport]
    signatures: Sequence[Signature]
    earlier: Sequence[Earlier]
    room: Room
    recused: str

    @property
    def open_round(self) -> Round | None:
        """The round that waits for its firm."""
        return next((each for each in self.rounds if each.notice.answered_at is None), None)

    @property
    def last_items(self) -> frozenset[ClaimItem]:
        """What was told in the last round: only this may be told again without a reason."""
        return frozenset(item for item, _ in self.rounds[-1].items) if self.rounds else frozenset()


def review_file(session: Session, actor: Actor, file: ClaimFile) -> ReviewFile:
    """All that review knows of a claim that the actor sees."""
    claim_id = file.claim.id
    reports = select(AuditReport).where(AuditReport.claim_id == claim_id).order_by(AuditReport.id)
    return ReviewFile(
        taking=_taking(session, claim_id),
        rounds=rounds_of(session, claim_id),
        opinions=_opinions(session, claim_id),
        reports=session.scalars(reports).all(),
        signatures=_signatures(session, file),
        earlier=_earlier(session, file),
        room=_room(session, file),
        recused=_recused(session, actor, file),
    )


def rounds_of(session: Session, claim_id: int) -> list[Round]:
    """Every notice of defects of a claim, the first one first."""
    query = (
        select(ClaimReturn, Person.name)
        .join(Person, Person.id == ClaimReturn.returned_by)
        .where(ClaimReturn.claim_id == claim_id)
        .order_by(ClaimReturn.round)
    )
    rows = session.execute(query).all()
    items: dict[int, list[tuple[ClaimItem, str]]] = {row.id: [] for row, _ in rows}
    defects = select(ClaimDefect).where(ClaimDefect.return_id.in_(items)).order_by(ClaimDefect.id)
    for each in session.scalars(defects):
        items[each.return_id].append((ClaimItem(each.item), each.text))
    return [Round(row, tuple(items[row.id]), name) for row, name in rows]


def experts(session: Session, *, on: date) -> list[tuple[int, str]]:
    """Everybody who may be asked for an opinion on this day, by name."""
    query = _holding(Role.EXPERT, on).order_by(Person.name, Person.id)
    return [(person_id, name) for person_id, name in session.execute(query.distinct())]


def colleagues(session: Session, actor: Actor, *, region_path: str, on: date) -> list[tuple[int, str]]:
    """Reviewers of a region (by its path), without the actor."""
    codes = [code for code in region_path.split("/") if code]
    query = _holding(Role.REVIEWER, on).where(RoleGrant.region_code.in_(codes), Person.id != actor.person_id)
    rows = session.execute(query.order_by(Person.name, Person.id).distinct())
    return [(person_id, name) for person_id, name in rows]


def path_of(session: Session, region_code: str) -> str:
    """The path of a region."""
    return session.scalars(select(Region.path).where(Region.code == region_code)).one()


def stands_in_for(session: Session, actor: Actor, *, at: datetime) -> frozenset[int]:
    """Everybody for whom the actor stands in today."""
    on = business_date(at)
    query = select(StandIn.person_id).where(
        StandIn.colleague_id == actor.person_id, StandIn.from_on <= on, StandIn.to_on > on
    )
    return frozenset(session.scalars(query.where(StandIn.ended_at.is_(None))))


def _holding(role: Role, on: date) -> Select[int, str]:
    return (
        select(Person.id, Person.name)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            RoleGrant.role == role.value,
            RoleGrant.from_on <= on,
            or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
            Person.disabled_at.is_(None),
        )
    )


def _taking(session: Session, claim_id: int) -> Taking | None:
    covered = aliased(Person)
    query = (
        select(CaseTaking, Person.name, covered.name)
        .join(Person, Person.id == CaseTaking.person_id)
        .outerjoin(covered, covered.id == CaseTaking.for_id)
        .where(CaseTaking.claim_id == claim_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    taking, reviewer, stands_for = row
    return Taking(taking.person_id, reviewer, stands_for, taking.taken_at, taking.note)


def _opinions(session: Session, claim_id: int) -> list[Opinion]:
    query = (
        select(ExpertOpinion, Person.name)
        .join(Person, Person.id == ExpertOpinion.person_id)
        .where(ExpertOpinion.claim_id == claim_id)
        .order_by(ExpertOpinion.id)
    )
    return [
        Opinion(row, name, OpinionVerdict(row.verdict) if row.verdict else None)
        for row, name in session.execute(query)
    ]


def _signatures(session: Session, file: ClaimFile) -> list[Signature]:
    query = (
        select(Cosignature, Person.name)
        .join(Person, Person.id == Cosignature.person_id)
        .where(Cosignature.claim_id == file.claim.id, Cosignature.round == file.claim.round)
        .order_by(Cosignature.id)
    )
    last = {row.function: (row, name) for row, name in session.execute(query)}
    names = {each.function: each.name for each in file.policy.authorities}
    found = []
    for function in file.policy.cosigners:
        row, signer = last.get(function, (None, ""))
        found.append(
            Signature(
                function,
                names.get(function, function),
                row.agreed if row is not None else None,
                row.text if row is not None else "",
                signer,
                row.signed_at if row is not None else None,
            )
        )
    return found


def _earlier(session: Session, file: ClaimFile) -> list[Earlier]:
    query = (
        select(Claim, Order.service)
        .join(Order, Order.id == Claim.order_id)
        .where(
            Order.holder_id == file.order.holder_id,
            Order.platform_id == file.order.platform_id,
            Claim.id != file.claim.id,
        )
        .order_by(Claim.submitted_at.desc())
        .limit(20)
    )
    return [
        Earlier(
            row.number, ClaimState(row.state), row.submitted_at, service, row.claimed_fen, row.approved_fen
        )
        for row, service in session.execute(query)
    ]


def _room(session: Session, file: ClaimFile) -> Room:
    order, voucher = file.order, file.voucher
    if voucher is None or order.channel == OrderChannel.POST_SUBSIDY.value:
        return Room(None, None, None)
    contract = None
    if order.contract_ref:
        ref = accounts.contract(order.contract_ref, order.programme_code)
        contract = standings(session, order.book_id, [ref])[ref].available_fen
    cap = cap_standing(session, file.policy, voucher, on=business_date(order.placed_at))
    return Room(view_of(session, voucher).left_fen, cap, contract)


def _recused(session: Session, actor: Actor, file: ClaimFile) -> str:
    """The name of the organisation of this case in which the actor has an interest; empty for none."""
    sides = [file.holder.organisation_id, file.platform.organisation_id if file.platform else None]
    query = (
        select(Organisation.name)
        .join(Recusal, Recusal.organisation_id == Organisation.id)
        .where(
            Recusal.person_id == actor.person_id,
            Recusal.ended_at.is_(None),
            Organisation.id.in_([each for each in sides if each is not None]),
        )
    )
    return session.scalars(query.limit(1)).first() or ""
