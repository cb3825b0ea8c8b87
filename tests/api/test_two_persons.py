"""What takes two persons, attacked over HTTP: one with every role, a bookkeeper, another proposal than was seen, sent twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests import factories
from tests.api.conftest import ok, refused
from tests.api.test_policy_proposals import body as version_body
from tests.entrance import Machine
from tests.operations.cofunding_world import AWAY, HOME, Shared
from tests.operations.shapes import PRORATA, shaped
from tests.operations.stories import Told
from tests.operations.test_settlement import settled
from tests.rules.agreements import DOCUMENT, TEXT
from voucher.clock import business_date, fiscal_year, wall_now
from voucher.models.people import RoleGrant
from voucher.money import Fen
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor
from voucher.terms import Role

OFFICIALS = (Role.PROGRAMME_OFFICER, Role.REVIEWER, Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
API = "/api/v1"


@dataclass(frozen=True)
class Scene:
    """One thing that takes two: how it is proposed, decided, and what is said to whoever saw something else or comes twice."""

    told: Told
    book_id: int
    region: str
    propose: Callable[[Machine], tuple[str, dict[str, Any]]]
    stale: dict[str, Any] | None
    twice: tuple[int, str]


def policy(app: Flask) -> Scene:
    told = Told(app.extensions["voucher_database"], at=wall_now())

    def propose(machine: Machine) -> tuple[str, dict[str, Any]]:
        made = ok(machine.send(f"{API}/policy-proposals", version_body()))
        return f"{API}/policy-proposals/{made['proposal_id']}/publish", {"sha256": made["sha256"]}

    return Scene(told, told.world.book_id, "140000", propose, {"sha256": "0" * 64}, (409, "state_changed"))


def agreement(app: Flask) -> Scene:
    told = Told(app.extensions["voucher_database"], at=wall_now())
    told.do(lambda session, _: factories.book(session, code="610000", authority="陕西省财政厅").book_id)

    def propose(machine: Machine) -> tuple[str, dict[str, Any]]:
        made = ok(machine.send(f"{API}/agreements", {"text": TEXT, "document_text": DOCUMENT}))
        return f"{API}/agreements/{made['version_id']}/publish", {}

    return Scene(told, told.world.book_id, "000000", propose, None, (409, "state_changed"))


def year_end(app: Flask) -> Scene:
    told = Told(app.extensions["voucher_database"], at=wall_now())
    line = LineRequest("OLD", told.world.programme_code, fiscal_year(told.at) - 1, "上年指标")
    put = FundRequest("OLD", "晋财〔上年〕1号", Fen(5_000_00))
    told.do(lambda session, at: only(open_lines(session, [line], actor=told.world.maker, at=at)))
    told.do(lambda session, at: only(fund(session, [put], actor=told.world.maker, at=at)))

    def propose(machine: Machine) -> tuple[str, dict[str, Any]]:
        asked = {"budget_line": "OLD", "action": "lapse", "document_no": "晋财〔2027〕1号"}
        made = ok(machine.send(f"{API}/year-ends", asked), 201)
        seen = {"approved": True, "amount_fen": 5_000_00, "proposal_id": made["proposal_id"]}
        return f"{API}/year-ends/OLD/decision", seen

    return Scene(told, told.world.book_id, "140000", propose, {"proposal_id": 999}, (404, "not_found"))


def factor(app: Flask) -> Scene:
    told = Told(app.extensions["voucher_database"], at=datetime.fromisoformat("2025-12-10T10:00+08:00"))
    shaped(told, more=PRORATA)
    told.approved(order=told.captured_order(contract_fen=60_000_00), amount_fen=60_000_00)

    def propose(machine: Machine) -> tuple[str, dict[str, Any]]:
        asked = {
            "programme_code": told.world.programme_code,
            "year": 2025,
            "factor_bp": 5_000,
            "budget_fen": 66_000_00,
            "basis": "纪要",
        }
        made = ok(machine.send(f"{API}/factors", asked), 201)
        path = f"{API}/factors/{told.world.programme_code}/2025/decision"
        return path, {"approved": True, "proposal_id": made["proposal_id"]}

    return Scene(told, told.world.book_id, "140000", propose, {"proposal_id": 999}, (409, "state_changed"))


def remittance(app: Flask) -> Scene:
    told = Shared(app.extensions["voucher_database"], HOME, AWAY, at=wall_now())
    settled(told, told.approved(order=told.captured_order(contract_fen=100_000_00)))

    def propose(machine: Machine) -> tuple[str, dict[str, Any]]:
        asked = {"from_code": "330100", "to_code": "140000", "document_no": "付1号", "amount_fen": 1_000_00}
        made = ok(machine.send(f"{API}/remittances", asked), 201)
        return f"{API}/remittances/{made['number']}/send", {}

    return Scene(told, told.other.book_id, "140000", propose, None, (409, "state_changed"))


@pytest.fixture(params=[policy, agreement, year_end, factor, remittance], ids=lambda made: made.__name__)
def scene(request: pytest.FixtureRequest, app: Flask) -> Scene:
    made: Scene = request.param(app)
    return made


def somebody(scene: Scene, *roles: Role, **scope: Any) -> Actor:
    """A person with these roles, for the scene's region and book unless told otherwise."""
    given = scope or {"region_code": scene.region, "book_id": scene.book_id}
    return scene.told.do(lambda session, _: factories.person(session, *roles, **given))


def test_another_one_who_may_decides_on_what_they_saw_and_once(app: Flask, scene: Scene) -> None:
    both = Machine(app, somebody(scene, *OFFICIALS))
    path, body = scene.propose(both)
    refused(both.send(path, body), 409, "self_approval")
    _outsiders_are_refused(app, scene, path, body)
    second = Machine(app, somebody(scene, *OFFICIALS))
    if scene.stale is not None:
        code = "policy_changed" if "sha256" in scene.stale else "state_changed"
        refused(second.send(path, body | scene.stale), 409, code)
        unseen = {name: value for name, value in body.items() if name not in scene.stale}
        assert second.send(path, unseen).status_code == 422
    first = second.send(path, body, key="one-key-for-both-sendings")
    assert ok(first) == ok(second.send(path, body, key="one-key-for-both-sendings"))
    third = Machine(app, somebody(scene, *OFFICIALS))
    refused(third.send(path, body, key="one-key-for-both-sendings"), *scene.twice)
    refused(second.send(path, body), *scene.twice)


def _outsiders_are_refused(app: Flask, scene: Scene, path: str, body: dict[str, Any]) -> None:
    """A firm's bookkeeper, an official of another place, and one whose roles ended today."""
    firm = scene.told.world.firm.organisation_id
    bookkeeper = Machine(app, somebody(scene, Role.BOOKKEEPER, organisation_id=firm))
    refused(bookkeeper.send(path, body), 403, "not_permitted")
    elsewhere = Machine(app, somebody(scene, *OFFICIALS, region_code="140105", book_id=None))
    gone = somebody(scene, *OFFICIALS)
    late = Machine(app, gone)

    def ends(session: Session, at: datetime) -> None:
        session.execute(
            update(RoleGrant).where(RoleGrant.person_id == gone.person_id).values(to_on=business_date(at))
        )

    scene.told.do(ends)
    for machine in (elsewhere, late):
        assert machine.send(path, body).status_code in (403, 404)
