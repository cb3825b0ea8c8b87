"""Public notices for everybody: read, object, and follow an objection by its number and word. No account is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.models.notices import Objection
from voucher.operations.object_to import ObjectionRequest, look_up, object_publicly
from voucher.operations.once import once, request_id
from voucher.operations.outcome import Refused
from voucher.queries.notices import NoticeFile, PublishedLine, notice_file, notices
from voucher.rules.publicity import is_lookup_word, lookup_word
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.notices import LookUpForm, NoticeSearch, ObjectionForm
from voucher.terms import NoticeState, ObjectionState
from voucher.web.access import public, source
from voucher.web.entry import database, form_body, form_key, now, reading, settings
from voucher.web.filtering import filters_of

blueprint = Blueprint("public_notices", __name__, url_prefix="/notices")

_UNKNOWN = "异议编号或查询口令不正确，请核对提交时给出的编号和口令。"


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """All notices, the newest first."""
    wanted, args = filters_of(NoticeSearch)
    with reading() as session:
        page = notices(session, state=wanted["state"], page=wanted["page"])
    return render_template("notices/public_index.html", page=page, states=NoticeState, args=args)


@blueprint.get("/<number>")
@public
def notice_page(number: str) -> ResponseReturnValue:
    """One notice, with the answers to objections."""
    return render_template("notices/public_notice.html", file=found(_file(number)))


@blueprint.get("/<number>/<subject>/object")
@public
def object_page(number: str, subject: str) -> ResponseReturnValue:
    """The form for an objection to one line."""
    file = found(_file(number))
    return _object_form(file, _line(file, subject), {}, {})


@blueprint.post("/<number>/<subject>/object")
@public
def send_objection(number: str, subject: str) -> ResponseReturnValue:
    """Take an objection; its number and word are shown."""
    file = found(_file(number))
    line = _line(file, subject)
    data, errors = load_form(ObjectionForm, request.form)
    if errors:
        return _object_form(file, line, request.form, errors), 422
    wanted = ObjectionRequest(number, subject, data["objector"], data["contact"], data["body"])
    try:
        asked = request_id(f"public:{source()}"[:80], str(request.endpoint), form_key(), form_body())
        answer = database().transaction(
            lambda session, at: once(session, asked, lambda: _objected(session, wanted, at), at=at)
        )
    except Refusal as refusal:
        return _object_form(file, line, request.form, {"_schema": [sentence(refusal)]}), refusal.status
    made = answer["number"]
    word = lookup_word(settings().secret_key, made)
    return render_template("notices/objected.html", file=file, line=line, number=made, word=word)


@blueprint.get("/objections")
@public
def look_up_page() -> ResponseReturnValue:
    """Ask for number and word of an objection."""
    return render_template("notices/look_up.html", form={}, errors={}, objection=None)


@blueprint.post("/objections")
@public
def send_look_up() -> ResponseReturnValue:
    """Show how an objection stands. A wrong word is committed, so that every worker counts it."""
    data, errors = load_form(LookUpForm, request.form)
    if errors:
        return render_template("notices/look_up.html", form=request.form, errors=errors, objection=None), 422
    number = data["number"].upper()
    right = is_lookup_word(settings().secret_key, number, data["word"])
    answer: Objection | Refused = database().transaction(
        lambda session, at: look_up(session, number, right_word=right, source=source(), at=at)
    )
    if isinstance(answer, Refused):
        limited = answer.code is Code.OBJECTION_LIMITED
        errors = {"_schema": [sentence(answer) if limited else _UNKNOWN]}
        page = render_template("notices/look_up.html", form=request.form, errors=errors, objection=None)
        return page, 429 if limited else 404
    state = ObjectionState(answer.state)
    return render_template(
        "notices/look_up.html", form=request.form, errors={}, objection=answer, state=state
    )


def _objected(session: Session, wanted: ObjectionRequest, at: datetime) -> dict[str, Any]:
    return {"number": object_publicly(session, wanted, source=source(), at=at).number}


def _file(number: str) -> NoticeFile | None:
    with reading() as session:
        return notice_file(session, number, on=business_date(now()))


def _line(file: NoticeFile, subject: str) -> PublishedLine:
    return found(next((line for line in file.lines if line.subject == subject), None))


def _object_form(file: NoticeFile, line: PublishedLine, form: Any, errors: dict[str, list[str]]) -> str:
    return render_template("notices/object.html", file=file, line=line, form=form, errors=errors)
