"""A second programme of the same book at a lower rate, a second platform of the same host, and orders on contracts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from tests import factories
from tests.factories import Provider
from tests.operations.stories import Told
from tests.published import rewrite
from voucher.clock import business_date
from voucher.ledger import accounts
from voucher.ledger.balances import Standing, standings
from voucher.models.parties import Holder, Organisation
from voucher.models.programmes import BudgetLine, Programme
from voucher.money import Fen
from voucher.operations.answer_order import AcceptRequest, accept_order
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.hold import Held
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.rules.contracts import contract_ref
from voucher.terms import Role

Work = Callable[[Session, datetime], Held]
OTHER = "CN-140000-TECH"
SHANXI_FILLS = (factories.SHANXI_FILL,)


def with_parameters(*tables: str) -> tuple[str, ...]:
    """The demo's fill-ins of Shanxi and further parameters, as TOML tables."""
    extra = '[fill]\npolicy = "CN-140000-INNO-2022"\nwho = "演示"\nbasis = "演示"\n\n' + "\n\n".join(tables)
    return (*SHANXI_FILLS, extra)


def other_text(text: str) -> str:
    """A policy of another programme with caps of its own, else the same."""
    return text.replace("CN-140000-INNO", OTHER)


def set_fills(told: Told, *tables: str) -> None:
    """Give the world's policy version these further parameters, before anything is done under it."""
    told.do(lambda session, _: rewrite(session, with_parameters(*tables), code=told.world.policy_code))


@dataclass(frozen=True, slots=True)
class Second:
    """The other programme's budget line, and the sibling platform."""

    line_code: str
    sibling: Provider


def second(told: Told, *, rate_bp: int = 3_000) -> Second:
    """Another programme of the same book with this rate, the firm qualified for it, and a platform of the same host."""
    world = told.world

    def work(session: Session, at: datetime) -> Second:
        owner = Programme(
            code=OTHER,
            name="技术合作券",
            kind="innovation_voucher",
            region_code="140000",
            book_id=world.book_id,
        )
        session.add(owner)
        session.flush()
        fill = other_text(factories.SHANXI_FILL).replace("rate_bp = 5_000", f"rate_bp = {rate_bp}")
        factories.policy_version(
            session, world.officer, text=other_text(factories.SHANXI), fills=(fill,), at=at
        )
        line: BudgetLine = factories.budget_line(session, owner, maker=world.maker, at=at)
        holder = session.get_one(Holder, world.firm.holder_id)
        factories.qualification(
            session, holder, by=world.reviewer, year=world.year, programme_code=OTHER, at=at
        )
        host = session.get_one(Organisation, world.platform.organisation_id)
        place = factories.platform(session, host, name="第二实验室", at=at)
        certified = factories.certification(session, place)
        manager = factories.person(session, Role.PROVIDER_MANAGER, platform_id=place.id, at=at)
        scanner = factories.person(session, Role.PROVIDER_SCANNER, platform_id=place.id, at=at)
        sibling = replace(
            world.platform,
            platform_id=place.id,
            name=place.name,
            certification_id=certified.id,
            scanner=scanner,
            manager=manager,
        )
        return Second(line.code, sibling)

    return told.do(work)


def voucher_of(told: Told, line_code: str, face_fen: int = 200_000_00) -> str:
    """A voucher of the world's firm from this budget line."""
    request = [IssueRequest(told.world.firm.holder_ref, Fen(face_fen))]
    return told.do(lambda s, at: only(issue(s, line_code, request, actor=told.world.officer, at=at)).number)


def accepted_at(told: Told, voucher: str, provider: Provider, quote_fen: int) -> str:
    """An order placed at this platform and accepted with this quote."""
    place = PlaceRequest(voucher, provider.platform_id, factories.SERVICES[0])

    def work(session: Session, at: datetime) -> str:
        order = only(place_order(session, [place], actor=told.world.firm.actor, at=at)).number
        only(accept_order(session, [AcceptRequest(order, Fen(quote_fen))], actor=provider.manager, at=at))
        return order

    return told.do(work)


def filing(
    told: Told, order: str, part_fen: int, *, number: str = "HT-1", whole_fen: int | None = None,
    by: Provider | None = None, on: date | None = None,
) -> Work:  # fmt: skip
    """Filing an order's part on a contract."""
    manager = (by or told.world.platform).manager
    request = ContractRequest(
        order,
        number,
        on or business_date(told.at),
        Fen(part_fen),
        whole_fen=None if whole_fen is None else Fen(whole_fen),
    )
    return lambda session, at: only(file_contract(session, [request], actor=manager, at=at))


def ceiling(told: Told, number: str = "HT-1", programme: str = "") -> Standing:
    """The ledger account of a contract between the world's firm and platform host."""
    ref = contract_ref(told.world.firm.holder_ref, told.world.platform.uscc, number)
    account = accounts.contract(ref, programme)
    with told.database.read() as session:
        return standings(session, told.world.book_id, [account])[account]
