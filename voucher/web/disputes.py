"""The authority's list of disputes about orders; each is read and decided on its own page (`order_cases`)."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from voucher.queries.disputes import disputes
from voucher.schemas.orders import DisputeSearch
from voucher.terms import DisputeStanding
from voucher.web.access import current_actor, permits
from voucher.web.entry import reading
from voucher.web.filtering import filters_of

blueprint = Blueprint("disputes", __name__, url_prefix="/reviewer/disputes")


@blueprint.get("/")
@permits("reviewer:dispute:read")
def index() -> ResponseReturnValue:
    """The disputes of the actor's regions, the oldest first."""
    wanted, args = filters_of(DisputeSearch)
    with reading() as session:
        return render_template(
            "reviewer/disputes.html",
            page=disputes(session, current_actor(), standing=wanted["standing"], page=wanted["page"]),
            args=args,
            standings=DisputeStanding,
        )
