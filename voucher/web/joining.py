"""The bureau: letters with codes for those without an account, teams and founders, and all authorisations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.dispatch.ways import open_channels
from voucher.errors import Refusal, found
from voucher.operations.issue_codes import issue_letters
from voucher.operations.join_codes import MadeCode, join_key
from voucher.operations.outcome import Refused, only
from voucher.operations.send_codes import CodeSent, send_codes
from voucher.operations.teams import WITHOUT_USCC, TeamRequest, register_teams
from voucher.queries.joining import authorisations, letter_of, organisations, teams, unjoined
from voucher.rules.permissions import permitted
from voucher.schemas.base import TextSearch, load_form
from voucher.schemas.joining import LettersForm, TeamForm
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, database, form_body, form_key, now, reading, settings
from voucher.web.filtering import filters_of
from voucher.web.uploads import attachment

blueprint = Blueprint("joining", __name__, url_prefix="/reviewer")


@blueprint.get("/unjoined")
@permits("reviewer:join:issue")
def index() -> ResponseReturnValue:
    """Those without an account, and a letter for each that is ticked."""
    return _unjoined({}, 200)


@blueprint.post("/letters")
@permits("reviewer:join:issue")
def send_letters() -> ResponseReturnValue:
    """Make the codes and show the letters to be printed. The codes are shown this once: sent again, they are new ones."""
    data, errors = load_form(LettersForm, request.form)
    if errors:
        return _unjoined(errors, 422)
    ids: Sequence[int] = data["organisations"]
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> list[MadeCode | Refused]:
        return issue_letters(session, ids, key=key, actor=current_actor(), at=at)

    answers = database().transaction(work)
    return _letters(answers)


@blueprint.post("/codes")
@permits("reviewer:join:issue")
def send_by_message() -> ResponseReturnValue:
    """Send the codes to where the roster says that the ticked ones can be reached; no official sees them."""
    data, errors = load_form(LettersForm, request.form)
    if errors:
        return _unjoined(errors, 422)
    ids, channels = data["organisations"], open_channels(settings())
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        answers = send_codes(session, ids, (channels, key), actor=current_actor(), at=at)
        named = {each: row.name for each, row in organisations(session, ids).items()}
        said = [
            f"{named.get(each, each)}：{sentence(answer)}"
            for each, answer in zip(ids, answers, strict=True)
            if isinstance(answer, Refused)
        ]
        return {"sent": sum(isinstance(answer, CodeSent) for answer in answers), "refused": said}

    done = change(work, key=form_key(), body=form_body())
    if done["sent"]:
        flash(f"已向 {done['sent']} 个单位发送验证码，7 天内有效。", "success")
    for words in done["refused"]:
        flash(words, "warning")
    return redirect(url_for("joining.index"), 303)


@blueprint.get("/teams")
@permits("reviewer:team:register")
def team_list() -> ResponseReturnValue:
    """Teams and founders, and the form for one more."""
    return _teams({}, {}, 200)


@blueprint.post("/teams")
@permits("reviewer:team:register")
def send_team() -> ResponseReturnValue:
    """Register a team or founder under a temporary id."""
    data, errors = load_form(TeamForm, request.form)
    if not errors and data["kind"] not in WITHOUT_USCC:
        errors = {"kind": ["请从列表中选择。"]}
    if errors:
        return _teams(request.form, errors, 422)
    wanted = TeamRequest(
        kind=data["kind"],
        name=data["name"],
        region_code=data["region_code"],
        members=tuple(data["members"].splitlines()),
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"ref": only(register_teams(session, [wanted], actor=current_actor(), at=at)).ref}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _teams(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    flash(f"已登记 {data['name']}，临时编号 {answer['ref']}。请打印开户信函交给负责人。", "success")
    return redirect(url_for("joining.team_list"), 303)


@blueprint.post("/teams/<int(max=9223372036854775807):organisation_id>/letter")
@permits("reviewer:team:register")
def send_team_letter(organisation_id: int) -> ResponseReturnValue:
    """The letter of one team, for whoever registered it."""
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> list[MadeCode | Refused]:
        return issue_letters(session, [organisation_id], key=key, actor=current_actor(), at=at)

    only(answers := database().transaction(work))
    return _letters(answers)


@blueprint.get("/authorisations")
@permits("reviewer:authority:read")
def authorisation_list() -> ResponseReturnValue:
    """Every authorisation in the regions, with its letter."""
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = authorisations(session, current_actor(), page=wanted["page"])
    return render_template("joining/authorisations.html", page=page, args=args)


@blueprint.get("/authorisations/<int(max=9223372036854775807):authorisation_id>/letter")
@permits("reviewer:authority:read")
def authorisation_letter(authorisation_id: int) -> Response:
    """The stamped letter of an authorisation."""
    with reading() as session:
        row = found(letter_of(session, current_actor(), authorisation_id))
    return attachment(row.letter_sha256, file_name=row.letter_name, media_type=row.letter_type)


def _letters(answers: Sequence[MadeCode | Refused]) -> ResponseReturnValue:
    made = [answer for answer in answers if isinstance(answer, MadeCode)]
    with reading() as session:
        owners = organisations(session, [each.organisation_id for each in made])
    refused = [sentence(answer) for answer in answers if isinstance(answer, Refused)]
    letters = [(owners[each.organisation_id], each) for each in made]
    actor = current_actor()
    back = "joining.index" if permitted(actor, "reviewer:join:issue") else "joining.team_list"
    return render_template(
        "joining/letters.html", letters=letters, refused=refused, back=back, printed_at=now()
    )


def _unjoined(errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = unjoined(
            session,
            current_actor(),
            on=business_date(now()),
            text=wanted["text"],
            page=wanted["page"],
        )
    chosen = set(request.form.getlist("organisations"))
    return render_template(
        "joining/unjoined.html",
        page=page,
        args=args,
        errors=errors,
        chosen=chosen,
        ways=open_channels(settings()),
    ), status


def _teams(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(TextSearch)
    with reading() as session:
        page = teams(session, current_actor(), text=wanted["text"], page=wanted["page"])
    return render_template(
        "joining/teams.html",
        page=page,
        args=args,
        kinds=sorted((kind.value, kind.label) for kind in WITHOUT_USCC),
        regions=sorted(current_actor().region_codes),
        form=form,
        errors=errors,
    ), status
