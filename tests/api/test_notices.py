"""Notices, objections, holidays and messages through the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from tests.api.conftest import Api, ok, refused
from tests.entrance import application
from tests.operations.publicity import FILL
from tests.published import rewrite
from voucher.models.messages import Message
from voucher.operations.tell import Note, tell
from voucher.terms import MessageEvent


@pytest.fixture
def api(database_url: str, tmp_path: Path) -> Api:
    made = Api(application(database_url, tmp_path))
    made.database.transaction(lambda session, _: rewrite(session, [FILL]))
    return made


def test_a_person_reads_their_messages_and_says_how_to_be_told(api: Api) -> None:
    firm = api.world.firm.actor.person_id
    note = Note(MessageEvent.ORDER_EXPIRED, "O202600000012", person_ids=(firm,))
    api.database.transaction(lambda session, at: tell(session, [note], at=at))
    answer = ok(api.firm.get("/api/v1/messages"))
    (message,) = answer["messages"]
    assert (answer["unread"], message["title"], message["read_at"]) == (
        1,
        "订单 O202600000012 逾期失效",
        None,
    )
    assert ok(api.manager.get("/api/v1/messages"))["messages"] == []
    assert ok(api.manager.send("/api/v1/messages/read", {"ids": [message["id"]]}))["count"] == 0
    assert ok(api.firm.send("/api/v1/messages/read", {"ids": [message["id"]]}))["count"] == 1
    assert ok(api.firm.get("/api/v1/messages"))["unread"] == 0
    wanted = {"email": "li@example.com", "mobile": "", "channels": ["email"]}
    assert ok(api.firm.send("/api/v1/me/contact", wanted)) == wanted
    assert ok(api.firm.get("/api/v1/me/contact")) == wanted
    nowhere = api.firm.send("/api/v1/me/contact", {"channels": ["sms"]})
    assert nowhere.status_code == 422
    assert "mobile" in nowhere.get_json()["errors"]


def test_an_administrator_sees_what_could_not_be_sent_and_nobody_else_does(api: Api) -> None:
    firm = api.world.firm.actor.person_id
    ok(api.firm.send("/api/v1/me/contact", {"email": "li@example.com", "channels": ["email"]}))
    note = Note(MessageEvent.ORDER_EXPIRED, "O202600000012", person_ids=(firm,))
    api.database.transaction(lambda session, at: tell(session, [note], at=at))
    api.database.transaction(
        lambda session, _: session.execute(
            update(Message).where(Message.channel == "email").values(state="dead", last_error="interrupted")
        )
    )
    refused(api.officer.get("/api/v1/outbox"), 403, "not_permitted")
    answer = api.security.get("/api/v1/outbox?state=dead")
    (line,) = ok(answer)["messages"]
    assert line["error"] == "interrupted"
    assert "li@example.com" not in answer.get_data(as_text=True)
    assert ok(api.security.send("/api/v1/outbox/again", {"ids": [line["id"]]}))["count"] == 1
    assert ok(api.security.get("/api/v1/outbox?state=dead"))["messages"] == []


def test_the_officer_enters_a_year_of_holidays(api: Api) -> None:
    assert not ok(api.officer.get("/api/v1/holidays?year=2027"))["known"]
    days = [{"day": "2027-01-01", "kind": "rest", "name": "元旦", "document_no": "国办发明电〔2026〕1号"}]
    assert ok(api.officer.send("/api/v1/holidays", {"days": days}))["count"] == 1
    assert ok(api.officer.get("/api/v1/holidays?year=2027"))["days"] == days
    worked = [{**days[0], "day": "2027-01-04", "kind": "work"}]
    refused(api.officer.send("/api/v1/holidays", {"days": worked}), 422, "holiday_needless")
    refused(api.reviewer.send("/api/v1/holidays", {"days": days}), 403, "not_permitted")
    assert ok(api.officer.send("/api/v1/holidays/remove", {"days": ["2027-01-01"]}))["count"] == 1
    assert len(ok(api.officer.get("/api/v1/holidays?year=2026"))["days"]) == 39


def test_there_is_nothing_to_publish_without_approved_claims(api: Api) -> None:
    assert ok(api.officer.get("/api/v1/notices/waiting"))["claims"] == []
    body = {
        "programme_code": api.world.programme_code,
        "claim_nos": ["C202600000019"],
        "title": "公示",
        "authority": "山西省科学技术厅",
        "contact": "0351-0000000",
    }
    refused(api.officer.send("/api/v1/notices", body), 404, "not_found")
    refused(api.reviewer.send("/api/v1/notices", body), 403, "not_permitted")
    refused(api.firm.get("/api/v1/notices/N202600000010"), 404, "not_found")


def test_anybody_reads_notices_and_follows_an_objection_without_a_token(api: Api) -> None:
    visitor = api.app.test_client()
    assert ok(visitor.get("/api/v1/notices"))["notices"] == []
    assert visitor.get("/api/v1/notices/N202600000010").status_code == 404
    asked = {"number": "N202600000010-001", "word": "2345-6789"}
    assert visitor.post("/api/v1/objections/look-up", json=asked).status_code in (404, 422)
