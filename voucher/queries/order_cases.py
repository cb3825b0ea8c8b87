"""Everything about one order: contract and supplements, instalments, deliveries, files, extensions, disputes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.balances import opened_from, standings
from voucher.models.contracts import Contract, Instalment, Supplement
from voucher.models.deliveries import Delivery, Extension, OrderFile
from voucher.models.disputes import Dispute, DisputeStatement
from voucher.models.orders import Order
from voucher.queries.agreements import Recognition, recognition_of
from voucher.queries.incubator import BeneficiaryLine, beneficiaries
from voucher.queries.orders import either_sides_order, regions_order
from voucher.queries.payers import Payer, payers
from voucher.queries.policies import policy_of
from voucher.rules.permissions import Actor
from voucher.terms import AskState, InstalmentState


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract on file, what may be subsidised of it, how many orders are on it, and its supplements."""

    contract: Contract
    ceiling_fen: int
    left_fen: int
    orders: int
    supplements: Sequence[Supplement]

    @property
    def asked(self) -> Supplement | None:
        """The supplement that waits for the firm."""
        return next((row for row in self.supplements if row.state == AskState.ASKED.value), None)


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A dispute and what both sides said, in order."""

    dispute: Dispute
    statements: Sequence[DisputeStatement]


@dataclass(frozen=True, slots=True)
class OrderCase:
    """One order with everything that hangs on it, oldest first; `document_no` is that of the policy that rules it."""

    order: Order
    contract: ContractView | None
    instalments: Sequence[Instalment]
    deliveries: Sequence[Delivery]
    files: Sequence[OrderFile]
    extensions: Sequence[Extension]
    disputes: Sequence[DisputeView]
    recognition: Recognition | None
    document_no: str
    beneficiaries: Sequence[BeneficiaryLine] = ()
    payers: Sequence[Payer] = ()

    @property
    def delivered(self) -> Instalment | None:
        """The instalment that waits for the firm's answer."""
        return next((row for row in self.instalments if row.state == InstalmentState.DELIVERED.value), None)

    @property
    def next_part(self) -> Instalment | None:
        """The instalment that is delivered next."""
        return next((row for row in self.instalments if row.state == InstalmentState.PLANNED.value), None)

    @property
    def open_dispute(self) -> DisputeView | None:
        """The dispute that is open."""
        return next((view for view in self.disputes if view.dispute.outcome is None), None)

    @property
    def asked_extension(self) -> Extension | None:
        """The extension that waits for the firm."""
        return next((row for row in self.extensions if row.state == AskState.ASKED.value), None)


def case_of(session: Session, order: Order) -> OrderCase:
    """What hangs on an order that the reader may see."""
    disputes = session.scalars(select(Dispute).where(Dispute.order_id == order.id).order_by(Dispute.id)).all()
    said: dict[int, list[DisputeStatement]] = {row.id: [] for row in disputes}
    query = select(DisputeStatement).where(DisputeStatement.dispute_id.in_(said))
    for statement in session.scalars(query.order_by(DisputeStatement.id)) if disputes else ():
        said[statement.dispute_id].append(statement)
    extensions = select(Extension).where(Extension.order_id == order.id).order_by(Extension.id)
    parts = select(Instalment).where(Instalment.order_id == order.id).order_by(Instalment.position)
    return OrderCase(
        order,
        _contract(session, order),
        session.scalars(parts).all() if order.instalments else (),
        session.scalars(select(Delivery).where(Delivery.order_id == order.id).order_by(Delivery.id)).all(),
        session.scalars(select(OrderFile).where(OrderFile.order_id == order.id).order_by(OrderFile.id)).all(),
        session.scalars(extensions).all(),
        [DisputeView(row, said[row.id]) for row in disputes],
        recognition_of(session, order),
        policy_of(session, order.policy_code).document_no,
        beneficiaries(session, order),
        payers(session, order),
    )


def seen_order(session: Session, number: str, *, actor: Actor) -> Order | None:
    """An order of either side, or one whose holder is in the reader's regions; None for another's."""
    return either_sides_order(session, number, actor=actor) or regions_order(session, number, actor=actor)


def file_of(session: Session, order: Order, file_id: int) -> OrderFile | None:
    """One file of an order that the reader may see; None for another's."""
    return session.scalars(
        select(OrderFile).where(OrderFile.id == file_id, OrderFile.order_id == order.id)
    ).one_or_none()


def _contract(session: Session, order: Order) -> ContractView | None:
    if not order.contract_ref:
        return None
    row = session.scalars(select(Contract).where(Contract.ref == order.contract_ref)).one_or_none()
    if row is None:
        return None
    account = accounts.contract(row.ref)
    on_it = select(func.count()).select_from(Order).where(Order.contract_ref == row.ref)
    made = select(Supplement).where(Supplement.contract_id == row.id).order_by(Supplement.id)
    return ContractView(
        row,
        opened_from(session, row.book_id, accounts.contract_source(), account),
        standings(session, row.book_id, [account])[account].available_fen,
        session.scalars(on_it).one(),
        session.scalars(made).all(),
    )
