"""What ties the claims of one sequence to the orders and claims of before, asked once for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from voucher.clock import day_bounds
from voucher.models.checks import ClaimMark
from voucher.models.claims import Claim, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Platform
from voucher.operations.check_subject import Subject
from voucher.operations.splits import COUNTED
from voucher.rules.policy import Policy
from voucher.terms import ClaimMarkKind, ClaimState

PAIR_DAYS = 90
Marks = tuple[tuple[ClaimMarkKind, str], ...]
_ENDED = (ClaimState.REJECTED.value, ClaimState.WITHDRAWN.value)
_Pair = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Together:
    """Contracts of the claims' pairs of firm and host, marks that another firm bears too, and files used again."""

    pairs: Mapping[_Pair, Sequence[tuple[datetime, int]]]
    elsewhere: frozenset[tuple[str, str]]
    reused: Mapping[int, str]

    def contracts(self, subject: Subject, policy: Policy) -> tuple[int, ...]:
        """The contracts of firm, host and service within the policy's `split_days` (90 where it sets none), in fen."""
        since = day_bounds(subject.placed_on - timedelta(days=policy.split_days or PAIR_DAYS))[0]
        until = day_bounds(subject.placed_on)[1]
        return tuple(amount for at, amount in self.pairs.get(_pair(subject), ()) if since <= at < until)

    def has_twins(self, marks: Marks) -> bool:
        """Whether a closer look at these marks can find a claim of another firm."""
        return any((kind.value, value) in self.elsewhere for kind, value in marks)


def together(session: Session, subjects: Sequence[Subject], marks: Mapping[int, Marks]) -> Together:
    """Read it, the claims' own marks being written: five statements, however many claims there are."""
    return Together(_pairs(session, subjects), _elsewhere(session, marks), _reused(session, subjects, marks))


def _pair(subject: Subject) -> _Pair:
    return subject.holder.id, subject.host_id, subject.order.service


def _pairs(session: Session, subjects: Sequence[Subject]) -> dict[_Pair, list[tuple[datetime, int]]]:
    wanted = {_pair(subject) for subject in subjects if subject.host_id}
    query = (
        select(Order.holder_id, Platform.organisation_id, Order.service)
        .add_columns(Order.placed_at, Order.contract_fen)
        .join(Platform, Platform.id == Order.platform_id)
        .where(
            Order.holder_id.in_({holder for holder, _, _ in wanted}),
            Platform.organisation_id.in_({host for _, host, _ in wanted}),
            Order.state.in_(COUNTED),
            Order.contract_fen.is_not(None),
        )
    )
    found: dict[_Pair, list[tuple[datetime, int]]] = {}
    for holder, host, service, at, amount in session.execute(query) if wanted else ():
        if (holder, host, service) in wanted:
            found.setdefault((holder, host, service), []).append((at, amount))
    return found


def _elsewhere(session: Session, marks: Mapping[int, Marks]) -> frozenset[tuple[str, str]]:
    """Those of these marks that claims of more than one firm bear."""
    named = {(kind.value, value) for each in marks.values() for kind, value in each}
    named = {(kind, value) for kind, value in named if kind != ClaimMarkKind.RESULT_TEXT.value}
    if not named:
        return frozenset()
    query = (
        select(ClaimMark.kind, ClaimMark.value)
        .where(
            ClaimMark.kind.in_({kind for kind, _ in named}),
            ClaimMark.value.in_({value for _, value in named}),
        )
        .group_by(ClaimMark.kind, ClaimMark.value)
        .having(func.min(ClaimMark.holder_id) != func.max(ClaimMark.holder_id))
    )
    return frozenset((kind, value) for kind, value in session.execute(query))


def _reused(session: Session, subjects: Sequence[Subject], marks: Mapping[int, Marks]) -> dict[int, str]:
    """By claim id another live claim of the same firm with the same invoice file, while they share no invoice."""
    kind = ClaimMarkKind.INVOICE_FILE
    hashes = {
        subject.claim.id: {value for each, value in marks[subject.claim.id] if each is kind}
        for subject in subjects
    }
    everything = {value for each in hashes.values() for value in each}
    if not everything:
        return {}
    query = (
        select(ClaimMark.holder_id, ClaimMark.value, Claim.id, Claim.number)
        .join(Claim, Claim.id == ClaimMark.claim_id)
        .where(
            ClaimMark.kind == kind.value,
            ClaimMark.value.in_(everything),
            ClaimMark.holder_id.in_({subject.holder.id for subject in subjects}),
            Claim.state.not_in(_ENDED),
        )
    )
    users: dict[tuple[int, str], list[tuple[str, int]]] = {}
    for holder_id, value, claim_id, number in session.execute(query):
        users.setdefault((holder_id, value), []).append((number, claim_id))
    others = {
        subject.claim.id: [
            user
            for value in hashes[subject.claim.id]
            for user in users.get((subject.holder.id, value), ())
            if user[1] != subject.claim.id
        ]
        for subject in subjects
    }
    sharing = _sharing(session, [claim_id for claim_id, each in others.items() if each])
    apart = {
        claim_id: [number for number, other in each if other not in sharing.get(claim_id, ())]
        for claim_id, each in others.items()
    }
    return {claim_id: max(numbers) for claim_id, numbers in apart.items() if numbers}


def _sharing(session: Session, claim_ids: Sequence[int]) -> dict[int, set[int]]:
    """The claims that use an invoice of each of these claims, and have not let go of it."""
    mine, theirs = aliased(InvoiceUse), aliased(InvoiceUse)
    query = (
        select(mine.claim_id, theirs.claim_id)
        .join(theirs, theirs.invoice_id == mine.invoice_id)
        .where(mine.claim_id.in_(claim_ids), theirs.released_at.is_(None))
    )
    found: dict[int, set[int]] = {}
    for claim_id, other in session.execute(query) if claim_ids else ():
        found.setdefault(claim_id, set()).add(other)
    return found
