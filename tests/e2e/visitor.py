"""Somebody with a browser: signs in, looks, and notices what a page should not do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests.campaigns.servers import ROOT
from tests.e2e.site import Site

AXE = (ROOT / "tests/vendor/axe-core/axe.min.js").read_text("utf-8")
WIDE, NARROW = (1280, 800), (390, 844)
ARGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SECONDS = 20
_SHOTS = os.environ.get("E2E_SCREENSHOTS", "")
_REFUSED = "Failed to load resource: the server responded with a status of 4"
_OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const inside = (e) => e.closest('.table-frame, .steps') !== null;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll('body *')]
    .filter((e) => !inside(e) && e.getBoundingClientRect().right > width + 1)
    .map((e) => e.tagName + '.' + e.className);
  return wide.length ? wide.slice(0, 5) : ['document'];
}"""
_AXE_RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | '));
}"""


def launch(playwright: Playwright, *more: str) -> Browser:
    """Debian's Chromium, without a window."""
    browser: Browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium", args=[*ARGS, *more], headless=True
    )
    return browser


class Visitor:
    """One person in a browser context of their own. `complaints` is what the console said that it should not."""

    def __init__(
        self, browser: Browser, site: Site, *, width: tuple[int, int] = WIDE, **context: Any
    ) -> None:
        self.site = site
        self.context = browser.new_context(
            base_url=site.server.address,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": width[0], "height": width[1]},
            **context,
        )
        self.context.set_default_timeout(SECONDS * 1000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_REFUSED):
            self.complaints.append(f"{self.page.url}: {message.text}")

    def sign_in(self, login: str) -> Visitor:
        """Sign in through the form; ends on the person's first page."""
        self.page.goto("/account/sign-in")
        self.page.get_by_label("用户名").fill(login)
        self.page.get_by_label("密码").fill(self.site.passwords[login])
        self.page.get_by_role("button", name="登录", exact=True).click()
        expect(self.page.locator("form[action*=sign-out]")).to_be_visible()
        return self

    def prove(self) -> None:
        """Give the password again, where the page asks for it."""
        if "/account/prove" in self.page.url:
            login = self.page.locator("input[autocomplete=username]").input_value()
            self.page.get_by_label("密码").fill(self.site.passwords[login])
            self.page.get_by_role("button", name="确认", exact=True).click()

    def press(self, name: str) -> None:
        """Press a button of the page, and in the dialog that asks again, 确认."""
        self.page.get_by_role("button", name=name).first.click()
        dialog = self.page.locator("dialog[open]")
        if dialog.count():
            dialog.get_by_role("button", name="确认", exact=True).click()

    def sees(self, *texts: str) -> None:
        """Wait until the page shows all of these, and has its scripts."""
        for text in texts:
            expect(self.page.locator("main")).to_contain_text(text, timeout=SECONDS * 1000)
        self.page.wait_for_load_state()

    def look(self, name: str) -> None:
        """Keep a picture of the page at both widths, where E2E_SCREENSHOTS names a folder."""
        if not _SHOTS:
            return
        before = self.page.viewport_size
        for width, height in (WIDE, NARROW):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=Path(_SHOTS) / f"{name}-{width}.png", full_page=True)
        assert before is not None
        self.page.set_viewport_size(before)

    def overflow(self) -> list[str]:
        """What makes the page scroll sideways at either width."""
        found: list[str] = []
        for width, height in (WIDE, NARROW):
            self.page.set_viewport_size({"width": width, "height": height})
            found += [f"{width}px: {each}" for each in self.page.evaluate(_OVERFLOW)]
        return found

    def barriers(self) -> list[str]:
        """Serious and critical findings of axe-core on this page."""
        self.page.evaluate(AXE)
        found: list[str] = self.page.evaluate(_AXE_RUN)
        return found

    def close(self) -> None:
        self.context.close()
