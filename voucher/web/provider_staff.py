"""A platform's manager: its people, its counter devices; and everybody's own PIN."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.operations.authenticate import hash_password
from voucher.operations.devices import (
    Registered,
    check_pin,
    register_device,
    revoke_devices,
    set_pin,
)
from voucher.operations.join_codes import MadeCode, join_key
from voucher.operations.outcome import only
from voucher.operations.staff import EndRequest, StaffRequest, end_staff, invite
from voucher.queries.colleagues import devices, staff
from voucher.queries.joining import organisations
from voucher.queries.platforms import own_platforms
from voucher.schemas.base import load_form
from voucher.schemas.joining import DeviceForm, EndStaffForm, PinForm, StaffForm
from voucher.schemas.messages import sentence
from voucher.terms import Role
from voucher.web.access import DEVICE_COOKIE, current_actor, permits, require_step_up
from voucher.web.entry import change, database, form_body, form_key, now, reading, settings, whole_form

blueprint = Blueprint("staff", __name__, url_prefix="/provider")

LABELS: Final = {
    "platform_id": "平台", "role": "角色", "name": "设备名称", "pin": "PIN", "again": "再次输入 PIN",
}  # fmt: skip
_ROLES: Final = (Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER)
_DEVICE_LIFE: Final = timedelta(days=365)


@blueprint.get("/staff")
@permits("provider:staff:write")
def index() -> ResponseReturnValue:
    """The people of one's platforms, and a code for one more."""
    return _staff({}), 200


@blueprint.post("/staff")
@permits("provider:staff:write")
def send_invitation() -> ResponseReturnValue:
    """Make a code for somebody who is to work at a platform, and show it once."""
    data, errors = load_form(StaffForm, request.form)
    if not errors and data["role"] not in _ROLES:
        errors = {"role": ["请从列表中选择。"]}
    if errors:
        return _staff(errors), 422
    wanted = StaffRequest(data["platform_id"], data["role"])
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> MadeCode:
        return only(invite(session, [wanted], key=key, actor=current_actor(), at=at))

    code = database().transaction(work)
    with reading() as session:
        owner = organisations(session, [code.organisation_id])[code.organisation_id]
    return render_template("staff/code.html", owner=owner, code=code, role=data["role"], printed_at=now())


@blueprint.post("/staff/end")
@permits("provider:staff:write")
def send_end() -> ResponseReturnValue:
    """End what somebody does at a platform, at once."""
    data, errors = load_form(EndStaffForm, request.form)
    if errors:
        return _staff(errors), 422
    wanted = EndRequest(data["platform_id"], data["person_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(end_staff(session, [wanted], actor=current_actor(), at=at))}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _staff(whole_form(refusal)), refusal.status
    flash("已终止，其登录立即失效。", "success")
    return redirect(url_for("staff.index"), 303)


@blueprint.get("/devices")
@permits("provider:device:write")
def device_list() -> ResponseReturnValue:
    """The counter devices of one's platforms, and the form that makes this browser one."""
    return _devices({}), 200


@blueprint.post("/devices")
@permits("provider:device:write")
def send_device() -> ResponseReturnValue:
    """Make this browser a counter device: it keeps a token that no script can read."""
    require_step_up(30)
    data, errors = load_form(DeviceForm, request.form)
    if errors:
        return _devices(errors), 422

    def work(session: Session, at: datetime) -> Registered:
        actor = current_actor()
        return register_device(session, data["platform_id"], data["name"], actor=actor, at=at)

    made = database().transaction(work)
    flash("本浏览器已登记为柜台设备。各人设置 PIN 后可在此轮流收券。", "success")
    answer = make_response(redirect(url_for("staff.device_list"), 303))
    answer.set_cookie(
        DEVICE_COOKIE,
        made.token,
        max_age=_DEVICE_LIFE,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return answer


@blueprint.post("/devices/<int(max=9223372036854775807):device_id>/revoke")
@permits("provider:device:write")
def send_revocation(device_id: int) -> ResponseReturnValue:
    """End a device at once."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(revoke_devices(session, [device_id], actor=current_actor(), at=at))}

    change(work, key=form_key(), body=form_body())
    flash("设备已停用。", "success")
    return redirect(url_for("staff.device_list"), 303)


@blueprint.get("/pin")
@permits("provider:pin:write")
def pin_page() -> ResponseReturnValue:
    """The form for one's own PIN."""
    require_step_up()
    return render_template("staff/pin.html", errors={}, labels=LABELS)


@blueprint.post("/pin")
@permits("provider:pin:write")
def send_pin() -> ResponseReturnValue:
    """Set one's own PIN, after proving the password."""
    require_step_up(30)
    data, errors = load_form(PinForm, request.form)
    try:
        if not errors:
            check_pin(data["pin"])
    except Refusal as refusal:
        errors = {"pin": [sentence(refusal)]}
    if errors:
        return render_template("staff/pin.html", errors=errors, labels=LABELS), 422
    pin_hash = hash_password(data["pin"], profile=settings().argon2_profile)
    actor = current_actor()
    database().transaction(lambda session, at: set_pin(session, pin_hash, actor=actor, at=at))
    flash("PIN 已设置。", "success")
    return redirect(url_for("provider.home"), 303)


def _staff(errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        return render_template(
            "staff/staff.html",
            staff=staff(session, actor, on=business_date(now())),
            platforms=[(str(each.id), each.name) for each in own_platforms(session, actor=actor)],
            roles=[(role.value, role.label) for role in _ROLES],
            me=actor.person_id,
            form=request.form,
            labels=LABELS,
            errors=errors,
        )


def _devices(errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        return render_template(
            "staff/devices.html",
            devices=devices(session, actor),
            platforms=[(str(each.id), each.name) for each in own_platforms(session, actor=actor)],
            form=request.form,
            labels=LABELS,
            errors=errors,
        )
