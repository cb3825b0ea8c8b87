"""Orders that a base places for its tenants: one, or a group with a line for each (为入驻企业下单)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.models.tenancies import Allotment, OrderBeneficiary, Tenancy
from voucher.money import Fen
from voucher.operations import find, journal
from voucher.operations.outcome import Refused, refused
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.places import centres_of
from voucher.operations.policies import policy_of
from voucher.operations.relations import known
from voucher.rules import tenancy
from voucher.rules.permissions import Actor
from voucher.terms import AllotmentState


@dataclass(frozen=True, slots=True)
class Line:
    """A tenant by its allotment's number, and its part of the price in fen."""

    allotment_number: str
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class TenantOrderRequest:
    """An order of a base, and the tenants for whom it is placed."""

    place: PlaceRequest
    lines: tuple[Line, ...]


def place_for_tenants(
    session: Session, requests: Sequence[TenantOrderRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """Place orders for tenants. No money moves: it is held, each part from its tenant's allotment, with the contract.

    Refused, alone: no line or one tenant twice (`tenant_needed`), an allotment that is not there, not of this voucher
    or ended (`not_found`), a tenant that is not inside today (`tenancy_invalid`) or in a centre that is not certified as
    the policy asks (`centre_not_certified`), one that is shut out (`party_banned`) or has to do with the platform (`affiliated`), and what `place_order` refuses.
    """
    numbers = {line.allotment_number for request in requests for line in request.lines}
    allotments = _for_share(
        session, numbers, [request.place.voucher_number for request in requests], actor=actor
    )
    checked: list[TenantOrderRequest | Refused] = []
    for request in requests:
        try:
            _check_lines(session, request, allotments, at=at)
            checked.append(request)
        except Refusal as refusal:
            checked.append(refused(refusal))
    fit = [each for each in checked if isinstance(each, TenantOrderRequest)]
    wanted = [replace(each.place, for_tenants=True) for each in fit]
    placed = iter(place_order(session, wanted, actor=actor, at=at))
    results: list[Order | Refused] = []
    for each in checked:
        answer = each if isinstance(each, Refused) else next(placed)
        if isinstance(answer, Order) and isinstance(each, TenantOrderRequest):
            _write(session, answer, each.lines, allotments)
        results.append(answer)
    facts: list[tuple[str, dict[str, Fact]]] = [
        (order.number, {"beneficiaries": order.beneficiaries})
        for order in results
        if isinstance(order, Order)
    ]
    journal.record(session, actor, "order.beneficiaries", facts, at=at)
    session.flush()
    return results


def _for_share(
    session: Session, numbers: set[str], voucher_numbers: Sequence[str], *, actor: Actor
) -> dict[str, Allotment]:
    """The allotments of these numbers on the actor's vouchers; tenancies, then vouchers, are locked FOR SHARE."""
    query = select(Allotment).where(Allotment.number.in_(numbers)).order_by(Allotment.id)
    stays = {row.tenancy_id for row in session.scalars(query)}
    lock = select(Tenancy).where(Tenancy.id.in_(stays)).order_by(Tenancy.id)
    lock = lock.with_for_update(read=True, of=Tenancy).execution_options(populate_existing=True)
    session.scalars(lock).all()
    mine = find.own_vouchers(session, voucher_numbers, actor=actor)
    again = session.scalars(query.execution_options(populate_existing=True))
    return {row.number: row for row in again if row.voucher.number in mine}


def _check_lines(
    session: Session, request: TenantOrderRequest, allotments: Mapping[str, Allotment], *, at: datetime
) -> None:
    named = [line.allotment_number for line in request.lines]
    if not named or len(set(named)) != len(named):
        raise Refusal(Code.TENANT_NEEDED, lines=len(named))
    today, place = business_date(at), request.place
    rows: list[Allotment] = []
    for number in named:
        row = allotments.get(number)
        if (
            row is None
            or row.voucher.number != place.voucher_number
            or row.state != AllotmentState.LIVE.value
        ):
            raise Refusal(Code.NOT_FOUND, allotment=number)
        if not tenancy.inside(row.tenancy.entered_on, row.tenancy.left_on, today):
            facts: dict[str, Fact] = {"holder": row.tenancy.holder.ref, "on": today.isoformat()}
            raise Refusal(Code.TENANCY_INVALID, reason="outside", **facts)
        rows.append(row)
    _refuse_centres(session, rows, at=at)
    _refuse_parties(session, rows, place.platform_id, at=at)


def _refuse_centres(session: Session, rows: Sequence[Allotment], *, at: datetime) -> None:
    """The centre of every tenant is certified as the policy asks; another one of the same base does not stand for it."""
    policy = policy_of(session, rows[0].voucher.policy_code)
    for places in centres_of(session, {row.tenancy_id for row in rows}, locked=True).values():
        finding = tenancy.base(policy, places, on=business_date(at))
        if finding is not None:
            raise Refusal(finding[0], **finding[1])


def _refuse_parties(session: Session, rows: Sequence[Allotment], platform_id: int, *, at: datetime) -> None:
    """No tenant is shut out, and none buys from itself or from somebody it belongs to."""
    platform = session.get(Platform, platform_id)
    if platform is None:
        raise Refusal(Code.NOT_FOUND, platform=platform_id)
    owners = {row.tenancy.holder.organisation_id for row in rows} - {None}
    on, host = business_date(at), platform.organisation_id
    parties = known(session, {*filter(None, owners)}, {host}, years={on.year}, on=on)
    policy = policy_of(session, rows[0].voucher.policy_code)
    for row in rows:
        owner_id = row.tenancy.holder.organisation_id
        if owner_id is not None:
            parties.refuse_related(policy, owner_id, host)
        parties.refuse_banned(owner_id, host)


def _write(
    session: Session, order: Order, lines: Sequence[Line], allotments: Mapping[str, Allotment]
) -> None:
    order.beneficiaries = len(lines)
    session.add_all(
        OrderBeneficiary(
            order_id=order.id,
            allotment_id=allotments[line.allotment_number].id,
            position=position,
            amount_fen=line.amount_fen,
        )
        for position, line in enumerate(lines, start=1)
    )
