"""Machines: a token for a login, refusals as JSON, and a description that holds."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.entrance import Browser, Machine
from tests.web.test_account import PASSWORD, enrolled
from voucher.api.access import current_actor, permits
from voucher.api.entry import change
from voucher.operations.journal import record
from voucher.schemas.base import ErrorAnswer
from voucher.terms import Role


def test_a_login_gives_a_token_that_says_who_it_is(app: Flask) -> None:
    actor = enrolled(app)
    client = app.test_client()
    answer = client.post("/api/v1/login", json={"login": "zhang", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["expires_at"].endswith("+08:00")
    assert "Set-Cookie" not in answer.headers
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {answer.json['token']}"})
    assert me.json is not None
    assert (me.json["ref"], me.json["login"]) == (actor.ref, "zhang")
    assert [(role["role"], role["label"]) for role in me.json["roles"]] == [("auditor", "审计")]


@pytest.mark.parametrize(
    "header", [None, "Bearer nonsense", "Basic emhhbmc6eA==", "Bearer ", "Bearer " + "x" * 300]
)
def test_without_a_valid_token_the_answer_is_401(app: Flask, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = app.test_client().get("/api/v1/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert answer.json["code"] == "not_signed_in"


def test_the_cookie_of_a_browser_opens_nothing_here(app: Flask) -> None:
    browser = Browser(app, enrolled(app))
    assert browser.get("/account/profile").status_code == 200
    assert browser.get("/api/v1/me").status_code == 401


def test_a_wrong_password_is_401_and_the_sixth_is_429(app: Flask) -> None:
    enrolled(app)
    client = app.test_client()
    codes = [
        client.post("/api/v1/login", json={"login": "zhang", "password": "wrong"}).status_code
        for _ in range(6)
    ]
    assert codes == [401] * 5 + [429]
    answer = client.post("/api/v1/login", json={"login": "zhang", "password": PASSWORD}).json
    assert answer is not None
    assert answer["code"] == "locked_out"
    assert answer["facts"] == {"minutes": 15}


@pytest.mark.parametrize(
    ("sent", "status", "fields"),
    [
        ({"json": {}}, 422, {"login", "password"}),
        ({"json": {"login": True, "password": 1}}, 422, {"login", "password"}),
        ({"json": {"login": "zhang", "password": "x", "extra": 1}}, 422, {"extra"}),
        ({"json": {"login": "z" * 41, "password": "x"}}, 422, {"login"}),
        ({"json": {"login": "z\u0000", "password": "x"}}, 422, {"login"}),
        ({"json": [1]}, 422, None),
        ({"data": "{", "content_type": "application/json"}, 400, set()),
        ({"data": b"\xff\xfe", "content_type": "application/json"}, 400, set()),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_so_at_its_fields(
    app: Flask, sent: dict[str, Any], status: int, fields: set[str] | None
) -> None:
    answer = app.test_client().post("/api/v1/login", **sent)
    assert answer.status_code == status
    assert answer.json is not None
    assert not ErrorAnswer().validate(answer.json)
    if fields is not None:
        assert set(answer.json.get("errors", {})) == fields


def test_every_error_has_the_same_body(app: Flask) -> None:
    def crash() -> str:
        raise ZeroDivisionError("the cause")

    client = app.test_client()
    app.view_functions["account_v1.login"] = crash
    answers = [
        client.get("/api/v1/nowhere"),
        client.delete("/api/v1/me"),
        client.get("/api/v1/me"),
        client.post("/api/v1/login", json={}),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 401, 500]
    for answer in answers:
        assert answer.json is not None
        assert set(answer.json) == {"code", "message", "facts", "request_id"}
        assert answer.json["request_id"] == answer.headers["X-Request-Id"]
        assert "the cause" not in answer.text


def test_a_change_is_done_once_for_its_key_and_not_without_one(app: Flask) -> None:
    @app.post("/api/v1/note")
    @permits("ledger:posting:read")
    def note() -> dict[str, str]:
        def work(session: Session, at: datetime) -> dict[str, str]:
            record(session, current_actor(), "test.note", [("note:1", {})], at=at)
            return {"at": at.isoformat()}

        return change(work, body={"word": "one"})

    machine = Machine(app, enrolled(app))
    first = machine.send("/api/v1/note", {}, key="the-same-key")
    assert first.status_code == 200
    assert machine.send("/api/v1/note", {}, key="the-same-key").json == first.json
    assert machine.send("/api/v1/note", {}).json != first.json
    bare = machine.client.post("/api/v1/note", headers={"Authorization": f"Bearer {machine.token}"})
    assert bare.status_code == 422
    assert bare.json is not None
    assert bare.json["code"] == "key_missing"


def test_a_token_without_the_permission_is_refused(app: Flask) -> None:
    @app.get("/api/v1/secret")
    @permits("ledger:posting:read")
    def secret() -> str:
        return "secret"

    machine = Machine(app, enrolled(app, role=Role.SYSTEM_ADMIN))
    assert machine.get("/api/v1/secret").status_code == 403


def test_the_description_is_openapi_3_1_and_names_every_route(app: Flask) -> None:
    answer = app.test_client().get("/api/openapi.json").json
    assert answer is not None
    assert answer["openapi"] == "3.1.0"
    assert answer["security"] == [{"bearer": []}]
    assert answer["paths"]["/api/v1/login"]["post"]["security"] == []
    described = set(answer["paths"])
    routes = {
        re.sub(r"<(?:\w+(?:\(.*?\))?:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert described == routes
