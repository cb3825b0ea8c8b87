"""Pieces of the main job for the tests of claims, reviews, settlement and expiry, told through the operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests import factories
from tests.factories import World
from voucher.clock import business_date
from voucher.db import Base, Database
from voucher.errors import Code
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import standings
from voucher.models.orders import Order
from voucher.models.parties import Organisation, PayeeAccount
from voucher.money import Fen
from voucher.operations import answer_order, confirm_order, deliver, file_contract, place_order
from voucher.operations.claim import ClaimRequest, claim
from voucher.operations.claim_papers import GivenPayment
from voucher.operations.documents import GivenDocument
from voucher.operations.invoices import GivenInvoice
from voucher.operations.issue import IssueRequest, issue
from voucher.operations.outcome import Refused, only
from voucher.operations.review import ReviewRequest, review
from voucher.rules.permissions import Actor
from voucher.terms import DocumentKind, Verdict

T = TypeVar("T")
Work = Callable[[Session, datetime], T]
_invoices = count(1)


class Told:
    """A database with the Shanxi world in it, and a clock that the story moves."""

    def __init__(self, database: Database, *, at: datetime = factories.AT) -> None:
        self.database = database
        self.at = at
        self.world: World = database.transaction(
            lambda session, at: factories.shanxi(session, at=at), at=self.at
        )

    def do(self, work: Work[T], *, at: datetime | None = None) -> T:
        """One committed transaction at the story's time, or at another."""
        return self.database.transaction(work, at=at or self.at)

    def after(self, **by: float) -> datetime:
        """Move the clock on."""
        self.at += timedelta(**by)
        return self.at

    def voucher(self, *, face_fen: int = 200_000_00, holder_ref: str = "") -> str:
        """The number of a new voucher of the world's firm."""
        request = IssueRequest(holder_ref or self.world.firm.holder_ref, Fen(face_fen))
        issued = self.do(
            lambda session, at: only(
                issue(session, self.world.line_code, [request], actor=self.world.officer, at=at)
            )
        )
        return issued.number

    def held_order(self, *, voucher: str = "", contract_fen: int = 100_000_00) -> str:
        """The number of an order whose contract is filed; half of the contract is held."""
        number, world = voucher or self.voucher(), self.world

        def work(session: Session, at: datetime) -> str:
            quote_fen = max(contract_fen, 100_000_00)
            order = placed(session, world, number, quote_fen=quote_fen, at=at)
            contract = file_contract.ContractRequest(
                order, f"HT-{order}", business_date(at), Fen(contract_fen)
            )
            only(file_contract.file_contract(session, [contract], actor=world.platform.manager, at=at))
            return order

        return self.do(work)

    def captured_order(self, *, voucher: str = "", contract_fen: int = 100_000_00) -> str:
        """The number of an order that was delivered and confirmed: half of the contract is captured."""
        order, world = self.held_order(voucher=voucher, contract_fen=contract_fen), self.world

        def work(session: Session, at: datetime) -> str:
            only(
                deliver.deliver(session, [deliver.DeliverRequest(order)], actor=world.platform.scanner, at=at)
            )
            confirmed = [confirm_order.ConfirmRequest(order)]
            only(confirm_order.confirm_order(session, confirmed, actor=world.firm.actor, at=at))
            return order

        return self.do(work)

    def account(self, organisation_id: int, **changes: Any) -> int:
        """The id of a new payee account, in the organisation's own name."""

        def work(session: Session, at: datetime) -> int:
            owner = session.get_one(Organisation, organisation_id)
            row = PayeeAccount(
                organisation_id=owner.id,
                account_name=owner.name,
                bank="中国银行太原平阳支行",
                account_no=f"622848{owner.id:013d}",
                created_at=at,
            )
            for name, value in changes.items():
                setattr(row, name, value)
            session.add(row)
            session.flush()
            return row.id

        return self.do(work)

    def claim_request(self, order: str, *, amount_fen: int = 100_000_00, **changes: Any) -> ClaimRequest:
        """A claim whose papers agree: one invoice, paid in full, for the world's firm and platform."""
        on = business_date(self.at)
        paid = self.payment(
            amount_fen=changes.pop("paid_fen", Fen(amount_fen)), paid_on=changes.pop("paid_on", on)
        )
        request = ClaimRequest(
            order_number=order,
            contract_fen=Fen(amount_fen),
            invoices=(self.invoice(on=on, net_fen=amount_fen),),
            payments=(paid,),
            documents=tuple(document(kind) for kind in DocumentKind),
            payee_account_id=changes.pop("payee_account_id", 0)
            or self.account(self.world.firm.organisation_id),
        )
        return replace(request, **changes)

    def invoice(self, *, on: date | None = None, net_fen: int = 100_000_00, **changes: Any) -> GivenInvoice:
        """An invoice of the world's platform to its firm."""
        given = GivenInvoice(
            number=f"2614{next(_invoices):016d}",
            issued_on=on or business_date(self.at),
            net_fen=Fen(net_fen),
            buyer_uscc=self.world.firm.uscc,
            seller_uscc=self.world.platform.uscc,
        )
        return replace(given, **changes)

    def payment(self, *, amount_fen: int = 100_000_00, **changes: Any) -> GivenPayment:
        """A bank transfer of today from an account of the world's firm."""
        given = GivenPayment(
            amount_fen=Fen(amount_fen),
            paid_on=business_date(self.at),
            payer_name=self.world.firm.name,
            payer_account="6222020502001234567",
        )
        return replace(given, **changes)

    def claimed(self, *, order: str = "", **changes: Any) -> str:
        """The number of a claim that was submitted."""
        request = self.claim_request(order or self.captured_order(), **changes)
        return self.do(
            lambda session, at: only(claim(session, [request], actor=self.world.firm.actor, at=at)).number
        )

    def approved(self, *, approved_fen: int | None = None, **changes: Any) -> str:
        """The number of a claim that was approved, or trimmed to an amount."""
        number = self.claimed(**changes)
        verdict = Verdict.APPROVE if approved_fen is None else Verdict.TRIM
        amount = None if approved_fen is None else Fen(approved_fen)
        request = ReviewRequest(number, verdict, amount, "超出合同约定的部分" if approved_fen else "")
        self.do(lambda session, at: only(review(session, [request], actor=self.world.reviewer, at=at)))
        return number

    def balance(self, ref: Ref) -> int:
        """The posted balance of a limited account."""
        with self.database.read() as session:
            return standings(session, self.world.book_id, [ref])[ref].posted_fen

    def order(self, number: str) -> Order:
        """The order's row."""
        with self.database.read() as session:
            return session.scalars(select(Order).where(Order.number == number)).one()

    def one(self, table: type[T], **where: Any) -> T:
        """The one row of a table with these values."""
        with self.database.read() as session:
            return session.scalars(select(table).filter_by(**where)).unique().one()

    def rows(self, table: type[T]) -> list[T]:
        """Every row of a table."""
        with self.database.read() as session:
            return list(session.scalars(select(table)).unique())

    def refuses(self, code: Code, work: Work[Sequence[object]], **facts: object) -> None:
        """The operation answers with this refusal, and even committed it leaves every table as it was."""
        before = snapshot(self.database)
        (answer,) = self.do(work)
        assert isinstance(answer, Refused), answer
        assert answer.code is code
        assert {name: answer.facts.get(name) for name in facts} == facts
        assert snapshot(self.database) == before


def document(kind: DocumentKind) -> GivenDocument:
    """A file of this kind, as the store would describe it."""
    return GivenDocument(
        kind, f"{list(DocumentKind).index(kind):064x}", 1234, "application/pdf", f"{kind.label}.pdf"
    )


def placed(session: Session, world: World, voucher: str, *, quote_fen: int = 100_000_00, at: datetime) -> str:
    """The number of an order that was placed and accepted, at this quote."""
    request = place_order.PlaceRequest(voucher, world.platform.platform_id, factories.SERVICES[0])
    order = only(place_order.place_order(session, [request], actor=world.firm.actor, at=at))
    accepted = [answer_order.AcceptRequest(order.number, Fen(quote_fen))]
    only(answer_order.accept_order(session, accepted, actor=world.platform.manager, at=at))
    return order.number


def snapshot(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with database.read() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def stranger(told: Told, *, like: Actor) -> Actor:
    """Somebody with the same roles who acts for nothing that the story knows."""
    return replace(
        like,
        organisation_ids=frozenset({10**6}),
        platform_ids=frozenset({10**6}),
        region_codes=frozenset({"610000"}),
        book_ids=frozenset({10**6}),
    )
