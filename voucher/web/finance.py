"""Finance: budget lines and where their money is, appropriations, and closing periods."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Refusal, found
from voucher.money import format_yuan
from voucher.operations.close_period import close_period
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.outcome import only
from voucher.queries.budgets import books, budget_file, budget_lines, budget_years, programmes
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.programme import ClosePeriodForm, FundForm, LineForm, YearSearch
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("finance", __name__, url_prefix="/finance")


@blueprint.get("/budgets")
@permits("finance:budget:read")
def budget_list() -> ResponseReturnValue:
    """Every line of the reader's books with its figures and their totals."""
    wanted, args = filters_of(YearSearch)
    with reading() as session:
        return render_template(
            "finance/budgets.html",
            lines=budget_lines(session, current_actor(), year=wanted["year"]),
            years=budget_years(session, current_actor()),
            args=args,
            may_fund=permitted(current_actor(), "finance:budget:fund"),
        )


@blueprint.get("/budgets/<code>")
@permits("finance:budget:read")
def budget_page(code: str) -> ResponseReturnValue:
    """One line: where its money is, and the documents that put it there."""
    with reading() as session:
        return render_template(
            "finance/budget.html",
            file=found(budget_file(session, current_actor(), code)),
            may_fund=permitted(current_actor(), "finance:budget:fund"),
        )


@blueprint.get("/budgets/new")
@permits("finance:budget:fund")
def new_line() -> ResponseReturnValue:
    """The form for a new line."""
    return _line_page({}, {}, 200)


@blueprint.post("/budgets/new")
@permits("finance:budget:fund")
def send_line() -> ResponseReturnValue:
    """Open a line."""
    data, errors = load_form(LineForm, request.form)
    if errors:
        return _line_page(request.form, errors, 422)
    wanted = LineRequest(data["code"], data["programme_code"], data["year"], data["name"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(open_lines(session, [wanted], actor=current_actor(), at=at))}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _line_page(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash("预算指标已建立，尚无资金。", "success")
    return redirect(url_for("finance.budget_page", code=data["code"]), 303)


@blueprint.get("/budgets/<code>/fund")
@permits("finance:budget:fund")
def fund_page(code: str) -> ResponseReturnValue:
    """The form for an appropriation document."""
    require_step_up()
    return _fund_page(code, {}, {}, 200)


@blueprint.post("/budgets/<code>/fund/check")
@permits("finance:budget:fund")
def check_fund(code: str) -> ResponseReturnValue:
    """Show document and amount once more; back to the form where something is wrong."""
    data, errors = load_form(FundForm, request.form)
    if errors or request.args.get("back"):
        return _fund_page(code, request.form, {} if request.args.get("back") else errors, 422)
    with reading() as session:
        file = found(budget_file(session, current_actor(), code))
    return render_template("finance/fund_check.html", file=file, data=data, form=request.form)


@blueprint.post("/budgets/<code>/fund")
@permits("finance:budget:fund")
def send_fund(code: str) -> ResponseReturnValue:
    """Put the appropriated amount on the line."""
    require_step_up(30)
    data, errors = load_form(FundForm, request.form)
    if errors:
        return _fund_page(code, request.form, errors, 422)
    wanted = FundRequest(code, data["document_no"], data["amount"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"replayed": only(fund(session, [wanted], actor=current_actor(), at=at)).replayed}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _fund_page(code, request.form, whole_form(refusal), refusal.status)
    if answer["replayed"]:
        flash("这份指标文以前已经登记过，本次没有改变任何数据。", "info")
    else:
        flash(f"已下达 {format_yuan(data['amount'])} 元（{data['document_no']}）。", "success")
    return redirect(url_for("finance.budget_page", code=code), 303)


@blueprint.get("/periods")
@permits("finance:period:close")
def periods() -> ResponseReturnValue:
    """The books with the day through which each is closed."""
    return _periods_page({}, {}, 200)


@blueprint.post("/periods/<book_code>")
@permits("finance:period:close")
def send_close(book_code: str) -> ResponseReturnValue:
    """Show the day once more, then close the book through it."""
    data, errors = load_form(ClosePeriodForm, request.form)
    if errors or data["step"] == "edit":
        return _periods_page(request.form, errors, 422 if errors else 200)
    if data["step"] != "send":
        with reading() as session:
            own = found(
                next((each for each in books(session, current_actor()) if each.code == book_code), None)
            )
        return render_template("finance/period_check.html", book=own, data=data, form=request.form)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        through = close_period(session, book_code, through=data["through"], actor=current_actor(), at=at)
        return {"through": through.isoformat()}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _periods_page(request.form, {"through": [sentence(refusal)]}, refusal.status)
    flash(f"已结账至 {answer['through']}（含当日）。", "success")
    return redirect(url_for("finance.periods"), 303)


def _line_page(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        owners = [(each.code, each.name) for each in programmes(session, current_actor())]
    page = render_template(
        "finance/line.html", programmes=owners, form=form, errors=errors, year=fiscal_year(now())
    )
    return page, status


def _fund_page(code: str, form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        file = found(budget_file(session, current_actor(), code))
    page = render_template("finance/fund.html", file=file, form=form, errors=errors)
    return page, status if errors else 200


def _periods_page(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    with reading() as session:
        own = books(session, current_actor())
    return render_template("finance/periods.html", books=own, form=form, errors=errors), status
