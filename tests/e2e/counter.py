"""The steps at the counter as people take them: the firm shows a code, the platform takes it and proposes."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor
from voucher.clock import wall_now
from voucher.codes import STEP_SECONDS

SERVICE = "technical_cooperation"


def show_code(firm: Visitor, voucher: str) -> str:
    """Open a session for a voucher; the 20 digits that the page shows."""
    firm.page.goto(f"/enterprise/sessions/new?voucher={voucher}")
    if "/new" in firm.page.url:
        firm.press("出示券码")
    expect(firm.page.locator("[data-code-digits]")).to_be_visible()
    return digits(firm)


def digits(firm: Visitor) -> str:
    found = firm.page.locator("[data-code-digits]").get_attribute("value")
    assert found is not None
    assert re.fullmatch(r"[0-9]{20}", found)
    return found


def type_code(platform: Visitor, code: str) -> None:
    """Type what stands below the code, and Enter, as a scanner does."""
    if not re.fullmatch(r".*/provider/", platform.page.url):
        platform.page.goto("/provider/")
    platform.page.get_by_label("扫描或输入券码").fill(code)
    platform.page.keyboard.press("Enter")


def propose(platform: Visitor, gross: str, **fields: str) -> None:
    """Fill the form in and send it."""
    platform.page.get_by_label("服务", exact=True).select_option(SERVICE)
    platform.page.get_by_label("服务全价").fill(gross)
    for name, value in fields.items():
        platform.page.locator(f"#f-{name}").fill(value)
    platform.press("提出核销")


def seconds_left_in_step() -> float:
    """Until the code changes by the clock."""
    rest: timedelta = timedelta(seconds=STEP_SECONDS) - timedelta(
        seconds=wall_now().timestamp() % STEP_SECONDS
    )
    return rest.total_seconds()
