"""The bureau's counter of two persons, and teams without a USCC."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.codes import Digits
from voucher.api.endpoint import Endpoints, identified, listed_page, operation
from voucher.api.entry import change, reading, settings
from voucher.api.files import named_file
from voucher.errors import Code, found
from voucher.operations.desk import DeskDecision, DeskRequest, decide, take_in
from voucher.operations.join_codes import join_key
from voucher.operations.outcome import only
from voucher.operations.teams import TeamRequest, register_teams
from voucher.queries.joining import desk_cases, desk_file, teams
from voucher.schemas import api_desk as schemas
from voucher.schemas.api_fields import IdAnswer
from voucher.schemas.api_joining import TextQuery
from voucher.schemas.api_staff import desk_file_answer, desk_item, team_item

blueprint = Endpoints("desk_v1", __name__, url_prefix="/api/v1", description="柜面办理与团队登记")

_CHECKED: Final = (
    Code.NOT_FOUND,
    Code.ACCOUNT_EXISTS,
    Code.OTHER_DUTIES,
    Code.STATE_CHANGED,
    Code.REASON_MISSING,
)


@blueprint.route("/teams", methods=["GET"])
@operation("团队和创业者", "reviewer:team:register")
@blueprint.arguments(TextQuery, location="query")
@blueprint.response(200, schemas.TeamsAnswer)
def list_teams(query: dict[str, Any]) -> dict[str, Any]:
    """管辖地区内没有统一社会信用代码的团队和创业者。"""
    with reading() as session:
        page = teams(session, current_actor(), text=query["text"], page=query["page"])
    return listed_page(page, "teams", team_item)


@blueprint.route("/teams", methods=["POST"])
@operation(
    "登记团队",
    "reviewer:team:register",
    refuses=(Code.NOT_FOUND, Code.USCC_INVALID, Code.MEMBERS_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.TeamBody)
@blueprint.response(201, schemas.RegisteredAnswer)
def register(body: dict[str, Any]) -> dict[str, Any]:
    """登记后得到 TEMP 开头的临时编号；团队至少三名成员，只登记姓名。"""
    wanted = TeamRequest(**{**body, "members": tuple(body["members"])})

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(register_teams(session, [wanted], actor=current_actor(), at=at))
        return {"organisation_id": made.id, "ref": made.ref}

    return change(work, body=body)


@blueprint.route("/desk-cases", methods=["GET"])
@operation("柜面事项", "reviewer:desk:act")
@blueprint.arguments(schemas.DeskQuery, location="query")
@blueprint.response(200, schemas.DeskListAnswer)
def list_cases(query: dict[str, Any]) -> dict[str, Any]:
    """管辖地区内的柜面事项。"""
    with reading() as session:
        page = desk_cases(session, current_actor(), state=query.get("state"), page=query["page"])
    return listed_page(page, "cases", desk_item)


@blueprint.route("/desk-cases", methods=["POST"])
@operation(
    "登记柜面事项", "reviewer:desk:act", refuses=(*_CHECKED, Code.FILE_REFUSED, Code.USCC_INVALID), keyed=True
)
@blueprint.arguments(schemas.DeskBody)
@blueprint.response(201, IdAnswer)
def take_in_(body: dict[str, Any]) -> dict[str, Any]:
    """核对证件（先 POST /files）后登记，由另一名工作人员决定。"""
    papers = tuple(named_file(each) for each in body["papers"])
    wanted = DeskRequest(**{**body, "papers": papers})

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(take_in(session, [wanted], actor=current_actor(), at=at))}

    return change(work, body=body)


@blueprint.route("/desk-cases/<case_id>", methods=["GET"])
@operation("查看柜面事项", "reviewer:desk:act", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.DeskFileAnswer)
def show_case(case_id: str) -> dict[str, Any]:
    """申请内容和核对过的证件。"""
    with reading() as session:
        return desk_file_answer(found(desk_file(session, current_actor(), identified(case_id))))


@blueprint.route("/desk-cases/<case_id>/decide", methods=["POST"])
@operation(
    "决定柜面事项",
    "reviewer:desk:act",
    refuses=(
        *_CHECKED,
        Code.SELF_APPROVAL,
        Code.USCC_INVALID,
        Code.CONVERSION_BLOCKED,
        Code.PAYEE_MISSING,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.DeskDecisionBody)
@blueprint.response(200, schemas.DeskDecidedAnswer)
def decide_(body: dict[str, Any], case_id: str) -> dict[str, Any]:
    """第二人决定，不能是登记人；验证码 30 分钟有效，只在第一次答复中出现。"""
    shown, wanted = Digits(), DeskDecision(identified(case_id), body["approve"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key = join_key(settings().secret_key)
        done = only(decide(session, [wanted], key=key, actor=current_actor(), at=at))
        return {
            "case_id": done.case_id,
            "state": done.state.value,
            "code": shown(done.code) if done.code else None,
            "firm_ref": done.converted.holder_ref if done.converted else None,
        }

    return shown.fill(change(work, body=body))
