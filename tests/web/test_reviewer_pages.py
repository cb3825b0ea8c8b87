"""Reviewers' pages: the queue, the decision with its check page, rosters, holders, platforms."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.codes import make_uscc
from voucher.models.claims import Claim
from voucher.models.parties import Certification, Holder, Qualification, RosterEntry
from voucher.terms import Role


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def reviewer(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.reviewer)


def stranger(app: Flask, told: Told) -> Browser:
    """A reviewer of another province."""
    return Browser(
        app,
        told.do(lambda session, at: factories.person(session, Role.REVIEWER, region_code="610000", at=at)),
    )


def test_the_queue_and_the_claim_show_everything_for_one_decision(told: Told, reviewer: Browser) -> None:
    number = told.claimed()
    assert number in reviewer.get("/reviewer/claims").text
    page = reviewer.get(f"/reviewer/claims/{number}").text
    for fact in (
        "100,000.00",
        "50,000.00",
        "演示填写，非文件规定",
        "各申请分摊不超过发票金额",
        "服务合同",
        "审核意见",
    ):
        assert fact in page


def test_a_filter_that_cannot_be_read_is_left_out(told: Told, reviewer: Browser) -> None:
    number = told.claimed()
    answer = reviewer.get("/reviewer/claims?from_on=nonsense&page=99999999999999999999&state=none")
    assert answer.status_code == 200
    assert number in answer.text


def test_a_claim_is_trimmed_after_a_look_at_the_check_page(told: Told, reviewer: Browser) -> None:
    number = told.claimed()
    form = {"verdict": "trim", "approved": "２0000.5", "reason": "超出合同约定"}
    check = reviewer.send(f"/reviewer/claims/{number}/check", form)
    assert check.status_code == 200
    assert "20,000.50" in check.text
    assert told.one(Claim, number=number).state == "submitted"
    done = reviewer.send(f"/reviewer/claims/{number}/decide", form, follow_redirects=True)
    assert "审核结论" in done.text
    assert told.one(Claim, number=number).approved_fen == 20_000_50


def test_a_wrong_decision_form_comes_back_with_what_was_filled_in(told: Told, reviewer: Browser) -> None:
    number = told.claimed()
    form = {"verdict": "trim", "approved": "60000", "reason": "理由在此"}
    answer = reviewer.send(f"/reviewer/claims/{number}/check", form)
    assert answer.status_code == 422
    assert "错误：" in answer.text
    assert 'value="60000"' in answer.text
    assert "理由在此" in answer.text


@pytest.mark.parametrize("amount", ["NaN", "1e400", "-1", "0", "1.234", "٣", "9223372036854775808"])
def test_a_hostile_amount_is_refused_at_its_field(told: Told, reviewer: Browser, amount: str) -> None:
    number = told.claimed()
    form = {"verdict": "trim", "approved": amount, "reason": "x"}
    answer = reviewer.send(f"/reviewer/claims/{number}/decide", form)
    assert answer.status_code == 422
    assert 'href="#f-approved"' in answer.text


def test_a_decided_claim_is_refused_a_second_time_on_its_own_page(told: Told, reviewer: Browser) -> None:
    number = told.approved()
    answer = reviewer.send(f"/reviewer/claims/{number}/decide", {"verdict": "approve"})
    assert answer.status_code == 409
    assert "不能办理" in answer.text


def test_the_same_decision_sent_twice_with_one_key_gives_one_answer(told: Told, reviewer: Browser) -> None:
    number = told.claimed()
    form = {"verdict": "approve", "key": "one-key-for-both"}
    first = reviewer.send(f"/reviewer/claims/{number}/decide", form)
    second = reviewer.send(f"/reviewer/claims/{number}/decide", form)
    assert (first.status_code, second.status_code) == (303, 303)


def test_another_provinces_claim_does_not_exist(app: Flask, told: Told) -> None:
    number = told.claimed()
    other = stranger(app, told)
    assert number not in other.get("/reviewer/claims?state=all").text
    assert other.get(f"/reviewer/claims/{number}").status_code == 404
    assert other.get(f"/reviewer/claims/{number}/documents/1").status_code == 404
    assert other.send(f"/reviewer/claims/{number}/check", {"verdict": "approve"}).status_code == 404
    assert other.send(f"/reviewer/claims/{number}/decide", {"verdict": "approve"}).status_code == 404


def test_finance_may_not_decide_claims(app: Flask, told: Told) -> None:
    number = told.claimed()
    maker = Browser(app, told.world.maker)
    assert maker.get("/reviewer/claims").status_code == 403
    assert maker.send(f"/reviewer/claims/{number}/decide", {"verdict": "approve"}).status_code == 403


def roster(*rows: str, encoding: str = "gb18030") -> tuple[io.BytesIO, str]:
    text = "\r\n".join(["企业名称,统一社会信用代码,入库登记编号,所在地区", *rows])
    return io.BytesIO(text.encode(encoding)), "名单.csv"


def test_a_roster_is_previewed_and_only_then_imported(told: Told, reviewer: Browser) -> None:
    uscc, year = make_uscc("140105", 987_654), told.world.year
    form = {"year": str(year), "file": roster(f"晋阳新材料有限公司,{uscc},{year}140105A9000001,小店区")}
    preview = reviewer.send("/reviewer/rosters/preview", form, content_type="multipart/form-data")
    assert "晋阳新材料有限公司" in preview.text
    assert "确认导入" in preview.text
    digest = preview.text.split('name="sha256" value="')[1].split('"')[0]
    confirmed = {"year": str(year), "sha256": digest, "file_name": "名单.csv"}
    assert reviewer.send("/reviewer/rosters/import", confirmed).status_code == 303
    assert told.one(RosterEntry, uscc=uscc).name == "晋阳新材料有限公司"
    again = reviewer.send("/reviewer/rosters/import", confirmed, follow_redirects=True)
    assert "以前已经导入过" in again.text


def test_a_roster_with_one_wrong_row_offers_no_import(told: Told, reviewer: Browser) -> None:
    rows = (f"好企业,{make_uscc('140105', 5)},A1,小店区", "坏企业,911401050000000000,A2,不存在的县")
    form = {"year": str(told.world.year), "file": roster(*rows, encoding="utf-8")}
    preview = reviewer.send("/reviewer/rosters/preview", form, content_type="multipart/form-data")
    assert "没有这个地区" in preview.text
    assert "确认导入" not in preview.text


def test_a_file_that_was_never_previewed_cannot_be_imported(told: Told, reviewer: Browser) -> None:
    form = {"year": str(told.world.year), "sha256": "0" * 64, "file_name": "x.csv"}
    assert reviewer.send("/reviewer/rosters/import", form).status_code == 422
    path = {**form, "sha256": "..%2f..%2fetc"}
    assert reviewer.send("/reviewer/rosters/import", path).status_code == 422


def test_holders_are_qualified_and_refusals_listed_by_name(told: Told, reviewer: Browser) -> None:
    def work(session: Session, at: datetime) -> tuple[Holder, Holder]:
        listed, unlisted = factories.organisation(session, at=at), factories.organisation(session, at=at)
        factories.on_roster(session, listed, by=told.world.reviewer, year=told.world.year, at=at)
        return factories.holder(session, listed, at=at), factories.holder(session, unlisted, at=at)

    good, bad = told.do(work)
    form = {"programme": told.world.programme_code, "holders": [good.ref, bad.ref]}
    answer = reviewer.send("/reviewer/holders/qualify", form)
    assert "未列入当年名单" in answer.text
    assert told.one(Qualification, holder_id=good.id).year == told.world.year
    nobody = reviewer.send("/reviewer/holders/qualify", {"programme": told.world.programme_code})
    assert nobody.status_code == 422


def test_a_platform_is_suspended_with_a_reason_and_reinstated(told: Told, reviewer: Browser) -> None:
    place = told.world.platform
    base = f"/reviewer/platforms/{place.platform_id}"
    verb = f"{base}/certifications/{place.certification_id}"
    assert reviewer.send(f"{verb}/suspend", {"reason": ""}).status_code == 422
    assert "整改中" in reviewer.send(f"{verb}/suspend", {"reason": "整改中"}, follow_redirects=True).text
    assert told.one(Certification, id=place.certification_id).state == "suspended"
    assert reviewer.send(f"{verb}/suspend", {"reason": "再一次"}).status_code == 409
    assert reviewer.send(f"{verb}/reinstate", {"reason": "整改完成"}).status_code == 303
    assert reviewer.send(f"{verb}/explode", {"reason": "x"}).status_code == 404
    assert told.one(Certification, id=place.certification_id).state == "certified"


def test_a_platform_is_certified_for_kinds_and_services(told: Told, reviewer: Browser) -> None:
    base = f"/reviewer/platforms/{told.world.platform.platform_id}"
    form = {
        "certifier": "science",
        "region_code": "140000",
        "kinds": ["innovation_voucher"],
        "services": ["technical_cooperation"],
        "document_no": "晋科认〔2026〕7号",
        "from_on": "2026-01-01",
    }
    wrong = reviewer.send(f"{base}/certify", {**form, "from_on": "明天"})
    assert wrong.status_code == 422
    assert "晋科认〔2026〕7号" in wrong.text
    assert reviewer.send(f"{base}/certify", form).status_code == 303
    assert told.one(Certification, document_no="晋科认〔2026〕7号").services == ["technical_cooperation"]
