"""A practice redemption for new counters. It touches no database, no voucher and no money, and says so."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from voucher.codes import scan_code
from voucher.money import Fen, share_floor
from voucher.qr import svg
from voucher.schemas.base import load_form
from voucher.schemas.sessions import PracticeForm
from voucher.web.access import permits
from voucher.web.counter_code import payload
from voucher.web.counter_words import words
from voucher.web.headers import allow_camera

blueprint = Blueprint("provider_practice", __name__, url_prefix="/provider/practice")
blueprint.context_processor(words)

DIGITS: Final = "99000000001000000001"
"""The code of the practice firm: its key id signs nothing, so no counter takes it for a real one."""
_RATE_BP: Final = 5_000


@blueprint.get("/")
@permits("provider:session:scan")
def page() -> ResponseReturnValue:
    """The practice code, and the field to scan it with."""
    return _page("scan", {}), 200


@blueprint.post("/scan")
@permits("provider:session:scan")
def send_scan() -> ResponseReturnValue:
    """Take a practice scan."""
    read = scan_code(request.form.get("code", ""))
    if read is None or read.kid + read.number + read.tag != DIGITS:
        return _page("scan", {"code": ["这不是本页的练习券码，请扫描或输入上面的 20 位数字。"]}), 422
    return _page("amount", {}), 200


@blueprint.post("/amount")
@permits("provider:session:scan")
def send_amount() -> ResponseReturnValue:
    """Show what both screens would show."""
    data, errors = load_form(PracticeForm, request.form)
    if errors:
        return _page("amount", errors), 422
    gross: Fen = data["gross"]
    return _page("done", {}, gross_fen=gross, held_fen=share_floor(gross, _RATE_BP)), 200


def _page(step: str, errors: dict[str, list[str]], **given: Any) -> str:
    allow_camera()
    picture = svg(payload(f"/S/{DIGITS}"), level="M") if step == "scan" else ""
    return render_template(
        "provider/practice.html",
        step=step,
        digits=DIGITS,
        picture=picture,
        typed=request.form,
        errors=errors,
        **given,
    )
