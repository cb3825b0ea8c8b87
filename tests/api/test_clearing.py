"""Several books through the API: pledges, remittances by two persons on each side, the statement that mirrors."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.conftest import ok, refused
from tests.entrance import Machine
from tests.operations.cofunding_world import AWAY, HOME, Shared
from tests.operations.test_settlement import settled
from voucher.clock import wall_now


@pytest.fixture
def shared(app: Flask) -> Shared:
    """One order of 50,000.00 is settled; the co-funder owes 16,666.67."""
    told = Shared(app.extensions["voucher_database"], HOME, AWAY, at=wall_now())
    settled(told, told.approved(order=told.captured_order(contract_fen=100_000_00)))
    return told


def test_a_pledge_is_added_once_for_a_document(app: Flask, shared: Shared) -> None:
    maker, year = Machine(app, shared.other.maker), shared.world.year
    body = {
        "book_code": "330100", "programme_code": shared.world.programme_code, "year": year,
        "document_no": "配套7号", "amount_fen": 500_00,
    }  # fmt: skip
    assert ok(maker.send("/api/v1/pledges", body), 201)["replayed"] is False
    assert ok(maker.send("/api/v1/pledges", body), 201)["replayed"] is True
    refused(maker.send("/api/v1/pledges", {**body, "amount_fen": 1}), 409, "already_registered")
    refused(maker.send("/api/v1/pledges", {**body, "book_code": "140000"}), 404, "not_found")
    (line,) = ok(maker.get("/api/v1/pledges"))["pledges"]
    assert line["pledged_fen"] == 1_000_500_00 and line["taken_fen"] == 16_666_67


def test_money_between_books_and_the_statement_of_either_side(app: Flask, shared: Shared) -> None:
    other, world = shared.other, shared.world
    body = {"from_code": "330100", "to_code": "140000", "document_no": "付1号", "amount_fen": 10_000_00}
    made = ok(Machine(app, other.maker).send("/api/v1/remittances", body), 201)
    at = f"/api/v1/remittances/{made['number']}"
    refused(Machine(app, world.checker).send(f"{at}/send", {}), 404, "not_found")
    assert ok(Machine(app, other.checker).send(f"{at}/send", {}))["state"] == "sent"
    for actor, pair in ((other.maker, "330100/140000"), (world.auditor, "140000/330100")):
        told = ok(Machine(app, actor).get(f"/api/v1/clearing/{pair}"))
        assert told["mirrors"] is True and told["in_transit_fen"] == 10_000_00
        (way,) = [each for each in told["directions"] if each["payer_code"] == "330100"]
        assert (way["settled_fen"], way["owed_fen"]) == (16_666_67, 6_666_67)
        assert way["orders"][0]["payer_fen"] == way["orders"][0]["taker_fen"] == 16_666_67
    assert ok(Machine(app, world.maker).send(f"{at}/note", {"receipt_no": "回单"}))["state"] == "noted"
    assert ok(Machine(app, world.checker).send(f"{at}/receive", {}))["state"] == "received"
    (told,) = ok(Machine(app, world.maker).get("/api/v1/clearing"))["statements"]
    assert told["in_transit_fen"] == 0
    refused(
        Machine(app, other.maker).send("/api/v1/remittances", {**body, "amount_fen": 6_666_68}),
        409,
        "clearing_exceeded",
    )
    again = ok(Machine(app, other.maker).send("/api/v1/remittances", {**body, "amount_fen": 1}), 201)
    gone = Machine(app, other.maker).send(f"/api/v1/remittances/{again['number']}/withdraw", {})
    assert ok(gone)["state"] == "withdrawn"
