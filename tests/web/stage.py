"""Both sides of one redemption, signed in: a firm with a voucher, a platform, and a stranger of each kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.entrance import Browser
from voucher.clock import business_date
from voucher.db import Database
from voucher.models.orders import Order
from voucher.models.parties import PayeeAccount
from voucher.models.sessions import RedemptionSession
from voucher.money import Fen
from voucher.operations.answer_order import AcceptRequest, accept_order
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order

SERVICE = "technical_cooperation"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@dataclass(frozen=True)
class Stage:
    """The application, its world, and a browser for everybody who acts."""

    app: Flask
    world: factories.World
    other_firm: factories.Firm
    other_provider: factories.Provider
    voucher: str
    firm: Browser
    stranger: Browser
    scanner: Browser
    manager: Browser
    other_scanner: Browser

    @property
    def database(self) -> Database:
        database: Database = self.app.extensions["voucher_database"]
        return database

    def order(self, number: str) -> Order:
        with self.database.read() as session:
            return session.scalars(select(Order).where(Order.number == number)).one()

    def session(self, number: str) -> RedemptionSession:
        with self.database.read() as session:
            query = select(RedemptionSession).where(RedemptionSession.number == number)
            return session.scalars(query).one()

    def placed(self) -> str:
        """A remote order of the firm at the platform."""
        wanted = PlaceRequest(self.voucher, self.world.platform.platform_id, SERVICE, "检测两批样品")
        return self.database.transaction(
            lambda session, at: (
                only(place_order(session, [wanted], actor=self.world.firm.actor, at=at)).number
            )
        )

    def held(self, fen: int = 30_000_00) -> str:
        """A remote order whose contract is filed."""
        number, manager = self.placed(), self.world.platform.manager

        def work(session: Session, at: datetime) -> str:
            only(accept_order(session, [AcceptRequest(number, Fen(fen))], actor=manager, at=at))
            contract = ContractRequest(number, "HT-1", business_date(at), Fen(fen))
            return only(file_contract(session, [contract], actor=manager, at=at)).order.number

        return self.database.transaction(work)

    def delivered(self, fen: int = 30_000_00) -> str:
        """A remote order that the platform has delivered."""
        number, manager = self.held(fen), self.world.platform.manager
        wanted = DeliverRequest(number, "WT-77")
        self.database.transaction(lambda session, at: only(deliver(session, [wanted], actor=manager, at=at)))
        return number

    def captured(self, fen: int = 30_000_00) -> str:
        """A remote order that the firm has confirmed."""
        number = self.delivered(fen)
        amount = self.order(number).held_fen
        form = {"amount": str(amount // 100), "step": "send"}
        assert self.firm.send(f"/enterprise/orders/{number}/confirm", form).status_code == 303
        return number


def staged(app: Flask, *, face_fen: int = 100_000_00) -> Stage:
    """Set the stage on an empty database."""
    database: Database = app.extensions["voucher_database"]

    def work(session: Session, at: datetime) -> tuple[Any, ...]:
        world = factories.shanxi(session, at=at)
        other_firm = factories.firm(session, reviewer=world.reviewer, at=at)
        other_provider = factories.provider(session, at=at)
        asked = [IssueRequest(world.firm.holder_ref, Fen(face_fen))]
        issued = only(issue(session, world.line_code, asked, actor=world.officer, at=at))
        session.add(
            PayeeAccount(
                organisation_id=world.firm.organisation_id,
                account_name=world.firm.name,
                bank="中国银行太原分行",
                account_no="6217000000001234",
                created_at=at,
            )
        )
        return world, other_firm, other_provider, issued.number

    world, other_firm, other_provider, voucher = database.transaction(work)
    return Stage(
        app=app,
        world=world,
        other_firm=other_firm,
        other_provider=other_provider,
        voucher=voucher,
        firm=Browser(app, world.firm.actor),
        stranger=Browser(app, other_firm.actor),
        scanner=Browser(app, world.platform.scanner),
        manager=Browser(app, world.platform.manager),
        other_scanner=Browser(app, other_provider.scanner),
    )


def opened(stage: Stage) -> str:
    """Open a session as the firm; its number."""
    answer = stage.firm.send("/enterprise/sessions/new", {"voucher": stage.voucher})
    assert answer.status_code == 303, answer.text
    return answer.location.rsplit("/", 1)[-1]


def shown_code(stage: Stage, number: str) -> str:
    """The 20 digits on the firm's page."""
    found = re.search(r'code-digits" value="([0-9]{20})"', _page(stage, number))
    assert found is not None
    return found[1]


def scanned(stage: Stage) -> str:
    """A session that the platform has scanned."""
    number = opened(stage)
    answer = stage.scanner.send("/provider/scan", {"code": shown_code(stage, number)})
    assert answer.status_code == 303, answer.text
    return number


def proposed(stage: Stage, gross: str = "10000", **fields: str) -> str:
    """A session in which the platform has proposed an amount."""
    number = scanned(stage)
    form = {"service": SERVICE, "gross": gross, **fields}
    answer = stage.scanner.send(f"/provider/sessions/{number}/propose", form)
    assert answer.status_code == 303, answer.text
    return number


def _page(stage: Stage, number: str) -> str:
    return stage.firm.get(f"/enterprise/sessions/{number}").text
