"""The service catalogue: a platform's own list, and the firm's search."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal, found
from voucher.operations.catalogue import EntryRequest, list_entries, withdraw_entries
from voucher.operations.outcome import only
from voucher.operations.policies import policy_in_force
from voucher.queries.catalogue import (
    CatalogueFilter,
    EntryLine,
    catalogue,
    certified_services,
    entry,
    own_entries,
)
from voucher.queries.platforms import offers, own_platforms
from voucher.queries.policies import service_labels
from voucher.queries.vouchers import own_vouchers
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.orders import CatalogueForm, EntryChoice, EntryForm
from voucher.terms import VoucherState
from voucher.web.access import current_actor, permits
from voucher.web.counter_words import words
from voucher.web.entry import change, form_body, form_key, now, reading
from voucher.web.filtering import filters_of

own = Blueprint("own_catalogue", __name__, url_prefix="/provider/catalogue")
search = Blueprint("catalogue", __name__, url_prefix="/enterprise/catalogue")
own.context_processor(words)
search.context_processor(words)
_FIELDS = ("platform_id", "service", "title", "delivers", "unit", "usual_days", "exclusions")


@own.get("/")
@permits("provider:catalogue:write")
def listing() -> ResponseReturnValue:
    """Everything that one's platforms listed, withdrawn entries too."""
    with reading() as session:
        lines = own_entries(session, actor=current_actor())
        return render_template("provider/catalogue.html", lines=lines, labels=service_labels(session))


@own.get("/new")
@permits("provider:catalogue:write")
def new() -> ResponseReturnValue:
    """An empty entry, or one that is to take the place of another."""
    given: dict[str, Any] = {}
    named, _ = load_form(EntryChoice, {"entry": request.args.get("replaces", "")})
    if named.get("entry"):
        with reading() as session:
            row = found(entry(session, named["entry"])).entry
            if row.platform_id in current_actor().platform_ids:
                given = {name: getattr(row, name) for name in _FIELDS}
                given |= {"price": row.price_fen, "replaces": row.id}
    return _form(given, {}), 200


@own.post("/new")
@permits("provider:catalogue:write")
def add() -> ResponseReturnValue:
    """Put an entry on the list."""
    data, errors = load_form(EntryForm, request.form)
    if errors:
        return _form(request.form.to_dict(), errors), 422
    price_fen = data.pop("price")
    wanted = EntryRequest(price_fen=price_fen, **data)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(list_entries(session, [wanted], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        return _form(request.form.to_dict(), {"_schema": [sentence(refusal)]}), refusal.status
    flash("已列入服务清单，企业可以查到。", "success")
    return redirect(url_for(".listing"), 303)


@own.post("/<int(max=9223372036854775807):entry_id>/withdraw")
@permits("provider:catalogue:write")
def withdraw(entry_id: int) -> ResponseReturnValue:
    """Take an entry off the list."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(withdraw_entries(session, [entry_id], actor=current_actor(), at=at)).id}

    try:
        change(work, key=form_key(), body=form_body())
    except Refusal as refusal:
        flash(sentence(refusal), "warning")
    else:
        flash("已下架，已下的订单不受影响。", "success")
    return redirect(url_for(".listing"), 303)


@search.get("/")
@permits("enterprise:order:place")
def find() -> ResponseReturnValue:
    """What platforms offer, by words, service, region and price; the filters are the address."""
    data, asked = filters_of(CatalogueForm)
    wanted = CatalogueFilter(
        text=data.get("text", ""),
        service=data.get("service", ""),
        region=data.get("region", ""),
        most_fen=data.get("most"),
    )
    with reading() as session:
        page = catalogue(session, wanted, on=business_date(now()), page=data.get("page", 1))
        labels = service_labels(session)
        return render_template("enterprise/catalogue.html", page=page, asked=asked, labels=labels)


@search.get("/<int(max=9223372036854775807):entry_id>")
@permits("enterprise:order:place")
def page(entry_id: int) -> ResponseReturnValue:
    """One entry, and the vouchers that it can be ordered with."""
    at = now()
    with reading() as session:
        line = found(entry(session, entry_id))
        mine = own_vouchers(session, actor=current_actor(), state=VoucherState.LIVE)
        buying = {code: _buys(session, code, line, at=at) for code in {each.programme.code for each in mine}}
        return render_template(
            "enterprise/catalogue_entry.html",
            line=line,
            labels=service_labels(session),
            views=[each for each in mine if buying[each.programme.code]],
        )


def _buys(session: Session, programme: str, line: EntryLine, *, at: datetime) -> bool:
    """Whether the programme's vouchers buy this service from this platform today."""
    try:
        policy = policy_in_force(session, programme, at)
    except Refusal:
        return False
    listed = offers(session, policy, on=business_date(at), service=line.entry.service)
    return any(offer.platform.id == line.entry.platform_id for offer in listed)


def _form(given: dict[str, Any], errors: dict[str, list[str]]) -> str:
    with reading() as session:
        actor = current_actor()
        services = certified_services(session, actor=actor, on=business_date(now()))
        labels = service_labels(session)
        codes = sorted({code for listed in services.values() for code in listed})
        return render_template(
            "provider/catalogue_entry.html",
            given=given,
            platforms=[(each.id, each.name) for each in own_platforms(session, actor=actor)],
            services=[(code, labels.get(code, code)) for code in codes],
            errors=errors,
        )
