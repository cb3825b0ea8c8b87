"""Holders: who stands on the year's roster, and qualifying them for a programme."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Refusal
from voucher.operations.outcome import Refused
from voucher.operations.qualify import QualifyRequest, qualify
from voucher.queries.holders import HolderFilter, holders
from voucher.queries.policies import versions
from voucher.schemas.base import load_form
from voucher.schemas.claims import HolderSearch, QualifyForm
from voucher.schemas.messages import sentence
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("holders", __name__, url_prefix="/reviewer/holders")

MOST_AT_ONCE: Final = 5000


@blueprint.get("/")
@permits("reviewer:holder:qualify")
def index() -> ResponseReturnValue:
    """The holders of a programme and year."""
    return _page({}, 200)


@blueprint.post("/qualify")
@permits("reviewer:holder:qualify")
def send_qualify() -> ResponseReturnValue:
    """Qualify the ticked holders, or everybody on the roster who is not qualified; refusals are listed by name."""
    data, errors = load_form(QualifyForm, request.form)
    if errors:
        return _page(errors, 422)
    actor = current_actor()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        refs = data["holders"]
        if data["everyone"]:
            wanted = HolderFilter(data["programme"], fiscal_year(at), standing="open")
            refs = [row.ref for row in holders(session, actor, wanted, size=MOST_AT_ONCE).rows]
        requests = [QualifyRequest(ref) for ref in refs]
        results = qualify(session, data["programme"], requests, actor=actor, at=at) if requests else []
        refused = [
            [request.holder_ref, sentence(result)]
            for request, result in zip(requests, results, strict=True)
            if isinstance(result, Refused)
        ]
        return {"done": len(results) - len(refused), "refused": refused}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page({"_schema": [sentence(refusal)]}, refusal.status)
    if answer["refused"]:
        return render_template("reviewer/qualified.html", answer=answer, programme=data["programme"])
    flash(f"已认定 {answer['done']} 家单位。", "success")
    return redirect(url_for("holders.index", programme=data["programme"]), 303)


def _page(errors: dict[str, list[str]], status: int) -> ResponseReturnValue:
    wanted, args = filters_of(HolderSearch)
    chosen = request.form.getlist("holders")
    with reading() as session:
        programmes = list({each.programme_code: each.programme_name for each in versions(session)}.items())
        first = programmes[0][0] if programmes else ""
        limits = HolderFilter(
            request.form.get("programme") or wanted["programme"] or first,
            wanted["year"] or fiscal_year(now()),
            wanted["text"],
            wanted["standing"],
        )
        page = render_template(
            "reviewer/holders.html",
            page=holders(session, current_actor(), limits, page=wanted["page"]),
            programmes=programmes,
            limits=limits,
            this_year=fiscal_year(now()),
            args=args,
            chosen=chosen,
            errors=errors,
        )
    return page, status
