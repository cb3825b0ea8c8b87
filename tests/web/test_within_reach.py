"""Nobody of the demo is shown a link, a button or a form that leads to a refusal for want of the permission."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from lxml import html  # type: ignore[import-untyped]

from tests.entrance import Browser, application
from voucher.clock import business_date, wall_now
from voucher.queries.people import actor_of_login
from voucher.rules.permissions import Actor, permitted

PAGES, EACH = 60, 2
EVERY_ORDER = 20
# Who shares pages with others: bound by an authorisation, bookkeeper, auditor, counter clerk, checker, base.
PEOPLE = ("zz01jingban", "daizhang", "shenji", "zzjiance2", "zzfuhe", "xnjidi")
_NUMBERED = re.compile(r"(?<=/)(?:[A-Z]{1,2}[0-9]{6,}|[0-9]+|[0-9a-f-]{36})(?=/|$)")


@pytest.fixture(scope="module")
def app(told_demo: Path) -> Iterator[Flask]:
    made = application(f"sqlite:///{told_demo / 'voucher.db'}", told_demo)
    yield made
    made.extensions["voucher_database"].dispose()


@pytest.mark.parametrize("login", PEOPLE)
def test_every_link_and_form_that_somebody_is_shown_is_theirs_to_use(app: Flask, login: str) -> None:
    with app.extensions["voucher_database"].read() as session:
        actor = actor_of_login(session, login, on=business_date(wall_now()))
    assert actor is not None
    shown = {each for page in _pages(Browser(app, actor)) for each in page}
    refused = [
        f"{page}: {method} {path}" for page, method, path in shown if not _is_open(app, actor, method, path)
    ]
    assert not refused, "\n".join(sorted(refused))
    assert len(shown) > PAGES


def test_a_batch_is_offered_for_each_programme_with_its_own_claims_and_is_made_as_offered(app: Flask) -> None:
    with app.extensions["voucher_database"].read() as session:
        maker = actor_of_login(session, "zzcaizheng", on=business_date(wall_now()))
    assert maker is not None
    browser = Browser(app, maker)
    page = html.fromstring(browser.get("/finance/batches/").text)
    offered = page.xpath("//form[.//button[contains(., '建立批次')]]")
    assert len(offered) > 1
    for form in offered:
        programme = form.xpath(".//input[@name='programme']/@value")
        claims = form.xpath(".//input[@name='claims'][@checked]/@value")
        made = browser.send("/finance/batches/", {"programme": programme, "claims": claims})
        assert made.status_code == 303, claims


def _pages(browser: Browser) -> Iterator[list[tuple[str, str, str]]]:
    """What each page within reach leads to: (page, method, path)."""
    waiting, seen, kinds = ["/account/profile"], set[str](), Counter[str]()
    while waiting and kinds.total() < PAGES:
        address = waiting.pop(0)
        kind = _NUMBERED.sub("*", urlsplit(address).path)
        if address in seen or kinds[kind] >= (EVERY_ORDER if kind.endswith("/orders/*") else EACH):
            continue
        seen.add(address)
        kinds[kind] += 1
        answer = browser.get(address)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        led = list(_led(address, answer.text))
        waiting += [to for method, to in led if method == "GET"]
        yield [(address, method, urlsplit(to).path) for method, to in led]


def _led(address: str, page: str) -> Iterator[tuple[str, str]]:
    """Where a page's links and forms lead within the site."""
    tree = html.fromstring(page)
    for link in tree.xpath("//a/@href"):
        to = urljoin(address, link)
        if to.startswith("/") and not to.startswith(("/static/", "/api/")):
            yield "GET", to
    for form in tree.xpath("//form[not(@method='dialog')]"):
        for target in [form.get("action") or address, *form.xpath(".//@formaction")]:
            yield form.get("method", "get").upper(), urljoin(address, target)


def _is_open(app: Flask, actor: Actor, method: str, path: str) -> bool:
    endpoint, _ = app.url_map.bind("localhost").match(path, method=method)
    permission = getattr(app.view_functions[endpoint], "permission", None)
    return permission is None or permitted(actor, permission)
