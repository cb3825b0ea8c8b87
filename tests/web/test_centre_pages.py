"""Centres on their pages and through the API: certified, reported, scored, published, put right, struck off."""

from __future__ import annotations

import pytest
from flask import Flask

from tests import factories
from tests.entrance import Browser, Machine
from tests.operations.evaluating import BAD, rules_text
from tests.operations.stories import Told
from voucher.clock import business_date, wall_now
from voucher.terms import Role

TODAY = business_date(wall_now())
LAST_YEAR = TODAY.year - 1
FORM = {
    "name": "小店创业孵化基地",
    "kind": "incubation_base",
    "authority": "human_resources",
    "certifying_region": "140100",
    "location_region": "140105",
    "grade": "市级",
    "document_no": "并人社认〔2025〕3号",
    "from_on": f"{LAST_YEAR - 1}-01-01",
    "titles": ["makerspace", "ie_base"],
}
FIGURES = {
    "filed_tenants": "30",
    "in_incubation": "24",
    "graduated": "2",
    "exited": "1",
    "services": "40",
    "financing_fen": "1,500,000.00",
    "activities": "6",
}


@pytest.fixture
def told(app: Flask) -> Told:
    """The Shanxi world of today behind the application."""
    return Told(app.extensions["voucher_database"], at=wall_now())


def points(given: dict[str, int]) -> dict[str, str]:
    return {f"points_{name}": str(value) for name, value in given.items()}


def test_a_centre_from_its_certification_to_the_loss_of_its_titles(app: Flask, told: Told) -> None:
    world = told.world
    reviewer, officer = Browser(app, world.reviewer), Browser(app, world.officer)
    host = told.do(lambda s, at: factories.organisation(s, name="小店创业服务有限公司", at=at))
    runs = told.do(lambda s, at: factories.person(s, Role.INCUBATOR_MANAGER, organisation_id=host.id, at=at))
    wrong = reviewer.send("/reviewer/centres/", {**FORM, "uscc": host.uscc, "name": ""})
    assert wrong.status_code == 422 and "并人社认〔2025〕3号" in wrong.text
    assert wrong.text.count('id="f-kind"') == 1
    nobody = reviewer.send("/reviewer/centres/", {**FORM, "uscc": world.auditor.name + "x"})
    assert nobody.status_code == 422
    made = reviewer.send("/reviewer/centres/", {**FORM, "uscc": host.uscc})
    assert made.status_code == 303
    page = made.location
    assert "市级众创空间" in reviewer.get(page).text
    assert "小店创业孵化基地" in Browser(app).get("/centres/").text

    assert "没有公布适用于" in reviewer.get(f"/reviewer/evaluations/sheet/centre/1?year={LAST_YEAR}").text
    broken = officer.send(
        "/reviewer/evaluations/rules", {"text": rules_text().replace("value = 2\n", "value = 0\n")}
    )
    assert broken.status_code == 422 and "应为 1 至 10 的整数" in broken.text
    assert officer.send("/reviewer/evaluations/rules", {"text": rules_text()}).status_code == 303
    assert "3年内不得申报市级各类创业创新载体" in officer.get("/reviewer/evaluations/rules").text

    own = Browser(app, runs)
    listed = own.get("/centre/").text
    assert f"{LAST_YEAR} 年第 4 季度" in listed and "逾期未报" in listed
    path = f"/centre/1/report/{LAST_YEAR}/1"
    assert own.get(path).status_code == 200
    bad = own.send(path, {**FIGURES, "graduated": "-1"})
    assert bad.status_code == 422 and 'value="24"' in bad.text
    assert own.send(path, FIGURES).status_code == 303
    assert "逾期报送" in own.get("/centre/").text
    assert "逾期报送" in reviewer.get(f"/reviewer/centres/reports?year={LAST_YEAR}").text
    assert Browser(app, world.firm.actor).get(path).status_code == 403

    sheet = f"/reviewer/evaluations/sheet/centre/1?year={LAST_YEAR}"
    assert "1,500,000.00" in reviewer.get(sheet).text
    above = reviewer.send(sheet, points({**BAD, "filing": 21}))
    assert above.status_code == 422 and "满分 20" in above.text
    scored = reviewer.send(sheet, points(BAD))
    assert scored.status_code == 303
    assert (
        reviewer.send(scored.location + "/publish", {"document_no": "1号", "demand": "补"}).status_code == 403
    )
    silent = officer.send(scored.location + "/publish", {"document_no": "并双创评〔1〕号"})
    assert silent.status_code == 422 and "请写明整改要求" in silent.text
    done = officer.send(
        scored.location + "/publish", {"document_no": "并双创评〔1〕号", "demand": "补齐备案"}
    )
    assert done.status_code == 303
    assert "限期整改" in reviewer.get(page).text and "补齐备案" in own.get("/centre/").text
    answered = own.send("/centre/orders/1", {"text": "已补齐。", "of": "centre"})
    assert answered.status_code == 303
    assert own.send("/centre/orders/1", {"text": "再报。", "of": "centre"}).status_code == 409
    settled = reviewer.send(scored.location + "/orders/1", {"outcome": "passed", "reason": "核验合格"})
    assert settled.status_code == 303 and "在库" in reviewer.get(page).text

    before = f"/reviewer/evaluations/sheet/centre/1?year={LAST_YEAR - 1}"
    second = reviewer.send(before, points(BAD)).location
    back = officer.send(second + "/return", {"reason": "分值有误"})
    assert back.status_code == 303 and "重新评分" in reviewer.get(second).text
    assert reviewer.send(before, points(BAD)).status_code == 303
    assert (
        officer.send(second + "/publish", {"document_no": "并双创评〔2〕号", "demand": "整改"}).status_code
        == 303
    )
    text = reviewer.get(page).text
    assert "摘牌" in text and "已取消" in text and "不得申报孵化载体" in text
    assert "摘牌" in Browser(app).get("/centres/results").text
    again = reviewer.send("/reviewer/centres/", {**FORM, "uscc": host.uscc, "document_no": "新1号"})
    assert again.status_code == 409 and "起可以再次申报" in again.text
    assert reviewer.get("/reviewer/evaluations/?orders=open").status_code == 200

    table = reviewer.get(f"/reviewer/centres/table?year={LAST_YEAR}").text
    assert "1,500,000.00" in table and "不合格" in table
    sheet_file = reviewer.get(f"/reviewer/centres/table-{LAST_YEAR}.csv")
    assert "小店创业孵化基地,市级,30,24,2,1,40,4,4" in sheet_file.data.decode("utf-8-sig")
    workbook = reviewer.get(f"/reviewer/centres/table-{LAST_YEAR}.xlsx")
    assert workbook.data.startswith(b"PK")


def test_a_centre_is_suspended_and_reinstated_by_its_authority(app: Flask, told: Told) -> None:
    host = told.do(lambda s, at: factories.organisation(s, at=at))
    reviewer = Browser(app, told.world.reviewer)
    page = reviewer.send("/reviewer/centres/", {**FORM, "uscc": host.uscc}).location
    assert reviewer.send(page + "/suspend", {"reason": ""}).status_code == 422
    assert reviewer.send(page + "/suspend", {"reason": "抽查"}).status_code == 303
    assert reviewer.send(page + "/suspend", {"reason": "抽查"}).status_code == 409
    assert "抽查" in reviewer.get(page).text
    assert reviewer.send(page + "/restore", {"reason": "已改"}).status_code == 303
    assert reviewer.send(page + "/revoke", {"reason": "注销"}).status_code == 303
    assert "已取消" in reviewer.get(page).text
    assert reviewer.get("/reviewer/centres/987").status_code == 404


def test_a_provider_sees_the_state_of_its_certification_and_answers_its_order(app: Flask, told: Told) -> None:
    world = told.world
    reviewer, officer = Browser(app, world.reviewer), Browser(app, world.officer)
    manager = Browser(app, world.platform.manager)
    assert "在库" in manager.get("/centre/platform").text
    text = rules_text(region="140000", subject="platform", code="PLATFORMS")
    assert officer.send("/reviewer/evaluations/rules", {"text": text}).status_code == 303
    sheet = f"/reviewer/evaluations/sheet/platform/{world.platform.certification_id}?year={LAST_YEAR}"
    assert reviewer.get(sheet).status_code == 200
    scored = reviewer.send(sheet, points(BAD)).location
    officer.send(scored + "/publish", {"document_no": "晋科评〔1〕号", "demand": "设备开放时间不足"})
    seen = manager.get("/centre/platform").text
    assert "限期整改" in seen and "设备开放时间不足" in seen
    empty = manager.send("/centre/orders/1", {"text": "", "of": "platform"})
    assert empty.status_code == 422
    assert manager.send("/centre/orders/1", {"text": "已开放。", "of": "platform"}).status_code == 303
    assert "晋科评〔1〕号" in Browser(app).get("/centres/results").text
    assert "年度评价" in reviewer.get(f"/reviewer/platforms/{world.platform.platform_id}").text


def test_centres_and_evaluations_through_the_api(app: Flask, told: Told) -> None:
    world = told.world
    reviewer, officer = Machine(app, world.reviewer), Machine(app, world.officer)
    host = told.do(lambda s, at: factories.organisation(s, at=at))
    runs = told.do(lambda s, at: factories.person(s, Role.INCUBATOR_MANAGER, organisation_id=host.id, at=at))
    made = reviewer.send("/api/v1/centres", {**FORM, "uscc": host.uscc})
    assert made.status_code == 201, made.text
    number = made.get_json()["id"]
    assert officer.send("/api/v1/evaluation-rules", {"text": rules_text()}).status_code == 201
    figures = dict.fromkeys(FIGURES, 3)
    body = {"year": LAST_YEAR, "quarter": 2, **figures}
    reported = Machine(app, runs).send(f"/api/v1/centres/{number}/reports", body)
    assert reported.get_json()["late"] is True
    owed = reviewer.get(f"/api/v1/centre-reports?year={LAST_YEAR}").get_json()["reports"]
    assert [each["state"] for each in owed] == ["overdue", "late", "overdue", "overdue"]
    scored = reviewer.send(
        "/api/v1/evaluations", {"subject": "centre", "id": number, "year": LAST_YEAR, "points": BAD}
    ).get_json()
    assert (scored["total"], scored["passed"], scored["state"]) == (50, False, "scored")
    path = f"/api/v1/evaluations/{scored['id']}"
    assert officer.send(path + "/return", {"reason": "重评"}).get_json()["state"] == "returned"
    reviewer.send(
        "/api/v1/evaluations", {"subject": "centre", "id": number, "year": LAST_YEAR, "points": BAD}
    )
    done = officer.send(path + "/publish", {"document_no": "评1号", "demand": "补齐"}).get_json()
    assert (done["state"], done["revoked"]) == ("published", False)
    order = reviewer.get("/api/v1/evaluations").get_json()["results"][0]["order"]
    answered = Machine(app, runs).send(f"/api/v1/rectifications/{order['id']}/answer", {"text": "已补齐"})
    assert answered.get_json()["state"] == "answered"
    settled = reviewer.send(
        f"/api/v1/rectifications/{order['id']}/settle", {"outcome": "failed", "reason": "未改"}
    )
    assert settled.get_json()["state"] == "failed"
    assert app.test_client().get("/api/v1/centres").get_json()["centres"][0]["state"] == "suspended"
    revoked = reviewer.send(f"/api/v1/centres/{number}/change", {"event": "revoke", "reason": "注销"})
    assert revoked.get_json() == {"id": number, "state": "revoked"}
    table = reviewer.get(f"/api/v1/centre-table?year={LAST_YEAR}").get_json()["rows"]
    assert (table[0]["score"], table[0]["financing_fen"], table[0]["reports_late"]) == (50, 3, 4)
    assert (
        app.test_client().get("/api/v1/evaluations/published").get_json()["results"][0]["grade"] == "不合格"
    )
