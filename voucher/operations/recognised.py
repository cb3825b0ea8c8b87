"""The amount that review recognises of a claim (审核认定金额), where the policy counts the subsidy on it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.review import AuditReport
from voucher.money import Fen
from voucher.operations.cases import Case
from voucher.operations.decision_basis import computations
from voucher.terms import SubsidyBase


@dataclass(frozen=True, slots=True)
class Recognised:
    """What is recognised of the cost, and the most that may be approved on it; both in fen."""

    audited_fen: Fen
    most_fen: Fen


def recognise_cost(session: Session, case: Case, audited_fen: Fen | None) -> Recognised | None:
    """What a yes may rest on under `base = "audited"`; None where the policy counts on something else.

    The reviewer's amount, or else that of the latest third party's report; never more than the base that was claimed,
    so the subsidy is never above what was asked for and captured, and within the funders' ceilings on it. Refused: `audit_missing` without either,
    `subsidy_zero` where nothing is left.
    """
    if case.policy.base is not SubsidyBase.AUDITED:
        return None
    claim = case.claim
    found = audited_fen if audited_fen is not None else reported(session, claim.id)
    if found is None:
        raise Refusal(Code.AUDIT_MISSING, claim=claim.number)
    recognised = Fen(min(found, claim.base_fen))
    earned = computations(session, [case], audited={claim.id: recognised})[claim.id].amount_fen
    most = Fen(min(earned, claim.claimed_fen))
    if most == 0:
        raise Refusal(Code.SUBSIDY_ZERO, audited_fen=recognised)
    return Recognised(recognised, most)


def reported(session: Session, claim_id: int) -> Fen | None:
    """What the latest report of a third party found, in fen; None without one."""
    query = select(AuditReport.amount_fen).where(AuditReport.claim_id == claim_id)
    amount = session.scalars(query.order_by(AuditReport.id.desc()).limit(1)).first()
    return None if amount is None else Fen(amount)
