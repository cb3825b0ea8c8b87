"""A counter device: its people take turns by PIN, so that whoever scans is a person."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Refusal
from voucher.operations.authenticate import password_matches, token_hash
from voucher.operations.devices import AtCounter, PinAttempt, enter_pin, presented_pin
from voucher.operations.outcome import Refused
from voucher.queries.colleagues import DeviceView, device_of
from voucher.schemas.base import load_form
from voucher.schemas.joining import EnterForm
from voucher.schemas.messages import sentence
from voucher.web.access import DEVICE_COOKIE, begin_counter_session, public, safe_path, source
from voucher.web.entry import database, now, reading, settings

blueprint = Blueprint("counter_device", __name__, url_prefix="/device")


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """Who is at the counter? A browser that is no device is sent to the sign-in."""
    device = _device()
    if device is None:
        return redirect(url_for("account.sign_in", next=safe_path(request.args.get("next"))))
    return _page(device, {}), 200


@blueprint.post("/")
@public
def send() -> ResponseReturnValue:
    """Take a PIN. A wrong one is committed, so that every worker counts it, and then shown."""
    device = _device()
    if device is None:
        return redirect(url_for("account.sign_in"), 303)
    data, errors = load_form(EnterForm, request.form)
    if errors:
        return _page(device, errors), 422
    with reading() as session:
        kept = presented_pin(session, data["person_id"])
    matches = password_matches(data["pin"], kept.pin_hash, profile=settings().argon2_profile)
    token = request.cookies.get(DEVICE_COOKIE, "")
    attempt = PinAttempt(token, data["person_id"], matches, kept.set_at, source())

    def work(session: Session, at: datetime) -> AtCounter | Refused:
        return enter_pin(session, attempt, at=at)

    answer = database().transaction(work)
    if isinstance(answer, Refused):
        return _page(device, {"pin": [sentence(answer)]}), Refusal(answer.code).status
    begin_counter_session(answer)
    return redirect(safe_path(request.args.get("next")) or url_for("provider.home"), 303)


def _device() -> DeviceView | None:
    with reading() as session:
        token = request.cookies.get(DEVICE_COOKIE, "")
        return device_of(session, token_hash(token), on=business_date(now()))


def _page(device: DeviceView, errors: dict[str, list[str]]) -> str:
    return render_template("staff/enter.html", device=device, form=request.form, errors=errors)
