"""Finance of a co-funder: what its book has promised for programmes of other books, and where that is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Refusal, found
from voucher.money import format_yuan
from voucher.operations.outcome import only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.queries.budgets import books
from voucher.queries.clearing import own_book, pledges, programmes_of_others
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.clearing import PledgeForm
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("pledges", __name__, url_prefix="/finance/pledges")


@blueprint.get("/")
@permits("finance:pledge:read")
def index() -> ResponseReturnValue:
    """Every pledge of the reader's books, and where its money is."""
    actor = current_actor()
    with reading() as session:
        lines = pledges(session, actor)
    return render_template(
        "finance/pledges.html", lines=lines, may_add=permitted(actor, "finance:pledge:add")
    )


@blueprint.get("/new")
@permits("finance:pledge:add")
def new() -> ResponseReturnValue:
    """The form for a document that promises money."""
    require_step_up()
    return _form({}, {}), 200


@blueprint.post("/new")
@permits("finance:pledge:add")
def send() -> ResponseReturnValue:
    """Show the promise once more, then put it on the pledge; back to the form where something is wrong."""
    require_step_up(30)
    data, errors = load_form(PledgeForm, request.form)
    if not errors and not (data["year"].isdecimal() and 2000 <= int(data["year"]) <= 2199):
        errors = {"year": ["应为四位年份，例如 2026。"]}
    if errors or data["step"] == "edit":
        return _form(request.form, errors), 422 if errors else 200
    with reading() as session:
        book = found(own_book(session, current_actor(), data["book_code"]))
        named = dict(_led_by_others(session))
    if data["programme_code"] not in named:
        return _form(request.form, {"programme_code": ["请从列出的项目中选择。"]}), 422
    if data["step"] != "send":
        return render_template(
            "finance/pledge_check.html",
            book=book,
            programme=named[data["programme_code"]],
            data=data,
            form=request.form,
        )
    asked = PledgeRequest(
        book.book_id,
        data["programme_code"],
        int(data["year"]),
        data["amount"],
        data["document_no"],
        data["agreement_code"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"replayed": only(pledge(session, [asked], actor=current_actor(), at=at)).replayed}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(request.form, whole_form(refusal)), refusal.status
    if answer["replayed"]:
        flash("这份文件以前已经登记过，本次没有改变任何数据。", "info")
    else:
        flash(f"已登记配套承诺 {format_yuan(data['amount'])} 元（{data['document_no']}）。", "success")
    return redirect(url_for("pledges.index"), 303)


def _led_by_others(session: Session) -> list[tuple[str, str]]:
    """The programmes that may be pledged for, each with the name that people read."""
    return [
        (each.code, f"{each.name}（{each.code}）") for each in programmes_of_others(session, current_actor())
    ]


def _form(form: Any, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        own = [(each.code, each.authority) for each in books(session, actor)]
        others = _led_by_others(session)
    return render_template(
        "finance/pledge.html", books=own, programmes=others, form=form, errors=errors, year=fiscal_year(now())
    )
