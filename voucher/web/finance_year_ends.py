"""Finance: what becomes of a budget line when its year is over, decided by two people; the tables of the year's end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Code, Refusal, found
from voucher.money import Fen, format_yuan
from voucher.operations.outcome import only
from voucher.operations.year_end import (
    YearEndReply,
    YearEndRequest,
    answer_year_end,
    apply_year_end,
    propose_year_end,
)
from voucher.queries.budgets import budget_file, budget_lines, budget_years
from voucher.queries.year_ends import carry_table, decisions, expired_page, expired_rows, following_lines
from voucher.reports.year_end import carry_csv, expired_csv
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.programme import YearSearch
from voucher.schemas.year_ends import YearEndForm, YearEndReplyForm
from voucher.terms import LiveVouchers, YearEndAction
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("year_ends", __name__, url_prefix="/finance/year-end")


@blueprint.get("/")
@permits("finance:year_end:read")
def index() -> ResponseReturnValue:
    """The lines whose year is over and that are not closed, and the decisions that there are."""
    actor, year = current_actor(), fiscal_year(now())
    with reading() as session:
        lines = [each for each in budget_lines(session, actor) if each.year < year and each.closed_on is None]
        return render_template("finance/year_ends.html", lines=lines, decisions=decisions(session, actor))


@blueprint.get("/lines/<code>")
@permits("finance:year_end:read")
def page(code: str) -> ResponseReturnValue:
    """One line: what is left of it, its decision, and the form for a new one."""
    return _page(code, {}, {}), 200


@blueprint.post("/lines/<code>")
@permits("finance:year_end:propose")
def send(code: str) -> ResponseReturnValue:
    """Check what is proposed, then propose it."""
    data, errors = load_form(YearEndForm, request.form)
    if not errors and (data["action"] is YearEndAction.CARRY) != bool(data["to"]):
        wrong = "请选择结转到哪条指标。" if not data["to"] else "收回财政的，不选结转到的指标。"
        errors = {"to": [wrong]}
    if errors or data["step"] == "edit":
        return _page(code, request.form, errors), 422 if errors else 200
    if data["step"] != "send":
        with reading() as session:
            file = found(budget_file(session, current_actor(), code))
            return render_template(
                "finance/year_end_check.html", line=file.standing, data=data, form=request.form
            )
    asked = YearEndRequest(code, data["action"], data["document_no"], data["vouchers"], data["to"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(propose_year_end(session, [asked], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(code, request.form, whole_form(refusal)), refusal.status
    flash("已提出，请另一人复核。", "success")
    return redirect(url_for(".page", code=code), 303)


@blueprint.get("/lines/<code>/decide")
@permits("finance:year_end:approve")
def decide_page(code: str) -> ResponseReturnValue:
    """What the second person approves: the line's money as it is now."""
    require_step_up()
    return _decide_page(code, {}), 200


@blueprint.post("/lines/<code>/decide")
@permits("finance:year_end:approve")
def decide(code: str) -> ResponseReturnValue:
    """Approve what was seen, and carry it out; or send it back."""
    require_step_up(30)
    data, errors = load_form(YearEndReplyForm, request.form)
    if errors or not data["amount_fen"].isdecimal() or data["answer"] not in ("yes", "no"):
        return _decide_page(code, errors or {"answer": ["请选择通过或退回。"]}), 422
    said = YearEndReply(code, Fen(int(data["amount_fen"])), data["answer"] == "yes", data["proposal_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(answer_year_end(session, [said], actor=current_actor(), at=at))
        return _applied(session, code, at) if said.approved else {}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is Code.NOT_FOUND:
            raise
        return _decide_page(code, whole_form(refusal)), refusal.status
    flash(_done(answer) if answer else "已退回经办人。", "success")
    return redirect(url_for(".page", code=code), 303)


@blueprint.post("/lines/<code>/apply")
@permits("finance:year_end:approve")
def send_apply(code: str) -> ResponseReturnValue:
    """Take back more vouchers than one part takes, then move what is left."""
    answer = change(lambda session, at: _applied(session, code, at), key=form_key(), body=form_body())
    flash(_done(answer), "success")
    return redirect(url_for(".page", code=code), 303)


@blueprint.get("/carry-over")
@permits("finance:year_end:read")
def carry_over() -> ResponseReturnValue:
    """R19: the carry-over table of a year."""
    year, years = _year()
    with reading() as session:
        rows = carry_table(session, current_actor(), year)
    return render_template("finance/carry_over.html", rows=rows, year=year, year_options=years)


@blueprint.get("/carry-over.csv")
@permits("finance:year_end:read")
def carry_over_file() -> ResponseReturnValue:
    """R19 as a file."""
    year, _ = _year()
    with reading() as session:
        return _file(carry_csv(carry_table(session, current_actor(), year)), f"carry-over-{year}.csv")


@blueprint.get("/expired")
@permits("finance:year_end:read")
def expired() -> ResponseReturnValue:
    """R16: what vouchers gave back in a year."""
    year, years = _year()
    with reading() as session:
        rows = expired_page(session, current_actor(), year, page=request.args.get("page", 1, type=int))
    return render_template("finance/expired.html", rows=rows, year=year, year_options=years)


@blueprint.get("/expired.csv")
@permits("finance:year_end:read")
def expired_file() -> ResponseReturnValue:
    """R16 as a file."""
    year, _ = _year()
    with reading() as session:
        return _file(expired_csv(expired_rows(session, current_actor(), year)), f"expired-{year}.csv")


def _year() -> tuple[int, list[tuple[str, str]]]:
    """The year that is asked for (this one), and those that there are."""
    wanted, _ = filters_of(YearSearch)
    this = fiscal_year(now())
    with reading() as session:
        years = sorted({*budget_years(session, current_actor()), this}, reverse=True)
    return wanted["year"] or this, [(str(each), str(each)) for each in years]


def _file(content: bytes, name: str) -> Response:
    answer: Response = make_response(content)
    answer.mimetype = "text/csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _applied(session: Session, code: str, at: datetime) -> dict[str, Any]:
    ended = apply_year_end(session, code, actor=current_actor(), at=at)
    return {"fallen": ended.fallen, "closed": ended.closed, "moved_fen": ended.moved_fen}


def _done(answer: dict[str, Any]) -> str:
    taken = f"收回券 {answer['fallen']} 张。" if answer["fallen"] else ""
    if not answer["closed"]:
        return f"{taken}还有未收回的券，请继续办理。"
    return f"{taken}已办结，指标已关闭，转出 {format_yuan(answer['moved_fen'])} 元。"


def _page(code: str, form: Any, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        line = found(budget_file(session, actor, code)).standing
        own = decisions(session, actor, line_code=code)
        return render_template(
            "finance/year_end.html",
            line=line,
            decisions=own,
            options=[
                (each.code, f"{each.name}（{each.code}）") for each in following_lines(session, actor, line)
            ],
            is_over=line.year < fiscal_year(now()),
            actions=[(each.value, each.label) for each in YearEndAction],
            kept=[(each.value, each.label) for each in LiveVouchers],
            may_propose=permitted(actor, "finance:year_end:propose"),
            may_approve=permitted(actor, "finance:year_end:approve"),
            form=form,
            errors=errors,
        )


def _decide_page(code: str, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        line = found(budget_file(session, actor, code)).standing
        own = decisions(session, actor, line_code=code)
        latest = found(own[0] if own and own[0].decider is None else None)
        return render_template("finance/year_end_decide.html", line=line, decision=latest, errors=errors)
