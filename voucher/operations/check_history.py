"""What came before a claim: prices of its class, contracts of the pair, the day's work, figures of other years."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from voucher.clock import business_date, day_bounds
from voucher.models.catalogue import CatalogueEntry
from voucher.models.checks import PaidElsewhere
from voucher.models.claims import Document
from voucher.models.orders import Order
from voucher.models.parties import Platform, RosterEntry
from voucher.operations.check_subject import Subject
from voucher.operations.relations import ROSTER
from voucher.operations.splits import COUNTED
from voucher.rules.checks import Declared
from voucher.rules.policy import Policy

PAIR_DAYS = 90


def p90_of_class(session: Session, subject: Subject) -> tuple[int | None, int]:
    """The ninth decile of the contracts of this programme and service, in fen, and of how many; the claim's is left out."""
    same = (
        Order.programme_code == subject.order.programme_code,
        Order.service == subject.order.service,
        Order.contract_fen.is_not(None),
        Order.id != subject.order.id,
    )
    count = int(session.execute(select(func.count()).select_from(Order).where(*same)).scalar_one())
    if not count:
        return None, 0
    place = (9 * count + 9) // 10 - 1
    query = select(Order.contract_fen).where(*same).order_by(Order.contract_fen).offset(place).limit(1)
    return session.execute(query).scalar_one(), count


def listed_price(session: Session, subject: Subject) -> int | None:
    """The highest price that the platform listed for the service when the order was placed; None: none, or to agree."""
    if subject.platform is None:
        return None
    query = select(CatalogueEntry.price_fen).where(
        CatalogueEntry.platform_id == subject.platform.id,
        CatalogueEntry.service == subject.order.service,
        CatalogueEntry.listed_at <= subject.order.placed_at,
        or_(CatalogueEntry.withdrawn_at.is_(None), CatalogueEntry.withdrawn_at > subject.order.placed_at),
    )
    prices = session.scalars(query).all()
    known = [price for price in prices if price is not None]
    return max(known) if known and len(known) == len(prices) else None


def pair_contracts(session: Session, subject: Subject, policy: Policy) -> tuple[int, ...]:
    """The contracts of firm, host and service within the policy's `split_days` (90 where it sets none), in fen."""
    since = subject.placed_on - timedelta(days=policy.split_days or PAIR_DAYS)
    query = (
        select(Order.contract_fen, Order.placed_at)
        .join(Platform, Platform.id == Order.platform_id)
        .where(
            Order.holder_id == subject.holder.id,
            Platform.organisation_id == subject.host_id,
            Order.service == subject.order.service,
            Order.state.in_(COUNTED),
            Order.contract_fen.is_not(None),
        )
    )
    rows = session.execute(query).all()
    return tuple(amount or 0 for amount, at in rows if since <= business_date(at) <= subject.placed_on)


def orders_of_the_day(session: Session, subject: Subject) -> int:
    """How many orders of the platform were confirmed on the day on which this one was."""
    if subject.platform is None or subject.order.captured_at is None:
        return 0
    start, end = day_bounds(business_date(subject.order.captured_at))
    query = (
        select(func.count())
        .select_from(Order)
        .where(
            Order.platform_id == subject.platform.id,
            Order.captured_at >= start,
            Order.captured_at < end,
        )
    )
    return int(session.execute(query).scalar_one())


def declared(session: Session, subject: Subject) -> tuple[Declared, ...]:
    """What the firm declared on the rosters of all years."""
    query = select(RosterEntry.year, RosterEntry.staff, RosterEntry.revenue_fen).where(
        RosterEntry.uscc == subject.holder.ref, RosterEntry.roster == ROSTER
    )
    return tuple(Declared(*row) for row in session.execute(query))


def near_benefits(session: Session, subject: Subject, policy: Policy) -> tuple[str, ...]:
    """Programmes that paid this firm for something of the same service or amount, under another contract number."""
    service = policy.service(subject.order.service)
    names = [subject.order.service, *([service.label] if service is not None else [])]
    same: list[ColumnElement[bool]] = [PaidElsewhere.service.in_(names)]
    if subject.order.contract_fen is not None:
        same.append(PaidElsewhere.amount_fen == subject.order.contract_fen)
    query = select(PaidElsewhere.programme).where(PaidElsewhere.uscc == subject.holder.ref, or_(*same))
    return tuple(sorted(set(session.scalars(query))))


def titles(session: Session, subject: Subject) -> tuple[tuple[str, str], ...]:
    """What the papers call themselves: the order's description, and the names of contract and result files."""
    query = select(Document.kind, Document.file_name).where(
        Document.claim_id == subject.claim.id, Document.dropped_at.is_(None)
    )
    named = [(kind, unicodedata.normalize("NFKC", name)) for kind, name in session.execute(query)]
    return (("description", subject.order.description), *named)
