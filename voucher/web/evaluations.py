"""Yearly evaluation for authorities: sheets, results to be published, orders to put right, the published rules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.operations.centre_reports import reports_due
from voucher.operations.evaluate import EvaluateRequest, evaluate
from voucher.operations.evaluated import SubjectKey
from voucher.operations.evaluation_rules import RulesRequest, parsed, publish_rules, rules_for, rules_of
from voucher.operations.outcome import only
from voucher.operations.publish_evaluation import (
    ResultRequest,
    ReturnResult,
    publish_results,
    return_results,
)
from voucher.operations.rectify import SettleRequest, settle_orders
from voucher.queries.centres import centre_line, reports_of
from voucher.queries.certifications import certified_line
from voucher.queries.evaluations import ResultFilter, result, results, rules_versions
from voucher.reports.centre_table import report_state
from voucher.rules.permissions import permitted
from voucher.schemas.base import ReasonForm, load_form
from voucher.schemas.centres import (
    PublishResultForm,
    ResultSearch,
    RulesForm,
    SettleOrderForm,
    YearSearch,
)
from voucher.terms import EvaluationState, EvaluationSubject, RectificationState
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.filtering import filters_of

blueprint = Blueprint("evaluations", __name__, url_prefix="/reviewer/evaluations")

_OUTCOMES = (RectificationState.PASSED, RectificationState.ORDERED, RectificationState.FAILED)


@blueprint.get("/")
@permits("reviewer:centre:read")
def index() -> ResponseReturnValue:
    """Results of the actor's regions: to be published, published, with an open order."""
    wanted, args = filters_of(ResultSearch)
    sought = ResultFilter(wanted["year"], wanted["state"], bool(wanted["orders"]))
    with reading() as session:
        page = results(session, current_actor(), sought, page=wanted["page"])
        return render_template("centres/results.html", page=page, args=args, states=EvaluationState)


@blueprint.get("/sheet/<any(centre, platform):subject>/<int(max=9223372036854775807):subject_id>")
@permits("reviewer:centre:evaluate")
def sheet(subject: str, subject_id: int) -> ResponseReturnValue:
    """The sheet of one year: what was reported, and the points of each indicator."""
    return _sheet(SubjectKey(EvaluationSubject(subject), subject_id), {}, {})


@blueprint.post("/sheet/<any(centre, platform):subject>/<int(max=9223372036854775807):subject_id>")
@permits("reviewer:centre:evaluate")
def score(subject: str, subject_id: int) -> ResponseReturnValue:
    """Score the year."""
    key = SubjectKey(EvaluationSubject(subject), subject_id)
    wanted, _ = filters_of(YearSearch)
    year = wanted["year"] or business_date(now()).year
    given = {
        name.removeprefix("points_"): text.strip()
        for name, text in request.form.items()
        if name.startswith("points_")
    }
    wrong = {
        f"points_{name}": ["应为不小于 0 的整数。"]
        for name, text in given.items()
        if not (text.isascii() and text.isdecimal() and len(text) < 5)
    }
    if wrong:
        return _sheet(key, request.form, wrong)
    points = {name: int(text) for name, text in given.items()}
    remarks = request.form.get("remarks", "")[:500]
    asked = EvaluateRequest(key=key, year=year, points=points, remarks=remarks)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(evaluate(session, [asked], actor=current_actor(), at=at)).id}

    try:
        made = change(work, key=form_key(), body={**form_body(), "year": year})
    except Refusal as refusal:
        return _sheet(key, request.form, whole_form(refusal), refusal.status)
    flash("评分已保存，由另一人核对后公布。", "success")
    return redirect(url_for("evaluations.page", evaluation_id=made["id"]), 303)


@blueprint.get("/<int(max=9223372036854775807):evaluation_id>")
@permits("reviewer:centre:read")
def page(evaluation_id: int) -> ResponseReturnValue:
    """One result: points, and what may be done with it."""
    return _result(evaluation_id, {}, {})


@blueprint.post("/<int(max=9223372036854775807):evaluation_id>/publish")
@permits("programme:evaluation:publish")
def publish(evaluation_id: int) -> ResponseReturnValue:
    """Publish the result, with what follows from it."""
    data, errors = load_form(PublishResultForm, request.form)
    if errors:
        return _result(evaluation_id, request.form, errors)
    wanted = ResultRequest(evaluation_id=evaluation_id, **data)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(publish_results(session, [wanted], actor=current_actor(), at=at))
        return {"revoked": done.revoked, "passed": done.evaluation.passed}

    try:
        done = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is Code.REASON_MISSING:
            return _result(evaluation_id, request.form, {"demand": ["不合格的，请写明整改要求。"]})
        return _result(evaluation_id, request.form, whole_form(refusal), refusal.status)
    if done["revoked"]:
        flash("结果已公布：已摘牌，关联称号同时取消。", "warning")
    else:
        flash("结果已公布。" if done["passed"] else "结果已公布，已通报并要求限期整改。", "success")
    return redirect(url_for("evaluations.page", evaluation_id=evaluation_id), 303)


@blueprint.post("/<int(max=9223372036854775807):evaluation_id>/return")
@permits("reviewer:centre:evaluate")
def send_back(evaluation_id: int) -> ResponseReturnValue:
    """Send it back to be scored anew."""
    data, errors = load_form(ReasonForm, request.form)
    if errors:
        return _result(evaluation_id, request.form, errors)
    wanted = ReturnResult(evaluation_id, data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(return_results(session, [wanted], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _result(evaluation_id, request.form, whole_form(refusal), refusal.status)
    flash("已退回重评。", "success")
    return redirect(url_for("evaluations.page", evaluation_id=evaluation_id), 303)


@blueprint.post(
    "/<int(max=9223372036854775807):evaluation_id>/orders/<int(max=9223372036854775807):order_id>"
)
@permits("reviewer:centre:evaluate")
def settle(evaluation_id: int, order_id: int) -> ResponseReturnValue:
    """Whether what was ordered was put right."""
    data, errors = load_form(SettleOrderForm, request.form)
    if not errors and data["outcome"] not in _OUTCOMES:
        errors = {"outcome": ["请从列表中选择。"]}
    if errors:
        return _result(evaluation_id, request.form, errors)
    wanted = SettleRequest(order_id, data["outcome"], data["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"state": only(settle_orders(session, [wanted], actor=current_actor(), at=at)).state}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _result(evaluation_id, request.form, whole_form(refusal), refusal.status)
    flash("整改核验结果已登记。", "success")
    return redirect(url_for("evaluations.page", evaluation_id=evaluation_id), 303)


@blueprint.get("/rules")
@permits("reviewer:centre:read")
def rules() -> ResponseReturnValue:
    """The published files, as tables with their clauses, and the form for another one."""
    return _rules({}, {})


@blueprint.post("/rules")
@permits("programme:evaluation:publish")
def send_rules() -> ResponseReturnValue:
    """Publish a file."""
    data, errors = load_form(RulesForm, request.form)
    if errors:
        return _rules(request.form, errors)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"code": publish_rules(session, RulesRequest(data["text"]), actor=current_actor(), at=at).code}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _rules(request.form, whole_form(refusal), refusal.status)
    flash("评价办法已公布。", "success")
    return redirect(url_for("evaluations.rules"), 303)


def _rules(form: Any, errors: dict[str, list[str]], status: int = 422) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        versions = [(row, parsed(row)) for row in rules_versions(session, actor)]
    may = permitted(actor, "programme:evaluation:publish")
    answer = render_template(
        "centres/rules.html", versions=versions, form=form, errors=errors, may_publish=may
    )
    return answer, status if errors else 200


def _sheet(
    key: SubjectKey, form: Any, errors: dict[str, list[str]], status: int = 422
) -> ResponseReturnValue:
    today = business_date(now())
    wanted, args = filters_of(YearSearch)
    year = wanted["year"] or today.year
    with reading() as session:
        if key.subject is EvaluationSubject.CENTRE:
            line = found(centre_line(session, key.id))
            name, path = line.row.name, line.path
            owed = reports_due(session, [(line.row, path)], [year])
            came = reports_of(session, [key.id], [year])
            reports = [
                (due, report_state(due, came, today=today), came.get((key.id, year, due.quarter)))
                for due in owed
            ]
        else:
            name, path = found(certified_line(session, key.id))
            reports = []
        answer = render_template(
            "centres/sheet.html",
            key=key,
            name=name,
            year=year,
            args=args,
            rules=rules_for(session, path, key.subject, year),
            reports=reports,
            form=form,
            errors=errors,
        )
    return answer, status if errors else 200


def _result(
    evaluation_id: int, form: Any, errors: dict[str, list[str]], status: int = 422
) -> ResponseReturnValue:
    actor = current_actor()
    with reading() as session:
        line = found(result(session, actor, evaluation_id))
        answer = render_template(
            "centres/result.html",
            line=line,
            rules=rules_of(session, line.row.rules_code),
            outcomes=[(each.value, _WORDS[each]) for each in _OUTCOMES],
            form=form,
            errors=errors,
            may_publish=permitted(actor, "programme:evaluation:publish")
            and line.row.scored_by != actor.person_id,
            may_evaluate=permitted(actor, "reviewer:centre:evaluate"),
        )
    return answer, status if errors else 200


_WORDS = {
    RectificationState.PASSED: "整改合格，恢复在库",
    RectificationState.ORDERED: "退回，继续整改",
    RectificationState.FAILED: "未按要求整改，暂停资格",
}
