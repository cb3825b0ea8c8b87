"""The platform's counter: the scan page, and what a scan answers (收券台)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.codes import read_number, scan_code
from voucher.errors import Code, Refusal
from voucher.models.parties import Platform
from voucher.operations.outcome import Refused
from voucher.operations.scan import ScanRequest, scan
from voucher.queries.orders import latest_captured
from voucher.queries.platforms import own_platforms
from voucher.queries.sessions import recent_of_platforms, state_at
from voucher.rules.permissions import permitted
from voucher.schemas.base import load_form
from voucher.schemas.messages import sentence
from voucher.schemas.sessions import PlatformForm
from voucher.web.access import current_actor, permits
from voucher.web.counter_code import keys, presented_at
from voucher.web.counter_words import service_names, words
from voucher.web.entry import database, now, reading
from voucher.web.headers import allow_camera

blueprint = Blueprint("provider", __name__, url_prefix="/provider")
blueprint.context_processor(words)

_CHOSEN: Final = "platform_id"
_NO_CODE: Final = "没有读到券码：应为 20 位数字，或纸质券的券号。请重新扫描或输入。"
_REFUSED_WORDS: Final = {
    Code.QR_INVALID: "券码无效",
    Code.QR_EXPIRED: "券码已过期",
    Code.QR_USED: "券码已使用",
    Code.VOUCHER_REVOKED: "券已撤销",
    Code.PROVIDER_SUSPENDED: "平台已暂停收券",
    Code.SCAN_RATE_LIMITED: "扫码过于频繁",
}


@blueprint.get("/")
@permits("provider:session:scan")
def home() -> ResponseReturnValue:
    """The counter: the one field, the last sessions, the last five that can be undone."""
    return _counter({}), 200


@blueprint.post("/scan")
@permits("provider:session:scan")
def send_scan() -> ResponseReturnValue:
    """Take a scan. A refusal is committed (it counts), and then shown with its reason."""
    text = request.form.get("code", "")
    read = scan_code(text)
    if read is None:
        paper = read_number(text)
        if paper is not None and paper.startswith("V"):
            return redirect(url_for("counter.paper", number=paper), 303)
        return _counter({"code": [_NO_CODE]}), 422
    actor = current_actor()
    chosen = chosen_platform()
    asked = ScanRequest(
        read, chosen.id if chosen else 0, presented_at(read.kid + read.number + read.tag, now())
    )

    def work(session: Session, at: datetime) -> str | Refused:
        outcome = scan(session, asked, keys(), actor=actor, at=at)
        return outcome if isinstance(outcome, Refused) else outcome.number

    outcome = database().transaction(work)
    if isinstance(outcome, Refused):
        again = outcome.code is Code.QR_USED and bool(outcome.facts.get("by_this_platform"))
        page = render_template(
            "provider/scan_refused.html",
            word=_REFUSED_WORDS.get(outcome.code, "不能收券"),
            text=sentence(outcome),
            tries_left=outcome.facts.get("left"),
            mine=read.number if again else None,
        )
        return page, Refusal(outcome.code).status
    return redirect(url_for("provider_sessions.page", number=outcome, read="yes"), 303)


@blueprint.post("/platform")
@permits("provider:session:scan")
def choose_platform() -> ResponseReturnValue:
    """Say for which platform this counter scans; the browser keeps it."""
    data, errors = load_form(PlatformForm, request.form)
    if errors or data["platform_id"] not in current_actor().platform_ids:
        return _counter({"platform_id": ["请从列表中选择平台。"]}), 422
    cookie[_CHOSEN] = data["platform_id"]
    return redirect(url_for(".home"), 303)


def chosen_platform() -> Platform | None:
    """The platform that this counter scans for: the chosen one while it is the person's, else their first."""
    with reading() as session:
        mine = own_platforms(session, actor=current_actor())
    return next((each for each in mine if each.id == cookie.get(_CHOSEN)), mine[0] if mine else None)


def _counter(errors: dict[str, list[str]]) -> str:
    allow_camera()
    actor, at = current_actor(), now()
    with reading() as session:
        recent = [(row, state_at(row, at)) for row in recent_of_platforms(session, actor=actor)]
        undoable = latest_captured(session, actor=actor)
        return render_template(
            "provider/counter.html",
            platforms=own_platforms(session, actor=actor),
            platform=chosen_platform(),
            recent=recent,
            undoable=undoable,
            services=service_names(session, undoable),
            can_reverse=permitted(actor, "provider:order:reverse"),
            typed=request.form.get("code", ""),
            errors=errors,
        )
