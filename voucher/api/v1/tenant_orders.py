"""Orders that bases place for tenants: their lines, who attended, what tenants object."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.codes import keys
from voucher.api.endpoint import Endpoints, identified, invalid, numbered, operation
from voucher.api.entry import change, now, reading
from voucher.api.files import named_file
from voucher.clock import iso
from voucher.codes import make_code, scan_code
from voucher.errors import Code, Refusal, found
from voucher.models.orders import Order
from voucher.operations import attend
from voucher.operations.group_lines import lines_of
from voucher.operations.group_order import Line, TenantOrderRequest, place_for_tenants
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest
from voucher.operations.tenant_objections import answer_tenant, object_as_tenant
from voucher.queries.incubator import beneficiaries, group_of, open_check_in
from voucher.schemas import api_incubator as schemas
from voucher.schemas.api_incubator import line_answer

blueprint = Endpoints(
    "tenant_orders_v1", __name__, url_prefix="/api/v1", description="为入驻企业下单、到场登记与异议"
)

_STATE: Final = (Code.NOT_FOUND, Code.STATE_CHANGED)
_PLACED: Final = (
    Code.NOT_FOUND,
    Code.TENANT_NEEDED,
    Code.TENANCY_INVALID,
    Code.CENTRE_NOT_CERTIFIED,
    Code.AFFILIATED,
    Code.PARTY_BANNED,
    Code.SERVICE_NOT_CERTIFIED,
    Code.VOUCHER_EXPIRED,
)


@blueprint.route("/incubator/orders", methods=["POST"])
@operation("为入驻企业下单", "incubator:order:place", refuses=_PLACED, keyed=True)
@blueprint.arguments(schemas.TenantOrderBody)
@blueprint.response(201, schemas.TenantLinesAnswer)
def place(body: dict[str, Any]) -> dict[str, Any]:
    """为一家或几家入驻企业下单，每家写明价款；机构备案合同时从各家的分配额度锁定。"""
    wanted = PlaceRequest(body["voucher_number"], body["platform_id"], body["service"], body["description"])
    lines = tuple(Line(each["allotment_number"], each["amount_fen"]) for each in body["lines"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = [TenantOrderRequest(wanted, lines)]
        order = only(place_for_tenants(session, asked, actor=current_actor(), at=at))
        return _written(session, order)

    return change(work, body=body)


@blueprint.route("/orders/<number>/beneficiaries", methods=["GET"])
@operation("订单的受益企业", "sides:attendance:write", "incubator:order:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.TenantLinesAnswer)
def show(number: str) -> dict[str, Any]:
    """每家的价款、锁定、核销、到场和异议。"""
    with reading() as session:
        order = found(group_of(session, numbered(number), actor=current_actor()))
        lines = [
            line_answer(
                each.line,
                held_fen=each.held_fen,
                captured_fen=each.captured_fen,
                objection=each.objection.body if each.objection else None,
                answer=each.objection.answer if each.objection else None,
            )
            for each in beneficiaries(session, order)
        ]
        return {"order_number": order.number, "lines": lines}


@blueprint.route("/orders/<number>/attendance", methods=["POST"])
@operation("按签到表登记到场", "sides:attendance:write", refuses=(*_STATE, Code.FILE_REFUSED), keyed=True)
@blueprint.arguments(schemas.AttendanceBody)
@blueprint.response(200, schemas.TenantLinesAnswer)
def record(body: dict[str, Any], number: str) -> dict[str, Any]:
    """写明到场的行，其余为未到场；签到表随订单保存。"""
    given = attend.AttendanceList(numbered(number), frozenset(body["present"]), named_file(body["file"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _written(session, attend.record_list(session, given, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/check-in", methods=["POST"])
@operation("开始扫码签到", "sides:attendance:write", refuses=_STATE, keyed=True)
@blueprint.response(201, schemas.PresentAnswer)
def start(number: str) -> dict[str, Any]:
    """开始签到，六小时内有效；签到码用 GET 取得，每 30 秒更换。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        attend.open_check_in(session, wanted, actor=current_actor(), at=at)
        return {"present": 0}

    return change(work, body={})


@blueprint.route("/orders/<number>/check-in", methods=["GET"])
@operation("当前签到码", "sides:attendance:write", refuses=(Code.NOT_FOUND, Code.CHECK_IN_OVER))
@blueprint.response(200, schemas.CheckInAnswer)
def code(number: str) -> dict[str, Any]:
    """此刻的 20 位签到码。"""
    at = now()
    with reading() as session:
        order = found(group_of(session, numbered(number), actor=current_actor()))
        row = open_check_in(session, order)
        if row is None or at >= row.closes_at:
            raise Refusal(Code.CHECK_IN_OVER)
        digits = make_code(keys().of(attend.CHECK_IN), row.number, at)
        return {"order_number": order.number, "code": digits, "closes_at": iso(row.closes_at)}


@blueprint.route("/orders/<number>/check-in/close", methods=["POST"])
@operation("结束签到", "sides:attendance:write", refuses=_STATE, keyed=True)
@blueprint.response(200, schemas.PresentAnswer)
def close(number: str) -> dict[str, Any]:
    """没有签到的登记为未到场。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"present": attend.close_check_in(session, wanted, actor=current_actor(), at=at)}

    return change(work, body={})


@blueprint.route("/tenant/check-in", methods=["POST"])
@operation(
    "入驻企业签到",
    "tenant:attendance:confirm",
    refuses=(Code.CHECK_IN_INVALID, Code.CHECK_IN_OVER, Code.CHECK_IN_DONE),
    keyed=True,
)
@blueprint.arguments(schemas.CheckInBody)
@blueprint.response(200, schemas.PresentAnswer)
def confirm(body: dict[str, Any]) -> dict[str, Any]:
    """用现场的签到码确认本单位到场。"""
    read = scan_code(body["code"])
    if read is None:
        raise invalid("code", "应为 20 位签到码。")

    def work(session: Session, at: datetime) -> dict[str, Any]:
        marked = attend.check_in(session, attend.Showing(read, at), keys(), actor=current_actor(), at=at)
        return {"present": len(marked)}

    return change(work, body=body)


@blueprint.route("/tenant/orders/<number>/objection", methods=["POST"])
@operation("入驻企业提出异议", "tenant:objection:make", refuses=(*_STATE, Code.REASON_MISSING), keyed=True)
@blueprint.arguments(schemas.WordsBody)
@blueprint.response(201, schemas.ObjectionAnswer)
def send_objection(body: dict[str, Any], number: str) -> dict[str, Any]:
    """对为本单位下的订单提出异议，一次；基地答复，审核人可见。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = object_as_tenant(session, wanted, body["body"], actor=current_actor(), at=at)
        return {"objection_id": row.id, "body": row.body, "answer": row.answer or ""}

    return change(work, body=body)


@blueprint.route("/incubator/objections/<objection_id>/answer", methods=["POST"])
@operation("答复入驻企业异议", "incubator:order:confirm", refuses=(*_STATE, Code.REASON_MISSING), keyed=True)
@blueprint.arguments(schemas.WordsBody)
@blueprint.response(200, schemas.ObjectionAnswer)
def send_answer(body: dict[str, Any], objection_id: str) -> dict[str, Any]:
    """答复一次。"""
    wanted = identified(objection_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = answer_tenant(session, wanted, body["body"], actor=current_actor(), at=at)
        return {"objection_id": row.id, "body": row.body, "answer": row.answer}

    return change(work, body=body)


def _written(session: Session, order: Order) -> dict[str, Any]:
    lines = lines_of(session, [order])[order.id]
    return {"order_number": order.number, "lines": [line_answer(line) for line in lines]}
