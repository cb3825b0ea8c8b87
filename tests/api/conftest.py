"""The application with the world of one redemption in it, and a machine with a token for everybody who acts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Machine, application
from voucher.db import Database
from voucher.models.parties import PayeeAccount
from voucher.money import Fen
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor
from voucher.terms import Role

SERVICE = factories.SERVICES[0]


class Api:
    """The API of a fresh installation: whose machines ask, and the pieces of the main job that tests start from."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.database: Database = app.extensions["voucher_database"]
        self.world = self.database.transaction(_world)

    @cached_property
    def firm(self) -> Machine:
        return Machine(self.app, self.world.firm.actor)

    @cached_property
    def manager(self) -> Machine:
        return Machine(self.app, self.world.platform.manager)

    @cached_property
    def scanner(self) -> Machine:
        return Machine(self.app, self.world.platform.scanner)

    @cached_property
    def reviewer(self) -> Machine:
        return Machine(self.app, self.world.reviewer)

    @cached_property
    def officer(self) -> Machine:
        return Machine(self.app, self.world.officer)

    @cached_property
    def maker(self) -> Machine:
        return Machine(self.app, self.world.maker)

    @cached_property
    def checker(self) -> Machine:
        return Machine(self.app, self.world.checker)

    @cached_property
    def auditor(self) -> Machine:
        return Machine(self.app, self.world.auditor)

    @cached_property
    def security_actor(self) -> Actor:
        return self.database.transaction(
            lambda session, at: factories.person(session, Role.SECURITY_ADMIN, at=at)
        )

    @cached_property
    def security(self) -> Machine:
        return Machine(self.app, self.security_actor)

    def holding(self, role: Role) -> Machine:
        """A machine of one more person, with this role in the province."""
        return Machine(
            self.app,
            self.database.transaction(
                lambda session, at: factories.person(session, role, region_code="140000", at=at)
            ),
        )

    @property
    def machines(self) -> dict[str, Machine]:
        """One machine for each kind of person."""
        return {
            "enterprise": self.firm,
            "provider": self.manager,
            "reviewer": self.reviewer,
            "officer": self.officer,
            "maker": self.maker,
            "checker": self.checker,
            "auditor": self.auditor,
        }

    def voucher(self, face_fen: int = 200_000_00, holder_ref: str = "") -> str:
        """The number of a new voucher, of the world's firm unless another holder is named."""
        request = IssueRequest(holder_ref or self.world.firm.holder_ref, Fen(face_fen))

        def work(session: Session, at: datetime) -> str:
            return only(
                issue(session, self.world.line_code, [request], actor=self.world.officer, at=at)
            ).number

        return self.database.transaction(work)

    def placed(self, voucher_no: str = "") -> str:
        """The number of an order that was just placed."""
        body = {
            "voucher_no": voucher_no or self.voucher(),
            "platform_id": self.world.platform.platform_id,
            "service": SERVICE,
        }
        return str(ok(self.firm.send("/api/v1/orders", body), 201)["number"])

    def scanned(self, voucher_no: str = "") -> str:
        """The number of a session whose code the platform has read."""
        opened = ok(self.firm.send("/api/v1/sessions", {"voucher_no": voucher_no or self.voucher()}), 201)
        number = opened["number"]
        code = ok(self.firm.get(f"/api/v1/sessions/{number}/code"))["url"]
        scan = {"code": code, "platform_id": self.world.platform.platform_id}
        assert ok(self.scanner.send("/api/v1/scans", scan), 201)["state"] == "scanned"
        return str(number)

    def proposed(self, gross_fen: int = 60_000_00, voucher_no: str = "") -> str:
        """The number of a session with a proposal on it."""
        number = self.scanned(voucher_no)
        body = {"service": SERVICE, "gross_fen": gross_fen}
        ok(self.scanner.send(f"/api/v1/sessions/{number}/propose", body))
        return number

    def captured(self, gross_fen: int = 60_000_00) -> str:
        """The number of an order that was redeemed at the counter."""
        number = self.proposed(gross_fen)
        return str(ok(self.firm.send(f"/api/v1/sessions/{number}/confirm", {}))["order"]["number"])

    def bank_account(self) -> int:
        """The firm's account, in the firm's own name."""

        def work(session: Session, at: datetime) -> int:
            row = PayeeAccount(
                organisation_id=self.world.firm.organisation_id,
                account_name=self.world.firm.name,
                bank="晋商银行太原分行",
                account_no="6217000000000000017",
                active=True,
                created_at=at,
            )
            session.add(row)
            session.flush()
            return row.id

        return self.database.transaction(work)


def _world(session: Session, at: datetime) -> factories.World:
    return factories.shanxi(session, at=at)


def ok(response: Any, status: int = 200) -> Any:
    """The JSON of an answer that must have this status."""
    assert response.status_code == status, (response.status_code, response.get_data(as_text=True))
    return response.get_json()


def refused(response: Any, status: int, code: str) -> Any:
    """The JSON of a refusal that must have this status and code, in the shape that all refusals have."""
    body = ok(response, status)
    assert body["code"] == code, body
    assert body["message"] and body["request_id"] and isinstance(body["facts"], dict)
    return body


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The whole application; the test runs once on SQLite and once on PostgreSQL."""
    made = application(database_url, tmp_path)
    yield made
    made.extensions["voucher_database"].dispose()


@pytest.fixture
def api(app: Flask) -> Api:
    """The API with a world to act in, on SQLite and on PostgreSQL."""
    return Api(app)
