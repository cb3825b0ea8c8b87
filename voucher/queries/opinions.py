"""Opinions as experts see them: only the claims that they were asked about, and nothing of any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.claims import Claim, Document
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.review import AuditReport, ExpertOpinion
from voucher.queries.claims import ClaimFile, claim_file, document_of
from voucher.rules.permissions import Actor
from voucher.terms import ClaimState, OpinionVerdict

_OPEN: Final = (ClaimState.SUBMITTED.value, ClaimState.RETURNED.value)


@dataclass(frozen=True, slots=True)
class Asked:
    """A claim that an expert was asked about; `open` while its papers may be read. Amount in fen."""

    number: str
    state: ClaimState
    holder_name: str
    claimed_fen: int
    invited_at: datetime
    due_on: date
    given_at: datetime | None
    open: bool


@dataclass(frozen=True, slots=True)
class ExpertFile:
    """One such claim with its papers, and the expert's own answer."""

    file: ClaimFile
    opinion: ExpertOpinion
    verdict: OpinionVerdict | None


def asked_of(session: Session, actor: Actor) -> Sequence[Asked]:
    """Every claim that the actor was asked about, unanswered ones first, by their last day."""
    query = (
        select(Claim, Holder.name, ExpertOpinion)
        .join(ExpertOpinion, ExpertOpinion.claim_id == Claim.id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(ExpertOpinion.person_id == actor.person_id)
        .order_by(ExpertOpinion.given_at.is_not(None), ExpertOpinion.due_on, ExpertOpinion.id)
    )
    return [
        Asked(
            claim.number,
            ClaimState(claim.state),
            name,
            claim.claimed_fen,
            row.invited_at,
            row.due_on,
            row.given_at,
            claim.state in _OPEN and row.round == claim.round and row.conflict is None,
        )
        for claim, name, row in session.execute(query)
    ]


def expert_file(session: Session, actor: Actor, number: str) -> ExpertFile | None:
    """One claim for the expert who was asked; None for every other, once a conflict was declared, and once decided.

    A claim that came back is read by those who were asked anew: the opinion of the round before is no longer wanted.
    """
    row = _opinion(session, actor, number)
    if row is None:
        return None
    file = claim_file(session, _reader(session, actor, number), number)
    verdict = OpinionVerdict(row.verdict) if row.verdict else None
    return ExpertFile(file, row, verdict) if file is not None else None


def expert_document(session: Session, actor: Actor, number: str, document_id: int) -> Document | None:
    """A file of such a claim."""
    if _opinion(session, actor, number) is None:
        return None
    return document_of(session, _reader(session, actor, number), number, document_id)


def report_of(session: Session, claim_id: int, report_id: int) -> AuditReport | None:
    """A third party's report of this claim."""
    query = select(AuditReport).where(AuditReport.id == report_id, AuditReport.claim_id == claim_id)
    return session.scalars(query).one_or_none()


def _opinion(session: Session, actor: Actor, number: str) -> ExpertOpinion | None:
    query = (
        select(ExpertOpinion)
        .join(Claim, Claim.id == ExpertOpinion.claim_id)
        .where(
            Claim.number == number,
            ExpertOpinion.person_id == actor.person_id,
            ExpertOpinion.round == Claim.round,
            ExpertOpinion.conflict.is_(None),
            Claim.state.in_(_OPEN),
        )
    )
    return session.scalars(query).one_or_none()


def _reader(session: Session, actor: Actor, number: str) -> Actor:
    """The expert, as somebody who may read the region of this one claim."""
    query = (
        select(Holder.region_code)
        .join(Order, Order.holder_id == Holder.id)
        .join(Claim, Claim.order_id == Order.id)
        .where(Claim.number == number)
    )
    return replace(actor, region_codes=frozenset(session.scalars(query)))
