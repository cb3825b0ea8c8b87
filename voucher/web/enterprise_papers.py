"""Papers prepared for a claim before anybody writes it: what a bookkeeper does for several firms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.errors import Refusal, found
from voucher.operations.outcome import only
from voucher.operations.prepare_papers import PrepareRequest, drop_papers, prepare_papers
from voucher.queries.orders import holders_order
from voucher.queries.prepared import prepared_paper, prepared_papers
from voucher.terms import DocumentKind
from voucher.web import claim_files
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, reading, whole_form
from voucher.web.uploads import attachment

blueprint = Blueprint("papers", __name__, url_prefix="/enterprise/orders")


@blueprint.get("/<number>/papers")
@permits("enterprise:claim:prepare")
def page(number: str) -> ResponseReturnValue:
    """What is prepared for the claim of this order, and the form for more."""
    return _page(number, {}, {}), 200


@blueprint.post("/<number>/papers")
@permits("enterprise:claim:prepare")
def send(number: str) -> ResponseReturnValue:
    """Add papers; a form with an error keeps its files."""
    files, errors = claim_files.received()
    if errors:
        return _page(number, errors, claim_files.by_field(files)), 422
    wanted = PrepareRequest(number, tuple(each for _, each in files))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": only(prepare_papers(session, [wanted], actor=current_actor(), at=at))}

    try:
        answer = change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _page(number, whole_form(refusal), claim_files.by_field(files)), refusal.status
    flash(f"已保存 {answer['count']} 份材料，提交兑付申请时自动带上。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.post("/<number>/papers/<int(max=9223372036854775807):paper_id>/drop")
@permits("enterprise:claim:prepare")
def drop(number: str, paper_id: int) -> ResponseReturnValue:
    """Take a prepared paper away again."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": drop_papers(session, number, [paper_id], actor=current_actor(), at=at)}

    change(work, key=form_key(), body=form_body())
    flash("已撤下。", "success")
    return redirect(url_for(".page", number=number), 303)


@blueprint.get("/<number>/papers/<int(max=9223372036854775807):paper_id>")
@permits("enterprise:claim:prepare")
def paper(number: str, paper_id: int) -> Response:
    """One prepared paper."""
    with reading() as session:
        row = found(prepared_paper(session, current_actor(), number, paper_id))
    return attachment(row.sha256, file_name=row.file_name, media_type=row.media_type)


def _page(number: str, errors: dict[str, list[str]], kept: dict[str, Any]) -> str:
    with reading() as session:
        order = found(holders_order(session, number, actor=current_actor()))
        return render_template(
            "people/papers.html",
            order=order,
            papers=prepared_papers(session, current_actor(), number),
            kinds=DocumentKind,
            kept={name: [(ticket, each.stored) for ticket, each in files] for name, files in kept.items()},
            form=request.form,
            errors=errors,
        )
