"""Centres: the public register, certifying, states, quarterly reports, the yearly table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, listed_page, open_operation, operation
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.operations.centre_reports import ReportRequest, reports_due, submit_reports
from voucher.operations.centre_states import CHANGES, CentreChange, change_centres
from voucher.operations.centres import CentreRequest, register_centres
from voucher.operations.outcome import only
from voucher.operations.register import organisation_ids
from voucher.queries.centres import CentreFilter, centres, centres_of_authority, reports_of
from voucher.reports.centre_table import CentreRow, centre_table, report_state
from voucher.schemas import api_centre_answers as answers
from voucher.schemas import api_centres as schemas

blueprint = Endpoints(
    "centres_v1", __name__, url_prefix="/api/v1", description="孵化载体：认定、报送、年度评价表"
)


@blueprint.route("/centres", methods=["GET"])
@open_operation("孵化载体名单")
@blueprint.arguments(schemas.CentresQuery, location="query")
@blueprint.response(200, answers.CentresAnswer)
def list_centres(query: dict[str, Any]) -> dict[str, Any]:
    """全部载体和状态，按名称，每页 50 项。"""
    sought = CentreFilter(query["text"], query["kind"], query["state"])
    with reading() as session:
        return listed_page(centres(session, sought, page=query["page"]), "centres", answers.centre_answer)


@blueprint.route("/centres", methods=["POST"])
@operation(
    "登记载体认定",
    "reviewer:centre:certify",
    refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED, Code.REAPPLY_LOCKED),
    keyed=True,
)
@blueprint.arguments(schemas.CentreBody)
@blueprint.response(201, answers.CentreStateAnswer)
def certify_centre(body: dict[str, Any]) -> dict[str, Any]:
    """认定部门、认定地区与所在地区分别登记；同一文号再次提交，答复相同。限制申报期内不能登记。"""
    given = {name: value for name, value in body.items() if name not in ("uscc", "titles")}

    def work(session: Session, at: datetime) -> dict[str, Any]:
        known = organisation_ids(session, [body["uscc"]])
        if body["uscc"] not in known:
            raise Refusal(Code.NOT_FOUND, uscc=body["uscc"])
        titles = tuple((kind, "") for kind in body["titles"])
        wanted = CentreRequest(**given, organisation_id=known[body["uscc"]], titles=titles)
        made = only(register_centres(session, [wanted], actor=current_actor(), at=at))
        return {"id": made.centre_id, "state": made.state.value}

    return change(work, body=body)


@blueprint.route("/centres/<centre_id>/change", methods=["POST"])
@operation(
    "暂停、恢复、摘牌",
    "reviewer:centre:certify",
    refuses=(Code.NOT_FOUND, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.CentreChangeBody)
@blueprint.response(200, answers.CentreStateAnswer)
def change_centre(body: dict[str, Any], centre_id: str) -> dict[str, Any]:
    """摘牌时关联称号同步取消。"""
    event = next(each for each in CHANGES if each == body["event"])
    wanted = CentreChange(identified(centre_id), event, body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(change_centres(session, [wanted], actor=current_actor(), at=at))
        return {"id": done.centre_id, "state": done.state.value}

    return change(work, body=body)


@blueprint.route("/centres/<centre_id>/reports", methods=["POST"])
@operation(
    "报送季度数据",
    "incubator:report:submit",
    refuses=(Code.NOT_FOUND, Code.REPORT_NOT_OPEN),
    keyed=True,
)
@blueprint.arguments(schemas.QuarterReportBody)
@blueprint.response(201, answers.ReportAnswer)
def submit_report(body: dict[str, Any], centre_id: str) -> dict[str, Any]:
    """季度结束后报送，逾期的记为逾期；年度评分之前可以更正，更正不改变是否逾期。"""
    wanted = ReportRequest(
        centre_id=identified(centre_id),
        year=body["year"],
        quarter=body["quarter"],
        figures=answers.figures_of(body),
        text=body["text"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return answers.report_answer(only(submit_reports(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/centre-reports", methods=["GET"])
@operation("应报送的季度数据", "reviewer:centre:read")
@blueprint.arguments(schemas.YearQuery, location="query")
@blueprint.response(200, answers.DuesAnswer)
def list_due(query: dict[str, Any]) -> dict[str, Any]:
    """本地区载体一年中应报送的季度、最后期限和状态。"""
    today = business_date(now())
    with reading() as session:
        lines = centres_of_authority(session, current_actor())
        owed = reports_due(session, [(line.row, line.path) for line in lines], [query["year"]])
        came = reports_of(session, [line.row.id for line in lines], [query["year"]])
        rows = [answers.due_answer(due, report_state(due, came, today=today)) for due in owed]
    return {"reports": rows}


@blueprint.route("/centre-table", methods=["GET"])
@operation("年度评价表（R8）", "reviewer:centre:read")
@blueprint.arguments(schemas.YearQuery, location="query")
@blueprint.response(200, answers.TableAnswer)
def table(query: dict[str, Any]) -> dict[str, Any]:
    """本地区每个载体一行；金额以分计。"""
    with reading() as session:
        rows = centre_table(session, current_actor(), query["year"], today=business_date(now()))
        return {"rows": [_row(row) for row in rows]}


def _row(row: CentreRow) -> dict[str, Any]:
    """A row of R8 for JSON."""
    result = row.result.row if row.result else None
    names = (
        "filed_tenants", "in_incubation", "graduated", "exited", "services", "reports_due", "reports_late",
        "financing_fen", "activities", "sanction",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "centre_id": row.line.row.id,
        "centre": row.line.row.name,
        "grade_of_centre": row.line.row.grade,
        "score": result.total if result else None,
        "grade": result.grade if result else None,
        "fails_in_row": result.fails_in_row if result else None,
    }
