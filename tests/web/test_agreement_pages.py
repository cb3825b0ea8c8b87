"""Agreements on their pages: proposed by one, published by another, read by all, kept by either region."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.entrance import Browser
from tests.factories import SERVICES
from tests.operations import contract_world as on
from tests.operations import counter
from tests.operations.recognition_world import Two, published, recognised, two_provinces
from tests.operations.stories import Told
from tests.rules.agreements import DOCUMENT, TEXT
from voucher.clock import wall_now
from voucher.models.agreements import AgreementListing, AgreementSuspension, AgreementVersion
from voucher.models.orders import Order


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"])


@pytest.fixture
def two(told: Told) -> Two:
    return two_provinces(told)


def test_a_faulty_text_is_told_whole_and_nothing_of_it_is_lost(app: Flask, told: Told, two: Two) -> None:
    officer = Browser(app, told.world.officer)
    text = TEXT.replace('value = "clearing"', 'value = "direct"').replace("2027-12-31", "2025-12-31")
    form = {"text": text, "document_text": DOCUMENT, "deed": "propose"}
    answer = officer.send("/programme/agreements/new", form)
    assert answer.status_code == 422
    for said in ("remit", "第 5 条", "effective_through", "第 7 条", "晋陕科技创新券互认（演示）"):
        assert said in answer.text
    assert told.rows(AgreementVersion) == []
    checked = officer.send("/programme/agreements/new", form | {"text": TEXT, "deed": "check"})
    assert "没有问题" in checked.text
    assert told.rows(AgreementVersion) == []


def test_one_proposes_another_publishes_and_everybody_reads_it(app: Flask, told: Told, two: Two) -> None:
    officer, second = Browser(app, told.world.officer), Browser(app, two.officer)
    form = {"text": TEXT, "document_text": DOCUMENT, "deed": "propose"}
    page = officer.send("/programme/agreements/new", form, follow_redirects=True).text
    assert "须由另一名主管人员发布" in page
    version = told.one(AgreementVersion).id
    assert app.test_client().get(f"/agreements/{version}").status_code == 404
    base = f"/programme/agreements/{version}"
    assert officer.send(f"{base}/publish", {}).status_code == 409
    assert "已发布" in second.send(f"{base}/publish", {}, follow_redirects=True).text
    assert "晋陕科技创新券互认" in app.test_client().get("/agreements/").text
    shown = app.test_client().get(f"/agreements/{version}").text
    for said in ("企业所在地区 2/3", "第 5 条", "60,000.00 元", "山西省（含所辖地区）", "第 6 条"):
        assert said in shown
    assert "JINSHAN-2026" in Browser(app, told.world.auditor).get(base).text
    stopped = second.send(f"{base}/revoke", {"reason": "查实虚假服务"}, follow_redirects=True).text
    assert "已撤销" in stopped
    assert second.send(f"{base}/end", {"reason": "终止"}).status_code == 409
    assert second.send(f"{base}/end", {"reason": " "}).status_code == 422


def test_the_registry_is_kept_on_its_page(app: Flask, told: Told, two: Two) -> None:
    version = published(told, two)
    second, base = Browser(app, two.officer), f"/programme/agreements/{version}/registry"
    form = {"platform_id": str(two.platform.platform_id), "document_no": "名录第1批", "from_on": "2026-01-01"}
    assert two.platform.name in second.get(base).text
    lame = second.send(base, form | {"deed": "list", "from_on": ""})
    assert (lame.status_code, "名录第1批" in lame.text) == (422, True)
    assert second.send(base, form | {"deed": "list", "to_on": "2025-01-01"}).status_code == 422
    assert "名录第1批" in second.send(base, form | {"deed": "list"}, follow_redirects=True).text
    away = {"platform_id": form["platform_id"], "region_code": "610000", "reason": "整改"}
    assert "被一方地区暂停" in second.send(base, away | {"deed": "suspend"}, follow_redirects=True).text
    assert two.platform.name in Browser(app, two.platform.manager).get("/provider/recognition/").text
    assert second.send(base, away | {"deed": "suspend"}).status_code == 409
    second.send(base, away | {"deed": "readmit"})
    assert told.one(AgreementSuspension).lifted_at is not None
    second.send(base, {"deed": "take_off", "platform_id": form["platform_id"], "reason": "资质失效"})
    assert told.one(AgreementListing).remove_reason == "资质失效"
    assert (
        second.send(base, {"deed": "take_off", "platform_id": form["platform_id"], "reason": "x"}).status_code
        == 404
    )


def test_an_orders_pages_show_both_sides_the_agreement_with_its_document(app: Flask, told: Told) -> None:
    two = recognised(told)
    order = counter.proposed(told, told.voucher(), 10_000_00).order
    assert told.one(Order, number=order).agreement_version_id is not None
    for browser, path in (
        (Browser(app, told.world.firm.actor), f"/enterprise/orders/{order}"),
        (Browser(app, two.platform.manager), f"/provider/orders/{order}"),
        (Browser(app, told.world.reviewer), f"/reviewer/orders/{order}"),
    ):
        page = browser.get(path).text
        assert "演晋陕互认〔2026〕1号" in page, path
        assert "陕西省" in page
        assert "撤销" not in page
    version = told.one(AgreementVersion).id
    form = {"reason": "查实虚假服务", "document_no": "陕科函1号"}
    Browser(app, two.officer).send(f"/programme/agreements/{version}/revoke", form)
    page = Browser(app, told.world.firm.actor).get(f"/enterprise/orders/{order}").text
    assert "查实虚假服务（陕科函1号）。还没有核销的，不能再锁定和核销" in page


def test_the_counter_and_the_contracts_check_say_what_the_agreement_leaves_the_firm_and_in_all(
    app: Flask,
) -> None:
    told = Told(app.extensions["voucher_database"], at=wall_now())
    two = recognised(told, ("2027-12-31", "2099-12-31"))
    counter.proposed(told, told.voucher(), 100_000_00)
    voucher, manager = told.voucher(), two.platform.manager
    number = counter.scanned(told, voucher)
    scanner = Browser(app, two.platform.scanner)
    page = scanner.get(f"/provider/sessions/{number}").text
    for shown in (
        "互认协议给企业的额度还剩",
        "10,000.00",
        "互认协议的总额度还剩",
        "950,000.00",
        "〔2026〕1号 第 6 条",
    ):
        assert shown in page, shown
    order = on.accepted_at(told, voucher, two.platform, 100_000_00)
    form = {"contract_no": "HT-9", "contract_on": f"{told.at:%Y-%m-%d}", "contract_amount": "60000"}
    check = Browser(app, manager).send(f"/provider/orders/{order}/contract", form).text
    assert "互认协议的总额度还剩" in check and "950,000.00" in check
    counter.proposed(told, voucher, 20_000_00)
    spent = scanner.get(f"/provider/sessions/{counter.scanned(told, voucher)}").text
    assert "互认协议今年的额度已用完" in spent
    refused = scanner.send(
        f"/provider/sessions/{counter.scanned(told, voucher)}/propose",
        {"service": SERVICES[0], "gross": "5000"},
    )
    assert refused.status_code == 409
    assert "协议今年给本企业的额度还剩 0.00 元" in refused.text
    assert "协议今年的总额度还剩 940,000.00 元" in refused.text


OWN_RATE = '\n[[rate_lines]]\nrate_bp = 3_000\nsource = { document_no = "演晋陕互认〔2026〕1号", item = "3", quote = "互认的服务为购买创新服务" }\n\n[kinds]'


def test_a_firm_sees_the_rate_that_rules_at_each_platform_with_its_clause(app: Flask, told: Told) -> None:
    home = told.world.platform
    two = recognised(told, ("\n[kinds]", OWN_RATE))
    voucher, firm = told.voucher(), Browser(app, told.world.firm.actor)
    listed = text_of(firm.get(f"/enterprise/orders/new/{voucher}").text)
    assert "补助比例 50% （" in listed
    assert "补助比例 30% （演晋陕互认〔2026〕1号 3；跨地区互认：晋陕科技创新券互认" in listed
    described = f"/enterprise/orders/new/{voucher}/{two.platform.platform_id}/{SERVICES[0]}"
    assert "30% （演晋陕互认〔2026〕1号" in text_of(firm.get(described).text)
    asked = f"/apply/{told.world.programme_code}?contract=100,000&service={SERVICES[0]}&platform="
    there = text_of(firm.get(f"{asked}{two.platform.platform_id}").text)
    assert "补助 30,000.00" in there and "晋陕科技创新券互认" in there
    assert "补助 50,000.00" in text_of(firm.get(f"{asked}{home.platform_id}").text)
    wrong = firm.get(f"{asked}999999")
    assert (wrong.status_code, "不能用本项目的券" in wrong.text) == (422, True)

    held = counter.proposed(told, told.voucher(), 10_000_00)
    assert held.held_fen == 3_000_00


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
