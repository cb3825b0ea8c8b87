"""Vouchers: a holder's own with what is left, issuing, and the register of those issued."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, listed_page, numbered, operation, outcome
from voucher.api.entry import change, now, reading
from voucher.errors import Code, found
from voucher.operations.cap_room import cap_of_voucher
from voucher.operations.issue import Issued, IssueRequest, issue
from voucher.operations.outcome import only
from voucher.queries import issued, vouchers
from voucher.schemas import api_vouchers as schemas

blueprint = Endpoints("vouchers_v1", __name__, url_prefix="/api/v1", description="券：查询与发放")


@blueprint.route("/vouchers", methods=["GET"])
@operation("本单位的券", "enterprise:voucher:read")
@blueprint.arguments(schemas.VouchersQuery, location="query")
@blueprint.response(200, schemas.VouchersAnswer)
def list_own(query: dict[str, Any]) -> dict[str, Any]:
    """本单位持有的全部券，先到期的在前。"""
    with reading() as session:
        views = vouchers.own_vouchers(session, actor=current_actor(), state=query.get("state"))
        return {"vouchers": [schemas.voucher_answer(view) for view in views]}


@blueprint.route("/vouchers/<number>", methods=["GET"])
@operation("查看券", "enterprise:voucher:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.VoucherDetailAnswer)
def show(number: str) -> dict[str, Any]:
    """一张券的余额、每次变动，以及当年限额还剩多少。"""
    with reading() as session:
        view = found(vouchers.own_voucher(session, numbered(number), actor=current_actor()))
        moved = vouchers.movements(session, view.voucher)
        return {
            **schemas.voucher_answer(view),
            "movements": [schemas.movement_answer(each) for each in moved],
            "cap": schemas.cap_answer(cap_of_voucher(session, view.voucher, now())),
        }


@blueprint.route("/issued-vouchers", methods=["GET"])
@operation("已发放的券", "programme:voucher:read")
@blueprint.arguments(schemas.IssuedQuery, location="query")
@blueprint.response(200, schemas.IssuedPageAnswer)
def list_issued(query: dict[str, Any]) -> dict[str, Any]:
    """本级账簿或本地区的券，新的在前，每页 50 张。"""
    wanted = issued.VoucherFilter(query.get("state"), query.get("text", ""), query.get("line_code", ""))
    with reading() as session:
        page = issued.issued_vouchers(session, current_actor(), wanted, page=query["page"])
        return listed_page(page, "vouchers", schemas.issued_line)


@blueprint.route("/vouchers", methods=["POST"])
@operation(
    "发放券",
    "programme:voucher:issue",
    refuses=(
        Code.NOT_FOUND,
        Code.POLICY_NOT_PUBLISHED,
        Code.NOT_QUALIFIED,
        Code.FACE_OUT_OF_RANGE,
        Code.HOLDING_EXCEEDED,
        Code.BUDGET_EXCEEDED,
        Code.CAP_EXCEEDED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.IssueBody)
@blueprint.response(201, schemas.IssuedAnswer)
def issue_(body: dict[str, Any]) -> dict[str, Any]:
    """按现行政策从一条指标发券，一次 1 至 1000 张。多张时逐张答复，某张不能发放不影响其他；只有一张时直接答复原因。"""
    asked = [IssueRequest(each["holder_ref"], each["face_fen"]) for each in body["vouchers"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        results = issue(session, body["line_code"], asked, actor=current_actor(), at=at)
        if len(results) == 1:
            only(results)
        return {
            "vouchers": [
                {"holder_ref": each.holder_ref, "voucher_no": None, **outcome(result, _issued)}
                for each, result in zip(asked, results, strict=True)
            ]
        }

    return change(work, body=body)


def _issued(result: Issued) -> dict[str, Any]:
    return {"voucher_no": result.number}
