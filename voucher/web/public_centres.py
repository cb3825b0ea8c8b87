"""What anybody may read of centres: the register with states and titles, and the published results."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from voucher.queries.centres import CentreFilter, centres, titles_of
from voucher.queries.evaluations import published
from voucher.schemas.base import TextSearch
from voucher.schemas.centres import CentreSearch
from voucher.terms import CentreKind, CertificationState
from voucher.web.access import public
from voucher.web.entry import reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("public_centres", __name__, url_prefix="/centres")


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """The register."""
    wanted, args = filters_of(CentreSearch)
    with reading() as session:
        page = centres(
            session, CentreFilter(wanted["text"], wanted["kind"], wanted["state"]), page=wanted["page"]
        )
        titles = titles_of(session, [line.row.id for line in page.rows])
    return render_template(
        "public/centres.html",
        page=page,
        titles=titles,
        args=args,
        kinds=CentreKind,
        states=CertificationState,
    )


@blueprint.get("/results")
@public
def results() -> ResponseReturnValue:
    """The results of evaluations, the latest year first."""
    wanted, _ = filters_of(TextSearch)
    with reading() as session:
        page = published(session, page=wanted["page"])
    return render_template("public/centre_results.html", page=page)
