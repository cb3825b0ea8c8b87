"""A market to redeem in: firms with vouchers and a platform, with bearer tokens for both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import factories
from tests.campaigns.shoppers import Acknowledged, Counterparties
from voucher.clock import business_date
from voucher.db import Database
from voucher.ledger.verify import verify
from voucher.models.ledger import Posting
from voucher.models.orders import Order
from voucher.models.people import Person
from voucher.money import Fen
from voucher.operations.authenticate import SignedIn, issue_token
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.rules.permissions import Actor
from voucher.terms import PostingKind

SERVICE = "technical_cooperation"


@dataclass(frozen=True, slots=True)
class Market:
    """The world, and the parties of each shopper."""

    world: factories.World
    parties: tuple[Counterparties, ...]


def open_market(database: Database, shoppers: int) -> Market:
    """A firm with a full voucher for each shopper, all buying from one platform."""

    def work(session: Session, at: datetime) -> Market:
        world = factories.shanxi(session, at=at, funded_fen=shoppers * 200_000_00 + 1_000_000_00)
        manager = token_of(session, world.platform.manager, at)
        made = []
        for _ in range(shoppers):
            firm = factories.firm(session, reviewer=world.reviewer, at=at)
            wanted = IssueRequest(firm.holder_ref, Fen(200_000_00))
            voucher = only(issue(session, world.line_code, [wanted], actor=world.officer, at=at))
            made.append(
                Counterparties(
                    holder_token=token_of(session, firm.actor, at),
                    manager_token=manager,
                    voucher_number=voucher.number,
                    platform_id=world.platform.platform_id,
                    service=SERVICE,
                    today=business_date(at).isoformat(),
                )
            )
        return Market(world, tuple(made))

    return database.transaction(work)


def token_of(session: Session, actor: Actor, at: datetime) -> str:
    """A bearer token of a person."""
    version = session.scalars(select(Person.session_version).where(Person.id == actor.person_id)).one()
    return issue_token(session, SignedIn(actor.person_id, version), at=at)[0]


def audit(database: Database, seen: list[Acknowledged]) -> list[str]:
    """Everything that is wrong after the storm: acknowledged and lost, done twice, or out of balance."""
    faults = []
    with database.read() as session:
        orders = {order.number: order for order in session.scalars(select(Order))}
        for each in seen:
            gone = [number for number in each.placed if number not in orders]
            faults += [f"{number}: placing was acknowledged, and is lost" for number in gone]
            for number, amount_fen in each.captured.items():
                found = orders.get(number)
                if found is None or found.captured_fen != amount_fen:
                    faults.append(f"{number}: {amount_fen} fen were acknowledged as captured, and are lost")
        placed = {number for each in seen for number in each.placed}
        faults += [f"{number}: stands, and nobody was told" for number in orders if number not in placed]
        captures = session.scalars(
            select(func.count()).select_from(Posting).where(Posting.kind == PostingKind.CAPTURE.value)
        ).one()
        told = sum(len(each.captured) for each in seen)
        if captures != told:
            faults.append(f"{captures} captures are booked, {told} were acknowledged")
    with database.read() as session:
        faults += [str(fault) for fault in verify(session).faults]
    return faults
