"""The end of a budget year: proposed by one, answered by another, carried out in parts; and its two tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, operation
from voucher.api.entry import change, reading
from voucher.errors import Code
from voucher.money import Fen
from voucher.operations.outcome import only
from voucher.operations.year_end import (
    YearEndReply,
    YearEndRequest,
    answer_year_end,
    apply_year_end,
    propose_year_end,
)
from voucher.queries.year_ends import carry_table, decisions, expired_page
from voucher.schemas import year_ends as schemas

blueprint = Endpoints("year_ends_v1", __name__, url_prefix="/api/v1", description="预算指标的年终结转和收回")


@blueprint.route("/year-ends", methods=["GET"])
@operation("年终处理决定", "finance:year_end:read")
@blueprint.response(200, schemas.DecisionsAnswer)
def list_decisions() -> dict[str, Any]:
    """本账簿各指标的结转或收回决定，新的在前。"""
    with reading() as session:
        found = decisions(session, current_actor())
        return {"decisions": [schemas.decision_answer(each) for each in found]}


@blueprint.route("/year-ends", methods=["POST"])
@operation(
    "提出结转或收回",
    "finance:year_end:propose",
    refuses=(Code.NOT_FOUND, Code.PERIOD_CLOSED, Code.PERIOD_NOT_OVER, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.YearEndBody)
@blueprint.response(201, schemas.DecisionAnswer)
def propose(body: dict[str, Any]) -> dict[str, Any]:
    """年度终了后，为一条指标提出结转下年或收回财政，由另一人复核。"""
    asked = YearEndRequest(
        body["budget_line"], body["action"], body["document_no"], body["vouchers"], body["to"]
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(propose_year_end(session, [asked], actor=current_actor(), at=at))
        return schemas.decision_answer(decisions(session, current_actor(), line_code=asked.line_code)[0])

    return change(work, body=body)


@blueprint.route("/year-ends/<line>/decision", methods=["POST"])
@operation(
    "复核结转或收回",
    "finance:year_end:approve",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.STATE_CHANGED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.YearEndReplyBody)
@blueprint.response(200, schemas.EndedAnswer)
def decide(body: dict[str, Any], line: str) -> dict[str, Any]:
    """通过的，立即办理（一次最多收回 500 张券，其余用 apply 或定时任务继续）；`proposal_id`、`amount_fen` 是复核人看到的提出和指标余额。"""
    said = YearEndReply(coded(line), Fen(body["amount_fen"]), body["approved"], body["proposal_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(answer_year_end(session, [said], actor=current_actor(), at=at))
        if not said.approved:
            return {"fallen": 0, "closed": False, "moved_fen": 0}
        return _applied(session, said.line_code, at)

    return change(work, body=body)


@blueprint.route("/year-ends/<line>/apply", methods=["POST"])
@operation("继续办理", "finance:year_end:approve", refuses=(Code.NOT_FOUND, Code.PERIOD_CLOSED), keyed=True)
@blueprint.response(200, schemas.EndedAnswer)
def apply(line: str) -> dict[str, Any]:
    """收回还没有收回的券；收完后结转或收回余额，关闭指标。`closed` 为 true 表示已办结。"""
    code = coded(line)
    return change(lambda session, at: _applied(session, code, at), body={})


@blueprint.route("/reports/carry-over", methods=["GET"])
@operation("年终结转表", "finance:year_end:read")
@blueprint.arguments(schemas.YearQuery, location="query")
@blueprint.response(200, schemas.CarryTableAnswer)
def carry_over(query: dict[str, Any]) -> dict[str, Any]:
    """R19：各指标的年初结转、本年下达、已支付、收回、结转和年末未用；差额应为零。"""
    with reading() as session:
        rows = carry_table(session, current_actor(), query["year"])
        return {"year": query["year"], "rows": [schemas.carry_answer(row) for row in rows]}


@blueprint.route("/reports/expired", methods=["GET"])
@operation("到期回收表", "finance:year_end:read")
@blueprint.arguments(schemas.ExpiredQuery, location="query")
@blueprint.response(200, schemas.ExpiredTableAnswer)
def expired(query: dict[str, Any]) -> dict[str, Any]:
    """R16：一年内到期收回、退回和撤销的券，以及退回的金额。"""
    with reading() as session:
        page = expired_page(session, current_actor(), query["year"], page=query["page"])
        rows = [schemas.expired_answer(row) for row in page.rows]
        numbers = {"page": page.page, "pages": page.pages, "total": page.total}
        return {"year": query["year"], "rows": rows, **numbers}


def _applied(session: Session, line_code: str, at: datetime) -> dict[str, Any]:
    ended = apply_year_end(session, line_code, actor=current_actor(), at=at)
    return {"fallen": ended.fallen, "closed": ended.closed, "moved_fen": ended.moved_fen}
