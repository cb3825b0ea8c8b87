"""The automatic checks of claims: what is strange is written down for the reviewer, with the facts (domain 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.checks import CheckFinding, ClaimMark, FactSnapshot
from voucher.models.claims import Claim
from voucher.operations import check_history, check_links
from voucher.operations.check_around import Around, around
from voucher.operations.check_subject import Subject, subjects_of
from voucher.operations.check_together import Marks, Together, together
from voucher.operations.policies import policies_of
from voucher.rules.checks import Facts, Finding, findings
from voucher.rules.eligibility import Edge
from voucher.rules.policy import Policy
from voucher.rules.shingles import percent_alike
from voucher.terms import AffiliationKind, ClaimMarkKind, DocumentKind

TEXT = "minima"
"""The name under which a stored file's facts hold the hashes of its text (`rules/shingles.py`)."""

_FILES = {
    DocumentKind.INVOICE.value: ClaimMarkKind.INVOICE_FILE,
    DocumentKind.RESULT.value: ClaimMarkKind.RESULT_FILE,
    DocumentKind.PAYMENT_PROOF.value: ClaimMarkKind.OTHER_FILE,
    DocumentKind.CONTRACT.value: ClaimMarkKind.OTHER_FILE,
}
_ASKED_BY_FIRM = ("order.place", "claim.submit", "claim.resubmit", "session.open", "order.confirm")
_DONE_BY_HOST = ("order.accept", "order.deliver", "order.file_contract", "session.scan", "session.propose")
_AT_ONCE = 500
_SHOWN, _SCANNED = ("session.open",), ("session.scan", "session.propose")


def check_claims(
    session: Session, claim_ids: Sequence[int], *, at: datetime
) -> dict[int, tuple[Finding, ...]]:
    """Check claims as they stand, write their findings for their round, and a snapshot of the facts behind them.

    Called where a claim is handed in, and again where it comes back: its earlier findings of the same round are
    replaced, but for those that a reviewer settled and that are found again. Nothing is refused and no state moves.
    The claims of one sequence see each other. Few statements for each claim, about 25 for the whole sequence.
    """
    session.flush()
    found: dict[int, tuple[Finding, ...]] = {}
    for first in range(0, len(claim_ids), _AT_ONCE):
        found |= _checked(session, list(claim_ids[first : first + _AT_ONCE]), at=at)
    return found


def _checked(session: Session, claim_ids: list[int], *, at: datetime) -> dict[int, tuple[Finding, ...]]:
    subjects = subjects_of(session, claim_ids)
    if not subjects:
        return {}
    policies = policies_of(session, {each.order.rule_code for each in subjects})
    known_of = around(session, subjects)
    marks = {subject.claim.id: _marks(subject, known_of) for subject in subjects}
    _write_marks(session, subjects, marks, at=at)
    seen = _Seen(known_of, together(session, subjects, marks), marks)
    facts = {
        subject.claim.id: _facts_of(session, subject, policies[subject.order.rule_code], seen)
        for subject in subjects
    }
    found = {claim_id: tuple(findings(each)) for claim_id, each in facts.items()}
    _write(session, subjects, found, at=at)
    _snapshot(session, subjects, facts, at=at)
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read once for all claims of a sequence."""

    around: Around
    together: Together
    marks: Mapping[int, Marks]


def _facts_of(session: Session, subject: Subject, policy: Policy, seen: _Seen) -> Facts:
    """Everything that the flags of a claim are judged by, as it stands in the database."""
    known_of, marks = seen.around, seen.marks[subject.claim.id]
    from_where = known_of.sources.get(subject.claim.id, {})
    by_kind: dict[ClaimMarkKind, list[str]] = {}
    for kind, value in marks:
        by_kind.setdefault(kind, []).append(value)
    shared, other = check_links.most_alike(session, subject, by_kind.get(ClaimMarkKind.RESULT_TEXT, []))
    p90, peers = known_of.p90(subject)
    owner, host = subject.owner_id, subject.host_id
    return Facts(
        policy=policy,
        contract_fen=subject.order.contract_fen,
        listed_fen=known_of.listed_price(subject),
        p90_fen=p90,
        peers=peers,
        titles=known_of.titles(subject),
        weak_share_bp=_weak_share(known_of.edges(subject), policy),
        shared_marks=check_links.shared_marks(session, subject)
        if {owner, host} <= known_of.with_marks
        else (),
        same_account=known_of.same_account(subject),
        same_source=_meet(from_where, _ASKED_BY_FIRM, _DONE_BY_HOST),
        code_scanned_at_home=_meet(from_where, _SHOWN, _SCANNED),
        twins=check_links.twins(session, subject, marks) if seen.together.has_twins(marks) else (),
        invoice_file_reused=seen.together.reused.get(subject.claim.id, ""),
        text_percent=percent_alike(shared),
        text_other=other,
        near_benefits=check_history.near_benefits(session, subject, policy)
        if subject.holder.ref in known_of.paid_elsewhere
        else (),
        pair_fen=seen.together.contracts(subject, policy),
        firms_of_controller=check_links.firms_of_controller(session, subject),
        agent_firms=check_links.agent_firms(session, subject) if owner in known_of.with_agents else 0,
        orders_a_day=subject.platform.orders_a_day if subject.platform is not None else None,
        orders_that_day=known_of.orders_that_day(subject),
        declared=known_of.declared.get(subject.holder.ref, ()),
        ring=check_links.ring(session, subject) if host in known_of.buying else 0,
    )


def _weak_share(edges: Sequence[Edge], policy: Policy) -> int | None:
    """The largest holding of one side in the other that stays below the policy's threshold."""
    limit = policy.affiliation_share_bp
    shares = [
        edge.share_bp
        for edge in edges
        if edge.kind is AffiliationKind.SHAREHOLDING and edge.share_bp is not None
    ]
    weak = [share for share in shares if limit is not None and share < limit]
    return max(weak, default=None)


def _meet(from_where: Mapping[str, set[str]], one_side: Iterable[str], other_side: Iterable[str]) -> bool:
    def of(actions: Iterable[str]) -> set[str]:
        return set().union(*(from_where.get(action, set()) for action in actions)) - {"cli", ""}

    return bool(of(one_side) & of(other_side))


def _marks(subject: Subject, known_of: Around) -> Marks:
    """By what a claim can be recognised: files, hashes of the result's text, payers' accounts, network addresses."""
    marks: list[tuple[ClaimMarkKind, str]] = []
    for paper in known_of.papers.get(subject.claim.id, ()):
        marks.append((_FILES.get(paper.kind, ClaimMarkKind.OTHER_FILE), paper.sha256))
        if paper.kind == DocumentKind.RESULT.value:
            marks += [(ClaimMarkKind.RESULT_TEXT, str(each)) for each in paper.facts.get(TEXT, ())]
    marks += [(ClaimMarkKind.PAYER, account) for account in known_of.payers.get(subject.claim.id, ())]
    for action, addresses in known_of.sources.get(subject.claim.id, {}).items():
        kinds = {"claim.submit": ClaimMarkKind.SOURCE, "session.open": ClaimMarkKind.CODE_SOURCE}
        if action in kinds:
            marks += [(kinds[action], address) for address in addresses - {"cli"}]
    return tuple(sorted(set(marks)))


def _write_marks(
    session: Session, subjects: Sequence[Subject], marks: Mapping[int, Marks], *, at: datetime
) -> None:
    columns = ("claim_id", "holder_id", "kind", "value", "noted_at")
    rows = [
        (subject.claim.id, subject.holder.id, kind.value, value[:64], at)
        for subject in subjects
        for kind, value in marks[subject.claim.id]
    ]
    if rows:
        insert_missing(session, Rows(ClaimMark, columns, rows))


def _write(
    session: Session,
    subjects: Sequence[Subject],
    found: Mapping[int, Sequence[Finding]],
    *,
    at: datetime,
) -> None:
    """One row for each finding of this round; one that was settled before, and is the same, stays settled."""
    ids = [subject.claim.id for subject in subjects]
    query = select(CheckFinding).where(CheckFinding.claim_id.in_(ids)).order_by(CheckFinding.id)
    before: dict[int, list[CheckFinding]] = {}
    for row in session.scalars(query):
        before.setdefault(row.claim_id, []).append(row)
    rows: list[dict[str, Any]] = []
    for subject in subjects:
        claim = subject.claim
        earlier = before.get(claim.id, [])
        settled = {_said(row.kind, row.facts): row for row in earlier if row.settled_at}
        for row in earlier:
            if row.round == claim.round:
                session.delete(row)
        for seq, each in enumerate(found[claim.id], start=1):
            old = settled.get(_said(each.kind.value, each.facts))
            rows.append(_row(claim, seq, each, old=old, at=at))
    session.flush()
    if rows:
        session.connection().execute(insert(CheckFinding), rows)


def _said(kind: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    return kind, repr(sorted(facts.items()))


def _row(claim: Claim, seq: int, each: Finding, *, old: CheckFinding | None, at: datetime) -> dict[str, Any]:
    return {
        "claim_id": claim.id,
        "round": claim.round,
        "seq": seq,
        "row_no": each.row_no,
        "kind": each.kind.value,
        "weight": each.weight,
        "facts": dict(each.facts),
        "found_at": at,
        "settled_by": old.settled_by if old else None,
        "settled_at": old.settled_at if old else None,
        "settlement": old.settlement if old else "",
    }


def _snapshot(
    session: Session, subjects: Sequence[Subject], facts: Mapping[int, Facts], *, at: datetime
) -> None:
    """What was known at this moment, for whoever asks later on what a decision rested."""
    rows = []
    for subject in subjects:
        known_then = facts[subject.claim.id]
        kept = {
            name: _plain(getattr(known_then, name))
            for name in known_then.__dataclass_fields__
            if name != "policy"
        }
        kept |= {"holder": subject.holder.ref, "host": subject.host_id, "order": subject.order.number}
        rows.append(
            {
                "subject": subject.claim.number,
                "step": "claim",
                "facts": kept,
                "rule_version": subject.order.policy_code,
                "taken_at": at,
            }
        )
    session.connection().execute(insert(FactSnapshot), rows)


def _plain(value: object) -> object:
    """Tuples, terms and small records as JSON takes them."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    names = getattr(value, "__dataclass_fields__", None)
    if names is not None:
        return {name: _plain(getattr(value, name)) for name in names}
    return value
