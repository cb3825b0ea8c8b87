"""R15, 创业券使用表: what each base was granted, whom it served with it, and what is left (domain, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.ledger import accounts
from voucher.ledger.balances import standings
from voucher.models.centres import Centre
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.models.vouchers import Voucher
from voucher.queries.incubator import AllotmentLine, allotments_of, beneficiaries
from voucher.rules.permissions import Actor
from voucher.rules.tenancy import state_of
from voucher.terms import Certifier, HolderClass


@dataclass(frozen=True, slots=True)
class TenantUse:
    """One tenant of a voucher: when it entered and left, what it was allotted, and what was spent by service, in fen."""

    name: str
    entered_on: date
    left_on: date | None
    state: str
    allotted_fen: int
    spent_fen: int
    services: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class VoucherUse:
    """One startup voucher of a base: the grant, how many startups were served, spent, held and left, in fen."""

    base: str
    certifier: str
    voucher_no: str
    policy_code: str
    grant_fen: int
    served: int
    spent_fen: int
    held_fen: int
    remaining_fen: int
    tenants: tuple[TenantUse, ...]


def startup_use(session: Session, *, actor: Actor, on: date, year: int) -> list[VoucherUse]:
    """Every voucher of a base that was issued in a year, of the actor's own bases, regions or books."""
    visible = (
        Holder.organisation_id.in_(actor.organisation_ids)
        | Voucher.book_id.in_(actor.book_ids)
        | Holder.region_code.in_(_regions(session, actor))
    )
    query = (
        select(Voucher)
        .join(Voucher.holder)
        .where(Voucher.holder_class == HolderClass.INCUBATION_BASE.value, visible)
        .where(Voucher.number.like(f"V{year}%"))
        .order_by(Voucher.id)
    )
    return [_use(session, voucher, on) for voucher in session.scalars(query)]


def _regions(session: Session, actor: Actor) -> list[str]:
    found: set[str] = set()
    for code in actor.region_codes:
        found |= set(session.scalars(select(Region.code).where(Region.path.contains(f"/{code}/"))))
    return sorted(found)


def _use(session: Session, voucher: Voucher, on: date) -> VoucherUse:
    lines = allotments_of(session, voucher)
    ref = accounts.voucher(voucher.number)
    own = standings(session, voucher.book_id, [ref])[ref]
    spent = _by_service(session, voucher)
    query = select(Centre).where(Centre.organisation_id == voucher.holder.organisation_id)
    centre = session.scalars(query.order_by(Centre.id.desc())).first()
    return VoucherUse(
        base=voucher.holder.name,
        certifier=Certifier(centre.authority).label if centre else "",
        voucher_no=voucher.number,
        policy_code=voucher.policy_code,
        grant_fen=voucher.face_fen,
        served=sum(line.spent_fen > 0 for line in lines),
        spent_fen=sum(line.spent_fen for line in lines),
        held_fen=sum(line.held_fen for line in lines),
        remaining_fen=own.available_fen + sum(line.free_fen for line in lines),
        tenants=tuple(_tenant(line, spent.get(line.allotment.id, {}), on) for line in lines),
    )


def _tenant(line: AllotmentLine, services: dict[str, int], on: date) -> TenantUse:
    stay = line.allotment.tenancy
    return TenantUse(
        name=stay.holder.name,
        entered_on=stay.entered_on,
        left_on=stay.left_on,
        state=state_of(stay.entered_on, stay.graduated_on, stay.left_on, on).label,
        allotted_fen=line.allotment.allotted_fen,
        spent_fen=line.spent_fen,
        services=tuple(sorted(services.items())),
    )


def _by_service(session: Session, voucher: Voucher) -> dict[int, dict[str, int]]:
    """What is captured of a voucher's orders, by allotment and service."""
    found: dict[int, dict[str, int]] = {}
    orders = select(Order).where(Order.voucher_id == voucher.id, Order.beneficiaries > 0).order_by(Order.id)
    for order in session.scalars(orders):
        for each in beneficiaries(session, order):
            if each.captured_fen:
                services = found.setdefault(each.line.allotment_id, {})
                services[order.service] = services.get(order.service, 0) + each.captured_fen
    return found
