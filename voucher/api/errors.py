"""What a program reads when something was refused or broke: {code, message, facts, request_id}, and errors by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, g, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from voucher.errors import Fact, Refusal
from voucher.schemas.base import flat
from voucher.schemas.messages import sentence

HTTP_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "请求不是合法的 JSON，或内容不完整。"),
    404: ("not_found", "没有这个地址。"),
    405: ("method_not_allowed", "该地址不支持此方法。"),
    413: ("too_large", "内容超过大小限制。"),
    415: ("unsupported_media_type", "内容类型应为 application/json。"),
    422: ("invalid", "内容有误，详见 errors。"),
    503: ("busy", "系统繁忙，请稍后重试。"),
}
_PLACES: Final = frozenset({"json", "json_or_form", "form", "query", "files", "headers", "path", "view_args"})


def refused(refusal: Refusal) -> ResponseReturnValue:
    """A rule said no."""
    response = _body(
        refusal.code.value, message=sentence(refusal), status=refusal.status, facts=refusal.facts
    )
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def failed(error: HTTPException) -> ResponseReturnValue:
    """The request has the wrong shape or address. Errors of fields stand under `errors`, field -> sentences."""
    status = error.code or 500
    code, message = HTTP_ERRORS.get(status, (error.name.lower().replace(" ", "_"), error.description or ""))
    messages = (getattr(error, "data", None) or {}).get("messages") if status == 422 else None
    return _body(code, message=message, status=status, errors=_by_field(messages) if messages else None)


def broken() -> ResponseReturnValue:
    """A bug; nothing was changed."""
    return _body("internal", message="系统出现故障，本次操作没有生效。", status=500)


def _by_field(messages: Mapping[str, Any]) -> dict[str, list[str]]:
    """Errors without the place that they were found in (body, query, ...)."""
    found: dict[str, list[str]] = {}
    for place, below in messages.items():
        inside = place in _PLACES and isinstance(below, Mapping)
        found.update(
            flat({str(name): each for name, each in below.items()}) if inside else flat({place: below})
        )
    return found


def _body(
    code: str,
    *,
    message: str,
    status: int,
    facts: Mapping[str, Fact] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> Response:
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "facts": dict(facts or {}),
        "request_id": g.get("request_id"),
    }
    if errors is not None:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status
    return response
