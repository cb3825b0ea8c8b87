"""Signing in on the pages: sessions, lockout over several workers, tokens of forms, and where one is led."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.entrance import Browser, application
from voucher.db import Database
from voucher.operations.authenticate import hash_password
from voucher.operations.enrol import Enrolment, Grant, disable, enrol
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor
from voucher.terms import Role

PASSWORD = "correct-Horse-7"
ADMIN = Actor(person_id=0, ref="system:test", name="测试", roles=frozenset())


def enrolled(app: Flask, login: str = "zhang", role: Role = Role.AUDITOR) -> Actor:
    """A person with the password of these tests."""
    database: Database = app.extensions["voucher_database"]
    request = Enrolment(
        login=login,
        name="张三",
        password_hash=hash_password(PASSWORD, profile="test"),
        grants=(Grant(role=role),),
    )
    person = only(database.transaction(lambda s, at: enrol(s, [request], actor=ADMIN, at=at)))
    return Actor(person.person_id, f"person:{person.person_id}", "张三", frozenset({role}))


def sign_in(browser: Browser, password: str = PASSWORD, *, then: str | None = None) -> TestResponse:
    query = f"?next={quote(then, safe='')}" if then is not None else ""
    return browser.send(f"/account/sign-in{query}", {"login": "zhang", "password": password})


def test_a_person_signs_in_sees_the_account_and_signs_out(app: Flask) -> None:
    enrolled(app)
    browser = Browser(app)
    answer = sign_in(browser)
    assert (answer.status_code, answer.location) == (303, "/account/")
    page = browser.get("/account/profile")
    assert "张三" in page.text
    assert "审计" in page.text
    assert browser.send("/account/sign-out").status_code == 303
    assert browser.get("/account/profile").location.startswith("/account/sign-in?next=/account/profile")


def test_a_wrong_password_says_so_and_keeps_the_login_but_not_the_password(app: Flask) -> None:
    enrolled(app)
    answer = sign_in(Browser(app), "wrong-Password-1")
    assert answer.status_code == 422
    assert "用户名或密码不正确" in answer.text
    assert 'value="zhang"' in answer.text
    assert "wrong-Password-1" not in answer.text


def test_the_lockout_holds_over_two_workers(new_postgresql_url: Callable[[], str], tmp_path: Path) -> None:
    url = new_postgresql_url()
    one, two = application(url, tmp_path), application(url, tmp_path)
    enrolled(one)
    for number in range(5):
        assert sign_in(Browser((one, two)[number % 2]), "wrong").status_code == 422
    for app in (one, two):
        answer = sign_in(Browser(app))
        assert answer.status_code == 429
        assert "15 分钟后再试" in answer.text
        app.extensions["voucher_database"].dispose()


def test_a_new_password_ends_every_other_session_at_once(app: Flask) -> None:
    enrolled(app)
    here, elsewhere = Browser(app), Browser(app)
    sign_in(here)
    sign_in(elsewhere)
    new = {"password": PASSWORD, "new_password": "another-Horse-8", "again": "another-Horse-8"}
    assert here.send("/account/password", new).location == "/account/profile"
    assert here.get("/account/profile").status_code == 200
    assert elsewhere.get("/account/profile").status_code == 302
    assert sign_in(Browser(app)).status_code == 422
    assert sign_in(Browser(app), "another-Horse-8").status_code == 303


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"password": "wrong", "new_password": "another-Horse-8", "again": "another-Horse-8"}, "密码不正确"),
        ({"password": PASSWORD, "new_password": "another-Horse-8", "again": "x"}, "两次输入的新密码不一致"),
        ({"password": PASSWORD, "new_password": PASSWORD, "again": PASSWORD}, "不能与原密码相同"),
        ({"password": PASSWORD, "new_password": "short-1A", "again": "short-1A"}, "至少 10 个字符"),
        (
            {"password": PASSWORD, "new_password": "aaaaabbbbbccccc", "again": "aaaaabbbbbccccc"},
            "不同的字符太少",
        ),
        ({"password": PASSWORD, "new_password": "abcdefghijkl", "again": "abcdefghijkl"}, "至少三种"),
        ({"password": PASSWORD, "new_password": "Zhang-2026-x", "again": "Zhang-2026-x"}, "不能包含用户名"),
    ],
)
def test_a_password_is_not_changed_to_a_weak_one_or_without_the_old_one(
    app: Flask, form: dict[str, str], sentence: str
) -> None:
    enrolled(app)
    browser = Browser(app)
    sign_in(browser)
    answer = browser.send("/account/password", form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert sign_in(Browser(app)).status_code == 303


def test_a_form_without_its_token_does_nothing(app: Flask) -> None:
    enrolled(app)
    browser = Browser(app)
    form = {"login": "zhang", "password": PASSWORD}
    assert browser.client.post("/account/sign-in", data=form).status_code == 400
    assert browser.get("/account/profile").status_code == 302
    token = Browser(app).csrf_token()
    answer = browser.client.post("/account/sign-in", data={**form, "csrf_token": token})
    assert answer.status_code == 400
    assert "刷新后重新提交" in answer.text


def test_a_session_of_before_the_sign_in_is_not_carried_along(app: Flask) -> None:
    enrolled(app)
    browser = Browser(app)
    before = browser.csrf_token()
    sign_in(browser)
    browser.get("/account/password")
    answer = browser.client.post("/account/sign-out", data={"csrf_token": before})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        "",
    ],
)
def test_the_way_on_after_signing_in_never_leads_to_another_site(app: Flask, target: str) -> None:
    enrolled(app)
    assert sign_in(Browser(app), then=target).location == "/account/"


def test_the_way_on_after_signing_in_leads_back_to_the_page_asked_for(app: Flask) -> None:
    enrolled(app)
    assert sign_in(Browser(app), then="/account/password?a=1").location == "/account/password?a=1"


def test_a_script_that_is_not_signed_in_gets_401_and_no_page_to_follow(app: Flask) -> None:
    answer = Browser(app).get("/account/profile", headers={"Accept": "application/json"})
    assert answer.status_code == 401


def test_a_disabled_person_is_out_at_the_next_request(app: Flask) -> None:
    actor = enrolled(app)
    browser = Browser(app, actor)
    assert browser.get("/account/profile").status_code == 200
    cookie = browser.client.get_cookie("voucher_session")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    database: Database = app.extensions["voucher_database"]
    database.transaction(lambda s, at: disable(s, [actor.person_id], actor=ADMIN, at=at))
    assert browser.get("/account/profile").status_code == 302


def test_a_session_ends_after_twelve_hours_whatever_happens_in_it(app: Flask) -> None:
    browser = Browser(app, enrolled(app))
    with browser.client.session_transaction() as cookie:
        cookie["began_at"] -= 12 * 3600 + 1
    assert browser.get("/account/profile").status_code == 302


def test_the_password_is_proved_again_and_leads_back(app: Flask) -> None:
    browser = Browser(app, enrolled(app))
    with browser.client.session_transaction() as cookie:
        cookie["proved_at"] = 0
    assert browser.send("/account/prove", {"password": "wrong"}).status_code == 422
    answer = browser.send("/account/prove?next=/account/profile", {"password": PASSWORD})
    assert answer.location == "/account/profile"
    with browser.client.session_transaction() as cookie:
        assert cookie["proved_at"] > 0


@pytest.mark.parametrize(
    "path", ["/", "/account/sign-in", "/nowhere", "/healthz", "/api/nowhere", "/api/docs"]
)
def test_every_answer_carries_the_security_headers_and_a_request_id(app: Flask, path: str) -> None:
    answer = Browser(app).get(path)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.headers["X-Request-Id"]) == 32


def test_an_unknown_page_is_a_page(app: Flask) -> None:
    answer = Browser(app).get("/nowhere")
    assert answer.status_code == 404
    assert "找不到页面" in answer.text


def test_a_bug_is_shown_as_a_page_with_its_request_id_and_nothing_of_its_cause(app: Flask) -> None:
    def crash() -> str:
        raise ZeroDivisionError("the cause")

    app.view_functions["public.home"] = crash
    answer = Browser(app).get("/")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "the cause" not in answer.text


def test_the_database_is_probed_by_a_write_that_leaves_nothing(app: Flask) -> None:
    answer = Browser(app).get("/readyz")
    assert answer.json == {"status": "ready", "database": "writable", "log_lag": 0}
    database: Database = app.extensions["voucher_database"]
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM sign_in_failure").scalar() == 0
