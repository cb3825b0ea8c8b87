"""Public notices: what waits for one, publishing, reading, and where else they hang."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, listed_page, open_operation, operation
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code, found
from voucher.operations.outcome import only
from voucher.operations.publicise import NoticeRequest, PlaceRequest, publicise, record_place
from voucher.queries import notices as queries
from voucher.schemas import api_notices as schemas

blueprint = Endpoints("notices_v1", __name__, url_prefix="/api/v1", description="公示")

_PUBLISH = "programme:notice:publish"


@blueprint.route("/notices", methods=["GET"])
@open_operation("公示列表")
@blueprint.arguments(schemas.NoticesQuery, location="query")
@blueprint.response(200, schemas.NoticesAnswer)
def list_notices(query: dict[str, Any]) -> dict[str, Any]:
    """全部公示，新的在前；页面是 /notices/。"""
    with reading() as session:
        page = queries.notices(session, state=query.get("state"), page=query["page"])
        return listed_page(page, "notices", schemas.notice_summary)


@blueprint.route("/notices/waiting", methods=["GET"])
@operation("等待公示的申请", _PUBLISH)
@blueprint.response(200, schemas.WaitingClaimsAnswer)
def waiting() -> dict[str, Any]:
    """审核通过、按政策应公示而尚未公示的申请。"""
    with reading() as session:
        ready = queries.publishable_claims(session, current_actor())
    return {"claims": [schemas.waiting_claim(claim) for claim in ready]}


@blueprint.route("/notices/<number>", methods=["GET"])
@open_operation("查看公示", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.NoticeDetailAnswer)
def show(number: str) -> dict[str, Any]:
    """一次公示：内容、异议处理结果、其他发布地址。"""
    with reading() as session:
        file = queries.notice_file(session, coded(number), on=business_date(now()))
    return schemas.notice_detail(found(file))


@blueprint.route("/notices", methods=["POST"])
@operation(
    "发布公示", _PUBLISH, refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.FACTOR_REQUIRED), keyed=True
)
@blueprint.arguments(schemas.NoticeBody)
@blueprint.response(201, schemas.NoticeNumberAnswer)
def publish(body: dict[str, Any]) -> dict[str, Any]:
    """发布审核通过的申请，全部发布或全部不发布；天数按政策，发布当日不计。"""
    asked = NoticeRequest(
        body["programme_code"], tuple(body["claim_nos"]), body["title"], body["authority"], body["contact"]
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        notice = only(publicise(session, [asked], actor=current_actor(), at=at))
        return {"number": notice.number, "to_on": notice.to_on.isoformat()}

    return change(work, body=body)


@blueprint.route("/notices/<number>/places", methods=["POST"])
@operation("登记发布地址", _PUBLISH, refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.arguments(schemas.NoticePlaceBody)
@blueprint.response(200, schemas.NoticePlaceAnswer)
def place(body: dict[str, Any], number: str) -> dict[str, Any]:
    """登记公示在本系统之外的发布地址和日期；同一地址保留首次日期。"""
    asked = PlaceRequest(coded(number), body["address"], body["placed_on"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = only(record_place(session, [asked], actor=current_actor(), at=at))
        return {"address": row.address, "placed_on": row.placed_on.isoformat()}

    return change(work, body={**body, "placed_on": body["placed_on"].isoformat()})
