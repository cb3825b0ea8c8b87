"""A platform's own people, its counter devices, and everybody's own PIN."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.codes import Digits
from voucher.api.endpoint import Endpoints, identified, operation
from voucher.api.entry import change, now, reading, settings
from voucher.clock import business_date
from voucher.errors import Code
from voucher.operations.authenticate import hash_password
from voucher.operations.devices import check_pin, register_device, revoke_devices, set_pin
from voucher.operations.join_codes import join_key
from voucher.operations.outcome import only
from voucher.operations.staff import EndRequest, StaffRequest, end_staff, invite
from voucher.queries.colleagues import devices, staff
from voucher.schemas import api_staff as schemas
from voucher.schemas.api_fields import IdAnswer
from voucher.schemas.api_joining import ColleaguesAnswer, OneTimeCodeAnswer

blueprint = Endpoints("staff_v1", __name__, url_prefix="/api/v1", description="平台人员与柜台设备")


@blueprint.route("/staff", methods=["GET"])
@operation("平台人员", "provider:staff:write")
@blueprint.response(200, ColleaguesAnswer)
def list_staff() -> dict[str, Any]:
    """本人管理的平台上的每个人和角色。"""
    with reading() as session:
        lines = staff(session, current_actor(), on=business_date(now()))
    return {"people": [schemas.colleague_item(line) for line in lines]}


@blueprint.route("/staff", methods=["POST"])
@operation(
    "增加平台人员", "provider:staff:write", refuses=(Code.NOT_FOUND, Code.ROLE_SCOPE_MISSING), keyed=True
)
@blueprint.arguments(schemas.StaffBody)
@blueprint.response(201, OneTimeCodeAnswer)
def invite_(body: dict[str, Any]) -> dict[str, Any]:
    """签发 48 小时有效的验证码；只在第一次答复中出现。"""
    shown, wanted = Digits(), StaffRequest(body["platform_id"], body["role"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key = join_key(settings().secret_key)
        return shown(only(invite(session, [wanted], key=key, actor=current_actor(), at=at)))

    return shown.fill(change(work, body=body))


@blueprint.route("/staff/end", methods=["POST"])
@operation("终止平台人员", "provider:staff:write", refuses=(Code.NOT_FOUND, Code.LAST_IN_CHARGE), keyed=True)
@blueprint.arguments(schemas.EndStaffBody)
@blueprint.response(200, IdAnswer)
def end(body: dict[str, Any]) -> dict[str, Any]:
    """立即终止一个人在一个平台的角色，其登录一并失效。"""
    wanted = EndRequest(body["platform_id"], body["person_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(end_staff(session, [wanted], actor=current_actor(), at=at))}

    return change(work, body=body)


@blueprint.route("/devices", methods=["GET"])
@operation("柜台设备", "provider:device:write")
@blueprint.response(200, schemas.DevicesAnswer)
def list_devices() -> dict[str, Any]:
    """本人管理的平台的柜台设备。"""
    with reading() as session:
        return {"devices": [schemas.device_item(line) for line in devices(session, current_actor())]}


@blueprint.route("/devices", methods=["POST"])
@operation("登记柜台设备", "provider:device:write", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.arguments(schemas.DeviceBody)
@blueprint.response(201, schemas.DeviceAnswer)
def register(body: dict[str, Any]) -> dict[str, Any]:
    """设备令牌只在第一次答复中出现，用于 POST /counter-tokens。"""
    tokens: list[str] = []

    def work(session: Session, at: datetime) -> dict[str, Any]:
        actor = current_actor()
        made = register_device(session, body["platform_id"], body["name"], actor=actor, at=at)
        tokens.append(made.token)
        return {"device_id": made.device_id}

    answer = change(work, body=body)
    return {**answer, "token": tokens[-1] if tokens else None}


@blueprint.route("/devices/<device_id>/revoke", methods=["POST"])
@operation("停用柜台设备", "provider:device:write", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.response(200, IdAnswer)
def revoke(device_id: str) -> dict[str, Any]:
    """立即停用，该平台的柜台令牌一并失效。"""
    wanted = identified(device_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(revoke_devices(session, [wanted], actor=current_actor(), at=at))}

    return change(work, body={})


@blueprint.route("/pin", methods=["POST"])
@operation("设置自己的 PIN", "provider:pin:write", refuses=(Code.PIN_WEAK,), keyed=True)
@blueprint.arguments(schemas.PinBody)
@blueprint.response(200, schemas.DoneAnswer)
def pin(body: dict[str, Any]) -> dict[str, Any]:
    """6 位数字，不能是重复、连续的数字或日期。"""
    check_pin(body["pin"])
    pin_hash = hash_password(body["pin"], profile=settings().argon2_profile)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        set_pin(session, pin_hash, actor=current_actor(), at=at)
        return {"done": True}

    return change(work, body={})
