"""How views change things: once for a key, in one transaction, by those who may."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from tests.entrance import Browser
from tests.web.test_account import enrolled
from voucher.errors import Code, Refusal, found
from voucher.operations.journal import record
from voucher.terms import Role
from voucher.web.access import current_actor, permits, require_step_up
from voucher.web.entry import change, database, form_body, form_key, reading

RIGHT = "ledger:posting:read"


def with_views(app: Flask) -> Flask:
    """The application with three views of these tests."""

    @app.post("/note", defaults={"number": 1})
    @app.post("/note/<int:number>")
    @permits(RIGHT)
    def note(number: int) -> dict[str, object]:
        def work(session: Session, at: datetime) -> dict[str, object]:
            record(session, current_actor(), "test.note", [(f"note:{number}", {})], at=at)
            if form_body().get("word") == ["refuse"]:
                raise Refusal(
                    Code.CAP_EXCEEDED, cap_fen=200_000_00, used_fen=200_000_00, left_fen=0, year=2026
                )
            return {"at": at.isoformat()}

        return change(work, key=form_key(), body=form_body())

    @app.get("/costly")
    @permits(RIGHT)
    def costly() -> str:
        require_step_up(10)
        return "ok"

    @app.get("/anothers")
    @permits(RIGHT)
    def anothers() -> str:
        return found(None)

    return app


def notes(app: Flask) -> int:
    with app.app_context(), reading() as session:
        query = "SELECT count(*) FROM journal WHERE action = 'test.note'"
        count: int = session.connection().exec_driver_sql(query).scalar_one()
        return count


def test_the_key_of_a_form_at_another_address_is_refused(app: Flask) -> None:
    browser = Browser(with_views(app), enrolled(app))
    assert browser.send("/note/2", {"key": "the-same-key"}).status_code == 200
    assert browser.send("/note/3", {"key": "the-same-key"}).status_code == 422
    assert notes(app) == 1


def test_a_form_sent_twice_is_done_once_and_answered_alike(app: Flask) -> None:
    browser = Browser(with_views(app), enrolled(app))
    first = browser.send("/note", {"key": "the-same-key"})
    assert first.json == browser.send("/note", {"key": "the-same-key"}).json
    assert notes(app) == 1
    assert browser.send("/note", {"key": "another-key"}).status_code == 200
    assert notes(app) == 2


def test_a_key_that_comes_back_with_another_body_is_refused(app: Flask) -> None:
    browser = Browser(with_views(app), enrolled(app))
    browser.send("/note", {"key": "the-same-key", "word": "one"})
    answer = browser.send("/note", {"key": "the-same-key", "word": "two"})
    assert answer.status_code == 422
    assert "key_reused" in answer.text
    assert notes(app) == 1


def test_a_key_belongs_to_one_person(app: Flask) -> None:
    with_views(app)
    for login in ("one", "two"):
        browser = Browser(app, enrolled(app, login))
        assert browser.send("/note", {"key": "the-same-key"}).status_code == 200
    assert notes(app) == 2


def test_a_form_without_key_is_refused(app: Flask) -> None:
    answer = Browser(with_views(app), enrolled(app)).send("/note", {"key": ""})
    assert answer.status_code == 422
    assert "key_missing" in answer.text


def test_a_refusal_names_rule_and_figures_and_leaves_nothing_behind(app: Flask) -> None:
    browser = Browser(with_views(app), enrolled(app))
    answer = browser.send("/note", {"key": "the-same-key", "word": "refuse"})
    assert answer.status_code == 409
    for part in ("补助限额不足", "限额 200,000.00 元", "还剩 0.00 元", "2026 年", "cap_exceeded"):
        assert part in answer.text
    assert notes(app) == 0
    with app.app_context(), database().read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM request_key").scalar() == 0


def test_who_lacks_the_permission_is_refused_and_a_visitor_is_sent_to_sign_in(app: Flask) -> None:
    with_views(app)
    stranger = Browser(app, enrolled(app, role=Role.SYSTEM_ADMIN))
    assert stranger.send("/note").status_code == 403
    assert Browser(app).send("/note").location.startswith("/account/sign-in")
    assert notes(app) == 0


def test_what_is_not_there_or_anothers_is_404(app: Flask) -> None:
    answer = Browser(with_views(app), enrolled(app)).get("/anothers")
    assert answer.status_code == 404
    assert "不属于您所在的单位" in answer.text


def test_a_costly_page_asks_for_the_password_and_comes_back(app: Flask) -> None:
    browser = Browser(with_views(app), enrolled(app))
    assert browser.get("/costly").status_code == 200
    with browser.client.session_transaction() as cookie:
        cookie["proved_at"] -= 601
    answer = browser.get("/costly?page=2")
    assert (answer.status_code, answer.location) == (303, "/account/prove?next=/costly?page%3D2")
