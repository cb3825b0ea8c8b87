"""The bell, the inbox, how one wants to be told, the table of holidays, and what could not be sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from config import Config
from tests import factories
from tests.entrance import Browser
from tests.web.stage import Stage, staged
from voucher.app import create_app
from voucher.db import Database
from voucher.models.messages import Message
from voucher.operations.tell import Note, tell
from voucher.terms import MessageEvent, Role
from voucher.web import inbox as inbox_pages


@pytest.fixture
def stage(app: Flask) -> Stage:
    return staged(app)


@pytest.fixture
def open_app(new_sqlite_url: object, tmp_path: Path) -> Iterator[Flask]:
    """An installation that can send: into a folder."""
    environment = {
        "VOUCHER_ENV": "test",
        "DATABASE_URL": new_sqlite_url(),  # type: ignore[operator]
        "FILES_DIR": str(tmp_path / "files"),
        "ANCHOR_DIR": str(tmp_path / "anchors"),
        "MESSAGE_SINK_DIR": str(tmp_path / "out"),
    }
    made = create_app(Config.from_env(environment), serving=False)
    yield made
    made.extensions["voucher_database"].dispose()


def test_the_bell_counts_what_is_unread_and_the_inbox_leads_to_the_order(stage: Stage) -> None:
    number = stage.placed()
    home = stage.manager.get("/provider/orders/")
    assert 'aria-label="我的消息，未读 1 条"' in home.text
    page = stage.manager.get("/account/messages/")
    assert f"收到新订单 {number}" in page.text
    assert f'href="/provider/orders/{number}"' in page.text
    assert stage.manager.send("/account/messages/read").status_code == 303
    assert 'aria-label="我的消息，未读 0 条"' in stage.manager.get("/account/messages/").text
    assert number not in stage.manager.get("/account/messages/?unread=yes").text
    assert number not in stage.firm.get("/account/messages/").text


def test_one_message_is_marked_as_read_and_another_stays(stage: Stage) -> None:
    stage.placed()
    stage.placed()
    with stage.database.read() as session:
        message = session.query(Message).filter_by(person_id=stage.world.platform.manager.person_id).first()
        assert message is not None
    assert stage.manager.send("/account/messages/read", {"message": str(message.id)}).status_code == 303
    assert "未读 1 条" in stage.manager.get("/account/messages/").text


def test_every_page_that_a_message_leads_to_exists(app: Flask) -> None:
    assert {endpoint for _, _, endpoint in inbox_pages._PAGES} <= set(app.view_functions)


def test_without_a_way_out_no_channel_is_offered(stage: Stage) -> None:
    page = stage.firm.get("/account/messages/contact").text
    assert "没有开通站外渠道" in page
    assert 'name="channels"' not in page


def test_a_person_chooses_channels_and_a_fault_loses_nothing(open_app: Flask) -> None:
    database: Database = open_app.extensions["voucher_database"]
    somebody = database.transaction(lambda session, at: factories.person(session, Role.SYSTEM_ADMIN, at=at))
    browser = Browser(open_app, somebody)
    form = {"email": "李@example", "mobile": "１３８００００００００１", "channels": ["email", "sms"]}
    answer = browser.send("/account/messages/contact", form)
    assert answer.status_code == 422
    assert "name@example.com" in answer.text and "李@example" in answer.text
    form = {"email": "li@example.com", "mobile": "13800000001", "channels": ["email", "sms"]}
    assert browser.send("/account/messages/contact", form).status_code == 303
    kept = browser.get("/account/messages/contact").text
    assert "li@example.com" in kept
    told = Note(MessageEvent.ORDER_EXPIRED, "O202600000012", person_ids=(somebody.person_id,))
    assert database.transaction(lambda session, at: tell(session, [told], at=at)) == 3


def test_the_table_of_holidays_says_which_year_nobody_entered(stage: Stage) -> None:
    officer = Browser(stage.app, stage.world.officer)
    assert "2027 年尚未录入放假安排" in officer.get("/programme/holidays/?year=2027").text
    assert "国庆节" in officer.get("/programme/holidays/?year=2026").text
    form = {
        "day": "2027-01-01",
        "until": "2027-01-03",
        "kind": "rest",
        "name": "元旦",
        "document_no": "国办发明电〔2026〕1号",
    }
    assert officer.send("/programme/holidays/", form).status_code == 303
    page = officer.get("/programme/holidays/?year=2027").text
    assert page.count("国办发明电〔2026〕1号") == 3 and "尚未录入" not in page
    assert officer.send("/programme/holidays/remove", {"day": "2027-01-03"}).status_code == 303
    worked = {**form, "day": "2027-01-04", "until": "", "kind": "work"}
    answer = officer.send("/programme/holidays/", worked)
    assert answer.status_code == 422
    assert "本来就是工作日" in answer.text
    backwards = {**form, "until": "2026-12-31"}
    assert officer.send("/programme/holidays/", backwards).status_code == 422
    reviewer = Browser(stage.app, stage.world.reviewer)
    assert reviewer.get("/programme/holidays/").status_code == 200
    assert reviewer.send("/programme/holidays/", form).status_code == 403
    assert stage.firm.get("/programme/holidays/").status_code == 403


def test_an_administrator_sees_what_could_not_be_sent_without_address_and_text(stage: Stage) -> None:
    contact = {"email": "li@example.com", "mobile": "", "channels": ["email"]}
    assert stage.firm.send("/account/messages/contact", contact).status_code == 303
    told = Note(MessageEvent.ORDER_EXPIRED, "O202600000012", holder_id=stage.world.firm.holder_id)
    stage.database.transaction(lambda session, at: tell(session, [told], at=at))
    dead = update(Message).where(Message.channel == "email").values(state="dead", last_error="interrupted")
    stage.database.transaction(lambda session, _: session.execute(dead))
    admin = Browser(
        stage.app,
        stage.database.transaction(lambda session, at: factories.person(session, Role.SECURITY_ADMIN, at=at)),
    )
    page = admin.get("/admin/messages/?state=dead")
    assert "不能确定是否已送达" in page.text
    assert "li@example.com" not in page.text
    with stage.database.read() as session:
        message = session.query(Message).filter_by(channel="email").one()
    assert admin.send("/admin/messages/again", {"message": str(message.id)}).status_code == 303
    assert "没有消息" in admin.get("/admin/messages/?state=dead").text
    assert stage.firm.get("/admin/messages/").status_code == 403
