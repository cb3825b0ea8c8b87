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
from voucher.models.claims import ClaimPayment, Document
from voucher.models.files import StoredFile
from voucher.operations import check_history, check_links
from voucher.operations.check_subject import Subject, subjects_of
from voucher.operations.policies import policies_of
from voucher.operations.relations import Known, known
from voucher.rules.checks import Facts, Finding, findings
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
_SHOWN, _SCANNED = ("session.open",), ("session.scan", "session.propose")


def check_claims(
    session: Session, claim_ids: Sequence[int], *, at: datetime
) -> dict[int, tuple[Finding, ...]]:
    """Check claims as they stand, write their findings for their round, and a snapshot of the facts behind them.

    Called where a claim is handed in, and again where it comes back: its earlier findings of the same round are
    replaced, but for those that a reviewer settled and that are found again. Nothing is refused and no state moves.
    At most 30 statements for each claim.
    """
    session.flush()
    subjects = subjects_of(session, list(claim_ids))
    policies = policies_of(session, {each.order.policy_code for each in subjects}) if subjects else {}
    found: dict[int, tuple[Finding, ...]] = {}
    for subject in subjects:
        policy = policies[subject.order.policy_code]
        traces = _traces(session, subject)
        _write_marks(session, subject, traces.marks, at=at)
        facts = _facts_of(session, subject, policy, traces)
        found[subject.claim.id] = tuple(findings(facts))
        _write(session, subject, found[subject.claim.id], at=at)
        _snapshot(session, subject, facts, at=at)
    return found


@dataclass(frozen=True, slots=True)
class _Traces:
    """By what a claim can be recognised, and from where each deed on it came (action -> network addresses)."""

    marks: tuple[tuple[ClaimMarkKind, str], ...]
    sources: Mapping[str, set[str]]


def _facts_of(session: Session, subject: Subject, policy: Policy, traces: _Traces) -> Facts:
    """Everything that the flags of a claim are judged by, as it stands in the database."""
    marks, from_where = traces.marks, traces.sources
    by_kind: dict[ClaimMarkKind, list[str]] = {}
    for kind, value in marks:
        by_kind.setdefault(kind, []).append(value)
    ties = _ties(session, subject)
    shared, other = check_links.most_alike(session, subject, by_kind.get(ClaimMarkKind.RESULT_TEXT, []))
    p90, peers = check_history.p90_of_class(session, subject)
    reused = by_kind.get(ClaimMarkKind.INVOICE_FILE, [])
    return Facts(
        policy=policy,
        contract_fen=subject.order.contract_fen,
        listed_fen=check_history.listed_price(session, subject),
        p90_fen=p90,
        peers=peers,
        titles=check_history.titles(session, subject),
        weak_share_bp=_weak_share(ties, policy),
        shared_marks=check_links.shared_marks(session, subject),
        same_account=check_links.same_account(session, subject),
        same_source=_meet(from_where, _ASKED_BY_FIRM, _DONE_BY_HOST),
        code_scanned_at_home=_meet(from_where, _SHOWN, _SCANNED),
        twins=check_links.twins(session, subject, marks),
        invoice_file_reused=check_links.invoice_file_reused(session, subject, reused),
        text_percent=percent_alike(shared),
        text_other=other,
        near_benefits=check_history.near_benefits(session, subject, policy),
        pair_fen=check_history.pair_contracts(session, subject, policy),
        firms_of_controller=check_links.firms_of_controller(session, subject),
        agent_firms=check_links.agent_firms(session, subject),
        orders_a_day=subject.platform.orders_a_day if subject.platform is not None else None,
        orders_that_day=check_history.orders_of_the_day(session, subject),
        declared=check_history.declared(session, subject),
        ring=check_links.ring(session, subject),
    )


def _ties(session: Session, subject: Subject) -> Known:
    return known(
        session,
        {subject.owner_id} - {0},
        {subject.host_id} - {0},
        years={subject.placed_on.year},
        on=subject.placed_on,
    )


def _weak_share(ties: Known, policy: Policy) -> int | None:
    """The largest holding of one side in the other that stays below the policy's threshold."""
    limit = policy.affiliation_share_bp
    shares = [
        edge.share_bp
        for edges in ties.ties.values()
        for edge in edges
        if edge.kind is AffiliationKind.SHAREHOLDING and edge.share_bp is not None
    ]
    weak = [share for share in shares if limit is not None and share < limit]
    return max(weak, default=None)


def _meet(from_where: Mapping[str, set[str]], one_side: Iterable[str], other_side: Iterable[str]) -> bool:
    def of(actions: Iterable[str]) -> set[str]:
        return set().union(*(from_where.get(action, set()) for action in actions)) - {"cli", ""}

    return bool(of(one_side) & of(other_side))


def _traces(session: Session, subject: Subject) -> _Traces:
    """Files, hashes of the result's text, payers' accounts, network addresses."""
    sources = check_links.sources(session, subject)
    query = (
        select(Document.kind, Document.sha256, StoredFile.facts)
        .outerjoin(StoredFile, StoredFile.sha256 == Document.sha256)
        .where(Document.claim_id == subject.claim.id, Document.dropped_at.is_(None))
    )
    marks: list[tuple[ClaimMarkKind, str]] = []
    for kind, sha256, facts in session.execute(query):
        marks.append((_FILES.get(kind, ClaimMarkKind.OTHER_FILE), sha256))
        if kind == DocumentKind.RESULT.value and isinstance(facts, dict):
            marks += [(ClaimMarkKind.RESULT_TEXT, str(each)) for each in facts.get(TEXT, ())]
    payers = select(ClaimPayment.payer_account).where(
        ClaimPayment.claim_id == subject.claim.id, ClaimPayment.dropped_at.is_(None)
    )
    marks += [(ClaimMarkKind.PAYER, account) for account in session.scalars(payers)]
    for action, addresses in sources.items():
        kinds = {"claim.submit": ClaimMarkKind.SOURCE, "session.open": ClaimMarkKind.CODE_SOURCE}
        if action in kinds:
            marks += [(kinds[action], address) for address in addresses - {"cli"}]
    return _Traces(tuple(sorted(set(marks))), sources)


def _write_marks(
    session: Session, subject: Subject, marks: Sequence[tuple[ClaimMarkKind, str]], *, at: datetime
) -> None:
    columns = ("claim_id", "holder_id", "kind", "value", "noted_at")
    rows = [(subject.claim.id, subject.holder.id, kind.value, value[:64], at) for kind, value in marks]
    if rows:
        insert_missing(session, Rows(ClaimMark, columns, rows))


def _write(session: Session, subject: Subject, found: Sequence[Finding], *, at: datetime) -> None:
    """One row for each finding of this round; one that was settled before, and is the same, stays settled."""
    query = select(CheckFinding).where(CheckFinding.claim_id == subject.claim.id).order_by(CheckFinding.id)
    before = list(session.scalars(query))
    settled = {(row.kind, repr(sorted(row.facts.items()))): row for row in before if row.settled_at}
    for row in before:
        if row.round == subject.claim.round:
            session.delete(row)
    session.flush()
    rows: list[dict[str, Any]] = []
    for seq, each in enumerate(found, start=1):
        old = settled.get((each.kind.value, repr(sorted(each.facts.items()))))
        rows.append(
            {
                "claim_id": subject.claim.id,
                "round": subject.claim.round,
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
        )
    if rows:
        session.connection().execute(insert(CheckFinding), rows)


def _snapshot(session: Session, subject: Subject, facts: Facts, *, at: datetime) -> None:
    """What was known at this moment, for whoever asks later on what a decision rested."""
    kept = {name: _plain(getattr(facts, name)) for name in facts.__dataclass_fields__ if name != "policy"}
    kept |= {"holder": subject.holder.ref, "host": subject.host_id, "order": subject.order.number}
    row = {
        "subject": subject.claim.number,
        "step": "claim",
        "facts": kept,
        "rule_version": subject.order.policy_code,
        "taken_at": at,
    }
    session.connection().execute(insert(FactSnapshot), [row])


def _plain(value: object) -> object:
    """Tuples, terms and small records as JSON takes them."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    names = getattr(value, "__dataclass_fields__", None)
    if names is not None:
        return {name: _plain(getattr(value, name)) for name in names}
    return value
