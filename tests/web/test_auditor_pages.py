"""The ledger's pages: postings, legs, accounts with running balance, caps; each book for its own readers."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.ledger import accounts
from voucher.rules.permissions import Actor
from voucher.terms import Role


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def auditor(app: Flask, told: Told) -> Browser:
    return Browser(app, told.world.auditor)


def test_an_order_is_followed_from_the_list_to_its_legs_and_accounts(told: Told, auditor: Browser) -> None:
    order = told.captured_order()
    listed = auditor.get(f"/ledger/?order={order}").text
    assert "核销" in listed
    assert "锁定额度" in listed
    posting = re.search(r'href="(/ledger/postings/[^"]+)"', listed)
    assert posting
    page = auditor.get(posting[1]).text
    assert f"订单 {order}" in page
    account = re.search(r'href="(/ledger/accounts/\d+)"', page)
    assert account
    assert "明细" in auditor.get(account[1]).text


def test_an_account_shows_its_running_balance(told: Told, auditor: Browser) -> None:
    number = told.voucher(face_fen=200_000_00)
    told.captured_order(voucher=number, contract_fen=60_000_00)
    page = auditor.get(f"/ledger/accounts/{accounts.voucher(number).id}").text
    assert "170,000.00" in page
    assert "-30,000.00" in page
    free = auditor.get(f"/ledger/accounts/{accounts.source().id}").text
    assert "10,000,000.00" in free


def test_a_long_list_goes_on_to_older_postings_without_a_gap(told: Told, auditor: Browser) -> None:
    number = told.voucher()
    for _ in range(26):
        told.captured_order(voucher=number, contract_fen=10_000_00)
    seen: list[str] = []
    path = "/ledger/"
    while path:
        page = auditor.get(path).text
        seen += re.findall(r'<a href="/ledger/postings/([^"]+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == len(set(seen)) > 50


def test_the_caps_show_what_is_used_and_left(told: Told, auditor: Browser) -> None:
    told.captured_order(contract_fen=100_000_00)
    told.held_order(contract_fen=40_000_00)
    page = auditor.get(f"/ledger/caps?text={told.world.firm.holder_ref}").text
    for figure in ("200,000.00", "50,000.00", "20,000.00", "130,000.00"):
        assert figure in page


def test_another_books_postings_and_accounts_do_not_exist(app: Flask, told: Told) -> None:
    number = told.voucher()

    def work(session: Session, at: datetime) -> Actor:
        other = factories.book(session, code="610000", authority="陕西省财政厅")
        return factories.person(session, Role.AUDITOR, book_id=other.book_id, at=at)

    other = Browser(app, told.do(work))
    assert "/ledger/postings/" not in other.get("/ledger/").text
    assert other.get(f"/ledger/accounts/{accounts.voucher(number).id}").status_code == 404
    assert "山西" not in other.get("/ledger/caps").text


def test_addresses_that_name_nothing_are_404_and_never_500(auditor: Browser) -> None:
    assert auditor.get(f"/ledger/postings/{uuid4()}").status_code == 404
    assert auditor.get("/ledger/accounts/1").status_code == 404
    assert auditor.get("/ledger/accounts/99999999999999999999").status_code == 404
    for mark in ("x", "1.x", "99999999999999999999999.00000000-0000-0000-0000-000000000000", "-1.1"):
        assert auditor.get(f"/ledger/?before={mark}&account=99999999999999999999").status_code == 200


def test_a_firm_may_not_browse_the_ledger(app: Flask, told: Told) -> None:
    assert Browser(app, told.world.firm.actor).get("/ledger/").status_code == 403
