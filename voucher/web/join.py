"""Opening an account, taking up a role or setting a new password with a one-time code. No account is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.operations.authenticate import SignedIn, hash_password
from voucher.operations.join import Joined, Joiner, Newcomer, join, reset_password
from voucher.operations.join_codes import Presentation, join_key, refuse_locked_out
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor, permitted
from voucher.schemas.account import password_fault
from voucher.schemas.base import load_form
from voucher.schemas.joining import ACCOUNT_ROLES, JoinForm, JoinSignedInForm, ResetForm
from voucher.schemas.messages import sentence
from voucher.web.access import begin_session, current_standing, proved_at, public, source
from voucher.web.entry import database, now, reading, settings

blueprint = Blueprint("join", __name__, url_prefix="/join")

_SECRET: Final = frozenset({"password", "again"})


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """The form: organisation, code, and for a newcomer name, login and password."""
    return _page({}, {}, 200)


@blueprint.post("/")
@public
def send() -> ResponseReturnValue:
    """Use a code. A wrong one is committed, so that every worker counts it, and then shown."""
    standing = current_standing()
    if standing is not None and not permitted(standing.actor, "own:account:read"):
        raise Refusal(Code.NOT_PERMITTED)
    data, errors = load_form(JoinSignedInForm if standing else JoinForm, request.form)
    if not errors and data["as_role"] not in ACCOUNT_ROLES:
        errors = {"as_role": ["请选择您的身份。"]}
    if not errors and standing is None:
        fault = password_fault(data["password"], login=data["login"], profile=settings().password_profile)
        errors = {"password": [fault]} if fault else {}
    if errors:
        return _page(request.form, errors, 422)
    try:
        who = standing.actor if standing else _newcomer(data)
        answer = _join(data, who)
    except Refusal as refusal:
        field = "login" if refusal.code is Code.LOGIN_TAKEN else "_schema"
        return _page(request.form, {field: [sentence(refusal)]}, refusal.status)
    if isinstance(answer, Refused):
        return _page(request.form, {"_schema": [sentence(answer)]}, Refusal(answer.code).status)
    before = proved_at() if standing is not None else None
    begin_session(SignedIn(answer.person_id, answer.session_version), proved_at=before)
    flash("已开通，今后请用用户名和密码登录。", "success")
    return redirect(url_for("account.profile"), 303)


@blueprint.get("/reset")
@public
def reset_page() -> ResponseReturnValue:
    """The form for a new password with a code."""
    return _reset_page({}, {}, 200)


@blueprint.post("/reset")
@public
def send_reset() -> ResponseReturnValue:
    """Set a new password with a code. Every session of before ends."""
    data, errors = load_form(ResetForm, request.form)
    if not errors:
        fault = password_fault(data["password"], login=data["code"], profile=settings().password_profile)
        errors = {"password": [fault]} if fault else {}
    if errors:
        return _reset_page(request.form, errors, 422)
    try:
        password_hash = _hashed(data["password"])
    except Refusal as refusal:
        return _reset_page(request.form, {"_schema": [sentence(refusal)]}, refusal.status)
    given = Presentation(data["uscc"], data["code"], source())
    key = join_key(settings().secret_key)
    answer = database().transaction(
        lambda session, at: reset_password(session, given, password_hash=password_hash, key=key, at=at)
    )
    if isinstance(answer, Refused):
        return _reset_page(request.form, {"_schema": [sentence(answer)]}, Refusal(answer.code).status)
    begin_session(SignedIn(answer.person_id, answer.session_version))
    flash("新密码已生效，此前的登录已全部退出。", "success")
    return redirect(url_for("account.profile"), 303)


def _newcomer(data: dict[str, Any]) -> Newcomer:
    return Newcomer(login=data["login"], name=data["name"], password_hash=_hashed(data["password"]))


def _hashed(password: str) -> str:
    """The hash to keep; refused (`locked_out`) before it is computed for an address that has used up its tries."""
    with reading() as session:
        refuse_locked_out(session, source(), at=now())
    return hash_password(password, profile=settings().argon2_profile)


def _join(data: dict[str, Any], who: Newcomer | Actor) -> Joined | Refused:
    given = Presentation(data["uscc"], data["code"], source())
    joiner = Joiner(who, ACCOUNT_ROLES[data["as_role"]])
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> Joined | Refused:
        return join(session, given, joiner, key=key, at=at)

    return database().transaction(work)


def _page(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    return render_template("join/join.html", form=_shown(form), errors=errors), status


def _reset_page(form: Any, errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    return render_template("join/reset.html", form=_shown(form), errors=errors), status


def _shown(form: Any) -> dict[str, str]:
    """What was filled in, without passwords."""
    return {name: form.get(name, "") for name in form if name not in _SECRET}
