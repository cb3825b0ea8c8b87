"""Programme officers: approved claims collected into a public notice, published, and put elsewhere too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.outcome import only
from voucher.operations.publicise import NoticeRequest, PlaceRequest, publicise, record_place
from voucher.queries.holidays import calendar
from voucher.queries.notices import NoticeFile, notice_file, notices, publishable_claims
from voucher.queries.unfactored import unfactored_claims
from voucher.reports.notice_document import DOCX, docx_document, html_document
from voucher.rules.permissions import permitted
from voucher.rules.working_days import add_working_days, unknown_years
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.notices import NoticeForm, NoticeSearch, PlaceForm
from voucher.terms import NoticeState, ObjectionChannel
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("notices", __name__, url_prefix="/programme/notices")


@blueprint.get("/")
@permits("programme:notice:read")
def index() -> ResponseReturnValue:
    """The notices of the reader's regions, and how many claims wait for one."""
    wanted, args = filters_of(NoticeSearch)
    actor = current_actor()
    with reading() as session:
        return render_template(
            "notices/index.html",
            page=notices(session, state=wanted["state"], page=wanted["page"], actor=actor),
            waiting=publishable_claims(session, actor),
            unfactored=unfactored_claims(session, actor),
            reads_factors=permitted(actor, "finance:factor:read"),
            states=NoticeState,
            args=args,
            may_publish=permitted(actor, "programme:notice:publish"),
        )


@blueprint.get("/new")
@permits("programme:notice:publish")
def new() -> ResponseReturnValue:
    """The approved claims that wait for a notice, and the words of it."""
    return _form(request.args, {}, 200)


@blueprint.post("/check")
@permits("programme:notice:publish")
def check() -> ResponseReturnValue:
    """Show the notice as the public will read it, with its last day; back to the form where something is wrong."""
    data, errors = load_form(NoticeForm, request.form)
    if errors or request.args.get("back"):
        return _form(request.form, {} if request.args.get("back") else errors, 422)
    today = business_date(now())
    with reading() as session:
        ready = {
            each.number: each for each in publishable_claims(session, current_actor(), data["programme_code"])
        }
        table = calendar(session, today.year, today.year + 1)
    chosen = [ready[number] for number in data["claims"] if number in ready]
    if len(chosen) != len(data["claims"]):
        gone = "所选申请中有的已不在待公示状态，请重新选择。"
        return _form(request.form, {"claims": [gone]}, 409)
    days = max(each.working_days for each in chosen)
    to_on = add_working_days(table, today, days)
    return render_template(
        "notices/check.html",
        data=data,
        chosen=chosen,
        days=days,
        from_on=today,
        to_on=to_on,
        unknown=unknown_years(table, today, to_on),
        total=sum(each.approved_fen for each in chosen),
        form=request.form,
    )


@blueprint.post("/")
@permits("programme:notice:publish")
def send() -> ResponseReturnValue:
    """Publish."""
    data, errors = load_form(NoticeForm, request.form)
    if errors:
        return _form(request.form, errors, 422)
    wanted = NoticeRequest(
        data["programme_code"], tuple(data["claims"]), data["title"], data["authority"], data["contact"]
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"number": only(publicise(session, [wanted], actor=current_actor(), at=at)).number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"公示 {answer['number']} 已发布。", "success")
    return redirect(url_for("notices.notice_page", number=answer["number"]), 303)


@blueprint.get("/<number>")
@permits("programme:notice:read")
def notice_page(number: str) -> ResponseReturnValue:
    """One notice: its lines, the objections, where else it hangs, and the forms for both."""
    return page_of(number, {}, {}, 200)


@blueprint.post("/<number>/places")
@permits("programme:notice:publish")
def send_place(number: str) -> ResponseReturnValue:
    """Note where the bureau put the notice, and since when."""
    data, errors = load_form(PlaceForm, request.form)
    if errors:
        return page_of(number, request.form, errors, 422)
    wanted = PlaceRequest(number, data["address"], data["placed_on"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(record_place(session, [wanted], actor=current_actor(), at=at))
        return {}

    change(work, key=form_key(), body=form_body())
    flash("已登记发布地址。", "success")
    return redirect(url_for("notices.notice_page", number=number), 303)


@blueprint.get("/<number>/notice.<kind>")
@permits("programme:notice:read")
def export(number: str, kind: str) -> ResponseReturnValue:
    """The notice as one HTML file or as .docx, for the bureau's own site."""
    file = found(_file(number) if kind in ("html", "docx") else None)
    if kind == "html":
        body: bytes | str = html_document(file)
        media_type = "text/html; charset=utf-8"
    else:
        body, media_type = docx_document(file), DOCX
    response = Response(body, mimetype=None, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.{kind}"'
    return response


def page_of(number: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    """The page of a notice, with a form as it was sent."""
    actor = current_actor()
    file = found(_file(number))
    page = render_template(
        "notices/notice.html",
        file=file,
        form=form,
        errors=errors,
        channels=[ObjectionChannel.TELEPHONE, ObjectionChannel.COUNTER],
        may_publish=permitted(actor, "programme:notice:publish"),
        may_record=permitted(actor, "programme:objection:record"),
        today=business_date(now()),
    )
    return page, status


def _file(number: str) -> NoticeFile | None:
    with reading() as session:
        return notice_file(session, number, on=business_date(now()), actor=current_actor())


def _form(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        waiting = publishable_claims(session, current_actor())
    programmes = sorted({each.programme_code for each in waiting})
    chosen = form.get("programme_code") or form.get("programme") or next(iter(programmes), "")
    page = render_template(
        "notices/new.html",
        waiting=[each for each in waiting if each.programme_code == chosen],
        programmes=programmes,
        programme=chosen,
        form=form,
        ticked=form.getlist("claims") if hasattr(form, "getlist") else [],
        errors=errors,
    )
    return page, status
