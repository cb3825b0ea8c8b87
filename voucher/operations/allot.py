"""What a base sets aside of its startup voucher for its tenants, and takes back (分配、收回)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date, fiscal_year
from voucher.errors import Code, Fact, Refusal
from voucher.ledger import accounts
from voucher.ledger.events import Event, Leg, Rejected, posting_id
from voucher.ledger.locking import lock
from voucher.ledger.posting import post
from voucher.models.tenancies import Allotment
from voucher.models.vouchers import Voucher
from voucher.money import Fen
from voucher.operations import journal
from voucher.operations.find_allotments import (
    account_of,
    allotments_for,
    lock_vouchers,
    own_allotments,
    own_tenancies,
    own_voucher,
)
from voucher.operations.outcome import Refused, refused
from voucher.operations.places import centres_of
from voucher.operations.policies import policy_of
from voucher.operations.tell import Note, tell
from voucher.rules import tenancy
from voucher.rules.permissions import Actor
from voucher.terms import AllotmentState, MessageEvent, PostingKind


@dataclass(frozen=True, slots=True)
class AllotRequest:
    """An amount of the voucher for one tenant, on top of what it was allotted before."""

    tenancy_id: int
    amount_fen: Fen


@dataclass(frozen=True, slots=True)
class TakeBackRequest:
    """What the base takes back of an allotment; None: all that is neither spent nor held."""

    allotment_number: str
    amount_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The allotment after it, and what was moved, in fen."""

    allotment: Allotment
    amount_fen: Fen


def allot(
    session: Session, voucher_number: str, requests: Sequence[AllotRequest], *, actor: Actor, at: datetime
) -> list[Moved | Refused]:
    """voucher → allot, for several tenants in one posting each, never more than the voucher leaves.

    Refused for the whole call: another's voucher or none (`not_found`), one that is not live (`voucher_expired`,
    `voucher_revoked`, `voucher_not_usable`), one that is not for tenants (`tenant_needless`), a base that is not
    certified as the policy asks (`centre_not_certified`), a closed period (`period_closed`). Refused alone: another's
    tenant, or one named twice (`not_found`), one that is not inside today (`tenancy_invalid`) or in another centre of
    the base, not certified so (`centre_not_certified`), more than is left (`voucher_exhausted`).
    """
    stays = own_tenancies(session, {request.tenancy_id for request in requests}, actor=actor)
    voucher = own_voucher(session, voucher_number, actor=actor, at=at)
    rows = allotments_for(session, voucher, stays, actor=actor, at=at)
    today, policy = business_date(at), policy_of(session, voucher.policy_code)
    centres = centres_of(session, stays.keys(), locked=True)
    planned: list[tuple[Allotment, Fen] | Refused] = []
    for request in requests:
        row, stay = rows.pop(request.tenancy_id, None), stays.get(request.tenancy_id)
        if row is None or stay is None:
            planned.append(Refused(Code.NOT_FOUND, {"tenancy": request.tenancy_id}))
        elif not tenancy.inside(stay.entered_on, stay.left_on, today):
            facts: dict[str, Fact] = {"reason": "outside", "holder": stay.holder.ref, "on": today.isoformat()}
            planned.append(Refused(Code.TENANCY_INVALID, facts))
        elif finding := tenancy.base(policy, centres[stay.id], on=today):
            planned.append(Refused(*finding))
        else:
            planned.append((row, request.amount_fen))
    return _move(session, voucher, planned, kind=PostingKind.TENANT_ALLOT, by=(actor, at))


def take_back(
    session: Session, requests: Sequence[TakeBackRequest], *, actor: Actor, at: datetime
) -> list[Moved | Refused]:
    """allot → voucher of what a tenant has neither spent nor on hold.

    Allotments of one voucher, which is locked. Refused alone: another's or none (`not_found`), more than is free, or
    nothing at all (`allotment_exhausted`); for the whole call a closed period (`period_closed`).
    """
    found = own_allotments(session, {request.allotment_number for request in requests}, actor=actor)
    if not found:
        return [Refused(Code.NOT_FOUND, {"allotment": request.allotment_number}) for request in requests]
    voucher = next(iter(found.values())).voucher
    refs = {number: account_of(row) for number, row in found.items()}
    locked = lock(session, voucher.book_id, [accounts.voucher(voucher.number), *refs.values()])
    planned: list[tuple[Allotment, Fen] | Refused] = []
    for request in requests:
        row = found.pop(request.allotment_number, None)
        if row is None or row.voucher_id != voucher.id:
            planned.append(Refused(Code.NOT_FOUND, {"allotment": request.allotment_number}))
            continue
        free = Fen(max(locked.available(refs[row.number]), 0))
        amount = free if request.amount_fen is None else request.amount_fen
        if not 0 < amount <= free:
            facts: dict[str, Fact] = {"left_fen": free, "needed_fen": amount}
            planned.append(Refused(Code.ALLOTMENT_EXHAUSTED, facts))
        else:
            planned.append((row, amount))
    return _move(session, voucher, planned, kind=PostingKind.TENANT_RETURN, by=(actor, at))


def end_allotments(session: Session, tenancy_id: int, *, actor: Actor, at: datetime) -> int:
    """End what a tenant that leaves was allotted: all that is free goes back to its vouchers. Gives the sum, in fen.

    Locks the vouchers FOR UPDATE. Refused (raised): `period_closed`.
    """
    live = Allotment.tenancy_id == tenancy_id, Allotment.state == AllotmentState.LIVE.value
    query = select(Allotment).where(*live).order_by(Allotment.voucher_id)
    lock_vouchers(session, {row.voucher_id for row in session.scalars(query)})
    rows = list(session.scalars(query.execution_options(populate_existing=True)))
    total = 0
    for row in rows:
        voucher, ref = row.voucher, account_of(row)
        locked = lock(session, voucher.book_id, [accounts.voucher(voucher.number), ref])
        free = locked.available(ref)
        if free > 0:
            planned: list[tuple[Allotment, Fen] | Refused] = [(row, Fen(free))]
            (moved,) = _move(session, voucher, planned, kind=PostingKind.TENANT_RETURN, by=(actor, at))
            if isinstance(moved, Refused):
                raise Refusal(moved.code, **moved.facts)
        row.state = AllotmentState.ENDED.value
        total += max(free, 0)
    session.flush()
    return total


def _move(
    session: Session,
    voucher: Voucher,
    planned: Sequence[tuple[Allotment, Fen] | Refused],
    *,
    kind: PostingKind,
    by: tuple[Actor, datetime],
) -> list[Moved | Refused]:
    """Post each movement of one voucher's allotments; a closed day refuses all (raised)."""
    actor, at = by
    wanted = [each for each in planned if not isinstance(each, Refused)]
    if not wanted:
        return [each for each in planned if isinstance(each, Refused)]
    book = accounts.voucher(voucher.number)
    locked = lock(session, voucher.book_id, [book, *(account_of(row) for row, _ in wanted)])
    answers = iter(post(session, locked, [_event(row, amount, kind, by=by) for row, amount in wanted], at=at))
    results: list[Moved | Refused] = []
    for each in planned:
        if isinstance(each, Refused):
            results.append(each)
            continue
        answer = next(answers)
        if isinstance(answer, Rejected):
            if answer.code is Code.PERIOD_CLOSED:
                raise Refusal(answer.code, **answer.facts)
            results.append(refused(answer))
            continue
        row, amount = each
        row.allotted_fen += amount if kind is PostingKind.TENANT_ALLOT else -amount
        row.moves += 1
        results.append(Moved(row, amount))
    moved = [result for result in results if isinstance(result, Moved)]
    session.add_all(each.allotment for each in moved)
    facts: list[tuple[str, dict[str, Fact]]] = [
        (each.allotment.number, {"amount_fen": each.amount_fen, "rule_version": voucher.policy_code})
        for each in moved
    ]
    journal.record(session, actor, f"allotment.{kind.value}", facts, at=at)
    if kind is PostingKind.TENANT_ALLOT:
        services = "、".join(each.label for each in policy_of(session, voucher.policy_code).services)
        tell(session, [_note(voucher, each, services) for each in moved], at=at)
    session.flush()
    return results


def _note(voucher: Voucher, moved: Moved, services: str) -> Note:
    """To the tenant: what it was given, by whom, for what and until when."""
    row = moved.allotment
    facts: dict[str, Fact] = {
        "base": voucher.holder.name,
        "amount_fen": moved.amount_fen,
        "services": services,
        "use_by_on": voucher.use_by.isoformat(),
    }
    tenant = row.tenancy.holder_id
    return Note(MessageEvent.ALLOTMENT_GIVEN, row.number, facts, holder_id=tenant, once=str(row.moves))


def _event(row: Allotment, amount: Fen, kind: PostingKind, *, by: tuple[Actor, datetime]) -> Event:
    actor, at = by
    pair = accounts.voucher(row.voucher.number), account_of(row)
    debit, credit = pair if kind is PostingKind.TENANT_ALLOT else pair[::-1]
    return Event(
        id=posting_id(kind.value, row.number, row.moves),
        kind=kind,
        legs=(Leg(debit, credit, amount),),
        fiscal_year=fiscal_year(at),
        event_on=business_date(at),
        rule_version=row.voucher.policy_code,
        actor_ref=actor.ref,
    )
