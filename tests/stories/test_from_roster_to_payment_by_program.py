"""Story 1 through the API alone, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.entrance import Machine, application
from tests.stories.office import Office, ok, refused
from tests.stories.town import PDF, Town
from voucher.codes import make_uscc

NAME = "晋城新材料有限公司"
USCC = make_uscc("140105", 77_001)


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    app = application(database_url, tmp_path)
    yield Town(app, None, notice=True, instalments_max=2, claim_confirm_days=5, defect_days=10)
    app.extensions["voucher_database"].dispose()


def authorised(office: Office, boss: Machine) -> Machine:
    """An operator, let in by the approver."""
    key = ok(boss.get("/api/v1/colleagues"))["people"][0]["place_id"]
    body = {
        "organisation_id": key, "name": "王伟", "role": "enterprise_operator", "from_on": office.town.day(),
        "to_on": office.town.day(300), "mandates": ["apply", "order", "confirm", "claim", "upload"],
        "letter": office.sent(boss, "授权书.pdf", PDF),
    }  # fmt: skip
    given = ok(boss.send("/api/v1/authorisations", body), 201)
    return office.joins(USCC, given["code"]["digits"], "lisi", "operator")


def ordered(office: Office, firm: Machine, voucher: str) -> str:
    """An order of 100,000.00 in two instalments, both confirmed."""
    parts = [
        {"title": "初步报告", "amount_fen": 60_000_00, "due_on": office.town.day(30)},
        {"title": "最终报告", "amount_fen": 40_000_00, "due_on": office.town.day(60)},
    ]
    paper = office.sent(office.manager, "合同.pdf", PDF)
    order = office.held(firm, voucher, 100_000_00, "HT-1", file=paper, instalments=parts)
    first = office.captured(firm, order, part=1)
    assert (first["state"], first["captured_fen"], first["held_fen"]) == ("held", 30_000_00, 20_000_00)
    assert office.captured(firm, order)["captured_fen"] == 50_000_00
    return order


def claimed(office: Office, firm: Machine, order: str) -> str:
    """A claim with two invoices and their originals."""
    invoices = [
        office.invoice(f"2614200000000000001{place}", fen, USCC)
        for place, fen in enumerate((60_000_00, 40_000_00))
    ]
    (account,) = ok(firm.get(f"/api/v1/orders/{order}/payee-accounts"))["accounts"]
    payment = {
        "amount_fen": 100_000_00,
        "paid_on": office.town.day(),
        "payer_name": NAME,
        "payer_account": "622",
    }
    body = {
        "order_no": order, "contract_fen": 100_000_00, "payments": [payment], "invoices": invoices,
        "payee_account_id": account["id"],
        "documents": [*office.papers(firm), *(office.original(firm, each) for each in invoices)],
    }  # fmt: skip
    seen = ok(firm.send("/api/v1/claims/check", body))
    assert (seen["claimed_fen"], seen["differences"]) == (50_000_00, [])
    number = str(ok(firm.send("/api/v1/claims", body), 201)["number"])
    refused(
        office.reviewer.send(f"/api/v1/claims/{number}/decision", {"verdict": "approve"}),
        409,
        "state_changed",
    )
    assert (
        ok(office.manager.send(f"/api/v1/claims/{number}/answer", {"agreed": True}))["state"] == "submitted"
    )
    return number


def queued(office: Office, claim: str) -> str:
    """Since when a claim that waits for the bureau stands in the queue."""
    cases = ok(office.reviewer.get("/api/v1/cases?side=us"))["cases"]
    (line,) = [each for each in cases if each["number"] == claim]
    return str(line["queued_at"])


def mended(office: Office, firm: Machine, claim: str) -> None:
    """Back once with three defects; a fourth thing is refused, the three come back."""
    path = f"/api/v1/claims/{claim}"
    place = queued(office, claim)
    defects = [{"item": item, "text": "请补正"} for item in ("contract", "payment", "result")]
    ok(office.reviewer.send(f"{path}/returns", {"defects": defects, "contact": "王老师"}), 201)
    three: dict[str, Any] = {
        "contract_fen": 100_000_00,
        "documents": office.papers(firm, "result", "payment_proof"),
    }
    fourth = {"invoices": [office.invoice("26142000000000000019", 100_000_00, USCC)]}
    facts = refused(firm.send(f"{path}/mended", {**three, **fourth}), 409, "item_not_open")
    assert facts["item"] == "invoices"
    ok(firm.send(f"{path}/mended", three))
    assert queued(office, claim) == place


def test_a_firm_goes_from_the_roster_to_money_in_its_account(town: Town) -> None:
    office = Office(town)
    office.opened()
    office.listed(NAME, USCC)
    boss = office.joins(USCC, office.letter(USCC), "wangwei")
    firm = authorised(office, boss)
    office.account(USCC, NAME)
    voucher = office.granted(firm, USCC, 100_000_00)
    order = ordered(office, firm, voucher)
    claim = claimed(office, firm, order)
    mended(office, firm, claim)
    decision = {"verdict": "trim", "approved_fen": 45_000_00, "cause": "out_of_scope", "reason": "含差旅费"}
    ok(office.reviewer.send(f"/api/v1/claims/{claim}/decision", decision))
    left = ok(firm.get(f"/api/v1/vouchers/{voucher}"))
    assert (left["left_fen"], left["cap"]["used_fen"]) == (55_000_00, 45_000_00)
    contract = ok(firm.get(f"/api/v1/orders/{order}/case"))["contract"]
    assert (contract["opened_fen"], contract["left_fen"]) == (50_000_00, 5_000_00)
    noticed(office, claim)
    office.paid(claim, 45_000_00)
    assert ok(firm.get(f"/api/v1/claims/{claim}"))["state"] == "paid"
    messages = ok(firm.get("/api/v1/messages"))["messages"]
    assert len(messages) == 15 and messages[0]["title"].startswith(f"兑付申请 {claim}")
    town.sound()


def noticed(office: Office, claim: str) -> None:
    """Five working days in public; before they are over nothing is paid."""
    programme = office.town.world.programme_code
    notice = {
        "programme_code": programme,
        "claim_nos": [claim],
        "title": "公示",
        "authority": "科技厅",
        "contact": "0351",
    }
    ok(office.officer.send("/api/v1/notices", notice), 201)
    batch = {"programme_code": programme, "claim_nos": [claim]}
    refused(office.maker.send("/api/v1/batches", batch), 409, "state_changed")
    office.town.works(days=30)
