"""The pages of orders in full: contract with instalments and files, answers, catalogue, disputes, search."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from tests.entrance import Browser
from tests.operations.contract_world import with_parameters
from tests.published import rewrite
from tests.web.stage import PDF, SERVICE, Stage, staged
from voucher.cli.disputes import escalate_all
from voucher.clock import business_date, wall_now
from voucher.models.contracts import Contract, Instalment
from voucher.models.disputes import Dispute
from voucher.models.parties import Certification
from voucher.money import Fen
from voucher.operations.answer_order import AcceptRequest, accept_order
from voucher.operations.outcome import only

EXTRA = (
    "[instalments_max]\nvalue = 3",
    "[extension_days]\nvalue = 30",
    "[confirm_days]\nvalue = 10",
)


FAR, LONG_AGO = date(2099, 1, 1), date(2020, 1, 1)


@pytest.fixture
def stage(app: Flask) -> Stage:
    """The stage under a policy with instalments, extensions and a deadline for answers."""
    made = staged(app)

    def work(session: Session, _at: datetime) -> None:
        rewrite(session, with_parameters(*EXTRA))

    made.database.transaction(work)
    return made


def day(days: int = 0) -> str:
    return (business_date(wall_now()) + timedelta(days=days)).isoformat()


def executed(statement: Update, session: Session, _at: datetime) -> None:
    session.execute(statement)


def accepted(stage: Stage) -> str:
    number, manager = stage.placed(), stage.world.platform.manager
    request = AcceptRequest(number, Fen(60_000_00))
    stage.database.transaction(lambda s, at: only(accept_order(s, [request], actor=manager, at=at)))
    return number


def contract(**more: object) -> dict[str, object]:
    parts = {
        "part_title_1": "初步报告", "part_amount_1": "40000", "part_due_1": day(30),
        "part_title_2": "最终报告", "part_amount_2": "20000", "part_due_2": day(60),
    }  # fmt: skip
    return {"contract_no": "HT-9", "contract_on": day(), "contract_amount": "60000", **parts, **more}


def hidden(page: str) -> dict[str, str]:
    """The hidden inputs of the last form of a page's content."""
    form = page.partition("</main>")[0].rsplit("<form", 1)[-1]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: value for name, value in found if name not in ("csrf_token", "key")}


def filed(stage: Stage) -> str:
    """An order in two instalments whose contract was filed through its pages."""
    number = accepted(stage)
    url = f"/provider/orders/{number}/contract"
    check = stage.manager.send(url, contract(file=(io.BytesIO(PDF), "合同.pdf")))
    assert check.status_code == 200, check.text
    assert "第 2 期：最终报告" in check.text and "合同.pdf" in check.text
    assert stage.order(number).state == "accepted"
    done = stage.manager.send(url, hidden(check.text))
    assert done.status_code == 303, done.text
    return number


def reviewer(stage: Stage) -> Browser:
    return Browser(stage.app, stage.world.reviewer)


def test_a_contract_with_instalments_and_file_is_checked_and_filed(stage: Stage) -> None:
    number = filed(stage)
    with stage.database.read() as session:
        row = session.scalars(select(Contract)).one()
        titles = session.scalars(select(Instalment.title).order_by(Instalment.position)).all()
    assert (row.number, row.amount_fen, row.file_name) == ("HT-9", 60_000_00, "合同.pdf")
    assert titles == ["初步报告", "最终报告"]
    for browser, path in (
        (stage.firm, "enterprise"),
        (stage.manager, "provider"),
        (reviewer(stage), "reviewer"),
    ):
        page = browser.get(f"/{path}/orders/{number}")
        assert page.status_code == 200 and "最终报告" in page.text and "备案的合同" in page.text
    given = stage.firm.get(f"/orders/{number}/contract-file")
    assert given.data == PDF and given.headers["X-Content-Type-Options"] == "nosniff"
    assert stage.stranger.get(f"/orders/{number}/contract-file").status_code == 404


def test_a_wrong_contract_form_keeps_every_field_and_its_file(stage: Stage) -> None:
    number = accepted(stage)
    url = f"/provider/orders/{number}/contract"
    wrong = contract(part_amount_2="abc", file=(io.BytesIO(PDF), "合同.pdf"))
    answer = stage.manager.send(url, wrong)
    assert answer.status_code == 422
    for kept in ('value="初步报告"', 'value="abc"', 'value="HT-9"', "kept_file", "合同.pdf"):
        assert kept in answer.text, kept
    off = stage.manager.send(url, contract(part_amount_2="19999", step="send"))
    assert off.status_code == 422
    assert "各期金额合计 59,999.00 元，应等于 60,000.00 元" in off.text and 'value="最终报告"' in off.text


def test_each_part_is_delivered_with_its_result_sent_back_and_confirmed(stage: Stage) -> None:
    number = filed(stage)
    url = f"/provider/orders/{number}/deliver"
    assert "禁止上传涉密资料" in stage.scanner.get(f"/provider/orders/{number}").text
    bad = stage.scanner.send(
        url, {"report_sha256": "xyz", "note": "样品三件", "result": (io.BytesIO(PDF), "报告.pdf")}
    )
    assert bad.status_code == 422 and "kept_result" in bad.text and "样品三件" in bad.text
    sent = stage.scanner.send(url, {"provider_ref": "WT-88", "result": (io.BytesIO(PDF), "报告.pdf")})
    assert sent.status_code == 303
    page = stage.firm.get(f"/enterprise/orders/{number}")
    link = re.search(rf"/orders/{number}/files/\d+", page.text)
    assert link and stage.firm.get(link[0]).data == PDF
    back = stage.firm.send(f"/enterprise/orders/{number}/send-back", {"reason": "缺附录"})
    assert back.status_code == 303 and stage.order(number).state == "held"
    assert stage.scanner.send(url, {}).status_code == 303
    shown = stage.firm.get(f"/enterprise/orders/{number}/confirm")
    assert "第 1 期" in shown.text and "20,000.00" in shown.text
    check = stage.firm.send(f"/enterprise/orders/{number}/confirm", {"amount": "20000", "part": "1"})
    assert "继续锁定" in check.text and "10,000.00" in check.text
    done = stage.firm.send(f"/enterprise/orders/{number}/confirm", hidden(check.text))
    assert done.status_code == 303
    row = stage.order(number)
    assert (row.state, row.captured_fen, row.held_fen) == ("held", 20_000_00, 10_000_00)


def test_an_extension_and_a_supplement_are_asked_and_answered(stage: Stage) -> None:
    number = filed(stage)
    assert "最晚" in stage.manager.get(f"/provider/orders/{number}").text
    late = stage.manager.send(f"/provider/orders/{number}/extend", {"until": day(300), "reason": "检修"})
    assert late.status_code == 422 and "超过政策允许的延长天数" in late.text
    assert (
        stage.manager.send(
            f"/provider/orders/{number}/extend", {"until": day(200), "reason": "检修"}
        ).status_code
        == 303
    )
    assert "延期申请等您答复" in stage.firm.get(f"/enterprise/orders/{number}").text
    none = stage.firm.send(f"/enterprise/orders/{number}/extension", {})
    assert none.status_code == 422
    assert stage.firm.send(f"/enterprise/orders/{number}/extension", {"granted": "yes"}).status_code == 303
    assert str(stage.order(number).complete_by) == day(200)
    form = {"number": "补-1", "signed_on": day(), "amount": "80000", "reason": "增加样品"}
    sent = stage.manager.send(
        f"/provider/orders/{number}/supplement", {**form, "file": (io.BytesIO(PDF), "补.pdf")}
    )
    assert sent.status_code == 303
    assert stage.firm.get(f"/orders/{number}/supplement-file").data == PDF
    assert stage.firm.send(f"/enterprise/orders/{number}/supplement", {"granted": "yes"}).status_code == 303
    assert "80,000.00" in stage.firm.get(f"/enterprise/orders/{number}").text


def test_a_dispute_goes_from_statement_to_decision(stage: Stage) -> None:
    number = filed(stage)
    url = f"/orders/{number}/dispute"
    said = {"body": "<b>方法不符</b>", "files": (io.BytesIO(PDF), "函.pdf")}
    assert stage.firm.send(url, {"body": ""}).status_code == 422
    assert stage.firm.send(url, said).status_code == 303
    assert stage.order(number).state == "disputed"
    assert stage.manager.send(url, {"body": "企业书面变更"}).status_code == 303
    page = stage.manager.get(url)
    assert "&lt;b&gt;方法不符" in page.text and "函.pdf" in page.text and "企业书面变更" in page.text
    assert stage.stranger.get(url).status_code == 404
    half = stage.manager.send(f"{url}/offer", {"outcome": "capture"})
    assert half.status_code == 422 and "填写金额" in half.text
    assert stage.manager.send(f"{url}/offer", {"outcome": "capture", "amount": "5000"}).status_code == 303
    assert "同意，办结争议" in stage.firm.get(url).text
    assert "同意，办结争议" not in stage.manager.get(url).text
    judge = reviewer(stage)
    listed = judge.get("/reviewer/orders/?state=disputed")
    assert number in listed.text
    check = judge.send(f"{url}/decide", {"outcome": "capture", "amount": "4000", "reason": "完成了一部分"})
    assert check.status_code == 200 and "核对争议裁定" in check.text
    assert stage.order(number).state == "disputed"
    assert judge.send(f"{url}/decide", hidden(check.text)).status_code == 303
    row = stage.order(number)
    assert (row.state, row.captured_fen, row.held_fen) == ("captured", 4_000_00, 0)
    assert "主管部门裁定" in stage.firm.get(url).text


def test_a_dispute_whose_days_are_over_is_the_authoritys(stage: Stage) -> None:
    number = filed(stage)
    url, list_ = f"/orders/{number}/dispute", "/reviewer/disputes/"
    assert stage.firm.send(url, {"body": "方法不符"}).status_code == 303
    judge = reviewer(stage)
    assert number in judge.get(f"{list_}?standing=settling").text
    for settle_by, words in ((FAR, "逾期由主管部门裁定"), (LONG_AGO, "移送主管部门裁定")):
        stage.database.transaction(partial(executed, update(Dispute).values(settle_by=settle_by)))
        assert escalate_all(stage.database) == (settle_by == LONG_AGO)
        for side in (stage.firm, stage.manager, judge):
            assert words in side.get(url).text
    page = judge.get(f"{list_}?standing=escalated").text
    assert number in page and "待主管部门裁定" in page
    assert number not in judge.get(f"{list_}?standing=ended").text
    assert stage.firm.get(list_).status_code == 403


def test_an_entry_is_listed_found_ordered_changed_and_withdrawn(stage: Stage) -> None:
    entry = {
        "platform_id": str(stage.world.platform.platform_id), "service": SERVICE, "title": "疲劳试验",
        "delivers": "报告一份", "unit": "件", "price": "1234.50",
    }  # fmt: skip
    wrong = stage.manager.send("/provider/catalogue/new", {**entry, "price": "x"})
    assert wrong.status_code == 422 and 'value="疲劳试验"' in wrong.text and 'value="x"' in wrong.text
    assert stage.manager.send("/provider/catalogue/new", entry).status_code == 303
    found = stage.firm.get("/enterprise/catalogue/?text=疲劳&most=2000")
    assert "1,234.50 元／件" in found.text
    assert "疲劳试验" not in stage.firm.get("/enterprise/catalogue/?most=1000").text
    link = re.search(r"/enterprise/catalogue/(\d+)", found.text)
    assert link
    page = stage.firm.get(link[0])
    order_link = re.search(r'href="(/enterprise/orders/new/[^"]+entry=\d+)"', page.text)
    assert order_link
    path, _, _ = order_link[1].partition("?")
    assert "1,234.50" in stage.firm.get(order_link[1]).text
    check = stage.firm.send(path, {"description": "两件", "entry": link[1]})
    assert "1,234.50" in check.text
    placed = stage.firm.send(path, hidden(check.text))
    number = placed.location.rsplit("/", 1)[-1]
    assert stage.order(number).listed_fen == 1_234_50
    assert stage.manager.send(f"/provider/orders/{number}/accept", {"quote": "1500"}).status_code == 303
    assert "报价与服务清单标价不同" in stage.firm.get(f"/enterprise/orders/{number}").text
    assert 'value="1,234.50"' in stage.manager.get(f"/provider/catalogue/new?replaces={link[1]}").text
    assert (
        stage.manager.send("/provider/catalogue/new", {**entry, "price": "", "replaces": link[1]}).status_code
        == 303
    )
    assert "面议" in stage.firm.get("/enterprise/catalogue/").text
    late = stage.firm.send(path, {"description": "两件", "entry": link[1], "step": "send"})
    assert late.status_code == 409 and "已经下架" in late.text


def test_an_entry_leads_to_an_order_only_with_a_voucher_that_buys_it(stage: Stage) -> None:
    entry = {
        "platform_id": str(stage.world.platform.platform_id), "service": SERVICE, "title": "疲劳试验",
        "delivers": "报告一份", "unit": "件", "price": "1234.50",
    }  # fmt: skip
    assert stage.manager.send("/provider/catalogue/new", entry).status_code == 303
    link = re.search(r"/enterprise/catalogue/\d+", stage.firm.get("/enterprise/catalogue/").text)
    assert link
    assert stage.voucher in stage.firm.get(link[0]).text
    stage.database.transaction(
        lambda session, _at: session.execute(
            update(Certification)
            .where(Certification.platform_id == stage.world.platform.platform_id)
            .values(services=["another_service"])
        )
    )
    page = stage.firm.get(link[0]).text
    assert stage.voucher not in page and "没有能用来买这项服务的券" in page


def test_orders_are_found_by_every_number_and_spelling_by_each_reader(stage: Stage) -> None:
    number = filed(stage)
    stage.scanner.send(f"/provider/orders/{number}/deliver", {"provider_ref": "WT-2026-77"})
    maker = Browser(stage.app, stage.world.maker)
    readers = ((stage.firm, "enterprise"), (stage.manager, "provider"), (reviewer(stage), "reviewer"))
    for browser, path in (*readers, (maker, "reviewer")):
        assert browser.get(f"/{path}/orders/{number}").status_code == 200
        for text in (number, number.lower(), "WT-2026-7", "HT-9", "ｈｔ 9"):
            assert number in browser.get(f"/{path}/orders/?text={text}").text, (path, text)
        assert number not in browser.get(f"/{path}/orders/?text=nothing").text
        assert number not in browser.get(f"/{path}/orders/?state=captured").text
    assert number not in stage.stranger.get("/enterprise/orders/").text
