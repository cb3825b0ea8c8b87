"""What a decision rests on: what the policy asks for before a yes, and the facts that are kept with it (容错)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.models.checks import CheckFinding
from voucher.models.parties import Holder, Platform
from voucher.models.review import AuditReport, ClaimDefect, ClaimReturn, Cosignature, ExpertOpinion
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.cases import Case
from voucher.operations.cosign import unsigned
from voucher.rules import subsidy
from voucher.store import Stored


@dataclass(frozen=True, slots=True)
class Minutes:
    """The minutes or instruction that a decision cites (会议纪要、批示): number, day, file."""

    number: str
    on: date
    file: Stored


def bar_missing(session: Session, case: Case, minutes: Minutes | None) -> None:
    """Refuse a yes that lacks what the policy asks for: `opinion_missing`, `cosign_missing`, `minutes_missing`."""
    policy = case.policy
    if policy.expert_review:
        given = select(ExpertOpinion.id).where(
            ExpertOpinion.claim_id == case.claim.id, ExpertOpinion.verdict.is_not(None)
        )
        if session.scalars(given.limit(1)).first() is None:
            raise Refusal(Code.OPINION_MISSING, claim=case.claim.number)
    missing = unsigned(session, case.claim, policy) if policy.cosigners else ()
    if missing:
        raise Refusal(Code.COSIGN_MISSING, claim=case.claim.number, functions=",".join(missing))
    if policy.minutes_required and (minutes is None or not minutes.number.strip()):
        raise Refusal(Code.MINUTES_MISSING, claim=case.claim.number)


def basis(session: Session, case: Case) -> dict[str, Any]:
    """The facts of a case as they stand: findings, computed lines, defects told, opinions, reports, signatures."""
    return {
        "round": case.claim.round,
        "computed": _computed(session, case),
        "findings": _findings(session, case),
        "returns": _returns(session, case),
        "opinions": _opinions(session, case),
        "reports": _reports(session, case),
        "signatures": _signatures(session, case),
    }


def _computed(session: Session, case: Case) -> dict[str, Any]:
    """The subsidy line by line on the claim's amounts, by the order's policy version."""
    claim, order = case.claim, case.order
    holder = session.get_one(Holder, order.holder_id)
    vouchers = session.scalars(select(Voucher).where(Voucher.id == order.voucher_id)).all()
    platforms = session.scalars(select(Platform).where(Platform.id == order.platform_id)).all()
    contracts = [each for each in (order.contract_fen, claim.contract_fen) if each is not None]
    result = subsidy.compute(
        case.policy,
        subsidy.Case(
            holder_class=vouchers[0].holder_class if vouchers else order.holder_class or "",
            service=order.service,
            contract_fen=Fen(min(contracts)) if contracts else None,
            invoice_net_fen=Fen(claim.invoice_net_fen),
            paid_fen=Fen(claim.paid_fen),
            applicant_region=holder.region_code,
            provider_region=platforms[0].region_code if platforms else claim.origin_region or "",
            earlier_fen=Fen(order.earlier_fen or 0),
        ),
    )
    steps = [[step.label, step.clause, step.value, step.unit] for step in result.steps]
    return {"base_fen": result.base_fen, "amount_fen": result.amount_fen, "steps": steps}


def _findings(session: Session, case: Case) -> list[dict[str, Any]]:
    query = select(CheckFinding).where(
        CheckFinding.claim_id == case.claim.id, CheckFinding.round == case.claim.round
    )
    return [
        {
            "row": row.row_no,
            "kind": row.kind,
            "weight": row.weight,
            "facts": row.facts,
            "settlement": row.settlement,
        }
        for row in session.scalars(query.order_by(CheckFinding.seq))
    ]


def _returns(session: Session, case: Case) -> list[dict[str, Any]]:
    query = (
        select(ClaimReturn.number, ClaimDefect.item, ClaimDefect.text)
        .join(ClaimDefect, ClaimDefect.return_id == ClaimReturn.id)
        .where(ClaimReturn.claim_id == case.claim.id)
        .order_by(ClaimReturn.round, ClaimDefect.id)
    )
    return [{"notice": number, "item": item, "text": said} for number, item, said in session.execute(query)]


def _opinions(session: Session, case: Case) -> list[dict[str, Any]]:
    query = select(ExpertOpinion).where(ExpertOpinion.claim_id == case.claim.id).order_by(ExpertOpinion.id)
    return [
        {
            "expert": row.person_id,
            "verdict": row.verdict,
            "amount_fen": row.amount_fen,
            "conflict": row.conflict,
        }
        for row in session.scalars(query)
    ]


def _reports(session: Session, case: Case) -> list[dict[str, Any]]:
    query = select(AuditReport).where(AuditReport.claim_id == case.claim.id).order_by(AuditReport.id)
    return [
        {"report_no": row.report_no, "amount_fen": row.amount_fen, "sha256": row.file_sha256}
        for row in session.scalars(query)
    ]


def _signatures(session: Session, case: Case) -> list[dict[str, Any]]:
    query = select(Cosignature).where(Cosignature.claim_id == case.claim.id).order_by(Cosignature.id)
    return [
        {"function": row.function, "agreed": row.agreed, "person": row.person_id, "round": row.round}
        for row in session.scalars(query)
    ]
