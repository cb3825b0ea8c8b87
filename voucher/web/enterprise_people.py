"""A firm's own people: who acts for it, authorisations, leavers, and colleagues who lost their password."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.authorise import (
    AuthorisationRequest,
    Authorised,
    authorise,
    end_authorisations,
    hand_out_again,
)
from voucher.operations.issue_codes import issue_resets
from voucher.operations.join_codes import MadeCode, join_key
from voucher.operations.leave import LeaveRequest, leave, open_tasks
from voucher.operations.outcome import only
from voucher.queries.colleagues import colleagues, handovers
from voucher.queries.joining import authorisations, letter_of, organisations
from voucher.rules.permissions import permitted
from voucher.schemas.base import TextSearch, load_form
from voucher.schemas.joining import AuthoriseForm, LeaveForm
from voucher.schemas.messages import sentence
from voucher.terms import Mandate, Role
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, database, form_body, form_key, now, reading, settings, whole_form
from voucher.web.filtering import filters_of
from voucher.web.uploads import Received, attachment, received

blueprint = Blueprint("people", __name__, url_prefix="/enterprise/people")

LABELS: Final = {
    "organisation_id": "单位", "name": "被授权人", "role": "角色", "mandates": "授权事项", "from_on": "起始日期",
    "to_on": "截止日期", "letter": "授权书", "person_id": "人员", "successor_id": "接手人",
}  # fmt: skip
_ROLES: Final = (Role.ENTERPRISE_OPERATOR, Role.BOOKKEEPER)


@blueprint.get("/")
@permits("enterprise:authority:read")
def index() -> ResponseReturnValue:
    """Colleagues, authorisations, and what was handed over to oneself."""
    return _page({}), 200


@blueprint.get("/authorise")
@permits("enterprise:authority:grant")
def authorise_page() -> ResponseReturnValue:
    """The form of an authorisation."""
    require_step_up()
    return _form({}, {}, Received({}, {})), 200


@blueprint.post("/authorise")
@permits("enterprise:authority:grant")
def send_authorisation() -> ResponseReturnValue:
    """Authorise, and show the code once, to be handed to the person."""
    require_step_up(30)
    files = received({"letter": False})
    data, errors = load_form(AuthoriseForm, _fields())
    errors |= files.errors
    if not errors and data["role"] not in _ROLES:
        errors = {"role": ["请从列表中选择。"]}
    if not errors and data["role"] is Role.ENTERPRISE_OPERATOR and not data["mandates"]:
        errors = {"mandates": ["请至少勾选一项。"]}
    if not errors and not files.stored("letter"):
        errors = {"letter": ["请上传加盖公章的授权书。"]}
    if errors:
        return _form(request.form, errors, files), 422
    wanted = AuthorisationRequest(
        organisation_id=data["organisation_id"],
        name=data["name"],
        role=data["role"],
        mandates=frozenset(data["mandates"]),
        from_on=data["from_on"],
        to_on=data["to_on"] + timedelta(days=1),
        letter=files.stored("letter")[0],
    )
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> Authorised:
        return only(authorise(session, [wanted], key=key, actor=current_actor(), at=at))

    try:
        done = database().transaction(work)
    except Refusal as refusal:
        return _form(request.form, {"_schema": [sentence(refusal)]}, files), refusal.status
    return _code(done.code, data["name"], "join.page")


@blueprint.post("/authorisations/<int(max=9223372036854775807):authorisation_id>/code")
@permits("enterprise:authority:grant")
def send_code_again(authorisation_id: int) -> ResponseReturnValue:
    """Another code for an authorisation that was not taken up."""
    require_step_up(30)
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> MadeCode:
        return only(hand_out_again(session, [authorisation_id], key=key, actor=current_actor(), at=at))

    code = database().transaction(work)
    with reading() as session:
        name = found(letter_of(session, current_actor(), authorisation_id)).name
    return _code(code, name, "join.page")


@blueprint.post("/authorisations/<int(max=9223372036854775807):authorisation_id>/end")
@permits("enterprise:authority:grant")
def send_end(authorisation_id: int) -> ResponseReturnValue:
    """End an authorisation at once."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        ended = only(end_authorisations(session, [authorisation_id], actor=current_actor(), at=at))
        return {"id": ended}

    change(work, key=form_key(), body=form_body())
    flash("授权已终止，对方的登录立即失效。", "success")
    return redirect(url_for("people.index"), 303)


@blueprint.get("/authorisations/<int(max=9223372036854775807):authorisation_id>/letter")
@permits("enterprise:authority:read")
def letter(authorisation_id: int) -> Response:
    """The stamped letter of an authorisation."""
    with reading() as session:
        row = found(letter_of(session, current_actor(), authorisation_id))
    return attachment(row.letter_sha256, file_name=row.letter_name, media_type=row.letter_type)


@blueprint.get(
    "/leave/<int(max=9223372036854775807):organisation_id>/<int(max=9223372036854775807):person_id>"
)
@permits("enterprise:authority:grant")
def leave_page(organisation_id: int, person_id: int) -> ResponseReturnValue:
    """What is open, and who follows."""
    return _leave_page(organisation_id, person_id, {}), 200


@blueprint.post("/leave")
@permits("enterprise:authority:grant")
def send_leave() -> ResponseReturnValue:
    """End everything that somebody does for the firm, at once."""
    require_step_up(30)
    data, errors = load_form(LeaveForm, request.form)
    if errors:
        return _page(errors), 422
    wanted = LeaveRequest(**data)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(leave(session, [wanted], actor=current_actor(), at=at)).departure_id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        errors = whole_form(refusal)
        return _leave_page(data["organisation_id"], data["person_id"], errors), refusal.status
    flash("已办理离岗，其在本单位的全部权限立即终止。", "success")
    return redirect(url_for("people.index"), 303)


@blueprint.post("/<int(max=9223372036854775807):person_id>/reset")
@permits("enterprise:authority:grant")
def send_reset(person_id: int) -> ResponseReturnValue:
    """A code for a colleague who lost password or telephone."""
    require_step_up(30)
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> MadeCode:
        return only(issue_resets(session, [person_id], key=key, actor=current_actor(), at=at))

    try:
        code = database().transaction(work)
    except Refusal as refusal:
        return _page(whole_form(refusal)), refusal.status
    with reading() as session:
        lines = colleagues(session, current_actor(), on=business_date(now()))
    name = next((each.name for each in lines if each.person_id == person_id), "")
    return _code(code, name, "join.reset_page")


def _fields() -> dict[str, Any]:
    single = {name: request.form[name] for name in request.form if not name.startswith("kept_")}
    return {**single, "mandates": request.form.getlist("mandates")}


def _code(code: MadeCode, name: str, page: str) -> str:
    with reading() as session:
        owner = organisations(session, [code.organisation_id])[code.organisation_id]
    return render_template("people/code.html", owner=owner, code=code, name=name, page=page, printed_at=now())


def _page(errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        return render_template(
            "people/people.html",
            colleagues=colleagues(session, actor, on=business_date(now())),
            page=authorisations(session, actor, page=wanted["page"]),
            handovers=handovers(session, actor),
            may=permitted(actor, "enterprise:authority:grant"),
            me=actor.person_id,
            args=args,
            labels=LABELS,
            errors=errors,
        )


def _form(form: Any, errors: dict[str, list[str]], files: Received) -> str:
    actor = current_actor()
    with reading() as session:
        firms = organisations(session, sorted(actor.organisation_ids))
    return render_template(
        "people/authorise.html",
        firms=[(str(firm.id), firm.name) for firm in firms.values()],
        roles=[(role.value, role.label) for role in _ROLES],
        mandates=Mandate,
        chosen=form.getlist("mandates") if form else [],
        today=business_date(now()),
        kept=files.files.get("letter", []),
        labels=LABELS,
        form=form,
        errors=errors,
    )


def _leave_page(organisation_id: int, person_id: int, errors: dict[str, list[str]]) -> str:
    actor = current_actor()
    with reading() as session:
        lines = colleagues(session, actor, on=business_date(now()))
        tasks = open_tasks(session, organisation_id) if organisation_id in actor.organisation_ids else {}
    here = {each.person_id: each.name for each in lines if each.place_id == organisation_id}
    return render_template(
        "people/leave.html",
        name=found(here.get(person_id)),
        organisation_id=organisation_id,
        person_id=person_id,
        others=[(str(key), name) for key, name in here.items() if key != person_id],
        tasks=tasks,
        labels=LABELS,
        form=request.form,
        errors=errors,
    )
