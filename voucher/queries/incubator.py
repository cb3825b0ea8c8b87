"""What a base reads of its tenants, its vouchers and its orders for them, and what a tenant reads of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from voucher.ledger import accounts
from voucher.ledger.accounts import Ref
from voucher.ledger.balances import standings
from voucher.models.centres import Centre
from voucher.models.ledger import Account, Transfer
from voucher.models.orders import Order
from voucher.models.parties import Holder, Platform
from voucher.models.tenancies import Allotment, CheckIn, OrderBeneficiary, Tenancy, TenantObjection
from voucher.models.vouchers import Voucher
from voucher.queries.paging import PAGE_ROWS, Page
from voucher.rules.permissions import Actor
from voucher.rules.tenancy import state_of
from voucher.terms import Phase, TenancyState


@dataclass(frozen=True, slots=True)
class AllotmentLine:
    """An allotment and where its money is: free, held by orders, spent. All in fen."""

    allotment: Allotment
    free_fen: int
    held_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class TenantLine:
    """A tenancy as it stands on a day, and what its allotments come to, in fen."""

    tenancy: Tenancy
    state: TenancyState
    allotted_fen: int
    free_fen: int
    spent_fen: int


@dataclass(frozen=True, slots=True)
class BeneficiaryLine:
    """A line of an order: what is held and what is captured of it now, in fen, and the tenant's objection."""

    line: OrderBeneficiary
    held_fen: int
    captured_fen: int
    objection: TenantObjection | None


def own_centres(session: Session, *, actor: Actor) -> list[Centre]:
    """The centres of the actor's organisations."""
    query = select(Centre).where(Centre.organisation_id.in_(actor.organisation_ids)).order_by(Centre.id)
    return list(session.scalars(query))


def tenants(session: Session, *, actor: Actor, on: date, text: str = "") -> list[TenantLine]:
    """The tenants of the actor's centres, those inside first, then by their day of entry."""
    query = (
        select(Tenancy)
        .join(Tenancy.centre)
        .join(Tenancy.holder)
        .where(Centre.organisation_id.in_(actor.organisation_ids))
        .order_by(Tenancy.entered_on.desc(), Tenancy.id.desc())
    )
    if text:
        query = query.where(Holder.name.contains(text, autoescape=True) | (Holder.ref == text.upper()))
    rows = list(session.scalars(query))
    figures: dict[int, tuple[int, int, int]] = {}
    for each in _lines(session, Allotment.tenancy_id.in_([row.id for row in rows])):
        before = figures.get(each.allotment.tenancy_id, (0, 0, 0))
        added = each.allotment.allotted_fen, each.free_fen, each.spent_fen
        figures[each.allotment.tenancy_id] = tuple(map(sum, zip(before, added, strict=True)))  # type: ignore[assignment]
    found = [
        TenantLine(
            row,
            state_of(row.entered_on, row.graduated_on, row.left_on, on),
            *figures.get(row.id, (0, 0, 0)),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: each.state is TenancyState.LEFT)


def tenancy_of(session: Session, tenancy_id: int, *, actor: Actor, on: date) -> TenantLine | None:
    """One tenancy of the actor's centres."""
    return next(
        (each for each in tenants(session, actor=actor, on=on) if each.tenancy.id == tenancy_id), None
    )


def allotments_of(session: Session, voucher: Voucher) -> list[AllotmentLine]:
    """What was allotted of a voucher, by tenant."""
    return _lines(session, Allotment.voucher_id == voucher.id)


def allotments_to(session: Session, *, actor: Actor) -> list[AllotmentLine]:
    """What was allotted to the actor's own organisations as tenants."""
    mine = (
        select(Tenancy.id)
        .join(Holder, Holder.id == Tenancy.holder_id)
        .where(Holder.organisation_id.in_(actor.organisation_ids))
    )
    return _lines(session, Allotment.tenancy_id.in_(mine))


def _lines(session: Session, condition: ColumnElement[bool]) -> list[AllotmentLine]:
    rows = list(session.scalars(select(Allotment).where(condition).order_by(Allotment.id)))
    found: dict[int, AllotmentLine] = {}
    for book_id in sorted({row.voucher.book_id for row in rows}):
        refs = {row.id: ref_of(row) for row in rows if row.voucher.book_id == book_id}
        figures = standings(session, book_id, list(refs.values()))
        for row in rows:
            if row.id in refs:
                now = figures[refs[row.id]]
                held = now.posted_fen - now.available_fen
                found[row.id] = AllotmentLine(row, now.available_fen, held, row.allotted_fen - now.posted_fen)
    return [found[row.id] for row in rows]


def ref_of(row: Allotment) -> Ref:
    """The account of an allotment."""
    return accounts.allot(row.voucher.number, row.tenant_ref)


def tenant_orders(session: Session, *, actor: Actor, page: int = 1) -> Page[Order]:
    """The orders that the actor's bases placed for tenants, newest first."""
    query = (
        select(Order)
        .join(Holder, Holder.id == Order.holder_id)
        .where(Order.beneficiaries > 0, Holder.organisation_id.in_(actor.organisation_ids))
        .options(joinedload(Order.platform), joinedload(Order.voucher), joinedload(Order.holder))
        .order_by(Order.id.desc())
    )
    size = PAGE_ROWS
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    rows = session.scalars(query.limit(size).offset((page - 1) * size)).all()
    return Page(rows, page, pages, total)


def group_of(session: Session, number: str, *, actor: Actor) -> Order | None:
    """An order for tenants in which the actor is base or platform; None for another's."""
    query = (
        select(Order)
        .join(Holder, Holder.id == Order.holder_id)
        .where(
            Order.number == number,
            Order.beneficiaries > 0,
            Holder.organisation_id.in_(actor.organisation_ids) | Order.platform_id.in_(actor.platform_ids),
        )
        .options(joinedload(Order.platform).joinedload(Platform.organisation), joinedload(Order.voucher))
        .options(joinedload(Order.holder))
    )
    return session.scalars(query).one_or_none()


def beneficiaries(session: Session, order: Order) -> list[BeneficiaryLine]:
    """The lines of an order in their order; none for one without."""
    if not order.beneficiaries:
        return []
    query = select(OrderBeneficiary).where(OrderBeneficiary.order_id == order.id)
    rows = list(session.scalars(query.order_by(OrderBeneficiary.position)))
    money = _money(session, order)
    said = select(TenantObjection).where(TenantObjection.line_id.in_([row.id for row in rows]))
    objections = {row.line_id: row for row in session.scalars(said)}
    found = []
    for row in rows:
        held, captured = money.get(ref_of(row.allotment).owner, (0, 0))
        found.append(BeneficiaryLine(row, held, captured, objections.get(row.id)))
    return found


def spent_for(session: Session, *, actor: Actor) -> list[tuple[Order, BeneficiaryLine]]:
    """What bases ordered for the actor's own organisations, newest first."""
    mine = (
        select(OrderBeneficiary.id, OrderBeneficiary.order_id)
        .join(Allotment, Allotment.id == OrderBeneficiary.allotment_id)
        .join(Tenancy, Tenancy.id == Allotment.tenancy_id)
        .join(Holder, Holder.id == Tenancy.holder_id)
        .where(Holder.organisation_id.in_(actor.organisation_ids))
    )
    ids = {row.id: row.order_id for row in session.execute(mine)}
    query = select(Order).where(Order.id.in_(set(ids.values()))).order_by(Order.id.desc())
    orders = session.scalars(query.options(joinedload(Order.platform), joinedload(Order.holder)))
    return [
        (order, each) for order in orders for each in beneficiaries(session, order) if each.line.id in ids
    ]


def open_check_in(session: Session, order: Order) -> CheckIn | None:
    """The check-in of an order that is open."""
    query = select(CheckIn).where(CheckIn.order_id == order.id, CheckIn.closed_at.is_(None))
    return session.scalars(query).one_or_none()


def _money(session: Session, order: Order) -> dict[str, tuple[int, int]]:
    """By allotment what the order's open hold reserves, and what it took and has not given back."""
    own = accounts.order(order.number).id
    found: dict[str, tuple[int, int]] = {}
    for sign, mine, other in (
        (1, Transfer.credit_id, Transfer.debit_id),
        (-1, Transfer.debit_id, Transfer.credit_id),
    ):
        payer = aliased(Account)
        query = (
            select(payer.owner_ref, Transfer.phase, Transfer.posting_id, Transfer.amount)
            .join(payer, (payer.book_id == Transfer.book_id) & (payer.id == other))
            .where(Transfer.book_id == order.book_id, mine == own, payer.code == "allot")
        )
        for owner, phase, posting, amount in session.execute(query):
            held, taken = found.get(owner, (0, 0))
            if phase == Phase.PENDING.value:
                held += amount if posting == order.hold_posting else 0
            elif phase in (Phase.SINGLE.value, Phase.POST.value):
                taken += sign * amount
            found[owner] = held, taken
    return found
