"""Addresses inside pictures: /S/ of a rotating code, /V/ of a voucher on paper. Any camera may open them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.codes import read_number, scan_code
from voucher.errors import Refusal, found
from voucher.operations.open_paper_session import look_up_paper, open_paper_session
from voucher.operations.outcome import Refused
from voucher.rules.masking import masked
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.sessions import PaperForm
from voucher.web.access import current_actor, current_standing, permits, public
from voucher.web.counter_code import give_ticket, presented_at
from voucher.web.counter_words import words
from voucher.web.entry import change, database, form_body, form_key, now
from voucher.web.provider import chosen_platform

blueprint = Blueprint("counter", __name__)
blueprint.context_processor(words)


@blueprint.get("/S/<text>")
@blueprint.get("/s/<text>", endpoint="lower_scanned")
@public
def scanned(text: str) -> ResponseReturnValue:
    """A code opened by a stock camera. Good on arrival, it stays good for five minutes, through signing in.

    Looking changes nothing: only the button scans, so that a preview cannot use the code up. Every code gets its
    ticket, which says when it came and not whether it is genuine: guesses can be tried only where they are counted.
    """
    read = scan_code(text)
    if read is None:
        abort(404)
    digits = read.kid + read.number + read.tag
    standing = current_standing()
    if standing is None:
        response = make_response(redirect(url_for("account.sign_in", next=f"/S/{digits}"), 303))
    else:
        may = permitted(standing.actor, "provider:session:scan")
        platform = chosen_platform() if may else None
        response = make_response(
            render_template("counter/scanned.html", digits=digits, may=may, platform=platform)
        )
    at = now()
    has_ticket = presented_at(digits, at) != at
    return response if has_ticket else give_ticket(response, digits)


@blueprint.get("/V/<number>")
@blueprint.get("/v/<number>", endpoint="lower_paper")
@permits("provider:session:scan")
def paper(number: str) -> ResponseReturnValue:
    """A voucher on paper, looked up by a counter: whether it may be used, and enough of its holder to compare papers.

    It takes nothing; the look is counted.
    """
    return _paper_page(number, {}), 200


@blueprint.post("/V/<number>")
@permits("provider:session:propose")
def send_paper(number: str) -> ResponseReturnValue:
    """Start a session that the firm confirms on its own screen; the counter vouches for the papers it saw."""
    _, errors = load_form(PaperForm, request.form)
    if errors:
        return _paper_page(number, {"papers_seen": ["请先核对经办人证件，再勾选。"]}), 422
    actor, platform = current_actor(), found(chosen_platform())
    known = found(read_number(number))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        opened = open_paper_session(session, known, platform_id=platform.id, actor=actor, at=at)
        return {"number": opened.number}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _paper_page(number, {"_schema": [sentence(refusal)]}), refusal.status
    return redirect(url_for("provider_sessions.page", number=answer["number"]), 303)


def _paper_page(number: str, errors: dict[str, list[str]]) -> str:
    actor, platform, known = current_actor(), found(chosen_platform()), found(read_number(number))
    voucher = database().transaction(
        lambda session, at: look_up_paper(session, known, platform_id=platform.id, actor=actor, at=at)
    )
    if isinstance(voucher, Refused):
        raise Refusal(voucher.code, **voucher.facts)
    holder = (masked(voucher.holder.name), voucher.holder.ref[-4:])
    return render_template(
        "counter/paper.html", voucher=voucher, holder=holder, platform=platform, errors=errors
    )
