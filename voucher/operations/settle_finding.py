"""A reviewer settles what the checks of a claim found, with the reason for it (domain 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.checks import CheckFinding
from voucher.models.claims import Claim
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.regions import Region
from voucher.operations import journal
from voucher.operations.cases import bar_interested, case_of, cases, recused
from voucher.operations.outcome import Refused, refused
from voucher.rules.permissions import Actor, covers_region


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """One finding of a claim's latest round, by its number in it, and why it is in order or what was done."""

    claim_number: str
    seq: int
    reason: str


def settle_findings(
    session: Session, requests: Sequence[SettleRequest], *, actor: Actor, at: datetime
) -> list[CheckFinding | Refused]:
    """Note why a finding needs no more attention; the finding itself stays for ever.

    Refused, alone: a claim or finding that is not there or outside the actor's regions (`not_found`), a claim of the
    actor's own house or making (`self_approval`) or interest (`recused`), an empty reason (`reason_missing`), one that
    somebody settled before (`state_changed`).
    """
    found = cases(session, [request.claim_number for request in requests], actor=actor)
    interests = recused(session, [actor.person_id]).get(actor.person_id, frozenset())
    answers: list[CheckFinding | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    for request in requests:
        try:
            case = case_of(found, request.claim_number)
            bar_interested(session, case, actor=actor, interests=interests)
            row = _finding(session, request, actor)
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        row.settled_by, row.settled_at, row.settlement = actor.person_id, at, request.reason.strip()
        answers.append(row)
        notes.append((request.claim_number, {"row": row.row_no, "finding": row.kind, "seq": row.seq}))
    session.flush()
    journal.record(session, actor, "claim.settle_finding", notes, at=at)
    return answers


def _finding(session: Session, request: SettleRequest, actor: Actor) -> CheckFinding:
    latest = (
        select(func.max(CheckFinding.round))
        .join(Claim, Claim.id == CheckFinding.claim_id)
        .where(Claim.number == request.claim_number)
        .scalar_subquery()
    )
    query = (
        select(CheckFinding, Region.path)
        .join(Claim, Claim.id == CheckFinding.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .join(Region, Region.code == Holder.region_code)
        .where(
            Claim.number == request.claim_number,
            CheckFinding.round == latest,
            CheckFinding.seq == request.seq,
        )
        .with_for_update(of=CheckFinding)
        .execution_options(populate_existing=True)
    )
    found = session.execute(query).one_or_none()
    if found is None or not covers_region(actor, found[1]):
        raise Refusal(Code.NOT_FOUND, claim=request.claim_number)
    row: CheckFinding = found[0]
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    if row.settled_at is not None:
        raise Refusal(Code.STATE_CHANGED)
    return row
