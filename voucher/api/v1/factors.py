"""The factor of a programme's year: what is asked for, proposed by one, approved by another, carried out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, operation
from voucher.api.entry import change, now, reading
from voucher.errors import Code, found
from voucher.money import Fen
from voucher.operations.apply_factor import apply_own
from voucher.operations.outcome import only
from voucher.operations.prorata import FactorAnswer, FactorRequest, answer_factor, demands, propose_factor
from voucher.queries.budgets import programmes
from voucher.queries.factors import factors, funded, live_factor
from voucher.schemas import factors as schemas

blueprint = Endpoints("factors_v1", __name__, url_prefix="/api/v1", description="申报结束后确定的比例")


@blueprint.route("/factors", methods=["GET"])
@operation("各年度的申报与比例", "finance:factor:read")
@blueprint.response(200, schemas.FactorsAnswer)
def list_factors() -> dict[str, Any]:
    """等待确定比例的年度（申报合计、按已下达资金能定的最高比例），以及已提出的比例。"""
    actor = current_actor()
    with reading() as session:
        codes = [each.code for each in programmes(session, actor)]
        waiting = [
            schemas.demand_answer(each, funded(session, actor, each.programme_code, each.year))
            for each in demands(session, codes, at=now())
        ]
        return {
            "demands": waiting,
            "factors": [schemas.factor_answer(each) for each in factors(session, actor)],
        }


@blueprint.route("/factors", methods=["POST"])
@operation(
    "提出比例",
    "finance:factor:propose",
    refuses=(Code.NOT_FOUND, Code.FACTOR_EARLY, Code.FACTOR_TOO_HIGH, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.FactorBody)
@blueprint.response(201, schemas.FactorAnswer)
def propose(body: dict[str, Any]) -> dict[str, Any]:
    """申报结束后为一个项目的一个年度提出比例，由另一人复核。"""
    asked = FactorRequest(
        body["programme_code"], body["year"], body["factor_bp"], Fen(body["budget_fen"]), body["basis"]
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(propose_factor(session, [asked], actor=current_actor(), at=at))
        return _standing(session, asked.programme_code, asked.year)

    return change(work, body=body)


@blueprint.route("/factors/<programme>/<int(max=2199):year>/decision", methods=["POST"])
@operation(
    "复核比例",
    "finance:factor:approve",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.FACTOR_TOO_HIGH, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.FactorDecisionBody)
@blueprint.response(200, schemas.TrimmedAnswer)
def decide(body: dict[str, Any], programme: str, year: int) -> dict[str, Any]:
    """通过的，立即折算该年度已核定的申请（一次最多 500 件，其余用 apply 或定时任务继续）。"""
    said = FactorAnswer(coded(programme), year, body["proposal_id"], body["approved"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        actor = current_actor()
        only(answer_factor(session, [said], actor=actor, at=at))
        if not said.approved:
            return {"trimmed": 0}
        return {"trimmed": apply_own(session, said.programme_code, year, actor=actor, at=at)}

    return change(work, body=body)


@blueprint.route("/factors/<programme>/<int(max=2199):year>/apply", methods=["POST"])
@operation("继续折算", "finance:factor:approve", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.response(200, schemas.TrimmedAnswer)
def apply(programme: str, year: int) -> dict[str, Any]:
    """折算还没有折算的申请，一次最多 500 件；答复 0 表示已全部折算。"""
    code = coded(programme)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"trimmed": apply_own(session, code, year, actor=current_actor(), at=at)}

    return change(work, body={})


def _standing(session: Session, programme: str, year: int) -> dict[str, Any]:
    return schemas.factor_answer(found(live_factor(session, current_actor(), programme, year)))
