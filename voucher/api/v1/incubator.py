"""Bases and their tenants: stays, allotments of startup vouchers, and the table of what they were used for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, identified, numbered, operation
from voucher.api.entry import change, now, reading
from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, found
from voucher.operations.allot import AllotRequest, TakeBackRequest, allot, take_back
from voucher.operations.import_tenants import TenantRow, import_tenants
from voucher.operations.outcome import only
from voucher.operations.tenancies import GraduateRequest, LeaveRequest, graduate, leave
from voucher.queries.incubator import allotments_of, allotments_to, tenants
from voucher.queries.startup_use import startup_use
from voucher.queries.vouchers import own_voucher
from voucher.schemas import api_incubator as schemas
from voucher.schemas.api_incubator import (
    allotment_answer,
    allotment_line,
    tenancy_answer,
    tenant_answer,
    use_answer,
)

blueprint = Endpoints(
    "incubator_v1", __name__, url_prefix="/api/v1", description="孵化基地、入驻企业与创业券分配"
)

_TENANT: Final = (Code.NOT_FOUND, Code.TENANCY_INVALID)
_MONEY: Final = (Code.NOT_FOUND, Code.VOUCHER_EXHAUSTED, Code.ALLOTMENT_EXHAUSTED, Code.PERIOD_CLOSED)


@blueprint.route("/incubator/tenants", methods=["GET"])
@operation("入驻企业", "incubator:tenant:read")
@blueprint.response(200, schemas.TenantsAnswer)
def listing() -> dict[str, Any]:
    """本单位各载体的入驻企业，和分配、使用的额度。"""
    with reading() as session:
        lines = tenants(session, actor=current_actor(), on=business_date(now()))
        return {"tenants": [tenant_answer(line) for line in lines]}


@blueprint.route("/incubator/tenants", methods=["POST"])
@operation("登记入驻企业", "incubator:tenant:write", refuses=(*_TENANT, Code.ROSTER_INVALID), keyed=True)
@blueprint.arguments(schemas.TenantsBody)
@blueprint.response(201, schemas.TenantsAnswer)
def register(body: dict[str, Any]) -> dict[str, Any]:
    """登记一批入驻企业，全部登记或全部不登记；不认识的单位一并登记。"""
    rows = [
        TenantRow(
            line,
            each["name"],
            each["ref"],
            each["entered_on"].isoformat(),
            each["left_on"].isoformat() if each["left_on"] else "",
        )
        for line, each in enumerate(body["tenants"], start=1)
    ]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = import_tenants(session, body["centre_id"], rows, actor=current_actor(), at=at)
        return {"tenants": [tenancy_answer(row) for row in made]}

    return change(work, body=_plain(body))


@blueprint.route("/incubator/tenants/<tenancy_id>/graduate", methods=["POST"])
@operation("登记毕业", "incubator:tenant:write", refuses=_TENANT, keyed=True)
@blueprint.arguments(schemas.DayBody)
@blueprint.response(200, schemas.TenantAnswer)
def send_graduate(body: dict[str, Any], tenancy_id: str) -> dict[str, Any]:
    """登记毕业日期；毕业后可以继续在载体内。"""
    asked = [GraduateRequest(identified(tenancy_id), body["on"])]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return tenancy_answer(only(graduate(session, asked, actor=current_actor(), at=at)))

    return change(work, body=_plain(body))


@blueprint.route("/incubator/tenants/<tenancy_id>/leave", methods=["POST"])
@operation("登记退出", "incubator:tenant:write", refuses=(*_TENANT, Code.PERIOD_CLOSED), keyed=True)
@blueprint.arguments(schemas.DayBody)
@blueprint.response(200, schemas.TenantAnswer)
def send_leave(body: dict[str, Any], tenancy_id: str) -> dict[str, Any]:
    """登记退出日期，或把预先登记的退出日期提前；没有使用也没有锁定的额度立即退回券。"""
    asked = [LeaveRequest(identified(tenancy_id), body["on"])]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        gone = only(leave(session, asked, actor=current_actor(), at=at))
        return tenancy_answer(gone.tenancy, returned_fen=gone.returned_fen)

    return change(work, body=_plain(body))


@blueprint.route("/incubator/vouchers/<number>/allotments", methods=["GET"])
@operation("券的分配情况", "incubator:tenant:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.AllotmentsAnswer)
def allotments(number: str) -> dict[str, Any]:
    """各入驻企业分配、可用、锁定、使用的额度。"""
    with reading() as session:
        view = found(own_voucher(session, numbered(number), actor=current_actor()))
        return {"allotments": [allotment_line(each) for each in allotments_of(session, view.voucher)]}


@blueprint.route("/incubator/vouchers/<number>/allotments", methods=["POST"])
@operation(
    "分配给入驻企业",
    "incubator:allotment:write",
    refuses=(*_MONEY, Code.TENANCY_INVALID, Code.TENANT_NEEDLESS, Code.CENTRE_NOT_CERTIFIED),
    keyed=True,
)
@blueprint.arguments(schemas.AllotmentsBody)
@blueprint.response(201, schemas.AllotmentsAnswer)
def send_allot(body: dict[str, Any], number: str) -> dict[str, Any]:
    """从券分配，合计不超过未分配的额度；全部分配或全部不分配。"""
    asked = [AllotRequest(each["tenancy_id"], each["amount_fen"]) for each in body["allotments"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        answers = allot(session, numbered(number), asked, actor=current_actor(), at=at)
        moved = [only([answer]) for answer in answers]
        return {"allotments": [allotment_answer(each.allotment, moved_fen=each.amount_fen) for each in moved]}

    return change(work, body=body)


@blueprint.route("/incubator/allotments/<number>/take-back", methods=["POST"])
@operation("收回分配", "incubator:allotment:write", refuses=_MONEY, keyed=True)
@blueprint.arguments(schemas.TakeBackBody)
@blueprint.response(200, schemas.AllotmentAnswer)
def send_take_back(body: dict[str, Any], number: str) -> dict[str, Any]:
    """收回没有使用也没有锁定的额度；不写金额的全部收回。"""
    asked = [TakeBackRequest(coded(number), body["amount_fen"])]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        moved = only(take_back(session, asked, actor=current_actor(), at=at))
        return allotment_answer(moved.allotment, moved_fen=moved.amount_fen)

    return change(work, body=body)


@blueprint.route("/tenant/allotments", methods=["GET"])
@operation("分配给本单位的额度", "tenant:allotment:read")
@blueprint.response(200, schemas.AllotmentsAnswer)
def own_allotments() -> dict[str, Any]:
    """本单位作为入驻企业得到的分配。"""
    with reading() as session:
        return {
            "allotments": [allotment_line(each) for each in allotments_to(session, actor=current_actor())]
        }


@blueprint.route("/startup-vouchers/use", methods=["GET"])
@operation("创业券使用表", "programme:startup:read")
@blueprint.arguments(schemas.UseQuery, location="query")
@blueprint.response(200, schemas.UseAnswer)
def use(query: dict[str, Any]) -> dict[str, Any]:
    """某年发放的创业券：服务企业、使用、剩余，和各入驻企业的进出日期。"""
    year = query["year"] or fiscal_year(now())
    with reading() as session:
        rows = startup_use(session, actor=current_actor(), on=business_date(now()), year=year)
        return {"year": year, "vouchers": [use_answer(row) for row in rows]}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """The body as JSON values, for its key."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else _listed(value)
        for name, value in body.items()
    }


def _listed(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, list) else value
