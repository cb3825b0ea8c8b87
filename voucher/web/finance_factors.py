"""Finance: the factor of a programme's year, fixed by two people when the year's applications are all in."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal, found
from voucher.operations.apply_factor import apply_own
from voucher.operations.outcome import only
from voucher.operations.prorata import (
    Demand,
    FactorAnswer,
    FactorRequest,
    answer_factor,
    demands,
    own_programme,
    propose_factor,
)
from voucher.queries.budgets import programmes
from voucher.queries.factors import FactorLine, factors, funded, live_factor
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.factors import FactorDecisionForm, FactorForm
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form

blueprint = Blueprint("factors", __name__, url_prefix="/finance/factors")
_YEAR: Final = "<programme>/<int(max=2199):year>"


@blueprint.get("/")
@permits("finance:factor:read")
def index() -> ResponseReturnValue:
    """The years that wait for a factor, and the factors that there are."""
    actor = current_actor()
    with reading() as session:
        named = {each.code: each.name for each in programmes(session, actor)}
        return render_template(
            "finance/factors.html",
            waiting=demands(session, list(named), at=now()),
            lines=factors(session, actor),
            names=named,
        )


@blueprint.get(f"/{_YEAR}")
@permits("finance:factor:read")
def page(programme: str, year: int) -> ResponseReturnValue:
    """What is asked of a year, what the money allows, and what was proposed."""
    return _page(programme, year, {}, {}), 200


@blueprint.post(f"/{_YEAR}")
@permits("finance:factor:propose")
def send(programme: str, year: int) -> ResponseReturnValue:
    """Check the factor and what it leaves, then propose it."""
    data, errors = load_form(FactorForm, request.form)
    if errors or data["step"] == "edit":
        return _page(programme, year, request.form, errors), 422 if errors else 200
    if data["step"] != "send":
        with reading() as session:
            demand, _, name = _standing(session, programme, year)
            return render_template(
                "finance/factor_check.html",
                data=data,
                demand=found(demand),
                name=name,
                left_fen=found(demand).left(data["factor"]),
                form=request.form,
            )
    asked = FactorRequest(programme, year, data["factor"], data["budget"], data["basis"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"year": only(propose_factor(session, [asked], actor=current_actor(), at=at)).year}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(programme, year, request.form, whole_form(refusal)), refusal.status
    flash("比例已提出，请另一人复核。", "success")
    return redirect(url_for(".page", programme=programme, year=year), 303)


@blueprint.get(f"/{_YEAR}/decide")
@permits("finance:factor:approve")
def decide_page(programme: str, year: int) -> ResponseReturnValue:
    """What the checker approves: the factor, what it leaves of every claim together."""
    require_step_up()
    return _decide_page(programme, year, {}), 200


@blueprint.post(f"/{_YEAR}/decide")
@permits("finance:factor:approve")
def decide(programme: str, year: int) -> ResponseReturnValue:
    """Approve the factor that was seen, and trim; or send it back."""
    require_step_up(30)
    data, errors = load_form(FactorDecisionForm, request.form)
    if errors or data["answer"] not in ("yes", "no"):
        return _decide_page(programme, year, errors or {"answer": ["请选择通过或退回。"]}), 422
    said = FactorAnswer(programme, year, data["proposal_id"], data["answer"] == "yes")

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(answer_factor(session, [said], actor=current_actor(), at=at))
        if not said.approved:
            return {"trimmed": 0}
        return {"trimmed": apply_own(session, programme, year, actor=current_actor(), at=at)}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        if refusal.code is Code.NOT_FOUND:
            raise
        return _decide_page(programme, year, whole_form(refusal)), refusal.status
    done = f"比例已确定，已折算 {answer['trimmed']} 件申请。" if said.approved else "已退回，可以重新提出。"
    flash(done, "success")
    return redirect(url_for(".page", programme=programme, year=year), 303)


@blueprint.post(f"/{_YEAR}/apply")
@permits("finance:factor:approve")
def send_apply(programme: str, year: int) -> ResponseReturnValue:
    """Trim what is still to be trimmed: more claims than one part takes, or claims approved since."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"trimmed": apply_own(session, programme, year, actor=current_actor(), at=at)}

    answer = change(work, key=form_key(), body=form_body())
    flash(f"已折算 {answer['trimmed']} 件申请。", "success")
    return redirect(url_for(".page", programme=programme, year=year), 303)


def _standing(session: Session, programme: str, year: int) -> tuple[Demand | None, FactorLine | None, str]:
    """What is asked of the year, its factor, and the programme's name. Refused (`not_found`): another book's."""
    owner = own_programme(session, programme, current_actor())
    asked = [each for each in demands(session, [programme], at=now()) if each.year == year]
    line = live_factor(session, current_actor(), programme, year)
    return (asked[0] if asked else None), line, owner.name


def _page(programme: str, year: int, form: Any, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        demand, line, name = _standing(session, programme, year)
        if demand is None and line is None:
            raise Refusal(Code.NOT_FOUND, programme=programme[:40], year=year)
        budget_fen = funded(session, actor, programme, year)
        wanted, wrong = load_form(FactorForm, {**request.args, "factor": "100", "basis": "—"})
        if not wrong:
            budget_fen = wanted["budget"]
        return render_template(
            "finance/factor.html",
            programme=programme,
            year=year,
            name=name,
            demand=demand,
            line=line,
            budget_fen=budget_fen,
            largest_bp=demand.largest(budget_fen) if demand else None,
            may_propose=permitted(actor, "finance:factor:propose"),
            may_approve=permitted(actor, "finance:factor:approve"),
            form=form,
            errors=errors,
        )


def _decide_page(programme: str, year: int, errors: dict[str, list[str]]) -> str:
    with reading() as session:
        demand, line, name = _standing(session, programme, year)
        return render_template(
            "finance/factor_decide.html",
            name=name,
            demand=demand,
            line=found(line),
            left_fen=found(demand).left(found(line).row.factor_bp),
            errors=errors,
        )
