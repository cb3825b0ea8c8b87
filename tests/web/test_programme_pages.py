"""Officers' pages: policies, issuing, vouchers; and the security administrator's people."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.models.people import Person, RoleGrant
from voucher.models.vouchers import Voucher
from voucher.rules.permissions import Actor
from voucher.terms import Role


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def officer(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.officer)


def test_a_policy_says_of_every_parameter_where_it_stands_or_who_filled_it_in(
    told: Told, officer: Browser
) -> None:
    page = officer.get(f"/programme/policies/{told.world.policy_code}").text
    for text in ("演示填写，非文件规定", "晋发改高新发〔2022〕79号 第 18 条", "200,000.00 元", "50%", "不设"):
        assert text in page
    assert officer.get("/programme/policies/NONE").status_code == 404


def test_vouchers_are_issued_in_bulk_and_every_refusal_is_named(told: Told, officer: Browser) -> None:
    form = {
        "line_code": told.world.line_code,
        "face": "50000",
        "holders": [told.world.firm.holder_ref],
        "pasted": "911401000000000001，" + told.world.firm.holder_ref.lower(),
    }
    check = officer.send("/programme/issue/check", form).text
    assert "100,000.00" in check
    assert "没有认定资格" in check
    done = officer.send("/programme/issue/", form).text
    assert "发放 1 张，未发放 1 家" in done
    assert "不符合本政策的申领条件" in done
    assert told.one(Voucher, holder_id=told.world.firm.holder_id).face_fen == 50_000_00


def test_an_issue_form_without_anybody_comes_back_with_its_amount(told: Told, officer: Browser) -> None:
    answer = officer.send("/programme/issue/check", {"line_code": told.world.line_code, "face": "7777"})
    assert answer.status_code == 422
    assert 'value="7777"' in answer.text


def test_a_voucher_is_revoked_with_a_reason_only(told: Told, officer: Browser) -> None:
    number = told.voucher()
    base = f"/programme/vouchers/{number}"
    assert number in officer.get("/programme/vouchers/").text
    assert officer.send(f"{base}/revoke", {"reason": "  "}).status_code == 422
    assert (
        "200,000.00 元退回预算"
        in officer.send(f"{base}/revoke", {"reason": "主体注销"}, follow_redirects=True).text
    )
    assert officer.send(f"{base}/revoke", {"reason": "再次"}).status_code == 409


def test_why_a_voucher_ended_is_said_in_words_to_officer_and_firm(
    app: Flask, told: Told, officer: Browser
) -> None:
    number = told.voucher()
    expired = update(Voucher).values(state="expired", state_reason="use_by")

    def end(session: Session, _at: datetime) -> None:
        session.execute(expired)

    told.do(end)
    firm = Browser(app, told.world.firm.actor)
    for page in (officer.get(f"/programme/vouchers/{number}"), firm.get(f"/enterprise/vouchers/{number}")):
        assert "超过使用期限" in page.text
        assert "use_by" not in page.text


def test_another_authoritys_voucher_does_not_exist(app: Flask, told: Told) -> None:
    number = told.voucher()

    def work(session: Session, at: datetime) -> Actor:
        other = factories.book(session, code="610000", authority="陕西省财政厅")
        return factories.person(
            session, Role.PROGRAMME_OFFICER, region_code="610000", book_id=other.book_id, at=at
        )

    other = Browser(app, told.do(work))
    assert other.get(f"/programme/vouchers/{number}").status_code == 404
    assert other.send(f"/programme/vouchers/{number}/revoke", {"reason": "x"}).status_code == 404
    form = {"line_code": told.world.line_code, "face": "50000", "holders": [told.world.firm.holder_ref]}
    assert other.send("/programme/issue/", form).status_code == 404


def test_a_reviewer_may_read_vouchers_and_not_issue(app: Flask, told: Told) -> None:
    reviewer = Browser(app, told.world.reviewer)
    assert reviewer.get("/programme/vouchers/").status_code == 200
    assert reviewer.get("/programme/issue/").status_code == 403


def test_a_person_is_enrolled_and_shut_out(app: Flask, told: Told) -> None:
    admin_actor = told.do(lambda session, at: factories.person(session, Role.SECURITY_ADMIN, at=at))
    admin = Browser(app, admin_actor)
    form = {
        "login": "li4",
        "name": "李四",
        "password": "Long-enough-77",
        "role": "finance_maker",
        "scope": "140000",
    }
    assert admin.send("/admin/people", {**form, "scope": "999"}).status_code == 422
    assert admin.send("/admin/people", {**form, "password": "short"}).status_code == 422
    assert admin.send("/admin/people", form).status_code == 303
    assert "财政经办（山西省财政厅）" in admin.get("/admin/people").text
    assert admin.send("/admin/people", form).status_code == 409
    signer = {**form, "login": "zhao6", "role": "cosigner"}
    assert admin.send("/admin/people", signer).status_code == 422
    assert admin.send("/admin/people", {**signer, "function": "finance"}).status_code == 303
    assert told.one(RoleGrant, role="cosigner").function == "finance"
    expert = {**form, "login": "sun8", "role": "expert", "scope": ""}
    assert admin.send("/admin/people", expert).status_code == 303
    person = told.one(Person, login="li4")
    assert admin.send(f"/admin/people/{person.id}/disable").status_code == 303
    assert told.one(Person, login="li4").disabled_at is not None
    assert admin.send(f"/admin/people/{admin_actor.person_id}/disable").status_code == 409
    assert Browser(app, told.world.officer).get("/admin/people").status_code == 403
