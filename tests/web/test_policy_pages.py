"""Officials look at a policy file, propose it, and another one publishes it; anybody reads what was published."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from tests.operations.stories import Told
from tests.operations.test_versions import child, second_version
from tests.web.stage import staged
from voucher.clock import wall_now
from voucher.models.programmes import PolicyVersion
from voucher.models.versions import PolicyProposal
from voucher.operations.fit_version import PublishRequest
from voucher.rules.permissions import Actor
from voucher.terms import Role

BASE = "/programme/policies"


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def officer(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.officer)


@pytest.fixture
def second(app: Flask, told: Told) -> Browser:
    return Browser(app, colleague(told))


def colleague(told: Told, region: str = "140000") -> Actor:
    def work(session: Session, at: datetime) -> Actor:
        book = told.world.book_id
        return factories.person(session, Role.PROGRAMME_OFFICER, region_code=region, book_id=book, at=at)

    return told.do(work)


def form(request: PublishRequest) -> dict[str, str]:
    return {
        "text": request.text,
        "fill": "\n".join(request.fills),
        "document": request.document_text or "",
        "book": request.book_code,
        "draft": "",
    }


def following() -> dict[str, str]:
    """The next version, in force from next year on."""
    return form(second_version(f"{wall_now().year + 1}-01-01"))


def proposal(told: Told) -> PolicyProposal:
    with told.database.read() as session:
        return session.scalars(select(PolicyProposal).order_by(PolicyProposal.id.desc())).first()  # type: ignore[return-value]


def test_a_sound_file_shows_its_parameters_and_what_it_changes_before_anything_is_written(
    told: Told, officer: Browser
) -> None:
    page = officer.send(f"{BASE}/check", following())
    assert page.status_code == 200
    for words in (
        "没有问题，可以提请发布",
        "与 CN-140000-INNO-2022 相比的变化",
        "500,000.00 元",
        "200,000.00 元",
    ):
        assert words in page.text
    assert told.rows(PolicyProposal) == []


def test_every_problem_is_shown_at_once_with_line_and_clause(officer: Browser) -> None:
    broken = following() | {"fill": ""}
    broken["text"] = (
        broken["text"].replace('value = "innovation_voucher"', "value = 7").replace("50 万元", "90 万元")
    )
    page = officer.send(f"{BASE}/check", broken).text
    assert "不能发布" in page and "kind.value" in page and "rate_lines" in page
    assert "原文中找不到这段引文" in page and "第 18 条" in page
    assert "提请另一人发布</button>" not in page


def test_what_the_database_refuses_is_said_by_the_check_already(officer: Browser) -> None:
    beside = form(second_version(f"{wall_now().year + 1}-01-01", supersedes=None))
    page = officer.send(f"{BASE}/check", beside).text
    assert "有效期重叠" in page and "提请另一人发布</button>" not in page


def test_a_file_may_be_uploaded_and_stands_before_what_was_typed(officer: Browser) -> None:
    sent = following()
    uploaded = {**sent, "text": "typed", "text_file": (BytesIO(sent["text"].encode()), "a.toml")}
    page = officer.client.post(
        f"{BASE}/check",
        data={**uploaded, "csrf_token": officer.csrf_token()},
        content_type="multipart/form-data",
    )
    assert "没有问题，可以提请发布" in page.text


@pytest.mark.parametrize(
    "text", ["", "#" * 200_001, "a = " + "[" * 100_000, "[policy]\ncode = 1e999", "\ufffd"], ids=range(5)
)
def test_hostile_texts_come_back_with_what_is_wrong(officer: Browser, text: str) -> None:
    for way in ("check", "drafts", "proposals"):
        answer = officer.send(f"{BASE}/{way}", {**form(second_version()), "text": text, "fill": ""})
        assert answer.status_code in (200, 422), way
        assert "检查政策文件" in answer.text


def test_one_person_proposes_and_another_publishes_and_the_page_says_how_each_version_stands(
    app: Flask, told: Told, officer: Browser, second: Browser
) -> None:
    assert officer.send(f"{BASE}/proposals", following()).status_code == 303
    row = proposal(told)
    place = f"{BASE}/proposals/{row.id}"
    own = officer.get(place).text
    assert "由您提请，须由另一人发布" in own and "核对无误" not in own
    assert officer.send(f"{place}/publish", {"sha256": row.sha256}).status_code == 409
    assert row.sha256 in second.get(place).text
    assert second.send(f"{place}/publish", {"sha256": "0" * 64}).status_code == 409
    done = second.send(f"{place}/publish", {"sha256": row.sha256}, follow_redirects=True).text
    assert "CN-140000-INNO-NEW 已发布" in done and "与 CN-140000-INNO-2022 相比的变化" in done
    listed = officer.get(f"{BASE}/").text
    assert "已发布，未施行" in listed and "施行中" in listed and "待第二人发布" not in listed
    before = officer.get(f"{BASE}/{factories.POLICY}").text
    assert "由 CN-140000-INNO-NEW 接替" in before
    assert "打印" in officer.get(f"{BASE}/CN-140000-INNO-NEW/print").text
    nobody = app.test_client()
    assert "CN-140000-INNO-NEW" in nobody.get("/policies/").text
    public = nobody.get("/policies/CN-140000-INNO-NEW").text
    assert "500,000.00 元" in public and told.world.officer.name not in public
    assert nobody.get("/policies/NONE").status_code == 404


def test_a_draft_is_kept_gone_on_with_and_proposed(told: Told, officer: Browser, second: Browser) -> None:
    unfinished = following() | {"fill": ""}
    assert officer.send(f"{BASE}/drafts", unfinished).status_code == 303
    row = proposal(told)
    assert "草稿" in officer.get(f"{BASE}/").text
    again = officer.get(f"{BASE}/check?proposal={row.id}").text
    assert f'name="draft" value="{row.id}"' in again and "CN-140000-INNO-NEW" in again
    assert 'name="draft" value=""' in second.get(f"{BASE}/check?proposal={row.id}").text
    assert second.send(f"{BASE}/drafts", {**unfinished, "draft": str(row.id)}).status_code == 404
    assert officer.send(f"{BASE}/drafts", {**unfinished, "draft": str(row.id)}).status_code == 303
    assert officer.send(f"{BASE}/proposals", {**following(), "draft": str(row.id)}).status_code == 303
    assert len(told.rows(PolicyProposal)) == 1 and proposal(told).state == "proposed"
    assert officer.send(f"{BASE}/drafts", {**unfinished, "draft": str(row.id)}).status_code == 409


def test_a_proposal_is_withdrawn_with_a_reason(told: Told, officer: Browser, second: Browser) -> None:
    officer.send(f"{BASE}/proposals", following())
    place = f"{BASE}/proposals/{proposal(told).id}"
    assert second.send(f"{place}/withdraw", {"reason": " "}).status_code == 422
    done = second.send(f"{place}/withdraw", {"reason": "比例待核"}, follow_redirects=True).text
    assert "已撤回" in done and "比例待核" in done
    assert second.send(f"{place}/withdraw", {"reason": "再次"}).status_code == 409


def test_a_child_shows_what_it_inherits_and_is_proposed_by_the_citys_people(app: Flask, told: Told) -> None:
    city = Browser(app, colleague(told, "141100"))
    page = city.send(f"{BASE}/check", form(child("lvliang-innovation-2022"))).text
    for words in ("继承", "晋发改高新发〔2022〕79号 第 18 条（继承自 CN-140000-INNO-2022）", "没有问题"):
        assert words in page
    assert city.send(f"{BASE}/proposals", form(child("lvliang-innovation-2022"))).status_code == 303
    number = proposal(told).id
    stranger = Browser(app, colleague(told, "610000"))
    assert stranger.get(f"{BASE}/proposals/{number}").status_code == 404
    assert stranger.get(f"{BASE}/check?proposal={number}").status_code == 404
    assert stranger.get(f"{BASE}/check?proposal=x").status_code == 200
    assert "CN-141100-INNO-2022" not in stranger.get(f"{BASE}/").text


def test_a_reviewer_reads_versions_and_proposes_nothing(app: Flask, told: Told) -> None:
    reviewer = Browser(app, told.world.reviewer)
    assert "检查政策文件" not in reviewer.get(f"{BASE}/").text
    assert reviewer.get(f"{BASE}/check").status_code == 403
    assert told.rows(PolicyVersion)


def test_the_firm_reads_its_orders_computation_line_by_line_with_the_clause(app: Flask) -> None:
    stage = staged(app)
    placed, held = stage.placed(), stage.held(30_000_00)
    assert "补助怎样算出" not in stage.firm.get(f"/enterprise/orders/{placed}").text
    page = stage.firm.get(f"/enterprise/orders/{held}").text
    for words in (
        "补助怎样算出",
        "补助比例",
        "演示主管部门：演示填写，非文件规定",
        f'href="/policies/{factories.POLICY}"',
    ):
        assert words in page


def test_a_book_that_is_not_there_is_told_at_its_field(officer: Browser) -> None:
    page = officer.send(f"{BASE}/check", following() | {"book": "999999"}).text
    assert "没有账簿“999999”" in page
    assert "提请另一人发布" not in page


def test_what_is_no_toml_is_said_in_chinese_with_its_place(officer: Browser) -> None:
    page = officer.send(f"{BASE}/check", following() | {"text": "[[[ x"}).text
    assert "从第 3 个字起不是有效的 TOML" in page
    assert "Invalid" not in page
    fault = officer.send(f"{BASE}/check", following() | {"fill": "[fill]\npolicy = "}).text
    assert "填写文件第 2 行" in fault


def test_the_shares_on_a_public_page_name_the_region(app: Flask, told: Told) -> None:
    page = Browser(app).get(f"/policies/{told.world.policy_code}").text
    assert "山西省：100%" in page
