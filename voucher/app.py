"""The application: the one place that knows every part."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Config
from voucher import api
from voucher.api import errors as api_errors
from voucher.db import Database
from voucher.errors import Refusal
from voucher.memory import collect_seldom
from voucher.operations.authenticate import password_matches
from voucher.web import (
    access,
    account,
    agreements,
    appeals,
    applying,
    attendance,
    authority,
    catalogue_pages,
    counter,
    counter_device,
    disputes,
    enterprise,
    enterprise_answers,
    enterprise_awards,
    enterprise_claims,
    enterprise_orders,
    enterprise_papers,
    enterprise_people,
    enterprise_sessions,
    filters,
    giving_back,
    headers,
    inbox,
    incubator,
    incubator_orders,
    incubator_vouchers,
    join,
    navigation,
    offers,
    order_cases,
    own_centres,
    provider,
    provider_asks,
    provider_claims,
    provider_orders,
    provider_practice,
    provider_sessions,
    provider_staff,
    public,
    public_centres,
    public_notices,
    reviewer_orders,
    startup_use,
    tenant,
)
from voucher.web import errors as web_errors

WEB_BLUEPRINTS: Final[tuple[Blueprint, ...]] = (
    public.blueprint,
    public_notices.blueprint,
    public_centres.blueprint,
    agreements.shown,
    agreements.own,
    account.blueprint,
    inbox.blueprint,
    counter.blueprint,
    counter_device.blueprint,
    join.blueprint,
    enterprise.blueprint,
    enterprise_sessions.blueprint,
    enterprise_orders.blueprint,
    enterprise_answers.blueprint,
    order_cases.blueprint,
    catalogue_pages.search,
    enterprise_claims.blueprint,
    enterprise_awards.blueprint,
    enterprise_people.blueprint,
    enterprise_papers.blueprint,
    offers.blueprint,
    applying.blueprint,
    appeals.own,
    appeals.providers,
    disputes.blueprint,
    giving_back.blueprint,
    provider.blueprint,
    provider_sessions.blueprint,
    provider_claims.blueprint,
    provider_orders.blueprint,
    provider_asks.blueprint,
    catalogue_pages.own,
    reviewer_orders.blueprint,
    incubator.blueprint,
    incubator_vouchers.blueprint,
    incubator_orders.blueprint,
    attendance.blueprint,
    tenant.blueprint,
    startup_use.blueprint,
    provider_practice.blueprint,
    provider_staff.blueprint,
    own_centres.blueprint,
    *authority.BLUEPRINTS,
)

_MIB: Final = 1024 * 1024
_FILES_AT_ONCE: Final = 5
_API: Final = "/api/"
_log = structlog.get_logger("voucher")


def create_app(config: Config, *, serving: bool = True) -> Flask:
    """The whole application on the configured database.

    `serving`: take the lock of the one process that may serve a SQLite database, and refuse (RuntimeError) a
    PostgreSQL that acknowledges before it writes. Command line tools and tests may pass False.
    """
    app = Flask("voucher", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    app.config.update(_settings(config))
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    database = Database(config.database_url)
    if serving:
        database.serve_alone()
        database.check_durability()
    app.extensions["voucher_database"] = database
    app.extensions["voucher_config"] = config
    if config.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies
        )
    _configure_logs()
    app.before_request(_name_request)
    app.before_request(_bound_body)
    app.before_request(_refuse_nul)
    app.after_request(_show_request_id)
    _protect_forms(app)
    headers.register(app)
    filters.register(app)
    access.register(app)
    navigation.register(app)
    for blueprint in WEB_BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.register(app)
    _register_errors(app)
    password_matches("", None, profile=config.argon2_profile)  # the first stranger to sign in waits no longer
    if serving and config.environment != "test":
        collect_seldom()
    return app


def _settings(config: Config) -> dict[str, Any]:
    return {
        "SECRET_KEY": config.secret_key,
        "DEMO": config.environment == "demo",
        "TESTING": config.environment == "test",
        "PROPAGATE_EXCEPTIONS": False,
        "MAX_CONTENT_LENGTH": _FILES_AT_ONCE * config.max_upload + _MIB,
        "MAX_FORM_MEMORY_SIZE": 2 * _MIB,
        "MAX_FORM_PARTS": 2000,
        "SESSION_COOKIE_NAME": "voucher_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.environment == "production",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=1),
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_CHECK_DEFAULT": False,
        **api.SETTINGS,
    }


def _protect_forms(app: Flask) -> None:
    """Ask every form for its token. The API knows no cookie, only bearer tokens, so nobody can forge its requests."""
    csrf = CSRFProtect(app)

    @app.before_request
    def ask_for_token() -> None:
        if not _is_api():
            csrf.protect()


def _register_errors(app: Flask) -> None:
    """Answer refusals, HTTP errors and bugs as JSON under /api/, else as pages."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> ResponseReturnValue:
        _log.info("refused", code=refusal.code.value, facts=dict(refusal.facts), **_request_facts())
        return api_errors.refused(refusal) if _is_api() else web_errors.refused(refusal)

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> ResponseReturnValue:
        return api_errors.failed(error) if _is_api() else web_errors.failed(error)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        _log.error("broken", exc_info=error, **_request_facts())
        return api_errors.broken() if _is_api() else web_errors.broken()


def _is_api() -> bool:
    return request.path.startswith(_API)


def _name_request() -> None:
    g.request_id = uuid4().hex


def _bound_body() -> None:
    """Only a form with files may be larger than a file: the store refuses each file alone, and the form keeps the rest."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = current_app.extensions["voucher_config"].max_upload + _MIB


def _refuse_nul() -> None:
    """No text of ours holds U+0000, and PostgreSQL takes none: whoever sends it gets 400 wherever it stands."""
    said = [request.path, *_texts(request.args)]
    if not _is_api():
        said += _texts(request.form)
    if any("\0" in text for text in said):
        abort(400)


def _texts(fields: MultiDict[str, str]) -> list[str]:
    return [text for pair in fields.items(multi=True) for text in pair]


def _show_request_id(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response


def _request_facts() -> dict[str, Any]:
    return {
        "request_id": g.get("request_id"),
        "method": request.method,
        "endpoint": request.endpoint,
        "actor": g.get("actor_ref", ""),
    }


def _configure_logs() -> None:
    """One JSON line an event on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
