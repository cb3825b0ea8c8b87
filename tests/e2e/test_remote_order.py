"""A remote order from placing to the money, everybody in a browser; on PostgreSQL, with a bounce in between."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.counter import SERVICE
from tests.e2e.site import PDF, Stage
from tests.e2e.visitor import Visitor
from voucher.clock import business_date, wall_now
from voucher.ledger.verify import verify

KINDS = ("contract", "invoice", "payment_proof", "result")


@pytest.fixture
def firm(visit: Visit, pg_stage: Stage) -> Visitor:
    return visit(pg_stage, pg_stage.login(pg_stage.world.firm.actor))


@pytest.fixture
def lab(visit: Visit, pg_stage: Stage) -> Visitor:
    return visit(pg_stage, pg_stage.login(pg_stage.world.platform.manager))


def today() -> str:
    """The day in Shanghai at this moment: a long run may pass midnight."""
    return business_date(wall_now()).isoformat()


def number_in(visitor: Visitor) -> str:
    return visitor.page.url.split("?")[0].rsplit("/", 1)[-1]


def place(stage: Stage, firm: Visitor) -> str:
    """Choose platform and service, say what is wanted, check, send; the order's number."""
    firm.page.goto("/enterprise/orders/new")
    firm.look("remote-01-catalogue")
    firm.page.locator(f"a[href*='/{stage.world.platform.platform_id}/{SERVICE}']").click()
    firm.page.get_by_label("需求说明").fill("检测两批耐磨钢样品，十日内出报告")
    firm.look("remote-02-describe")
    firm.press("下一步：核对")
    firm.sees("提交后由机构报价接单")
    firm.look("remote-03-check")
    firm.press("提交订单")
    firm.sees("订单已提交")
    firm.look("remote-04-placed")
    return number_in(firm)


def accept_and_contract(lab: Visitor, order: str) -> None:
    lab.page.goto("/provider/orders/")
    lab.look("remote-05-lab-orders")
    lab.page.get_by_role("link", name=order).click()
    lab.page.get_by_label("报价").fill("60000")
    lab.look("remote-06-accept")
    lab.press("接单")
    lab.sees("已接单")
    lab.page.get_by_label("合同编号").fill("HT-2026-001")
    lab.page.get_by_label("签订日期").fill(today())
    lab.press("下一步：核对")
    lab.look("remote-07-contract-check")
    lab.press("备案")
    lab.sees("合同已备案，额度已锁定", "30,000.00")
    lab.page.get_by_label("委托单号或报告编号").fill("BG-2026-77")
    lab.press("已交付，请企业验收")
    lab.sees("已交付，等待企业验收确认")
    lab.look("remote-08-delivered")


def confirm(firm: Visitor, order: str) -> None:
    firm.page.goto("/enterprise/")
    firm.sees("等我办理", order)
    firm.look("remote-09-firm-home")
    firm.page.goto(f"/enterprise/orders/{order}")
    firm.page.get_by_role("link", name="验收确认").click()
    firm.look("remote-10-confirm")
    firm.press("下一步：核对")
    firm.sees("叁万元整")
    firm.look("remote-11-confirm-check")
    firm.press("确认核销")
    firm.sees("核销完成")


def claim(firm: Visitor, order: str, folder: Path) -> str:
    """Claim with one invoice and four papers; the claim's number."""
    firm.page.goto(f"/enterprise/orders/{order}")
    firm.page.get_by_role("link", name="申请兑付").click()
    firm.press("下一步：核对")
    expect(firm.page.locator("[data-error-summary]")).to_be_focused()
    firm.look("remote-12-claim-errors")
    firm.page.get_by_label("实际支付金额").fill("６００００")
    firm.page.get_by_label("付款日期").fill(today())
    firm.page.get_by_label("付款账号").fill("6222020502001234567")
    firm.page.get_by_label("发票号码").fill("26142000000000000001")
    firm.page.get_by_label("开票日期").fill(today())
    firm.page.get_by_label("不含税金额").fill("58,000.00")
    for kind in KINDS:
        paper = folder / f"{kind}.pdf"
        paper.write_bytes(PDF + kind.encode())
        firm.page.locator(f"#f-file_{kind}").set_input_files(paper)
    firm.press("下一步：核对")
    firm.sees("提交后只有退回补正时才能修改")
    firm.look("remote-13-claim-check")
    firm.press("提交兑付申请")
    firm.sees("兑付申请已提交")
    firm.look("remote-14-claimed")
    return number_in(firm)


def trim(reviewer: Visitor, number: str) -> None:
    reviewer.page.goto("/reviewer/claims")
    reviewer.look("remote-15-claims")
    reviewer.page.get_by_role("link", name=number).click()
    reviewer.look("remote-16-claim")
    with reviewer.page.expect_download() as paper:
        reviewer.page.get_by_role("link", name="contract.pdf").click()
    assert Path(paper.value.path()).read_bytes().startswith(b"%PDF-")
    reviewer.page.get_by_role("radio", name="核减").check()
    reviewer.press("下一步：核对")
    reviewer.sees("请改正以下问题")
    reviewer.look("remote-17-trim-errors")
    reviewer.page.get_by_role("radio", name="核减").check()
    reviewer.page.get_by_label("核定金额").fill("28000")
    reviewer.page.get_by_label("理由").fill("差旅费 1,000.00 元不属于服务费用")
    reviewer.press("下一步：核对")
    reviewer.sees("贰万捌仟元整", "1,000.00")
    reviewer.look("remote-18-trim-check")
    reviewer.press("确认审核意见")
    reviewer.sees("核减")


def batch(maker: Visitor, number: str) -> str:
    """Make a batch of the approved claim and submit it; the batch's number."""
    maker.page.goto("/finance/batches/")
    maker.sees(number)
    maker.look("remote-19-ready")
    maker.press("用勾选的申请建立批次")
    maker.sees(number, "28,000.00")
    maker.press("提交复核")
    maker.prove()
    maker.sees("待复核")
    maker.look("remote-20-submitted")
    return number_in(maker)


def approve(checker: Visitor, number: str) -> None:
    checker.page.goto(f"/finance/batches/{number}")
    checker.page.get_by_role("link", name="复核").click()
    checker.prove()
    checker.sees("内容与提交时一致", "贰万捌仟元整")
    checker.look("remote-21-approve")
    checker.press("确认复核通过")
    checker.sees("已复核")


def payment_rows(maker: Visitor, number: str) -> list[dict[str, str]]:
    """Download the payment file as CSV; its rows."""
    maker.page.goto(f"/finance/batches/{number}")
    with maker.page.expect_download() as file:
        maker.press("CSV")
    content = Path(file.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    maker.page.goto(f"/finance/batches/{number}")
    maker.sees("已生成支付文件")
    return rows


def answer_of_the_bank(maker: Visitor, number: str, folder: Path, line: tuple[str, str, str, str]) -> None:
    """Upload what the bank says about one payment: its key, the result, the serial, the reason."""
    maker.page.get_by_role("link", name="登记银行回单").click()
    file = folder / "bank.csv"
    with file.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("支付编号", "结果", "流水号", "原因"))
        writer.writerow(line)
    maker.page.get_by_label("回单文件").set_input_files(file)
    maker.look(f"remote-22-bank-{line[1]}")
    maker.press("上传并登记")
    maker.page.goto(f"/finance/batches/{number}")


def test_a_remote_order_goes_from_placing_to_the_money_with_a_trim_and_a_bounced_payment(
    pg_stage: Stage, visit: Visit, firm: Visitor, lab: Visitor, tmp_path: Path
) -> None:
    world = pg_stage.world
    order = place(pg_stage, firm)
    accept_and_contract(lab, order)
    confirm(firm, order)
    number = claim(firm, order, tmp_path)
    trim(visit(pg_stage, pg_stage.login(world.reviewer)), number)
    firm.page.goto(f"/enterprise/claims/{number}")
    firm.sees("差旅费", "28,000.00", "审核通过")
    firm.look("remote-23-firm-reads-trim")

    maker = visit(pg_stage, pg_stage.login(world.maker))
    sheet = batch(maker, number)
    maker.page.goto(f"/finance/batches/{sheet}/approve")
    expect(maker.page.locator("main")).not_to_contain_text("确认复核通过")
    approve(visit(pg_stage, pg_stage.login(world.checker)), sheet)
    (row,) = payment_rows(maker, sheet)
    assert "28000.00" in {each.replace(",", "") for each in row.values()}
    key = row["支付编号"]
    answer_of_the_bank(maker, sheet, tmp_path, (key, "退汇", "YH001", "户名与账号不符"))
    maker.sees("退汇", "户名与账号不符")
    maker.look("remote-24-bounced")
    maker.page.get_by_role("link", name="重付").click()
    maker.look("remote-25-pay-again")
    maker.press("进入下一份支付文件")
    (again,) = payment_rows(maker, sheet)
    assert again["支付编号"] != key
    answer_of_the_bank(maker, sheet, tmp_path, (again["支付编号"], "成功", "YH002", ""))
    maker.sees("已对账", "YH002")
    maker.look("remote-26-reconciled")

    firm.page.goto(f"/enterprise/claims/{number}")
    firm.sees("已兑付")
    firm.look("remote-27-firm-paid")
    firm.page.goto(f"/enterprise/vouchers/{pg_stage.voucher}")
    assert re.search("72,000.00", firm.page.locator(".limit").first.inner_text())
    firm.look("remote-28-voucher")
    with pg_stage.database.read() as session:
        assert verify(session).faults == ()
