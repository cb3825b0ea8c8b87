"""What the counter shows and carries: rotating code, check word, the words of reductions, scan tickets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer

from voucher.clock import micros
from voucher.codes import STEP_SECONDS, Keys, make_code, session_word
from voucher.qr import svg
from voucher.web.entry import settings

TICKET: Final = "scan_ticket"
TICKET_SECONDS: Final = 300
_LIMITS: Final = {
    "voucher": "券面余额",
    "allotment": "分配额度",
    "cap": "年度补助上限",
    "group": "同一控制人的企业合计上限",
    "quota": "互认协议额度",
    "contract": "合同可补助金额",
    "pledge": "配套资金",
    "funder": "出资方的上限",
    "rounding": "按政策舍去零头",
}


def keys() -> Keys:
    """The keys of the session codes, the one that signs first."""
    own = settings().qr_keys
    return Keys(by_kid={f"{each.kid:02d}": each.key for each in own}, current=f"{own[0].kid:02d}")


def word_of(session_number: str) -> str:
    """The two characters that both screens of a session show."""
    return session_word(settings().secret_key, session_number)


def code_now(session_number: str, at: datetime) -> dict[str, Any]:
    """The code of this instant: its picture, its digits, and for how many milliseconds it stays."""
    digits = make_code(keys(), session_number, at)
    step = STEP_SECONDS * 1_000_000
    return {
        "svg": svg(payload(f"/S/{digits}"), level="M"),
        "digits": digits,
        "next_in_ms": (step - micros(at) % step) // 1000 + 1,
    }


def payload(path: str) -> str:
    """An address in upper case, which makes the smallest picture: of the public host, else the one asked."""
    host = settings().public_host
    base = f"https://{host}" if host else request.host_url.rstrip("/")
    return f"{base}{path}".upper()


def reductions_shown(reductions: list[Any]) -> list[tuple[str, int, int | None]]:
    """Why an amount was cut: the limit in words, by how much, and what it left (fen)."""
    return [
        (_LIMITS.get(each["limit"], each["limit"]), each["by_fen"], each.get("left_fen"))
        for each in reductions
    ]


def give_ticket(response: Response, digits: str) -> Response:
    """Carry when a code came for five minutes, so that one good on arrival stays good while its reader signs in."""
    response.set_cookie(
        TICKET,
        _signer().dumps(digits),
        max_age=TICKET_SECONDS,
        httponly=True,
        secure=request.is_secure,
        samesite="Lax",
    )
    return response


def presented_at(digits: str, now: datetime) -> datetime:
    """When this code was presented: at the time of a ticket for it that is not too old, else now."""
    try:
        carried, at = _signer().loads(
            request.cookies.get(TICKET, ""), max_age=TICKET_SECONDS, return_timestamp=True
        )
    except BadData:
        return now
    fresh = carried == digits and now - timedelta(seconds=TICKET_SECONDS) <= at <= now
    return at if fresh else now


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt="scan-ticket")
