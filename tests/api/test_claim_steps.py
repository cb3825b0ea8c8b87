"""Claims through the API alone: looked at first, shared out, confirmed, mended, withdrawn; awards; tax checks."""

from __future__ import annotations

from typing import Any, cast

import pytest
from flask import Flask

from tests.api.conftest import Api, ok, refused
from tests.api.test_main_job import claim_body, today
from tests.entrance import Machine
from tests.operations.awards import PROGRAMME, Awarding
from tests.operations.reviewing import asks, sent_back
from tests.operations.stories import Told
from voucher.clock import wall_now
from voucher.models.orders import Order
from voucher.terms import ClaimItem


@pytest.fixture
def told(app: Flask) -> Told:
    return Told(app.extensions["voucher_database"], at=wall_now())


@pytest.fixture
def firm(app: Flask, told: Told) -> Machine:
    return Machine(app, told.world.firm.actor)


@pytest.fixture
def manager(app: Flask, told: Told) -> Machine:
    return Machine(app, told.world.platform.manager)


def body(told: Told, order: str, firm: Machine, *, fen: int = 100_000_00, **invoice: Any) -> dict[str, Any]:
    """A claim as JSON; its four papers are in the store."""
    account = told.account(told.world.firm.organisation_id)
    made = claim_body(cast(Api, Papers(told, firm)), order, account, amount_fen=fen)
    made["invoices"][0] |= invoice
    return made


class Papers:
    """What `claim_body` asks of an installation."""

    def __init__(self, told: Told, firm: Machine) -> None:
        self.world, self.firm = told.world, firm


def test_a_claim_is_looked_at_before_it_is_sent_and_nothing_is_written(told: Told, firm: Machine) -> None:
    asked = body(told, told.captured_order(), firm)
    seen = ok(firm.send("/api/v1/claims/check", asked))
    assert (seen["base_fen"], seen["computed_fen"], seen["claimed_fen"]) == (
        100_000_00, 50_000_00, 50_000_00,
    )  # fmt: skip
    assert [step["unit"] for step in seen["steps"]] == ["fen", "bp", "fen"]
    assert seen["differences"] == []
    assert ok(firm.get("/api/v1/claims"))["claims"] == []
    asked["payments"][0]["payer_name"] = "王小明"
    refused(firm.send("/api/v1/claims/check", asked), 409, "payer_mismatch")


def test_one_invoice_is_shared_by_two_claims_up_to_its_net_amount(told: Told, firm: Machine) -> None:
    voucher = told.voucher()
    first, second = (told.captured_order(voucher=voucher, contract_fen=10_000_00) for _ in range(2))
    shared = {"net_fen": 15_000_00, "allocated_fen": 10_000_00}
    made = ok(firm.send("/api/v1/claims", body(told, first, firm, fen=10_000_00, **shared)), 201)
    (line,) = ok(firm.get(f"/api/v1/claims/{made['number']}"))["invoices"]
    assert (line["net_fen"], line["allocated_fen"], line["verdict"]) == (15_000_00, 10_000_00, None)
    answer = refused(
        firm.send("/api/v1/claims", body(told, second, firm, fen=10_000_00, **shared)),
        409,
        "invoice_exceeded",
    )
    assert (answer["facts"]["used_fen"], answer["facts"]["left_fen"]) == (10_000_00, 5_000_00)


def test_the_other_side_answers_and_the_claim_is_mended_and_withdrawn(
    told: Told, firm: Machine, manager: Machine
) -> None:
    asks(told, claim_confirm_days=5)
    number = told.claimed()
    path = f"/api/v1/claims/{number}"
    assert ok(manager.get(path))["state"] == "awaiting"
    refused(manager.send(f"{path}/answer", {"agreed": False}), 422, "invalid")
    refused(firm.send(f"{path}/answer", {"agreed": True}), 403, "not_permitted")
    done = ok(manager.send(f"{path}/answer", {"agreed": False, "reason": "金额不符"}))
    assert done == {"number": number, "state": "returned"}
    assert ok(firm.get(path))["return_reason"] == "金额不符"
    mended = ok(firm.send(f"{path}/mended", {"contract_fen": 90_000_00}))
    assert mended["base_fen"] == 90_000_00
    assert ok(manager.send(f"{path}/answer", {"agreed": True}))["state"] == "submitted"
    sent_back(told, number, ClaimItem.PAYEE)
    refused(firm.send(f"{path}/mended", {"contract_fen": 80_000_00}), 409, "item_not_open")
    refused(manager.send(f"{path}/withdrawal", {}), 409, "other_side_claims")
    assert ok(firm.send(f"{path}/withdrawal", {}))["state"] == "withdrawn"
    assert told.one(Order).state == "captured"


def test_a_post_subsidy_is_applied_for_and_decided(app: Flask) -> None:
    told = Awarding(app.extensions["voucher_database"])
    told.at = wall_now()
    firm, reviewer = Machine(app, told.world.firm.actor), Machine(app, told.world.reviewer)
    asked = body(told, "", firm, fen=1_000_000_00, seller_uscc=told.world.platform.uscc)
    del asked["order_no"], asked["contract_fen"]
    asked |= {
        "programme_code": PROGRAMME,
        "holder_ref": told.world.firm.holder_ref,
        "service": "technology_transfer",
        "description": "受让专利",
        "origin_region": "610100",
    }
    made = ok(firm.send("/api/v1/awards", asked), 201)
    assert made["claimed_fen"] == 200_000_00
    seen = ok(reviewer.get(f"/api/v1/claims/{made['number']}"))
    assert (seen["platform_name"], seen["contract_fen"]) == (None, None)
    decision = {"verdict": "approve", "budget_line": told.line}
    decided = ok(reviewer.send(f"/api/v1/claims/{made['number']}/decision", decision))
    assert decided["approved_fen"] == 200_000_00


def test_invoices_are_listed_for_the_tax_bureau_and_verdicts_recorded_all_or_none(
    app: Flask, told: Told, firm: Machine
) -> None:
    maker = Machine(app, told.world.maker)
    invoice = told.invoice()
    number = told.approved(invoices=(invoice,))
    (line,) = ok(maker.get("/api/v1/invoices?days=7"))["invoices"]
    assert (line["invoice"], line["verdict"], line["claims"]) == (invoice.number, None, 1)
    result = {"invoice": invoice.number, "verdict": "void", "checked_on": today()}
    unknown = {**result, "invoice": "26140000000099999999"}
    refused(maker.send("/api/v1/invoices/checks", {"results": [result, unknown]}), 404, "not_found")
    assert ok(maker.get("/api/v1/invoices"))["invoices"][0]["verdict"] is None
    bad = {"results": [{**result, "invoice": "12"}]}
    refused(maker.send("/api/v1/invoices/checks", bad), 422, "invalid")
    done = ok(maker.send("/api/v1/invoices/checks", {"results": [result]}))
    assert done == {"recorded": {"void": 1}}
    asked = {"programme_code": told.world.programme_code, "claim_nos": [number]}
    refused(maker.send("/api/v1/batches", asked), 409, "invoice_void")
    refused(firm.get("/api/v1/invoices"), 403, "not_permitted")
