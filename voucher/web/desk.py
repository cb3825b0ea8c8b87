"""The bureau's counter: one person takes papers in, another decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.desk import Decided, DeskDecision, DeskRequest, decide, take_in
from voucher.operations.join_codes import join_key
from voucher.operations.outcome import only
from voucher.queries.joining import desk_cases, desk_file
from voucher.schemas.base import load_form
from voucher.schemas.joining import DeskDecisionForm, DeskForm, DeskSearch
from voucher.schemas.messages import sentence
from voucher.terms import DeskKind, DeskState
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, database, form_body, form_key, now, reading, settings, whole_form
from voucher.web.filtering import filters_of
from voucher.web.uploads import Received, attachment, received

blueprint = Blueprint("desk", __name__, url_prefix="/reviewer/desk")

_FACTS: Final = ("name", "uscc", "legal_representative", "bank", "account_no")
LABELS: Final = {
    "kind": "事项", "ref": "单位代码", "name": "姓名或企业名称", "login": "用户名", "uscc": "企业的统一社会信用代码",
    "legal_representative": "法定代表人", "bank": "开户银行", "account_no": "账号", "papers": "核对的证件",
}  # fmt: skip


@blueprint.get("/")
@permits("reviewer:desk:act")
def index() -> ResponseReturnValue:
    """The cases, those that wait for a second person first."""
    wanted, args = filters_of(DeskSearch)
    with reading() as session:
        page = desk_cases(session, current_actor(), state=wanted["state"], page=wanted["page"])
    return render_template("joining/desk.html", page=page, args=args, states=DeskState)


@blueprint.get("/new")
@permits("reviewer:desk:act")
def form_page() -> ResponseReturnValue:
    """The form: what is asked for, by whom, and the papers that were shown."""
    return _form({}, {}, Received({}, {})), 200


@blueprint.post("/new")
@permits("reviewer:desk:act")
def send_case() -> ResponseReturnValue:
    """Take a case in; a form with an error keeps its files."""
    papers = received({"papers": True})
    data, errors = load_form(DeskForm, _fields())
    errors |= papers.errors
    if errors:
        return _form(request.form, errors, papers), 422
    wanted = DeskRequest(
        kind=data["kind"],
        ref=data["ref"],
        papers=tuple(papers.stored("papers")),
        login=data["login"],
        facts={name: data[name] for name in _FACTS},
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(take_in(session, [wanted], actor=current_actor(), at=at))}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(request.form, {"_schema": [sentence(refusal)]}, papers), refusal.status
    flash("已登记，请另一名工作人员核对证件后办理。", "success")
    return redirect(url_for("desk.case_page", case_id=answer["id"]), 303)


@blueprint.get("/<int(max=9223372036854775807):case_id>")
@permits("reviewer:desk:act")
def case_page(case_id: int) -> ResponseReturnValue:
    """One case: what is asked, the papers, and for the second person the decision."""
    return _case(case_id, {}), 200


@blueprint.get("/<int(max=9223372036854775807):case_id>/papers/<int(max=9223372036854775807):paper_id>")
@permits("reviewer:desk:act")
def paper(case_id: int, paper_id: int) -> Response:
    """One copy of a paper."""
    with reading() as session:
        file = found(desk_file(session, current_actor(), case_id))
    row = found(next((each for each in file.papers if each.id == paper_id), None))
    return attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


@blueprint.post("/<int(max=9223372036854775807):case_id>/decide")
@permits("reviewer:desk:act")
def send_decision(case_id: int) -> ResponseReturnValue:
    """Decide as the second person. A code is shown this once, to be handed to the person at the counter."""
    require_step_up(30)
    data, errors = load_form(DeskDecisionForm, request.form)
    if errors:
        return _case(case_id, errors), 422
    wanted = DeskDecision(case_id, data["decision"] == "approve", data["reason"])
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> Decided:
        return only(decide(session, [wanted], key=key, actor=current_actor(), at=at))

    try:
        done = database().transaction(work)
    except Refusal as refusal:
        return _case(case_id, whole_form(refusal)), refusal.status
    if done.code is None:
        flash("已办理。" if done.state is DeskState.DONE else "已登记为不予办理。", "success")
        return redirect(url_for("desk.case_page", case_id=case_id), 303)
    with reading() as session:
        file = found(desk_file(session, current_actor(), case_id))
    return render_template("joining/desk_code.html", file=file, code=done.code, printed_at=now())


def _fields() -> dict[str, Any]:
    return {name: value for name, value in request.form.items() if not name.startswith("kept_")}


def _form(form: Any, errors: dict[str, list[str]], papers: Received) -> str:
    return render_template(
        "joining/desk_new.html",
        form=form,
        errors=errors,
        labels=LABELS,
        kinds=DeskKind,
        kept=papers.files.get("papers", []),
    )


def _case(case_id: int, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        file = found(desk_file(session, actor, case_id))
    case = file.case
    return render_template(
        "joining/desk_case.html",
        file=file,
        kind=DeskKind(case.kind),
        state=DeskState(case.state),
        labels=LABELS,
        may=case.state == DeskState.PROPOSED.value and case.made_by != actor.person_id,
        form=request.form,
        errors=errors,
    )
