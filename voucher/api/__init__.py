"""JSON for programs: versioned blueprints over the same operations, and their description (OpenAPI 3.1).

Signed in by bearer tokens only, never by a cookie; so no other site can make a browser act here.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

from flask import Flask
from flask_smorest import Api

from voucher.api import docs
from voucher.api.v1 import BLUEPRINTS
from voucher.schemas.base import ErrorAnswer

SETTINGS: Final[dict[str, Any]] = {
    "API_TITLE": "创新券台账 API",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": None,
    "API_SPEC_OPTIONS": {
        "info": {
            "description": (
                "金额一律为以分为单位的整数（amount_fen）；时间为 ISO 8601，时区 +08:00。\n\n"
                "先以 POST /api/v1/login 换取令牌，再以 Authorization: Bearer 发送。凡改变数据的请求须带 "
                "Idempotency-Key（8 至 80 个字符，由调用方生成）：同一编号重复发送只办理一次，并得到第一次的答复。\n\n"
                "不予办理时答复 {code, message, facts, request_id}；字段有误时为 422，另有 errors。"
            )
        },
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}],
    },
}


class _Api(Api):  # type: ignore[misc]
    """The library's registry of blueprints; errors are answered by the application's own handlers.

    The blueprints are described when somebody first asks: to describe them takes longer than the rest of a start.
    """

    ERROR_SCHEMA = ErrorAnswer

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Any] = []
        self._describing = Lock()
        super().__init__(app)

    def register_blueprint(self, blueprint: Any) -> None:
        """Serve the blueprint's endpoints."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append(blueprint)

    def described(self) -> dict[str, Any]:
        """The OpenAPI document of everything that is served."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed[0]
                blueprint.register_views_in_doc(
                    self, self._app, self.spec, name=blueprint.name, parameters=None
                )
                self.spec.tag({"name": blueprint.name, "description": blueprint.description})
                del self._undescribed[0]
            document: dict[str, Any] = self.spec.to_dict()
            return document

    def _register_error_handlers(self) -> None:
        pass


def register(app: Flask) -> None:
    """Serve every version's blueprints, their description and its pages."""
    api = _Api(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    app.extensions["voucher_api"] = api
    app.register_blueprint(docs.blueprint)
