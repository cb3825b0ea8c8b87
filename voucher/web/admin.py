"""Security administrators: people, their roles, enrolling and shutting out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.operations.authenticate import hash_password
from voucher.operations.enrol import Enrolment, Grant, disable, enrol
from voucher.operations.outcome import only
from voucher.queries.people_lists import Place, grants_of, people, place_of
from voucher.schemas.account import password_fault
from voucher.schemas.base import TextSearch, load_form
from voucher.schemas.messages import sentence
from voucher.schemas.programme import EnrolForm
from voucher.schemas.words import FUNCTIONS
from voucher.terms import Role
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, reading, settings
from voucher.web.filtering import filters_of

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_UNSCOPED: Final = frozenset({Role.EXPERT, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})


@blueprint.get("/people")
@permits("admin:person:write")
def person_list() -> ResponseReturnValue:
    """Everybody with their roles, and the form for one more."""
    return _page({}, {}, 200)


@blueprint.post("/people")
@permits("admin:person:write")
def send_enrol() -> ResponseReturnValue:
    """Enrol a person with one role."""
    require_step_up(30)
    data, errors = load_form(EnrolForm, request.form)
    if not errors:
        fault = password_fault(data["password"], login=data["login"], profile=settings().password_profile)
        errors = {"password": [fault]} if fault else {}
    place = Place()
    if not errors and data["role"] not in _UNSCOPED:
        with reading() as session:
            found_place = place_of(session, data["role"], data["scope"])
        if found_place is None:
            errors = {"scope": ["找不到所属单位、平台、地区或账簿，请核对代码。"]}
        else:
            place = found_place
    if not errors and data["role"] is Role.COSIGNER and not data["function"]:
        errors = {"function": ["会签人要填写代表的部门。"]}
    if errors:
        return _page(request.form, errors, 422)
    grant = Grant(
        role=data["role"],
        organisation_id=place.organisation_id,
        platform_id=place.platform_id,
        region_code=place.region_code,
        book_id=place.book_id,
        function=data["function"],
    )
    password_hash = hash_password(data["password"], profile=settings().argon2_profile)
    wanted = Enrolment(login=data["login"], name=data["name"], password_hash=password_hash, grants=(grant,))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(enrol(session, [wanted], actor=current_actor(), at=at)).person_id}

    body = {name: value for name, value in form_body().items() if name != "password"}
    try:
        change(work, key=form_key(), body=body)
    except Refusal as refusal:
        field = "login" if refusal.code is Code.LOGIN_TAKEN else "_schema"
        return _page(request.form, {field: [sentence(refusal)]}, refusal.status)
    flash(f"已登记 {data['name']}（{data['login']}），请本人首次登录后修改密码。", "success")
    return redirect(url_for("admin.person_list"), 303)


@blueprint.post("/people/<int(max=9223372036854775807):person_id>/disable")
@permits("admin:person:write")
def send_disable(person_id: int) -> ResponseReturnValue:
    """Shut a person out at once. Nobody shuts out themselves."""
    actor = current_actor()
    if person_id == actor.person_id:
        return _page({}, {"_schema": ["不能停用自己的账户。"]}, 409)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        disable(session, [person_id], actor=actor, at=at)
        return {}

    change(work, key=form_key(), body=form_body())
    flash("账户已停用，其所有登录立即失效。", "success")
    return redirect(url_for("admin.person_list"), 303)


def _page(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = people(session, text=wanted["text"], page=wanted["page"])
        grants = grants_of(session, [person.id for person in page.rows])
    return render_template(
        "admin/people.html",
        page=page,
        grants=grants,
        args=args,
        roles=Role,
        functions=FUNCTIONS.items(),
        form=form,
        errors=errors,
    ), status
