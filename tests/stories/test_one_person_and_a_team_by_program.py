"""Stories 2 and 3 through the API alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests import factories
from tests.entrance import Machine
from tests.stories.office import Office, ok, refused
from tests.stories.town import PDF, Town
from voucher.codes import make_uscc
from voucher.terms import Role

NAME = "一人科技有限公司"
USCC = make_uscc("140105", 77_002)
FIRM = make_uscc("140105", 77_003)


@pytest.fixture
def office(app: Flask) -> Office:
    made = Office(Town(app, None))
    made.opened()
    return made


def claimed(office: Office, firm: Machine, order: str, buyer: tuple[str, str], fen: int) -> str:
    """A claim with one invoice to this buyer (reference and name); its number."""
    uscc, name = buyer
    (account,) = ok(firm.get(f"/api/v1/orders/{order}/payee-accounts"))["accounts"]
    payment = {"amount_fen": fen, "paid_on": office.town.day(), "payer_name": name, "payer_account": "622"}
    body: dict[str, Any] = {
        "order_no": order, "contract_fen": fen, "payments": [payment], "payee_account_id": account["id"],
        "invoices": [office.invoice("26142000000000000051", fen, uscc)],
        "documents": office.papers(firm, "contract", "invoice", "payment_proof", "result"),
    }  # fmt: skip
    return str(ok(firm.send("/api/v1/claims", body), 201)["number"])


def decided(office: Office, firm: Machine, claim: str, fen: int) -> None:
    """Approved by the bureau, which the firm is not, and paid."""
    path = f"/api/v1/claims/{claim}/decision"
    refused(firm.send(path, {"verdict": "approve"}), 403, "not_permitted")
    ok(office.reviewer.send(path, {"verdict": "approve"}))
    office.paid(claim, fen)
    assert ok(firm.get(f"/api/v1/claims/{claim}"))["state"] == "paid"
    office.town.sound()


def test_one_person_is_operator_and_approver_of_a_firm(office: Office) -> None:
    office.listed(NAME, USCC)
    firm = office.joins(USCC, office.letter(USCC), "wangwei", "both")
    office.account(USCC, NAME)
    order = office.held(firm, office.granted(firm, USCC, 100_000_00), 100_000_00, "HT-1")
    assert office.captured(firm, order)["captured_fen"] == 50_000_00
    decided(office, firm, claimed(office, firm, order, (USCC, NAME), 100_000_00), 50_000_00)


def test_a_team_becomes_a_firm_in_mid_year_and_keeps_what_it_used_of_its_cap(office: Office) -> None:
    members = {"members": ["甲", "乙", "丙"], "region_code": "140105", "name": "星火团队", "kind": "team"}
    made = ok(office.reviewer.send("/api/v1/teams", members), 201)
    team = office.joins(made["ref"], office.letter(made["ref"]), "xinghuo", "both")
    voucher = office.granted(team, made["ref"], 100_000_00)
    order = office.held(team, voucher, 160_000_00, "HT-1")
    office.captured(team, order)
    licence = {"uscc": FIRM, "name": "星火科技有限公司", "legal_representative": "甲"}
    account = {"bank": "晋商银行", "account_no": "6217000000001234"}
    case = {"kind": "convert", "ref": made["ref"], "papers": [office.sent(office.reviewer, "执照.pdf", PDF)]}
    number = ok(office.reviewer.send("/api/v1/desk-cases", {**case, "facts": {**licence, **account}}), 201)[
        "id"
    ]
    second = office.of(
        office.town.do(
            lambda session, at: factories.person(session, Role.REVIEWER, region_code="140000", at=at)
        )
    )
    decision = second.send(f"/api/v1/desk-cases/{number}/decide", {"approve": True})
    assert ok(decision)["firm_ref"] == FIRM
    cap = ok(team.get(f"/api/v1/vouchers/{voucher}"))["cap"]
    assert (cap["used_fen"], cap["left_fen"]) == (80_000_00, 120_000_00)
    decided(office, team, claimed(office, team, order, (made["ref"], "星火团队"), 160_000_00), 80_000_00)
    office.listed("星火科技有限公司", FIRM)
    again = office.granted(team, FIRM, 200_000_00)
    held = ok(team.get(f"/api/v1/orders/{office.held(team, again, 400_000_00, 'HT-2')}"))
    assert held["held_fen"] == 120_000_00
    assert [each["limit"] for each in held["reductions"]] == ["cap"], held["reductions"]
