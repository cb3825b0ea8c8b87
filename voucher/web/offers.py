"""What could I get, and what would I pay first: for anybody, and more exactly for a firm that is signed in.

Also the public queue. Everything stands in the address, so the calculator works without scripts and can be passed on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Refusal, found
from voucher.models.programmes import Programme
from voucher.operations.applicant import Applicant, applicant_of, own_holders
from voucher.operations.cap_room import CapOf, CapRoom, cap_room
from voucher.operations.offers import Offer, Question, offer_of
from voucher.queries.appeals import all_programmes
from voucher.queries.applications import public_queue
from voucher.queries.platforms import Offer as Listed
from voucher.queries.platforms import offers
from voucher.rules.clamp import Limit
from voucher.rules.permissions import Actor, permitted
from voucher.schemas.applying import OfferSearch, QueueSearch
from voucher.schemas.base import load_form
from voucher.schemas.conditions import said
from voucher.schemas.messages import sentence
from voucher.web.access import current_standing, public
from voucher.web.counter_words import rates_shown
from voucher.web.entry import now, reading
from voucher.web.filtering import filters_of
from voucher.web.filters import housed

blueprint = Blueprint("offers", __name__, url_prefix="/apply")

_READ = "enterprise:application:read"


@blueprint.get("/")
@public
def index() -> ResponseReturnValue:
    """The programmes, and what each offers in one line."""
    at = now()
    with reading() as session:
        rows = [(programme, _told(session, programme, at)) for programme in all_programmes(session)]
        return render_template("public/offers.html", rows=rows)


@blueprint.get("/<programme_code>")
@public
def page(programme_code: str) -> ResponseReturnValue:
    """One programme: voucher up to X, needs a contract of Y, what is paid first, what is asked for, how long it takes."""
    data, errors = load_form(OfferSearch, request.args)
    at, actor = now(), _enterprise()
    with reading() as session:
        found(session.get(Programme, programme_code))
        asking = _asking(session, programme_code, actor, at)
        asked = Question() if errors else _question(data, asking)
        offer, problem, cap, listed = None, "", None, list[Listed]()
        try:
            if asking is not None:
                cap, listed = _cap(session, asking, at), offers(session, asking.policy, on=business_date(at))
                asked = _question({} if errors else data, asking, cap)
                asked, errors = _at_platform(asked, listed, data.get("platform"), errors)
            offer = offer_of(session, programme_code, asked, at=at)
        except Refusal as refusal:
            problem = sentence(refusal)
        answer = render_template(
            "public/offer.html",
            programme=session.get_one(Programme, programme_code),
            offer=offer,
            problem=problem,
            asking=asking,
            conditions=[said(each) for each in asking.conditions] if asking else [],
            cap=cap,
            platform_choices=[(str(each.platform.id), housed(each.platform)) for each in listed],
            agreement=asked.agreement,
            rates=rates_shown(offer.policy) if offer else [],
            usual_days=_days(offer),
            form=request.args,
            errors=errors,
            class_choices=[(each.value, each.label) for each in offer.policy.holder_classes] if offer else [],
            service_choices=[(each.code, each.label) for each in offer.policy.services] if offer else [],
        )
    return answer, 422 if errors else 200


@blueprint.get("/<programme_code>/queue")
@public
def queue(programme_code: str) -> ResponseReturnValue:
    """The queue as anybody may read it: numbers in order of receipt, names covered."""
    wanted, args = filters_of(QueueSearch)
    year = wanted["year"] or fiscal_year(now())
    with reading() as session:
        programme = found(session.get(Programme, programme_code))
        return render_template(
            "public/queue.html",
            programme=programme,
            year=year,
            page=public_queue(session, programme_code, year, page=wanted["page"]),
            args={**args, "programme_code": programme_code},
        )


def _told(session: Session, programme: Programme, at: datetime) -> Offer | None:
    """What it offers today; None between two versions of its policy."""
    try:
        return offer_of(session, programme.code, Question(), at=at)
    except Refusal:
        return None


def _enterprise() -> Actor | None:
    """Whoever is signed in for a firm; None for anybody else."""
    standing = current_standing()
    if standing is None or not permitted(standing.actor, _READ):
        return None
    return standing.acting_for((_READ,))


def _asking(session: Session, programme_code: str, actor: Actor | None, at: datetime) -> Applicant | None:
    """Where the visitor's own firm stands; None for a visitor, or while no policy is in force."""
    holders = own_holders(session, actor=actor) if actor else []
    chosen = request.args.get("holder_ref", "")
    holder = next((each for each in holders if each.ref == chosen), holders[0] if holders else None)
    if holder is None:
        return None
    try:
        return applicant_of(session, programme_code, holder, at=at)
    except Refusal:
        return None


def _cap(session: Session, asking: Applicant, at: datetime) -> CapRoom | None:
    whose = CapOf(asking.programme.book_id, asking.programme.code, asking.holder, asking.holder_class.value)
    return cap_room(session, asking.policy, whose, on=business_date(at))


def _question(data: dict[str, Any], asking: Applicant | None, cap: CapRoom | None = None) -> Question:
    limits: tuple[Limit, ...] = ()
    if cap is not None:
        limits = cap.limits
    return Question(
        holder_class=data.get("holder_class") or (asking.holder_class if asking else None),
        service=data.get("service", ""),
        voucher_fen=data.get("voucher"),
        contract_fen=data.get("contract"),
        applicant_region=data.get("applicant_region") or (asking.holder.region_code if asking else ""),
        provider_region=data.get("provider_region", ""),
        limits=limits,
    )


def _at_platform(
    asked: Question, platforms: Sequence[Listed], platform_id: int | None, errors: dict[str, list[str]]
) -> tuple[Question, dict[str, list[str]]]:
    """The question at one platform: its region, and the agreement that admits it; an error where it does not sell that."""
    listed = next((each for each in platforms if each.platform.id == platform_id), None)
    if errors or platform_id is None:
        return asked, errors
    if listed is None:
        return asked, {"platform": ["这个平台现在不能用本项目的券。"]}
    service = asked.service or listed.services[0]
    if service not in listed.services:
        return asked, {"platform": ["这个平台没有经认定提供所选的服务，请另选平台或服务。"]}
    region, agreement = listed.platform.region_code, listed.agreements.get(service)
    return replace(asked, service=service, provider_region=region, agreement=agreement), {}


def _days(offer: Offer | None) -> int | None:
    """The usual time of a decision in days, rounded up."""
    if offer is None or offer.usual_seconds is None:
        return None
    return max(1, -(-offer.usual_seconds // 86_400))
