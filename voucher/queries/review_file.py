"""What a reviewer sees of a claim beside its papers: who has it, what was told, who said what, what room is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Organisation
from voucher.models.people import Person
from voucher.models.programmes import BudgetLine
from voucher.models.review import (
    AuditReport,
    CaseTaking,
    ClaimDefect,
    ClaimReturn,
    Cosignature,
    ExpertOpinion,
    Recusal,
)
from voucher.queries.claims import ClaimFile
from voucher.queries.vouchers import view_of
from voucher.rules.permissions import Actor
from voucher.terms import ClaimItem, ClaimState, OpinionVerdict, OrderChannel


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
    """What is left of voucher and contract now, in fen; None where there is no such limit."""

    voucher_fen: int | None
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
    decided_before: bool

    @property
    def barred(self) -> bool:
        """Whether the actor may not decide it: an interest of theirs, or they decided it before an appeal."""
        return bool(self.recused) or self.decided_before

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
        decided_before=any(row.reviewer_id == actor.person_id for row, _ in file.overturned),
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


def open_lines(session: Session, programme_code: str) -> list[tuple[str, str]]:
    """The budget lines of a programme that may still pay, newest year first: code and name."""
    query = select(BudgetLine).where(
        BudgetLine.programme_code == programme_code, BudgetLine.closed_on.is_(None)
    )
    rows = session.scalars(query.order_by(BudgetLine.year.desc(), BudgetLine.id))
    return [(row.code, f"{row.year} 年 {row.name}") for row in rows]


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
        return Room(None, None)
    contract = None
    if order.contract_ref:
        ref = accounts.contract(order.contract_ref, order.programme_code)
        contract = standings(session, order.book_id, [ref])[ref].available_fen
    return Room(view_of(session, voucher).left_fen, contract)


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
