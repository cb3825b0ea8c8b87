"""What a person sees when something was refused or broke: a page with its status, its sentence and a request id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Response, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from voucher.errors import Code, Refusal
from voucher.schemas.messages import sentence
from voucher.web.access import came_from

TITLES: Final[Mapping[int, str]] = {
    400: "请求有误",
    401: "请先登录",
    403: "没有权限",
    404: "找不到页面",
    405: "不能这样访问",
    409: "不能办理",
    413: "文件太大",
    415: "文件类型不对",
    422: "内容有误",
    429: "操作过于频繁",
    503: "系统繁忙",
}
MESSAGES: Final[Mapping[int, str]] = {
    400: "浏览器发来的请求不完整，请返回上一页重试。",
    401: "登录已失效，请重新登录。",
    405: "该网址不能这样访问，请从页面上的链接或按钮进入。",
    413: "上传的文件超过大小限制，请压缩后重试。",
    415: "不能受理这种类型的内容。",
    503: "系统繁忙，本次未办理，请稍后重试。",
}
_OWN_PAGE: Final = frozenset({403, 404, 422, 429})
_STALE_FORM: Final = "页面停留过久或已在别处登录，本次没有提交。请返回上一页，刷新后重新提交。"


def refused(refusal: Refusal) -> ResponseReturnValue:
    """The page of a refusal that no view handled; a missing proof of the password leads to the page for it."""
    if refusal.code is Code.STEP_UP_REQUIRED:
        return redirect(url_for("account.prove", next=came_from()), 303)
    if refusal.code is Code.NOT_SIGNED_IN:
        return redirect(url_for("account.sign_in", next=came_from()), 303)
    if refusal.status in (403, 404):
        return _page(refusal.status, sentence(refusal), code=refusal.code)
    page = render_template(
        "errors/refused.html",
        title=TITLES.get(refusal.status, TITLES[409]),
        message=sentence(refusal),
        code=refusal.code.value,
        request_id=g.get("request_id"),
    )
    return make_response(page, refusal.status)


def failed(error: HTTPException) -> ResponseReturnValue:
    """The page of an HTTP error: an unknown address, a stale form, an upload that is too large."""
    if isinstance(error, CSRFError):
        return _page(400, _STALE_FORM)
    if error.response is not None:
        return Response(error.get_body(), error.response.status_code, error.get_headers())
    return _page(error.code or 500, MESSAGES.get(error.code or 500))


def broken() -> ResponseReturnValue:
    """The page of a bug. It asks nothing of the database and of the session, which may be what broke."""
    return make_response(render_template("errors/500.html", request_id=g.get("request_id")), 500)


def _page(status: int, message: str | None, *, code: Code | None = None) -> ResponseReturnValue:
    given = {"code": code.value if code else None, "request_id": g.get("request_id")}
    if message is not None:
        given["message"] = message
    if status in _OWN_PAGE:
        return make_response(render_template(f"errors/{status}.html", **given), status)
    page = render_template(
        "errors/failed.html", status=status, title=TITLES.get(status, TITLES[400]), **given
    )
    return make_response(page, status)
