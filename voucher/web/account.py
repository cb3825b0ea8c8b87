"""Signing in and out, one's own account, and proving the password again before money moves."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Code
from voucher.operations.authenticate import (
    Attempt,
    SignedIn,
    hash_password,
    password_matches,
    presented,
    sign_in,
)
from voucher.operations.enrol import change_password
from voucher.operations.outcome import Refused
from voucher.schemas.account import ChangePasswordForm, ProofForm, SignInForm, password_fault
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.web.access import (
    begin_session,
    current_actor,
    current_standing,
    end_session,
    permits,
    proved,
    public,
    safe_path,
    source,
)
from voucher.web.entry import database, reading, settings
from voucher.web.navigation import entries_of

blueprint = Blueprint("account", __name__, url_prefix="/account")

_STATUS = {Code.SIGN_IN_FAILED: 422, Code.LOCKED_OUT: 429}


@blueprint.get("/sign-in", endpoint="sign_in")
@public
def sign_in_page() -> ResponseReturnValue:
    """The sign-in form; somebody who is signed in already goes on."""
    if current_standing() is not None:
        return redirect(safe_path(request.args.get("next")) or url_for("account.home"))
    return render_template("account/sign_in.html", errors={}, login="")


@blueprint.post("/sign-in")
@public
def send_sign_in() -> ResponseReturnValue:
    """Sign in. A failure is committed, so that every worker counts it, and then shown."""
    data, errors = load_form(SignInForm, request.form)
    login = request.form.get("login", "")[:40]
    if errors:
        return render_template("account/sign_in.html", errors=errors, login=login), 422
    outcome = _attempt(data["login"], data["password"])
    if isinstance(outcome, Refused):
        page = render_template("account/sign_in.html", errors={"_schema": [sentence(outcome)]}, login=login)
        return page, _STATUS[outcome.code]
    begin_session(outcome)
    return redirect(safe_path(request.args.get("next")) or url_for("account.home"), 303)


@blueprint.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this session."""
    end_session()
    flash("您已退出登录。", "success")
    return redirect(url_for("public.home"), 303)


@blueprint.get("/")
@permits("own:account:read")
def home() -> ResponseReturnValue:
    """Lead to the first page of the visitor's own menu."""
    return redirect(url_for(entries_of(current_actor())[0].endpoint))


@blueprint.get("/profile")
@permits("own:account:read")
def profile() -> ResponseReturnValue:
    """One's own account: name, login, and every role with what it is for."""
    return render_template("account/profile.html", standing=current_standing())


@blueprint.get("/password")
@permits("own:account:read")
def password_page() -> ResponseReturnValue:
    """The form for another password."""
    return render_template("account/password.html", errors={}, login=_own_login())


@blueprint.post("/password")
@permits("own:account:read")
def send_password() -> ResponseReturnValue:
    """Change one's password. Every other session and token of this person ends."""
    data, errors = load_form(ChangePasswordForm, request.form)
    login = _own_login()
    if not errors:
        fault = password_fault(data["new_password"], login=login, profile=settings().password_profile)
        errors = {"new_password": [fault]} if fault else {}
    if errors:
        return render_template("account/password.html", errors=errors, login=_own_login()), 422
    outcome = _attempt(login, data["password"])
    if isinstance(outcome, Refused):
        return render_template("account/password.html", errors=_wrong(outcome), login=_own_login()), _STATUS[
            outcome.code
        ]
    actor = current_actor()
    password_hash = hash_password(data["new_password"], profile=settings().argon2_profile)

    def work(session: Session, at: datetime) -> int:
        return change_password(session, actor.person_id, password_hash=password_hash, actor=actor, at=at)

    begin_session(SignedIn(actor.person_id, database().transaction(work)))
    flash("密码已修改，您在其他设备上的登录已全部退出。", "success")
    return redirect(url_for("account.profile"), 303)


@blueprint.get("/prove")
@permits("own:account:read")
def prove() -> ResponseReturnValue:
    """Ask for the password again."""
    return render_template("account/prove.html", errors={}, login=_own_login())


@blueprint.post("/prove")
@permits("own:account:read")
def send_proof() -> ResponseReturnValue:
    """Take the password again, and go back to where it was asked for. Counts for the lockout like a sign-in."""
    data, errors = load_form(ProofForm, request.form)
    if errors:
        return render_template("account/prove.html", errors=errors, login=_own_login()), 422
    outcome = _attempt(_own_login(), data["password"])
    if isinstance(outcome, Refused):
        return render_template("account/prove.html", errors=_wrong(outcome), login=_own_login()), _STATUS[
            outcome.code
        ]
    proved()
    return redirect(safe_path(request.args.get("next")) or url_for("account.home"), 303)


def _attempt(login: str, password: str) -> SignedIn | Refused:
    """One attempt: read, compare while nothing is held, then decide and write in a transaction."""
    with reading() as session:
        kept = presented(session, login)
    matches = password_matches(password, kept.password_hash, profile=settings().argon2_profile)
    attempt = Attempt(login, source(), matches, kept.session_version)
    return database().transaction(lambda session, at: sign_in(session, attempt, at=at))


def _own_login() -> str:
    standing = current_standing()
    return standing.login if standing else ""


def _wrong(outcome: Refused) -> dict[str, list[str]]:
    if outcome.code is Code.SIGN_IN_FAILED:
        return {"password": ["密码不正确。"]}
    return {"_schema": [sentence(outcome)]}
