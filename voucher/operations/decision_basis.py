"""What a decision rests on: what the policy asks for before a yes, and the facts that are kept with it (容错)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from voucher.errors import Code, Refusal
from voucher.models.checks import CheckFinding
from voucher.models.parties import Holder, Platform
from voucher.models.review import AuditReport, ClaimDefect, ClaimReturn, Cosignature, ExpertOpinion
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations.cases import Case
from voucher.operations.cosign import unsigned
from voucher.operations.share_money import Shared
from voucher.rules import subsidy
from voucher.rules.cofunding import within_ceilings
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
            ExpertOpinion.claim_id == case.claim.id,
            ExpertOpinion.round == case.claim.round,
            ExpertOpinion.verdict.is_not(None),
        )
        if session.scalars(given.limit(1)).first() is None:
            raise Refusal(Code.OPINION_MISSING, claim=case.claim.number)
    missing = unsigned(session, case.claim, policy) if policy.cosigners else ()
    if missing:
        raise Refusal(Code.COSIGN_MISSING, claim=case.claim.number, functions=",".join(missing))
    if policy.minutes_required and (minutes is None or not minutes.number.strip()):
        raise Refusal(Code.MINUTES_MISSING, claim=case.claim.number)


def bases(session: Session, cases: Sequence[Case]) -> dict[int, dict[str, Any]]:
    """By claim id the facts of cases as they stand: findings, computed lines, defects told, opinions, reports, signatures.

    Eight statements for any number of cases, nine where several funders pay one.
    """
    ids = [case.claim.id for case in cases]
    computed = computations(session, cases)
    findings, returns = _findings(session, cases), _returns(session, ids)
    opinions, reports, signatures = _opinions(session, ids), _reports(session, ids), _signatures(session, ids)
    return {
        case.claim.id: {
            "round": case.claim.round,
            "computed": _told(computed[case.claim.id]),
            "findings": findings.get(case.claim.id, []),
            "returns": returns.get(case.claim.id, []),
            "opinions": opinions.get(case.claim.id, []),
            "reports": reports.get(case.claim.id, []),
            "signatures": signatures.get(case.claim.id, []),
        }
        for case in cases
    }


_Told = dict[int, list[dict[str, Any]]]


def computations(
    session: Session, cases: Sequence[Case], *, audited: Mapping[int, Fen] | None = None
) -> dict[int, subsidy.Computation]:
    """By claim id the subsidies on the claims' amounts, by the orders' policy versions, within their funders' ceilings.

    `audited` are amounts recognised just now, by claim id, in place of those that the claims have.
    """
    orders = [case.order for case in cases]
    regions = dict(_pairs(session, Holder.id, Holder.region_code, {order.holder_id for order in orders}))
    classes = dict(_pairs(session, Voucher.id, Voucher.holder_class, {order.voucher_id for order in orders}))
    places = dict(_pairs(session, Platform.id, Platform.region_code, {order.platform_id for order in orders}))
    shared, found = Shared(session, orders), {}
    for case in cases:
        claim, order = case.claim, case.order
        contracts = [each for each in (order.contract_fen, claim.contract_fen) if each is not None]
        recognised = (audited or {}).get(claim.id, claim.audited_fen)
        computed = subsidy.compute(
            case.policy,
            subsidy.Case(
                holder_class=classes.get(order.voucher_id, order.holder_class or ""),
                service=order.service,
                contract_fen=Fen(min(contracts)) if contracts else None,
                invoice_net_fen=Fen(claim.invoice_net_fen),
                paid_fen=Fen(claim.paid_fen),
                audited_fen=None if recognised is None else Fen(recognised),
                applicant_region=regions[order.holder_id],
                provider_region=places.get(order.platform_id, claim.origin_region or ""),
                earlier_fen=Fen(order.earlier_fen or 0),
                units=order.units or 1,
            ),
        )
        found[claim.id] = within_ceilings(case.policy, shared.shares(order, case.policy), computed)
    return found


def _told(result: subsidy.Computation) -> dict[str, Any]:
    """A computation as it is kept with the decision."""
    steps = [[step.label, step.clause, step.value, step.unit] for step in result.steps]
    return {"base_fen": result.base_fen, "amount_fen": result.amount_fen, "steps": steps}


def _pairs(
    session: Session, key: InstrumentedAttribute[int], value: InstrumentedAttribute[str], ids: Collection[int]
) -> list[tuple[int, str]]:
    return [(row[0], row[1]) for row in session.execute(select(key, value).where(key.in_(ids)))]


def _findings(session: Session, cases: Sequence[Case]) -> _Told:
    rounds = {case.claim.id: case.claim.round for case in cases}
    query = select(CheckFinding).where(CheckFinding.claim_id.in_(rounds)).order_by(CheckFinding.seq)
    found: _Told = {}
    for row in session.scalars(query):
        if row.round == rounds[row.claim_id]:
            said = {"row": row.row_no, "kind": row.kind, "weight": row.weight}
            said |= {"facts": row.facts, "settlement": row.settlement}
            found.setdefault(row.claim_id, []).append(said)
    return found


def _returns(session: Session, ids: Sequence[int]) -> _Told:
    query = (
        select(ClaimReturn.claim_id, ClaimReturn.number, ClaimDefect.item, ClaimDefect.text)
        .join(ClaimDefect, ClaimDefect.return_id == ClaimReturn.id)
        .where(ClaimReturn.claim_id.in_(ids))
        .order_by(ClaimReturn.round, ClaimDefect.id)
    )
    found: _Told = {}
    for claim_id, number, item, said in session.execute(query):
        found.setdefault(claim_id, []).append({"notice": number, "item": item, "text": said})
    return found


def _opinions(session: Session, ids: Sequence[int]) -> _Told:
    query = select(ExpertOpinion).where(ExpertOpinion.claim_id.in_(ids)).order_by(ExpertOpinion.id)
    found: _Told = {}
    for row in session.scalars(query):
        said = {"expert": row.person_id, "verdict": row.verdict, "round": row.round}
        said |= {"amount_fen": row.amount_fen, "conflict": row.conflict}
        found.setdefault(row.claim_id, []).append(said)
    return found


def _reports(session: Session, ids: Sequence[int]) -> _Told:
    query = select(AuditReport).where(AuditReport.claim_id.in_(ids)).order_by(AuditReport.id)
    found: _Told = {}
    for row in session.scalars(query):
        said = {"report_no": row.report_no, "amount_fen": row.amount_fen, "sha256": row.file_sha256}
        found.setdefault(row.claim_id, []).append(said)
    return found


def _signatures(session: Session, ids: Sequence[int]) -> _Told:
    query = select(Cosignature).where(Cosignature.claim_id.in_(ids)).order_by(Cosignature.id)
    found: _Told = {}
    for row in session.scalars(query):
        said = {"function": row.function, "agreed": row.agreed, "person": row.person_id, "round": row.round}
        found.setdefault(row.claim_id, []).append(said)
    return found
