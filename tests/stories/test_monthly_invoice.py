"""Story 4: a laboratory bills a firm once a month for five orders; one form, one invoice, and a sixth has no room."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.entrance import Machine
from tests.stories.office import Office, ok, refused
from tests.stories.town import Town, paper
from tests.stories.visitor import Visitor

NUMBER = "26142000000000000041"
KINDS = ("contract", "invoice", "payment_proof", "result")


class Month:
    """Six small orders of one firm at one laboratory, all confirmed."""

    def __init__(self, town: Town) -> None:
        self.town, self.office, self.owner = town, Office(town), town.world.firm
        self.office.opened()
        self.firm: Machine = self.office.of(self.owner.actor)
        self.office.account(self.owner.uscc, self.owner.name)
        voucher = self.office.granted(self.firm, self.owner.holder_ref, 100_000_00)
        self.orders = [self.office.held(self.firm, voucher, 4_000_00, f"HT-{place}") for place in range(1, 7)]
        for order in self.orders:
            self.office.captured(self.firm, order)


@pytest.fixture
def month(app: Flask) -> Month:
    return Month(Town(app, None))


def filled(month: Month, *, amount: str) -> dict[str, object]:
    """The typed part of the form."""
    day = month.town.day()
    form: dict[str, object] = {
        "invoice_number_0": NUMBER,
        "invoice_issued_on_0": day,
        "invoice_net_0": "22000",
    }
    form |= {"paid_amount": amount, "paid_on": day, "payer_account": "6222020502001234567"}
    return {**form, **{f"file_{kind}": paper(f"{kind}.pdf") for kind in KINDS}}


def test_five_orders_are_claimed_with_one_invoice_in_one_form_and_a_sixth_is_told_what_is_left(
    month: Month,
) -> None:
    first, *others, sixth = month.orders
    firm = Visitor(month.town.app, month.owner.actor).go("/account/").click("我的订单").click(first)
    firm.click("申请兑付").press("更新订单", {"also": others})
    shares = {f"invoice_share_0_{place}": "4000" for place in range(5)}
    firm.press("下一步：核对", {**filled(month, amount="20000"), **shares})
    assert firm.text.count("补助怎样计算") == 5
    firm.press("提交兑付申请")
    listed = firm.go("/account/").click("我的兑付申请").text
    assert all(order in listed for order in (first, *others)) and sixth not in listed
    assert listed.count("2,000.00") == 5
    firm.go("/account/").click("我的订单").click(sixth).click("申请兑付")
    firm.press("下一步：核对", {**filled(month, amount="4000"), "invoice_share_0_0": "4000"})
    firm.press("提交兑付申请", status=409)
    assert "20,000.00" in firm.text and "2,000.00" in firm.text, firm.text
    assert firm.value("invoice_number_0") == NUMBER and firm.choices("kept_file_invoice")
    month.town.sound()


def test_five_claims_share_an_invoice_by_program_and_a_sixth_is_refused(month: Month) -> None:
    numbers = []
    for order in month.orders:
        (account,) = ok(month.firm.get(f"/api/v1/orders/{order}/payee-accounts"))["accounts"]
        bill = month.office.invoice(NUMBER, 22_000_00, month.owner.uscc, allocated_fen=4_000_00)
        paid = {"amount_fen": 4_000_00, "paid_on": month.town.day(), "payer_name": month.owner.name}
        body = {
            "order_no": order, "contract_fen": 4_000_00, "payee_account_id": account["id"], "invoices": [bill],
            "payments": [{**paid, "payer_account": "622"}], "documents": month.office.papers(month.firm, *KINDS),
        }  # fmt: skip
        if order == month.orders[-1]:
            facts = refused(month.firm.send("/api/v1/claims", body), 409, "invoice_exceeded")
            assert (facts["used_fen"], facts["left_fen"]) == (20_000_00, 2_000_00)
        else:
            numbers.append(ok(month.firm.send("/api/v1/claims", body), 201)["number"])
    shares = [
        ok(month.firm.get(f"/api/v1/claims/{each}"))["invoices"][0]["allocated_fen"] for each in numbers
    ]
    assert shares == [4_000_00] * 5
    month.town.sound()
