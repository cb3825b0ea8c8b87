"""Finance's pages of several books: a pledge, the statement of two books, money sent and received by two persons each."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.entrance import Browser
from tests.operations.cofunding_world import AWAY, HOME, Shared
from tests.operations.test_settlement import settled
from voucher.clock import wall_now
from voucher.models.cofunding import Remittance
from voucher.money import Fen, format_yuan


@pytest.fixture
def shared(app: Flask) -> Shared:
    """One order of 50,000.00 is settled; the co-funder owes 16,666.67."""
    told = Shared(app.extensions["voucher_database"], HOME, AWAY, at=wall_now())
    settled(told, told.approved(order=told.captured_order(contract_fen=100_000_00)))
    return told


def test_a_pledge_is_looked_at_once_more_and_stands_on_its_page(app: Flask, shared: Shared) -> None:
    maker = Browser(app, shared.other.maker)
    form = {
        "book_code": "330100", "programme_code": shared.world.programme_code, "year": str(shared.world.year),
        "document_no": "配套9号", "amount": "1，000.50",
    }  # fmt: skip
    wrong = maker.send("/finance/pledges/new", {**form, "amount": "一千", "year": "26"})
    assert wrong.status_code == 422 and "配套9号" in wrong.text
    looked = maker.send("/finance/pledges/new", form)
    assert looked.status_code == 200 and "壹仟元伍角" in looked.text and "山西省科技创新券（" in looked.text
    strange = maker.send("/finance/pledges/new", {**form, "programme_code": "NONE"})
    assert strange.status_code == 422 and "请从列出的项目中选择" in strange.text
    edited = maker.send("/finance/pledges/new", {**form, "step": "edit"})
    assert edited.status_code == 200 and 'value="配套9号"' in edited.text
    assert maker.send("/finance/pledges/new", {**form, "step": "send"}).status_code == 303
    listed = maker.get("/finance/pledges/").text
    assert "1,000.50" in listed and "山西省科技创新券" in listed and shared.world.programme_code not in listed
    elsewhere = maker.send("/finance/pledges/new", {**form, "book_code": "140000", "step": "send"})
    assert elsewhere.status_code == 404


def remitted(app: Flask, shared: Shared, amount: str) -> str:
    """The number of a remittance that was prepared on the pages."""
    maker = Browser(app, shared.other.maker)
    address = "/finance/clearing/330100/140000/remit"
    form = {"document_no": "付1号", "amount": amount}
    assert "16,666.67" in maker.get(address).text
    assert "核对汇款单" in maker.send(address, form).text
    sent = maker.send(address, {**form, "step": "send"})
    assert sent.status_code == 303, sent.text
    return sent.headers["Location"].rsplit("/", 1)[1]


def test_money_goes_its_way_between_two_books_and_both_pages_say_so(app: Flask, shared: Shared) -> None:
    number = remitted(app, shared, "10000")
    address = f"/finance/clearing/remittances/{number}"
    other, world = shared.other, shared.world
    assert Browser(app, other.maker).send(f"{address}/send").status_code == 403
    assert Browser(app, other.checker).send(f"{address}/send").status_code == 303
    for actor, page in ((other.maker, "330100/140000"), (world.auditor, "140000/330100")):
        text = Browser(app, actor).get(f"/finance/clearing/{page}").text
        assert "两本账簿一致" in text and "16,666.67" in text and "10,000.00" in text and "6,666.67" in text
    assert Browser(app, world.maker).send(f"{address}/note", {}).status_code == 422
    assert Browser(app, world.maker).send(f"{address}/note", {"receipt_no": "回单7"}).status_code == 303
    assert Browser(app, world.checker).send(f"{address}/receive").status_code == 303
    done = Browser(app, world.maker).get(address).text
    assert "已收款" in done and "text-bg-success" in done and "两人分别办理" not in done
    listed = Browser(app, world.maker).get("/finance/clearing/").text
    assert "6,666.67" in listed and "一致" in listed
    sheet = Browser(app, world.maker).get("/finance/clearing/140000/330100/statement.csv").text
    assert (
        f"清算,330100财政局,山西省财政厅,{number}," in sheet
        and ",10000.00,10000.00,已收款" in sheet.replace('"10,000.00"', "10000.00")
    )


def test_too_much_is_refused_on_the_form_and_nothing_typed_is_lost(app: Flask, shared: Shared) -> None:
    maker = Browser(app, shared.other.maker)
    form = {"document_no": "付2号", "amount": "16666.68", "step": "send"}
    refused = maker.send("/finance/clearing/330100/140000/remit", form)
    assert refused.status_code == 409
    assert "汇出金额超过应付对方的余额" in refused.text and 'value="付2号"' in refused.text
    assert shared.rows(Remittance) == []


def test_a_third_book_sees_neither_statement_nor_remittance(app: Flask, shared: Shared) -> None:
    number, third = remitted(app, shared, "1"), shared.open("440100", pledged_fen=0)
    for actor in (third.maker, third.checker):
        browser = Browser(app, actor)
        for page in ("330100/140000", "440100/140000", f"remittances/{number}"):
            assert browser.get(f"/finance/clearing/{page}").status_code == 404
    assert Browser(app, third.checker).send(f"/finance/clearing/remittances/{number}/send").status_code == 404


def test_a_withdrawn_remittance_offers_nothing_more(app: Flask, shared: Shared) -> None:
    number, maker = remitted(app, shared, "5"), Browser(app, shared.other.maker)
    address = f"/finance/clearing/remittances/{number}"
    assert maker.send(f"{address}/withdraw").status_code == 303
    text = maker.get(address).text
    assert "已撤回" in text and '<button class="btn' not in text.split("<main", 1)[1].split("</main>", 1)[0]
    again = Browser(app, shared.other.checker).send(f"{address}/send")
    assert again.status_code == 409


def test_the_firm_reads_who_pays_which_part(app: Flask, shared: Shared) -> None:
    order = shared.captured_order(contract_fen=100_000_00)
    page = Browser(app, shared.world.firm.actor).get(f"/enterprise/orders/{order}")
    text = page.get_data(as_text=True)
    assert "资金由谁承担" in text
    for row in shared.shares(order).values():
        assert format_yuan(Fen(row[1])) in text
