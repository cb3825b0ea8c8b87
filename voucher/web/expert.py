"""Experts: the claims that they were asked about, each on its own page, and the answer, given once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.opinions import OpinionRequest, give_opinions
from voucher.operations.outcome import only
from voucher.queries.opinions import asked_of, expert_document, expert_file
from voucher.schemas.base import load_form
from voucher.schemas.review import OpinionForm
from voucher.terms import OpinionVerdict
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, whole_form
from voucher.web.uploads import attachment

blueprint = Blueprint("expert", __name__, url_prefix="/expert")


@blueprint.get("/claims")
@permits("expert:opinion:give")
def index() -> ResponseReturnValue:
    """What the expert was asked about."""
    with reading() as session:
        rows = asked_of(session, current_actor())
    return render_template("expert/claims.html", rows=rows, today=business_date(now()))


@blueprint.get("/claims/<number>")
@permits("expert:opinion:give")
def page(number: str) -> ResponseReturnValue:
    """One claim with its papers and the form for the opinion."""
    return _page(number, {}, {})


@blueprint.get("/claims/<number>/documents/<int(max=9223372036854775807):document_id>")
@permits("expert:opinion:give")
def document(number: str, document_id: int) -> Response:
    """A file of such a claim, as a download."""
    with reading() as session:
        row = found(expert_document(session, current_actor(), number, document_id))
    return attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


@blueprint.post("/claims/<number>")
@permits("expert:opinion:give")
def answer(number: str) -> ResponseReturnValue:
    """Give the opinion, or declare a conflict; neither can be changed afterwards."""
    data, errors = load_form(OpinionForm, request.form)
    if errors:
        return _page(number, request.form, errors)
    wanted = OpinionRequest(number, data["verdict"], data["amount"], data["text"], data["conflict"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"claim": only(give_opinions(session, [wanted], actor=current_actor(), at=at))}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, request.form, whole_form(refusal), status=refusal.status)
    flash(f"{number} 的意见已提交，谢谢。", "success")
    return redirect(url_for("expert.index"), 303)


def _page(
    number: str, form: Mapping[str, Any], errors: dict[str, list[str]], *, status: int = 422
) -> ResponseReturnValue:
    with reading() as session:
        shown = found(expert_file(session, current_actor(), number))
    rendered = render_template(
        "expert/claim.html",
        file=shown.file,
        opinion=shown.opinion,
        given=shown.verdict,
        verdicts=OpinionVerdict,
        form=form,
        errors=errors,
    )
    return rendered, status if errors else 200
