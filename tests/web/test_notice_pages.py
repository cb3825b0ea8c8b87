"""A notice from the officer's list to the public page, objections from everybody, and the bureau's answer."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from docx import Document
from flask import Flask

from tests.entrance import Browser, Machine
from tests.operations.publicity import Public
from voucher.db import Database
from voucher.models.claims import Claim
from voucher.models.notices import Objection
from voucher.operations.object_to import MOST_OPEN

TEXTS = {
    "title": "2026 年第一批<拟兑付>名单公示",
    "authority": "山西省科学技术厅",
    "contact": "0351-0000000 创新券受理处",
}


class Bureau:
    """The application with one approved claim that waits for its notice."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        database: Database = app.extensions["voucher_database"]
        now = database.transaction(lambda _, at: at)
        self.told = Public(database, at=now)
        self.claim = self.told.approved()
        self.officer = Browser(app, self.told.world.officer)
        self.visitor = Browser(app)

    def published(self) -> str:
        """The notice, by the pages."""
        form = {"programme_code": self.told.world.programme_code, "claims": self.claim, **TEXTS}
        shown = self.officer.get("/programme/notices/new")
        assert self.claim in shown.text
        check = self.officer.send("/programme/notices/check", form)
        assert check.status_code == 200, check.text
        assert "5 个工作日" in check.text
        sent = self.officer.send("/programme/notices/", form)
        assert sent.status_code == 303, sent.text
        return sent.location.rsplit("/", 1)[-1]

    def objected(self, notice: str) -> tuple[str, str]:
        """Number and word of an objection made by a visitor."""
        form = {"objector": "李某", "contact": "13812345678", "body": "该服务并未实际发生，请核实。"}
        answer = self.visitor.send(f"/notices/{notice}/{self.claim}/object", form)
        assert answer.status_code == 200, answer.text
        number = re.search(rf"{notice}-[0-9]{{3}}", answer.text)
        word = re.search(r"\b[A-Z2-9]{8}\b", answer.text)
        assert number and word
        return number[0], word[0]


@pytest.fixture
def bureau(app: Flask) -> Bureau:
    return Bureau(app)


def test_an_officer_publishes_and_everybody_reads_without_an_account(bureau: Bureau) -> None:
    number = bureau.published()
    assert number in bureau.visitor.get("/notices/").text
    page = bureau.visitor.get(f"/notices/{number}")
    assert page.status_code == 200
    assert "第一批&lt;拟兑付&gt;名单" in page.text
    assert bureau.told.world.firm.name in page.text
    assert bureau.told.world.firm.uscc not in page.text
    assert "提出异议" in page.text
    assert bureau.visitor.get("/notices/N202600000010").status_code == 404


def test_a_form_with_a_fault_keeps_what_was_written(bureau: Bureau) -> None:
    form = {"programme_code": bureau.told.world.programme_code, **TEXTS}
    answer = bureau.officer.send("/programme/notices/check", form)
    assert answer.status_code == 422
    assert "0351-0000000" in answer.text
    number = bureau.published()
    kept = {"objector": "李某", "contact": "", "body": "该服务并未实际发生。"}
    answer = bureau.visitor.send(f"/notices/{number}/{bureau.claim}/object", kept)
    assert answer.status_code == 422
    assert "该服务并未实际发生。" in answer.text


def test_a_visitor_objects_and_follows_it_by_number_and_word(bureau: Bureau) -> None:
    notice = bureau.published()
    number, word = bureau.objected(notice)
    seen = bureau.visitor.get(f"/notices/{notice}").text
    assert number in seen
    assert "李某" not in seen and "13812345678" not in seen and "并未实际发生" not in seen
    wrong = bureau.visitor.send("/notices/objections", {"number": number, "word": "ABCDEFGH"})
    assert (wrong.status_code, "口令不正确" in wrong.text) == (404, True)
    right = bureau.visitor.send("/notices/objections", {"number": number, "word": word.lower()})
    assert right.status_code == 200
    assert "待处理" in right.text
    page = bureau.officer.get(f"/programme/objections/{number}").text
    assert "李某" in page and word in page


def test_the_same_form_sent_twice_makes_one_objection_and_too_many_are_stopped(bureau: Bureau) -> None:
    notice = bureau.published()
    form = {"objector": "李某", "contact": "0351-1234567", "body": "请核实该项服务。", "key": "same-key-123"}
    address = f"/notices/{notice}/{bureau.claim}/object"
    first, second = bureau.visitor.send(address, form), bureau.visitor.send(address, form)
    assert first.status_code == second.status_code == 200
    assert bureau.told.one(Objection).seq == 1
    for _ in range(MOST_OPEN - 1):
        bureau.objected(notice)
    limited = bureau.visitor.send(address, {**form, "key": "another-key-1"})
    assert limited.status_code == 429
    assert "请核实该项服务。" in limited.text, "nothing that was written is lost"


@pytest.mark.parametrize("verdict", ["dismissed", "upheld"])
def test_the_bureau_answers_and_the_answer_stands_on_the_notice(bureau: Bureau, verdict: str) -> None:
    notice = bureau.published()
    number, _ = bureau.objected(notice)
    form = {"verdict": verdict, "reason": "经核实检测报告和现场记录。"}
    check = bureau.officer.send(f"/programme/objections/{number}/check", form)
    assert ("全部退回原券" in check.text) is (verdict == "upheld")
    sent = bureau.officer.send(f"/programme/objections/{number}/answer", form)
    assert sent.status_code == 303, sent.text
    state = bureau.told.one(Claim, number=bureau.claim).state
    assert state == {"dismissed": "in_notice", "upheld": "rejected"}[verdict]
    assert "经核实检测报告和现场记录。" in bureau.visitor.get(f"/notices/{notice}").text
    again = bureau.officer.send(f"/programme/objections/{number}/answer", form)
    assert again.status_code == 409
    firm = Browser(bureau.app, bureau.told.world.firm.actor)
    page = firm.get(f"/enterprise/claims/{bureau.claim}").text
    assert ("经核实检测报告和现场记录。" in page) is (verdict == "upheld"), "the firm reads why"
    assert "/enterprise/appeals/new" not in page, "only a reviewer's rejection can be appealed"


def test_a_telephone_call_is_written_down_and_places_are_recorded(bureau: Bureau) -> None:
    notice = bureau.published()
    form = {
        "subject": bureau.claim,
        "via": "telephone",
        "objector": "王某",
        "contact": "0351-7654321",
        "body": "与中标公告不一致。",
    }
    sent = bureau.officer.send(f"/programme/objections/notices/{notice}", form)
    assert sent.status_code == 303, sent.text
    place = {"address": "https://kjt.example.gov.cn/gs/1.html", "placed_on": "2026-03-03"}
    assert bureau.officer.send(f"/programme/notices/{notice}/places", place).status_code == 303
    assert place["address"] in bureau.visitor.get(f"/notices/{notice}").text
    assert bureau.officer.send(f"/programme/notices/{notice}/places", {"address": "x"}).status_code == 422


def test_a_notice_is_exported_as_one_html_file_and_as_a_word_document(bureau: Bureau) -> None:
    notice = bureau.published()
    page = bureau.officer.get(f"/programme/notices/{notice}/notice.html")
    assert page.headers["Content-Disposition"] == f'attachment; filename="{notice}.html"'
    assert "第一批&lt;拟兑付&gt;名单" in page.text and "<拟兑付>" not in page.text
    assert bureau.claim in page.text and "50,000.00" in page.text
    assert not re.search(r"(?:src|href)=|https?://", page.text), "the file asks for nothing else"
    word = Document(BytesIO(bureau.officer.get(f"/programme/notices/{notice}/notice.docx").data))
    assert TEXTS["title"] in [paragraph.text for paragraph in word.paragraphs]
    assert [cell.text for cell in word.tables[0].rows[1].cells][1] == bureau.claim
    assert bureau.officer.get(f"/programme/notices/{notice}/notice.pdf").status_code == 404
    other = Browser(bureau.app, bureau.told.world.firm.actor)
    assert other.get(f"/programme/notices/{notice}/notice.html").status_code == 403


def test_the_whole_way_through_the_api(app: Flask) -> None:
    bureau = Bureau(app)
    world = bureau.told.world
    officer, firm = Machine(app, world.officer), Machine(app, world.firm.actor)
    waiting = officer.get("/api/v1/notices/waiting").get_json()["claims"]
    assert [(each["claim_no"], each["working_days"]) for each in waiting] == [(bureau.claim, 5)]
    body = {"programme_code": world.programme_code, "claim_nos": [bureau.claim], **TEXTS}
    notice = officer.send("/api/v1/notices", body).get_json()["number"]
    place = {"address": "省科技厅一楼公告栏", "placed_on": "2026-03-03"}
    assert officer.send(f"/api/v1/notices/{notice}/places", place).get_json() == place
    objection = {"subject": bureau.claim, "objector": "李某", "contact": "0351-1", "body": "请核实该项服务。"}
    made = firm.send(f"/api/v1/notices/{notice}/objections", objection).get_json()
    called = officer.send(
        f"/api/v1/notices/{notice}/recorded-objections", {**objection, "via": "counter"}
    ).get_json()
    stand = firm.send("/api/v1/objections/look-up", made).get_json()
    assert (stand["state"], stand["number"]) == ("lodged", made["number"])
    assert firm.send("/api/v1/objections/look-up", {**made, "word": "ABCDEFGH"}).status_code == 404
    assert len(officer.get("/api/v1/objections?state=lodged").get_json()["objections"]) == 2
    seen = officer.get(f"/api/v1/objections/{called['number']}").get_json()
    assert (seen["via"], seen["objector"]) == ("counter", "李某")
    verdict = {"verdict": "upheld", "reason": "经核实属实。"}
    done = officer.send(f"/api/v1/objections/{made['number']}/decide", verdict).get_json()
    assert (done["claim_state"], done["given_back_fen"]) == ("rejected", 50_000_00)
    shown = firm.get(f"/api/v1/notices/{notice}").get_json()
    assert [each["state"] for each in shown["objections"]] == ["upheld", "upheld"]
    assert shown["lines"][0]["outcome"] == "upheld"
    assert firm.get("/api/v1/notices").get_json()["notices"][0]["number"] == notice
