"""Forms as people meet them: errors that help, full-width digits, hostile amounts, impatience, no mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.e2e.conftest import Visit
from tests.e2e.counter import SERVICE, propose, show_code, type_code
from tests.e2e.site import Customer, Stage
from tests.e2e.visitor import Visitor
from voucher.models.orders import Order

HOSTILE = ("NaN", "1e400", "-5", "0", "true", "1.234", "٣٤٥", "༣༤", "9223372036854775808", "12,34", "")


@pytest.fixture
def at_amount(customer: Customer, firm: Visitor, scanner: Visitor) -> Visitor:
    """The platform's screen with a scanned code, where the amount is asked for."""
    type_code(scanner, show_code(firm, customer.voucher))
    scanner.sees("券码有效")
    return scanner


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; fails where the keyboard cannot get there."""
    for _ in range(40):
        if page.evaluate("(s) => document.activeElement?.matches(s) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab on {page.url}")


def test_errors_come_first_in_focus_linked_to_their_field_and_the_input_stays(at_amount: Visitor) -> None:
    page = at_amount.page
    propose(at_amount, "一万元", provider_ref="保留我-1")
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    assert page.title().startswith("错误：")
    at_amount.look("forms-01-error")
    assert at_amount.barriers() == []
    first = page.locator("main .counter > *:not(.page-head)").first
    assert first.get_attribute("data-error-summary") is not None
    assert page.locator("#f-gross").input_value() == "一万元"
    assert page.locator("#f-provider_ref").input_value() == "保留我-1"
    assert page.locator("#f-service").input_value() == SERVICE
    summary.get_by_role("link", name="服务全价").click()
    expect(page.locator("#f-gross")).to_be_focused()
    assert page.locator("#f-gross").get_attribute("aria-invalid") == "true"


def test_full_width_digits_of_a_chinese_keyboard_are_an_amount(at_amount: Visitor, firm: Visitor) -> None:
    propose(at_amount, "１２３４．５０")
    at_amount.sees("617.25", "陆佰壹拾柒元贰角伍分")
    firm.sees("617.25")


def test_a_hostile_amount_is_refused_at_its_field_and_nothing_is_held(
    stage: Stage, customer: Customer, at_amount: Visitor
) -> None:
    for amount in HOSTILE:
        propose(at_amount, amount)
        expect(at_amount.page.locator("#e-gross")).to_be_visible()
        assert at_amount.page.title().startswith("错误："), amount
        assert at_amount.page.locator("#f-gross").input_value() == amount
    with stage.database.read() as session:
        held = session.scalars(select(Order).where(Order.holder_id == customer.firm.holder_id)).all()
    assert held == []


def test_a_button_pressed_twice_does_one_thing(stage: Stage, customer: Customer, firm: Visitor) -> None:
    page = firm.page
    page.goto(f"/enterprise/orders/new/{customer.voucher}/{stage.world.platform.platform_id}/{SERVICE}")
    page.get_by_label("需求说明").fill("检测三批样品")
    firm.press("下一步：核对")
    firm.sees("检测三批样品")
    page.evaluate(
        """async () => {
          const form = document.querySelector('main form[data-once]');
          const send = () => fetch(form.action, {method: 'POST', body: new FormData(form)});
          await Promise.all([send(), send()]);
          const button = form.querySelector('button');
          button.click(); button.click(); form.requestSubmit(button);
        }"""
    )
    firm.sees("订单已提交")
    page.goto("/enterprise/orders/")
    firm.sees("共 1 条")


def test_scan_and_proposal_need_no_mouse(customer: Customer, firm: Visitor, scanner: Visitor) -> None:
    code, page = show_code(firm, customer.voucher), scanner.page
    page.goto("/provider/")
    expect(page.locator("[data-scan-input]")).to_be_focused()
    page.keyboard.type(code, delay=5)
    expect(page).to_have_url(re.compile("/provider/sessions/"))
    tab_to(page, "#f-service")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#f-gross")
    page.keyboard.type("3600")
    page.keyboard.press("F8")
    scanner.sees("等待企业确认", "壹仟捌佰元整")
    firm.sees("壹仟捌佰元整")
    tab_to(firm.page, "form[action$=confirm] button")
    assert firm.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    firm.page.keyboard.press("Enter")
    firm.sees("核销完成")
    scanner.sees("核销完成")
    expect(page.locator("[data-scan-input]")).to_be_focused()


def test_large_text_is_kept_and_nothing_is_cut_off(stage: Stage, visit: Visit, customer: Customer) -> None:
    visitor = visit(stage, stage.login(customer.firm.actor), width=(640, 800))
    visitor.page.goto("/enterprise/")
    visitor.page.get_by_role("button", name="大字").click()
    visitor.page.reload()
    expect(visitor.page.get_by_role("button", name="大字")).to_have_attribute("aria-pressed", "true")
    assert visitor.overflow() == []
    visitor.look("forms-02-large-text")


def test_a_lost_connection_says_so_and_returns(customer: Customer, firm: Visitor) -> None:
    show_code(firm, customer.voucher)
    firm.context.set_offline(True)
    expect(firm.page.locator("[data-offline]")).to_be_visible()
    firm.look("forms-03-offline")
    firm.context.set_offline(False)
    expect(firm.page.locator("[data-offline]")).to_be_hidden()
    firm.complaints.clear()
