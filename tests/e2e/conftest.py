"""Browsers and served sites; both live as long as one module of tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.site import Customer, Site, Stage, customer_of, demo_site, stage_site
from tests.e2e.visitor import Visitor, launch
from tests.postgres import Postgres

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for the module; every visitor has a context of their own in it."""
    opened = launch(playwright)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def demo(told_demo: Path) -> Iterator[Site]:
    """The demo's year on SQLite, for all tests that only look at it."""
    site = demo_site(told_demo)
    yield site
    site.close()


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One redemption's world on SQLite, for the tests of a module."""
    folder = tmp_path_factory.mktemp("stage")
    shutil.copyfile(sqlite_template, folder / "voucher.db")
    site = stage_site(f"sqlite:///{folder / 'voucher.db'}", folder)
    yield site
    site.close()


@pytest.fixture(scope="module")
def pg_stage(
    postgres: Postgres, postgresql_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The same world on PostgreSQL."""
    name = postgres.create_database(template=postgresql_template)
    with postgres.durable():
        site = stage_site(postgres.url(name), tmp_path_factory.mktemp("stage-pg"))
        yield site
        site.close()
    postgres.drop_database(name)


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """A firm of its own for each test, with a voucher of 100,000 yuan."""
    return customer_of(stage)


@pytest.fixture
def firm(visit: Visit, stage: Stage, customer: Customer) -> Visitor:
    """Who acts for the customer, signed in."""
    return visit(stage, stage.login(customer.firm.actor))


@pytest.fixture
def scanner(visit: Visit, stage: Stage) -> Visitor:
    """Who scans for the platform, signed in."""
    return visit(stage, stage.login(stage.world.platform.scanner))


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Makes visitors: `visit(site)`, or `visit(site, login)` signed in. All leave after the test."""
    made: list[Visitor] = []

    def make(site: Site, login: str = "", **options: Any) -> Visitor:
        kept = site.signed_in.get(login)
        made.append(Visitor(browser, site, storage_state=kept, **options))
        if kept:
            made[-1].page.goto("/account/")
        elif login:
            site.signed_in[login] = made[-1].sign_in(login).context.storage_state()
        return made[-1]

    yield make
    complaints = [each for visitor in made for each in visitor.complaints]
    for visitor in made:
        visitor.close()
    assert not complaints, "\n".join(complaints)
