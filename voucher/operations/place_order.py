"""Placing remote orders: the holder asks a platform for a service (线上下单)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.codes import numbered
from voucher.errors import Code, Fact
from voucher.models.numbers import take_ids
from voucher.models.orders import Order
from voucher.models.vouchers import Voucher
from voucher.operations import find, journal
from voucher.operations.admit import Admitted, Wish, admit
from voucher.operations.catalogue import listed_entries
from voucher.operations.outcome import Refused
from voucher.operations.tell import Note, tell
from voucher.rules.permissions import Actor
from voucher.rules.policy import Policy
from voucher.terms import MessageEvent, OrderChannel, OrderState


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """A service wanted from a platform, to be paid in part by one voucher; `entry_id`: as it is in the catalogue.

    `units` counts what a cap per unit multiplies (persons trained, samples).
    `for_tenants`: it is the base of a group order that names them.
    """

    voucher_number: str
    platform_id: int
    service: str
    description: str = ""
    entry_id: int | None = None
    units: int = 1
    for_tenants: bool = False


def place_order(
    session: Session, requests: Sequence[PlaceRequest], *, actor: Actor, at: datetime
) -> list[Order | Refused]:
    """Place orders on the actor's own vouchers. No money moves; the policy in force now rules the order.

    Refused, alone: another's voucher or none (`not_found`), every verdict of `admit`, and `entry_withdrawn` for a
    catalogue entry that is not listed, or is of another platform or service.
    """
    vouchers = find.own_vouchers(session, [request.voucher_number for request in requests], actor=actor)
    wishes = [
        _wish(vouchers[request.voucher_number], request)
        for request in requests
        if request.voucher_number in vouchers
    ]
    verdicts = iter(admit(session, wishes, actor=actor, at=at))
    ids = take_ids(session, Order, len(requests))
    entries = listed_entries(session, {request.entry_id for request in requests if request.entry_id})
    results: list[Order | Refused] = []
    for order_id, request in zip(ids, requests, strict=True):
        voucher = vouchers.get(request.voucher_number)
        if voucher is None:
            results.append(Refused(Code.NOT_FOUND, {"voucher": request.voucher_number}))
            continue
        verdict = next(verdicts)
        if isinstance(verdict, Refused):
            results.append(verdict)
            continue
        order = new_order(order_id, voucher, verdict, request.service, at=at)
        order.description = request.description
        order.units = units_of(verdict.policy, request.units)
        if request.entry_id is not None:
            entry = entries.get(request.entry_id)
            if entry is None or (entry.platform_id, entry.service) != (request.platform_id, request.service):
                results.append(Refused(Code.ENTRY_WITHDRAWN, {"entry": request.entry_id}))
                continue
            order.entry_id, order.listed_fen = entry.id, entry.price_fen
        results.append(order)
    placed = [order for order in results if isinstance(order, Order)]
    session.add_all(placed)
    facts: list[tuple[str, dict[str, Fact]]] = [
        (order.number, {"platform": order.platform_id, "rule_version": order.policy_code}) for order in placed
    ]
    journal.record(session, actor, "order.place", facts, at=at)
    session.flush()
    notes = [Note(MessageEvent.ORDER_PLACED, row.number, platform_id=row.platform_id) for row in placed]
    tell(session, notes, at=at)
    return results


def _wish(voucher: Voucher, request: PlaceRequest) -> Wish:
    return Wish(voucher, request.platform_id, request.service, for_tenants=request.for_tenants)


def units_of(policy: Policy, units: int) -> int | None:
    """How many an order counts: nothing where the policy has no cap per unit."""
    return None if policy.per_unit_cap_fen is None else units


def new_order(order_id: int, voucher: Voucher, admitted: Admitted, service: str, *, at: datetime) -> Order:
    """An order row, PLACED, for an admitted wish; not added to the session."""
    return Order(
        id=order_id,
        number=numbered("O", fiscal_year(at), order_id),
        book_id=voucher.book_id,
        channel=OrderChannel.REMOTE.value,
        state=OrderState.PLACED.value,
        voucher_id=voucher.id,
        holder_id=voucher.holder_id,
        platform_id=admitted.platform.id,
        agreement_version_id=admitted.recognised.version_id if admitted.recognised else None,
        recognised_region=admitted.recognised.region if admitted.recognised else "",
        programme_code=voucher.programme_code,
        policy_code=admitted.policy.code,
        service=service,
        fiscal_year=fiscal_year(at),
        held_fen=0,
        captured_fen=0,
        approved_fen=0,
        wanted_fen=0,
        beneficiaries=0,
        reductions=[],
        placed_at=at,
    )
