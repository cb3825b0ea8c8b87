"""Xining's startup voucher: a certified base, its tenants, and a platform that serves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import FOLDER, Provider
from tests.operations.stories import T, Work
from voucher.clock import business_date, fiscal_year
from voucher.db import Database
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import standings
from voucher.ledger.verify import verify
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Certification, Organisation, Qualification
from voucher.models.programmes import Programme
from voucher.models.regions import Region
from voucher.models.tenancies import Allotment, OrderBeneficiary
from voucher.money import Fen
from voucher.operations import answer_order, confirm_order, deliver, file_contract
from voucher.operations.allot import AllotRequest, allot
from voucher.operations.find_allotments import account_of
from voucher.operations.group_order import Line, TenantOrderRequest, place_for_tenants
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest
from voucher.operations.tenancies import EnterRequest, enter
from voucher.rules.permissions import Actor
from voucher.terms import (
    CentreKind,
    CertificationState,
    Certifier,
    HolderClass,
    HolderKind,
    Role,
    VoucherKind,
)

SERVICE = "third_party_service"
PROGRAMME = "CN-630100-STARTUP"
TEXT = (FOLDER / "xining-startup-2018.toml").read_text("utf-8")
FILL = (FOLDER / "fills" / "xining-startup-2018-demo.toml").read_text("utf-8")
AT = factories.AT
_PLACES = (
    ("000000", "中华人民共和国", "country", None),
    ("630000", "青海省", "province", "000000"),
    ("630100", "西宁市", "prefecture", "630000"),
    ("630105", "城北区", "county", "630100"),
    ("630200", "海东市", "prefecture", "630000"),
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A startup inside the base, its tenancy, and the person who acts for it."""

    tenancy_id: int
    holder_id: int
    ref: str
    organisation_id: int
    actor: Actor


class Base:
    """The world of one base, committed, with a clock that the story moves."""

    def __init__(self, database: Database, *, extra: str = "", at: datetime = AT) -> None:
        self.database, self.at = database, at
        self.do(lambda session, at: self._build(session, extra, at))

    def do(self, work: Work[T], *, at: datetime | None = None) -> T:
        """One committed transaction at the story's time, or at another."""
        return self.database.transaction(work, at=at or self.at)

    def _build(self, session: Session, extra: str, at: datetime) -> None:
        places(session)
        book = factories.book(session, code="630100", authority="西宁市财政局")
        self.book_id = book.book_id
        scope = {"region_code": "630100", "book_id": book.book_id}
        self.officer = factories.person(session, Role.PROGRAMME_OFFICER, **scope)  # type: ignore[arg-type]
        self.reviewer = factories.person(session, Role.REVIEWER, **scope)  # type: ignore[arg-type]
        self.maker = factories.person(session, Role.FINANCE_MAKER, **scope)  # type: ignore[arg-type]
        self.checker = factories.person(session, Role.FINANCE_CHECKER, **scope)  # type: ignore[arg-type]
        owner = Programme(
            code=PROGRAMME,
            name="西宁市创业券",
            kind=VoucherKind.STARTUP.value,
            region_code="630100",
            book_id=book.book_id,
        )
        session.add(owner)
        session.flush()
        factories.policy_version(session, self.officer, text=TEXT, fills=(FILL + extra,))
        self.line_code = factories.budget_line(session, owner, maker=self.maker).code
        firm = factories.organisation(session, region_code="630105", name="西宁城北创业孵化基地有限公司")
        held = factories.holder(session, firm)
        held.kind = HolderKind.BASE.value
        self.organisation_id, self.holder_ref, self.name, self.uscc = firm.id, held.ref, firm.name, firm.uscc
        qualified(session, held.id, by=self.officer, at=at)
        self.centre_id = self.certified(session, firm.id)
        self.manager = factories.person(
            session,
            Role.INCUBATOR_MANAGER,
            Role.ENTERPRISE_APPROVER,
            Role.ENTERPRISE_OPERATOR,
            organisation_id=firm.id,
        )
        self.platform = platform(session)

    def certified(
        self,
        session: Session,
        organisation_id: int,
        *,
        authority: Certifier = Certifier.HUMAN_RESOURCES,
        region: str = "630100",
        location: str = "630105",
        kind: CentreKind = CentreKind.INCUBATION_BASE,
        state: CertificationState = CertificationState.CERTIFIED,
    ) -> int:
        """The id of a new centre of an organisation."""
        row = Centre(
            organisation_id=organisation_id,
            name="城北创业孵化基地",
            kind=kind.value,
            authority=authority.value,
            certifying_region=region,
            location_region=location,
            grade="市级",
            document_no=f"宁人社认〔2025〕{organisation_id}号",
            from_on=date(2025, 1, 1),
            to_on=None,
            state=state.value,
            created_at=AT,
        )
        session.add(row)
        session.flush()
        return row.id

    def tenant(self, *, entered_on: date | None = None) -> Tenant:
        """One more startup inside the base."""

        def work(session: Session, at: datetime) -> Tenant:
            firm = factories.organisation(session, region_code="630105")
            held = factories.holder(session, firm)
            asked = EnterRequest(self.centre_id, held.ref, entered_on or date(2025, 6, 1))
            stay = only(enter(session, [asked], actor=self.manager, at=at))
            actor = factories.person(
                session, Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER, organisation_id=firm.id
            )
            return Tenant(stay.id, held.id, held.ref, firm.id, actor)

        return self.do(work)

    def voucher(self, *, face_fen: int = 100_000_00) -> str:
        """The number of a new voucher of the base."""
        request = IssueRequest(self.holder_ref, Fen(face_fen))
        return self.do(
            lambda session, at: (
                only(issue(session, self.line_code, [request], actor=self.officer, at=at)).number
            )
        )

    def allot(self, voucher: str, parts: Sequence[tuple[Tenant, int]]) -> list[str]:
        """Allot amounts to tenants; the numbers of the allotments."""
        asked = [AllotRequest(tenant.tenancy_id, Fen(amount)) for tenant, amount in parts]

        def work(session: Session, at: datetime) -> list[str]:
            moved = allot(session, voucher, asked, actor=self.manager, at=at)
            return [only([each]).allotment.number for each in moved]

        return self.do(work)

    def placed(self, voucher: str, lines: Sequence[tuple[str, int]]) -> str:
        """The number of an order for tenants that was placed and accepted."""

        def work(session: Session, at: datetime) -> str:
            asked = [self.asking(voucher, lines)]
            return only(place_for_tenants(session, asked, actor=self.manager, at=at)).number

        order = self.do(work)
        self.accept(order, sum(amount for _, amount in lines))
        return order

    def accept(self, order: str, quote_fen: int) -> None:
        """The platform accepts an order with a quote."""
        quote = [answer_order.AcceptRequest(order, Fen(quote_fen))]
        self.do(lambda s, at: only(answer_order.accept_order(s, quote, actor=self.platform.manager, at=at)))

    def asking(self, voucher: str, lines: Sequence[tuple[str, int]]) -> TenantOrderRequest:
        """An order for tenants as it is asked for."""
        place = PlaceRequest(voucher, self.platform.platform_id, SERVICE, "创业辅导")
        return TenantOrderRequest(place, tuple(Line(number, Fen(amount)) for number, amount in lines))

    def file(self, order: str, contract_fen: int) -> int:
        """File the order's contract; what is held."""
        contract = file_contract.ContractRequest(
            order, f"HT-{order}", business_date(self.at), Fen(contract_fen)
        )
        return self.do(
            lambda session, at: (
                only(
                    file_contract.file_contract(session, [contract], actor=self.platform.manager, at=at)
                ).held_fen
            )
        )

    def held(self, voucher: str, lines: Sequence[tuple[str, int]]) -> str:
        """The number of an order for tenants whose contract is filed."""
        order = self.placed(voucher, lines)
        self.file(order, sum(amount for _, amount in lines))
        return order

    def deliver(self, order: str) -> None:
        """The platform has done it."""
        asked = [deliver.DeliverRequest(order)]
        self.do(lambda s, at: only(deliver.deliver(s, asked, actor=self.platform.scanner, at=at)))

    def confirm(self, order: str) -> int:
        """The base confirms the delivery; what is captured."""
        asked = [confirm_order.ConfirmRequest(order)]
        return self.do(
            lambda s, at: only(confirm_order.confirm_order(s, asked, actor=self.manager, at=at)).captured_fen
        )

    def free(self, ref: Ref) -> int:
        """What is available on a limited account."""
        with self.database.read() as session:
            return standings(session, self.book_id, [ref])[ref].available_fen

    def left(self, allotment: str) -> int:
        """What is available on an allotment's account."""
        return self.free(self.ref(allotment))

    def ref(self, allotment: str) -> Ref:
        """The account of an allotment."""
        with self.database.read() as session:
            row = session.scalars(select(Allotment).where(Allotment.number == allotment)).one()
            return account_of(row)

    def order(self, number: str) -> Order:
        """An order's row."""
        with self.database.read() as session:
            return session.scalars(select(Order).where(Order.number == number)).one()

    def positions(self, number: str) -> dict[int, int]:
        """The place of each tenancy's line in an order."""
        with self.database.read() as session:
            query = (
                select(Allotment.tenancy_id, OrderBeneficiary.position)
                .join(OrderBeneficiary, OrderBeneficiary.allotment_id == Allotment.id)
                .join(Order, Order.id == OrderBeneficiary.order_id)
                .where(Order.number == number)
            )
            return dict(session.execute(query).all())

    def allotment(self, number: str) -> Allotment:
        """An allotment's row."""
        with self.database.read() as session:
            return session.scalars(select(Allotment).where(Allotment.number == number)).one()

    def sound(self) -> None:
        """`ledger verify` finds nothing."""
        with self.database.read() as session:
            faults = list(verify(session).faults)
        assert not faults, faults


def places(session: Session) -> None:
    """Qinghai with Xining, one of its districts, and Haidong beside it."""
    paths: dict[str | None, str] = {None: "/"}
    for code, name, level, parent in _PLACES:
        paths[code] = f"{paths[parent]}{code}/"
        if session.get(Region, code) is None:
            row = Region(code=code, name=name, level=level, parent_code=parent, path=paths[code])
            session.add(row)
        session.flush()


def qualified(session: Session, holder_id: int, *, by: Actor, at: datetime) -> None:
    """The base is found eligible."""
    session.add(
        Qualification(
            programme_code=PROGRAMME,
            year=fiscal_year(at),
            holder_id=holder_id,
            holder_class=HolderClass.INCUBATION_BASE.value,
            facts={},
            qualified_by=by.person_id,
            qualified_at=at,
        )
    )
    session.flush()


def platform(session: Session, *, host: Organisation | None = None) -> Provider:
    """A platform that 人社 certified for startup vouchers, under a host of its own or this one."""
    owner = host or factories.organisation(session, region_code="630105", name="西宁创业服务有限公司")
    place = factories.platform(session, owner)
    made = Certification(
        platform_id=place.id,
        authority=Certifier.HUMAN_RESOURCES.value,
        region_code="630100",
        kinds=[VoucherKind.STARTUP.value],
        services=[SERVICE],
        document_no="宁人社认〔2025〕9号",
        from_on=date(2025, 1, 1),
        state=CertificationState.CERTIFIED.value,
    )
    session.add(made)
    session.flush()
    given = {"organisation_id": owner.id, "platform_id": place.id}
    scanner = factories.person(session, Role.PROVIDER_SCANNER, **given)  # type: ignore[arg-type]
    manager = factories.person(session, Role.PROVIDER_MANAGER, **given)  # type: ignore[arg-type]
    return Provider(place.id, place.name, owner.id, owner.uscc, made.id, scanner, manager)
