"""The counter with two browsers: the firm's code before the platform's camera, or typed; and what may go wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect
from sqlalchemy.orm import Session

from tests.e2e import camera
from tests.e2e.conftest import Visit
from tests.e2e.counter import SERVICE, digits, propose, seconds_left_in_step, show_code, type_code
from tests.e2e.site import Customer, Stage, give_voucher
from tests.e2e.visitor import Visitor, launch


@pytest.fixture
def with_camera(playwright: Playwright, stage: Stage, tmp_path: Path) -> Iterator[tuple[Visitor, Path]]:
    """The platform's browser, and the file that its camera plays."""
    video = tmp_path / "camera.mjpeg"
    camera.show(None, video)
    opened = launch(playwright, *camera.arguments(video))
    visitor = Visitor(opened, stage, permissions=["camera"])
    yield visitor, video
    complaints = visitor.complaints
    opened.close()
    assert not complaints, "\n".join(complaints)


def hold_up(firm: Visitor, picture: Path) -> None:
    """Wait for a code that has most of its time before it, and take a picture of it."""
    if seconds_left_in_step() < 5:
        old = digits(firm)
        expect(firm.page.locator("[data-code-digits]")).not_to_have_attribute("value", old)
    firm.page.locator("[data-code-svg]").screenshot(path=picture)


def left_on_voucher(firm: Visitor, voucher: str) -> str:
    firm.page.goto(f"/enterprise/vouchers/{voucher}")
    return firm.page.locator(".limit .line .money").first.inner_text()


def test_a_code_before_the_camera_becomes_a_redemption_that_both_sides_agree_to_and_can_undo(
    customer: Customer,
    visit: Visit,
    firm: Visitor,
    with_camera: tuple[Visitor, Path],
    tmp_path: Path,
) -> None:
    platform, video = with_camera
    stage = firm.site
    assert isinstance(stage, Stage)
    before = left_on_voucher(firm, customer.voucher)
    platform.sign_in(stage.login(stage.world.platform.scanner))
    expect(platform.page).to_have_url(re.compile("/provider/$"))
    platform.look("counter-01-platform-waits")
    show_code(firm, customer.voucher)
    firm.look("counter-02-firm-shows-code")
    hold_up(firm, tmp_path / "code.png")
    camera.show(tmp_path / "code.png", video)
    platform.page.get_by_role("button", name="摄像头扫码").click()
    expect(platform.page).to_have_url(re.compile("/provider/sessions/[0-9]{9}"), timeout=30_000)
    platform.sees("券码有效", customer.firm.name)
    platform.look("counter-03-platform-scanned")
    firm.sees("机构正在填写金额")
    firm.look("counter-04-firm-waits")

    propose(platform, "150000", provider_ref="WT-2026-081", contract_no="HT-CAM-1")
    platform.sees("等待企业确认")
    firm.sees("本次用券")
    firm.look("counter-05-firm-decides")
    platform.look("counter-06-platform-waits")
    word = platform.page.locator(".check-word").inner_text()
    assert re.fullmatch(r"[一-鿿]{2}", word)
    for side in (firm, platform):
        side.sees("75,000.00", "柒万伍仟元整", word)
    firm.press("确认核销")
    firm.sees("核销完成", "75,000.00")
    firm.look("counter-07-firm-done")
    platform.sees("核销完成", "柒万伍仟元整")
    assert platform.page.locator("[data-sound=ok]").count() == 1
    platform.look("counter-08-platform-verdict")
    assert before == "¥100,000.00"
    assert left_on_voucher(firm, customer.voucher) == "¥25,000.00"

    manager = visit(stage, stage.login(stage.world.platform.manager))
    manager.page.goto("/provider/")
    manager.page.locator("a[href$=reverse]").first.click()
    manager.look("counter-09-reverse")
    manager.page.get_by_label("冲正原因").fill("样品登记有误")
    manager.press("冲正 ¥75,000.00")
    manager.sees("已冲正")
    manager.look("counter-10-reversed")
    assert left_on_voucher(firm, customer.voucher) == before


def test_a_proposal_above_what_is_left_is_cut_and_both_screens_say_by_how_much(
    customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    type_code(scanner, show_code(firm, customer.voucher))
    propose(scanner, "300000")
    for side in (scanner, firm):
        side.sees("100,000.00", "壹拾万元整", "少了 ¥50,000.00", "受券面余额限制")
    firm.look("counter-11-cut")
    firm.page.get_by_text("金额或机构不对").click()
    firm.page.get_by_label("原因").fill("报价与约定不符")
    firm.press("拒绝，退回额度")
    firm.sees("您已拒绝")
    scanner.sees("企业已拒绝", "报价与约定不符")
    scanner.look("counter-12-rejected")
    assert left_on_voucher(firm, customer.voucher) == "¥100,000.00"


def test_a_wrong_code_a_used_code_and_no_code_are_told_apart(
    customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    code = show_code(firm, customer.voucher)
    forged = code[:-1] + str((int(code[-1]) + 1) % 10)
    type_code(scanner, forged)
    scanner.sees("券码无效", "还可再试 4 次")
    scanner.look("counter-13-wrong-code")
    type_code(scanner, code)
    scanner.sees("券码有效")
    scanner.page.goto("/provider/")
    scanner.page.evaluate("sessionStorage.clear()")
    type_code(scanner, code)
    scanner.sees("券码已使用", "继续办理这一笔")
    scanner.look("counter-14-used-code")
    scanner.page.goto("/provider/")
    type_code(scanner, "12345")
    scanner.sees("没有读到券码")
    assert scanner.page.title().startswith("错误：")
    scanner.look("counter-15-no-code")


def test_the_code_changes_with_the_clock_and_the_one_before_it_is_still_taken(
    customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    old = show_code(firm, customer.voucher)
    picture = firm.page.locator("[data-code-svg]").inner_html()
    rest = seconds_left_in_step()
    expect(firm.page.locator("[data-code-digits]")).not_to_have_attribute(
        "value", old, timeout=(rest + 10) * 1000
    )
    new = digits(firm)
    assert new[:11] == old[:11]
    assert new[11:] != old[11:]
    assert firm.page.locator("[data-code-svg]").inner_html() != picture
    type_code(scanner, old)
    scanner.sees("券码有效")


def test_without_javascript_the_code_is_typed_and_every_step_still_works(
    stage: Stage, customer: Customer, visit: Visit
) -> None:
    firm = visit(stage, stage.login(customer.firm.actor), java_script_enabled=False)
    platform = visit(stage, stage.login(stage.world.platform.scanner), java_script_enabled=False)
    code = show_code(firm, customer.voucher)
    number = firm.page.url
    platform.page.goto("/provider/")
    platform.page.get_by_label("扫描或输入券码").fill(code)
    platform.press("核对")
    platform.sees("券码有效")
    propose(platform, "2000")
    firm.page.goto(number)
    firm.sees("1,000.00", "壹仟元整")
    firm.press("确认核销")
    firm.sees("核销完成")
    platform.page.reload()
    platform.sees("核销完成", "壹仟元整")


def test_a_printed_voucher_starts_a_session_that_the_firm_confirms_on_its_own_screen(
    customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    firm.page.goto(f"/enterprise/vouchers/{customer.voucher}/print")
    firm.sees(customer.voucher, "壹拾万元整")
    firm.look("counter-16-paper")
    type_code(scanner, customer.voucher)
    expect(scanner.page).to_have_url(re.compile(f"/V/{customer.voucher}$"))
    scanner.look("counter-17-paper-looked-up")
    scanner.page.get_by_label("已核对经办人证件").check()
    scanner.press("开始办理")
    propose(scanner, "800")
    firm.page.goto("/enterprise/")
    firm.page.get_by_role("link", name="确认现场核销").click()
    firm.sees("肆佰元整")
    firm.press("确认核销")
    scanner.sees("核销完成")


def test_the_same_code_again_within_moments_and_a_scan_during_a_dialog_do_nothing(
    customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    code = show_code(firm, customer.voucher)
    type_code(scanner, code)
    scanner.sees("券码有效")
    scanner.page.locator("button", has_text="取消本次办理").click()
    expect(scanner.page.locator("dialog[open]")).to_be_visible()
    scanner.page.keyboard.press("F8")
    time.sleep(0.3)
    assert scanner.page.locator("#f-service").input_value() in ("", SERVICE)
    scanner.page.locator("dialog[open]").get_by_role("button", name="返回").click()
    scanner.sees("券码有效")
    scanner.press("取消本次办理")
    scanner.sees("本次办理已取消")
    firm.sees("本次办理已取消")


def test_a_cap_that_is_reached_is_named_with_what_is_left_and_the_form_stays(
    stage: Stage, customer: Customer, firm: Visitor, scanner: Visitor
) -> None:
    def more(session: Session, at: datetime) -> list[str]:
        faces = (150_000_00, 30_000_00)
        return [give_voucher(session, stage.world, customer.firm, face, at=at) for face in faces]

    second, third = stage.database.transaction(more)
    for voucher, gross in ((customer.voucher, "200000"), (second, "200000")):
        type_code(scanner, show_code(firm, voucher))
        propose(scanner, gross)
        scanner.sees("等待企业确认")
        firm.sees("本次用券")
        firm.press("确认核销")
        scanner.sees("核销完成")
    type_code(scanner, show_code(firm, third))
    scanner.sees("没有可用的额度")
    propose(scanner, "40000", provider_ref="WT-CAP")
    scanner.sees("不能办理", "补助限额不足", "限额 200,000.00 元", "还剩 0.00 元")
    assert scanner.page.locator("#f-provider_ref").input_value() == "WT-CAP"
    scanner.look("counter-18-cap-reached")
    firm.page.goto("/enterprise/")
    firm.sees("上限已用完")
    firm.look("counter-19-firm-at-cap")
