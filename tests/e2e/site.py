"""A served installation to visit: a real server on a database of its own, and everybody's password."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests import factories
from tests.campaigns.servers import Server
from voucher.db import Database
from voucher.models.parties import PayeeAccount
from voucher.models.people import Person
from voucher.money import Fen
from voucher.operations.authenticate import hash_password
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor

PASSWORD = "Dengluma-20260302"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@dataclass(frozen=True)
class Site:
    """A server, its database, the passwords of those who may sign in, and the cookies of those who have."""

    server: Server
    database: Database
    passwords: dict[str, str]
    signed_in: dict[str, Any]

    def close(self) -> None:
        """Stop serving."""
        self.server.stop()
        self.database.dispose()


@dataclass(frozen=True)
class Stage(Site):
    """A site with one redemption's world: a firm with a voucher, a platform, the authorities."""

    world: factories.World
    logins: dict[int, str]
    voucher: str

    def login(self, actor: Actor) -> str:
        """The name that somebody of the world signs in with."""
        return self.logins[actor.person_id]


def demo_site(folder: Path) -> Site:
    """The demo that was told into this folder, served."""
    url = f"sqlite:///{folder / 'voucher.db'}"
    passwords = json.loads((folder / "passwords.json").read_text("utf-8"))
    return Site(Server(url, folder), Database(url), passwords, {})


def stage_site(url: str, folder: Path, *, face_fen: int = 100_000_00) -> Stage:
    """The world of one redemption, where everybody has the same password, and served."""
    database = Database(url)
    hashed = hash_password(PASSWORD, profile="test")

    def work(session: Session, at: datetime) -> tuple[factories.World, dict[int, str], str]:
        world = factories.shanxi(session, at=at)
        session.execute(update(Person).values(password_hash=hashed))
        voucher = give_voucher(session, world, world.firm, face_fen, at=at)
        session.add(account_of(world.firm, at=at))
        names = {row.id: row.login for row in session.scalars(select(Person))}
        return world, names, voucher

    world, logins, voucher = database.transaction(work)
    passwords = dict.fromkeys(logins.values(), PASSWORD)
    return Stage(Server(url, folder), database, passwords, {}, world, logins, voucher)


@dataclass(frozen=True)
class Customer:
    """A firm of its own for one test, with a full voucher."""

    firm: factories.Firm
    voucher: str


def customer_of(stage: Stage, *, face_fen: int = 100_000_00) -> Customer:
    """One more firm at the stage."""
    hashed = hash_password(PASSWORD, profile="test")

    def work(session: Session, at: datetime) -> tuple[Customer, str]:
        firm = factories.firm(session, reviewer=stage.world.reviewer, at=at)
        person = session.get_one(Person, firm.actor.person_id)
        person.password_hash = hashed
        session.add(account_of(firm, at=at))
        return Customer(firm, give_voucher(session, stage.world, firm, face_fen, at=at)), person.login

    customer, login = stage.database.transaction(work)
    stage.logins[customer.firm.actor.person_id] = login
    stage.passwords[login] = PASSWORD
    return customer


def account_of(firm: factories.Firm, *, at: datetime) -> PayeeAccount:
    """The bank account that a firm is paid to."""
    return PayeeAccount(
        organisation_id=firm.organisation_id,
        account_name=firm.name,
        bank="中国银行太原分行",
        account_no="6217000000001234",
        created_at=at,
    )


def give_voucher(
    session: Session, world: factories.World, firm: factories.Firm, face_fen: int, *, at: datetime
) -> str:
    """Issue a voucher to a firm; its number."""
    asked = [IssueRequest(firm.holder_ref, Fen(face_fen))]
    return only(issue(session, world.line_code, asked, actor=world.officer, at=at)).number
