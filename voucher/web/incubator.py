"""A base's tenants: who is inside, who graduated and left, one by one or from a list."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.import_tenants import TenantRow, import_tenants, preview_tenants
from voucher.operations.outcome import only
from voucher.operations.tenancies import GraduateRequest, LeaveRequest, graduate, leave
from voucher.queries.incubator import own_centres, tenancy_of, tenants
from voucher.reports.sheets import MOST_BYTES, read_table, tenant_rows
from voucher.schemas.base import load_form
from voucher.schemas.incubator import CentreChoice, TenantDayForm, TenantForm, TenantListForm
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("incubator", __name__, url_prefix="/incubator/tenants")

_LABELS: Final = {
    "centre": "载体",
    "ref": "统一社会信用代码",
    "name": "名称",
    "entered_on": "入驻日期",
    "left_on": "退出日期",
    "file": "名单文件",
}


@blueprint.get("/")
@permits("incubator:tenant:read")
def index() -> ResponseReturnValue:
    """The tenants of the actor's centres."""
    wanted, _ = load_form(TenantListForm, request.args)
    with reading() as session:
        return render_template(
            "incubator/tenants.html",
            centres=own_centres(session, actor=current_actor()),
            lines=tenants(
                session, actor=current_actor(), on=business_date(now()), text=wanted.get("text", "")
            ),
            text=wanted.get("text", ""),
        )


@blueprint.get("/new")
@permits("incubator:tenant:write")
def new() -> ResponseReturnValue:
    """A form for one tenant, and one for a list."""
    return _new_page({}), 200


@blueprint.post("/new")
@permits("incubator:tenant:write")
def send_new() -> ResponseReturnValue:
    """Register one tenant; a firm that nobody knows yet is registered too."""
    actor = current_actor()
    data, errors = load_form(TenantForm, request.form)
    if errors:
        return _new_page(errors), 422
    left = data["left_on"].isoformat() if data["left_on"] else ""
    row = TenantRow(1, data["name"], data["ref"], data["entered_on"].isoformat(), left)
    with reading() as session:
        checked = preview_tenants(session, data["centre"], [row], actor=actor)
    if checked.errors:
        return _new_page({"_schema": [f"{each.fault.label}：{each.value}。" for each in checked.errors]}), 422
    return _registered(data["centre"], [row])


@blueprint.post("/preview")
@permits("incubator:tenant:write")
def show_preview() -> ResponseReturnValue:
    """Read a list and say what an import would do. Nothing is registered."""
    data, errors = load_form(CentreChoice, request.form)
    upload = request.files.get("file")
    content = upload.stream.read(MOST_BYTES + 1) if upload else b""
    if not content:
        errors = {**errors, "file": ["请选择名单文件（.xlsx 或 .csv）。"]}
    if errors:
        return _new_page(errors), 422
    try:
        rows = tenant_rows(read_table(content))
    except Refusal as refusal:
        return _new_page({"file": [sentence(refusal)]}), 422
    with reading() as session:
        checked = preview_tenants(session, data["centre"], rows, actor=current_actor())
        return render_template("incubator/preview.html", found=checked, rows=rows, centre=data["centre"])


@blueprint.post("/import")
@permits("incubator:tenant:write")
def confirm_import() -> ResponseReturnValue:
    """Register the list that was looked at: all of it, or nothing."""
    lists = [request.form.getlist(name) for name in ("name", "ref", "entered", "left")]
    rows = [TenantRow(line, *cells) for line, cells in enumerate(zip(*lists, strict=False), start=2)]
    data, errors = load_form(CentreChoice, {"centre": request.form.get("centre", "")})
    if errors:
        return _new_page(errors), 422
    return _registered(data["centre"], rows)


def _registered(centre_id: int, rows: list[TenantRow]) -> ResponseReturnValue:
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"rows": len(import_tenants(session, centre_id, rows, actor=actor, at=at))}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _new_page(whole_form(refusal)), refusal.status
    flash(f"已登记 {answer['rows']} 家入驻企业。", "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/<int(max=9223372036854775807):tenancy_id>")
@permits("incubator:tenant:read")
def page(tenancy_id: int) -> ResponseReturnValue:
    """One tenant: its stay, what it was allotted, and the forms for graduating and leaving."""
    return _tenant_page(tenancy_id, {}), 200


@blueprint.post("/<int(max=9223372036854775807):tenancy_id>/graduate")
@permits("incubator:tenant:write")
def send_graduate(tenancy_id: int) -> ResponseReturnValue:
    """Write down that the tenant graduated."""
    actor = current_actor()
    data, errors = load_form(TenantDayForm, request.form)
    if errors:
        return _tenant_page(tenancy_id, errors, "graduate"), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = [GraduateRequest(tenancy_id, data["on"])]
        return {"tenancy": only(graduate(session, asked, actor=actor, at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _tenant_page(tenancy_id, whole_form(refusal), "graduate"), refusal.status
    flash("已登记毕业。", "success")
    return redirect(url_for(".page", tenancy_id=tenancy_id), 303)


@blueprint.post("/<int(max=9223372036854775807):tenancy_id>/leave")
@permits("incubator:tenant:write")
def send_leave(tenancy_id: int) -> ResponseReturnValue:
    """End the stay: what is neither spent nor held goes back to the vouchers at once."""
    actor = current_actor()
    data, errors = load_form(TenantDayForm, request.form)
    if errors:
        return _tenant_page(tenancy_id, errors, "leave"), 422

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = [LeaveRequest(tenancy_id, data["on"])]
        return {"returned_fen": only(leave(session, asked, actor=actor, at=at)).returned_fen}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _tenant_page(tenancy_id, whole_form(refusal), "leave"), refusal.status
    flash("已登记退出，没有用完的分配额度已退回券。", "success")
    return redirect(url_for(".page", tenancy_id=tenancy_id), 303)


def _tenant_page(tenancy_id: int, errors: dict[str, list[str]], sent: str = "") -> str:
    today = business_date(now())
    with reading() as session:
        line = found(tenancy_of(session, tenancy_id, actor=current_actor(), on=today))
        return render_template(
            "incubator/tenant.html", line=line, today=today, errors=errors, sent=sent, typed=request.form
        )


def _new_page(errors: dict[str, list[str]]) -> str:
    with reading() as session:
        centres = own_centres(session, actor=current_actor())
    return render_template(
        "incubator/tenant_new.html",
        centres=[(centre.id, f"{centre.name}（{centre.document_no}）") for centre in centres],
        typed=request.form,
        labels=_LABELS,
        errors=errors,
    )
