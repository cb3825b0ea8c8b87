"""Finance's pages: budgets and appropriations, batches by two people, the payment file, the bank's answer, closing."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from tests.operations.stories import Told
from voucher.clock import business_date, wall_now
from voucher.models.programmes import BudgetDocument, BudgetLine
from voucher.models.settlements import SettlementBatch, SettlementLine
from voucher.rules.permissions import Actor
from voucher.terms import Role


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def maker(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.maker)


@pytest.fixture
def checker(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.checker)


def elsewhere(app: Flask, told: Told, role: Role) -> Browser:
    """Somebody of another authority's book."""

    def work(session: Session, at: datetime) -> Actor:
        other = factories.book(session, code="610000", authority="陕西省财政厅")
        return factories.person(session, role, book_id=other.book_id, at=at)

    return Browser(app, told.do(work))


def submitted(told: Told, maker: Browser) -> str:
    """A submitted batch of one claim."""
    claim = told.approved()
    form = {"programme": told.world.programme_code, "claims": [claim]}
    location = maker.send("/finance/batches/", form).headers["Location"]
    number = location.rsplit("/", 1)[1]
    assert maker.send(f"/finance/batches/{number}/submit").status_code == 303
    return number


def approve(number: str, checker: Browser) -> int:
    """The status of the checker's approval of what the page shows."""
    page = checker.get(f"/finance/batches/{number}/approve").text
    found = re.search(r'name="content_sha256" value="([0-9a-f]{64})"', page)
    assert found, page
    return checker.send(f"/finance/batches/{number}/approve", {"content_sha256": found[1]}).status_code


def exported(told: Told, maker: Browser, checker: Browser) -> str:
    number = submitted(told, maker)
    assert approve(number, checker) == 303
    assert maker.send(f"/finance/batches/{number}/payment-file.csv").status_code == 200
    return number


def test_every_figure_of_a_budget_line_adds_up_to_what_was_funded(told: Told, maker: Browser) -> None:
    told.approved()
    told.held_order(contract_fen=20_000_00)
    page = maker.get("/finance/budgets").text
    assert "10,000,000.00" in page
    cells = [int(text.replace(",", "").replace(".", "")) for text in re.findall(r">([\d,]+\.\d\d)<", page)]
    funded, available, left, held, in_orders, payable, paid = cells[:7]
    assert funded == available + left + held + in_orders + payable + paid
    assert (held, in_orders) == (10_000_00, 50_000_00)


def test_money_is_funded_after_the_check_page_and_once_per_document(told: Told, maker: Browser) -> None:
    base = f"/finance/budgets/{told.world.line_code}"
    form = {"document_no": "晋财教〔2026〕9号", "amount": "１,000.50"}
    assert "1,000.50" in maker.send(f"{base}/fund/check", form).text
    assert maker.send(f"{base}/fund", form).status_code == 303
    assert told.one(BudgetDocument, document_no="晋财教〔2026〕9号").amount_fen == 1_000_50
    again = maker.send(f"{base}/fund", form, follow_redirects=True)
    assert "没有改变任何数据" in again.text
    other = maker.send(f"{base}/fund", {**form, "amount": "2000"})
    assert other.status_code == 409
    assert 'value="2000"' in other.text
    assert maker.send(f"{base}/fund/check", {**form, "amount": "1.234"}).status_code == 422


def test_a_line_is_opened_and_its_code_is_taken_then(told: Told, maker: Browser) -> None:
    form = {"programme_code": told.world.programme_code, "year": "2026", "code": "L-1", "name": "市级配套"}
    assert maker.send("/finance/budgets/new", form).status_code == 303
    assert told.one(BudgetLine, code="L-1").name == "市级配套"
    clash = maker.send("/finance/budgets/new", {**form, "name": "别的名称"})
    assert clash.status_code == 409
    assert "别的名称" in clash.text
    assert maker.send("/finance/budgets/new", {**form, "year": "9" * 18}).status_code == 422


def test_another_books_lines_and_batches_do_not_exist(app: Flask, told: Told, maker: Browser) -> None:
    number = submitted(told, maker)
    other = elsewhere(app, told, Role.FINANCE_MAKER)
    assert number not in other.get("/finance/batches/").text
    for path in (f"/finance/batches/{number}", f"/finance/batches/{number}/bank-answer"):
        assert other.get(path).status_code == 404
    assert other.get(f"/finance/budgets/{told.world.line_code}").status_code == 404
    assert other.send(f"/finance/batches/{number}/payment-file.csv").status_code == 404
    form = {"document_no": "x", "amount": "1"}
    assert other.send(f"/finance/budgets/{told.world.line_code}/fund", form).status_code == 404


def test_maker_and_checker_cannot_do_each_others_part(told: Told, maker: Browser, checker: Browser) -> None:
    number = submitted(told, maker)
    assert maker.get(f"/finance/batches/{number}/approve").status_code == 403
    assert checker.send("/finance/batches/", {"programme": "x"}).status_code == 403
    assert checker.send(f"/finance/batches/{number}/payment-file.csv").status_code == 403


def test_a_claim_is_taken_out_and_put_in_again_before_submitting(told: Told, maker: Browser) -> None:
    assert "建立批次" not in maker.get("/finance/batches/").text, "nothing to put in one"
    claim = told.approved()
    assert "建立批次" in maker.get("/finance/batches/").text
    location = maker.send("/finance/batches/", {"programme": told.world.programme_code}).headers["Location"]
    assert claim in maker.get(location).text
    assert maker.send(f"{location}/take-in", {"claims": [claim]}).status_code == 303
    assert maker.send(f"{location}/take-out", {"claims": [claim]}).status_code == 303
    assert maker.send(f"{location}/submit").status_code == 409
    assert maker.send(f"{location}/take-in", {}).status_code == 422


def test_a_batch_that_changed_after_submission_shows_it_and_cannot_be_approved(
    told: Told, maker: Browser, checker: Browser
) -> None:
    number = submitted(told, maker)

    def tamper(session: Session, _at: datetime) -> None:
        session.query(SettlementLine).update({"account_no": "6228489999999999999"})

    told.do(tamper)
    page = checker.get(f"/finance/batches/{number}/approve").text
    assert "批次在提交后有变化" in page
    assert "确认复核通过" not in page
    batch = told.one(SettlementBatch, number=number)
    answer = checker.send(f"/finance/batches/{number}/approve", {"content_sha256": batch.content_sha256})
    assert answer.status_code == 409
    assert "批次在提交后有变化" in answer.text
    assert checker.send(f"/finance/batches/{number}/send-back").status_code == 303
    assert told.one(SettlementBatch, number=number).state == "collecting"


def test_a_line_bounces_is_paid_again_and_the_batch_is_reconciled(
    app: Flask, told: Told, maker: Browser, checker: Browser
) -> None:
    number = exported(told, maker, checker)
    base = f"/finance/batches/{number}"
    line = {"seq": "1", "attempt": "1", "result": "bounced", "serial": "S1"}
    without = maker.send(f"{base}/bank-answer/line", line)
    assert without.status_code == 422
    assert 'value="S1"' in without.text
    assert maker.send(f"{base}/bank-answer/line", {**line, "reason": "户名不符"}).status_code == 303
    assert "户名不符" in maker.get("/finance/batches/").text
    firm = Browser(app, told.world.firm.actor)
    home = firm.get("/enterprise/").text
    assert "核对收款账户" in home and "被银行退回（户名不符）" in home
    form = maker.get(f"{base}/lines/1/pay-again").text
    account = re.search(r'name="payee_account_id" value="(\d+)"', form)
    assert account
    assert maker.send(f"{base}/lines/1/pay-again", {"payee_account_id": account[1]}).status_code == 303
    assert "被银行退回" not in firm.get("/enterprise/").text
    assert f"{number}-0001-2" in maker.send(f"{base}/payment-file.csv").get_data(True)
    rows = f"支付编号,结果,流水号,原因\n{number}-0001-2,成功,S2,\n"
    upload = {"file": (io.BytesIO(rows.encode("gb18030")), "回单.csv")}
    assert (
        maker.send(f"{base}/bank-answer/file", upload, content_type="multipart/form-data").status_code == 303
    )
    assert told.one(SettlementBatch, number=number).state == "reconciled"


def test_a_banks_file_with_a_row_of_another_batch_books_nothing(
    told: Told, maker: Browser, checker: Browser
) -> None:
    number = exported(told, maker, checker)
    rows = f"支付编号,结果,流水号\n{number}-0001-1,成功,S1\nB202600000999-0001-1,成功,S2\n"
    upload = {"file": (io.BytesIO(rows.encode()), "a.csv")}
    path = f"/finance/batches/{number}/bank-answer/file"
    answer = maker.send(path, upload, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "不属于本批次" in answer.text
    assert told.one(SettlementLine, bank_serial="").state == "pending"


def test_a_period_is_closed_once_and_never_in_the_future(told: Told, checker: Browser) -> None:
    today = business_date(wall_now()).isoformat()
    path, day = "/finance/periods/140000", "2026-01-31"
    assert checker.send(path, {"through": today, "step": "send"}).status_code == 409
    shown = checker.send(path, {"through": day})
    assert (shown.status_code, "尚未结过账" in shown.text) == (200, True)
    assert "已结账至" not in checker.get("/finance/periods").text
    assert checker.send(path, {"through": day, "step": "send"}).status_code == 303
    again = checker.send(path, {"through": day, "step": "send"})
    assert again.status_code == 409
    assert "已结账至 2026-01-31" in again.text
    assert checker.send("/finance/periods/610000", {"through": day}).status_code == 404
