"""Publishing a policy version: one person proposes it, another publishes what both saw. It is never changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.programmes import PolicyVersion
from voucher.models.regions import Region
from voucher.models.versions import PolicyProposal
from voucher.operations.fit_version import Fit, PublishRequest, fit, headed, programme_for
from voucher.operations.journal import record
from voucher.operations.regions import COUNTRY, paths_of
from voucher.operations.tell_second import Waiting, tell_second
from voucher.rules.lifecycle import Event, next_state
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Policy
from voucher.rules.policy_versions import digest
from voucher.terms import PolicyState, ProposalKind

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Proposed:
    """A version that waits for a second person, and the sha256 of what that person is to see."""

    proposal_id: int
    policy_code: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """The version that is in force from its effective date on."""

    policy_code: str
    programme_code: str


def save_draft(
    session: Session, request: PublishRequest, *, draft_id: int | None = None, actor: Actor, at: datetime
) -> Proposed:
    """Keep a text that may still have problems, for its author to go on with; `draft_id` writes one of theirs anew.

    Refused: a text whose head cannot be read (`policy_invalid`), an owner region that is not the actor's, a draft that is
    not there or somebody else's (`not_found`), one that was proposed or withdrawn (`state_changed`).
    """
    policy = headed(session, request, actor=actor)
    row = _row(session, draft_id, actor=actor)
    _write(row, policy, request, actor=actor, at=at)
    session.flush()
    _tell(session, row, "draft", actor=actor, at=at)
    return Proposed(row.id, row.code, row.sha256)


def propose_version(
    session: Session, request: PublishRequest, *, draft_id: int | None = None, actor: Actor, at: datetime
) -> Proposed:
    """Put a version before a second person. It is judged whole now, and again when it is published.

    Refused: everything that `fit` refuses, a proposal of this code that is still open (`policy_proposed`), and a draft
    that it was made from as in `save_draft`.
    """
    _one_at_a_time(session)
    found = fit(session, request, actor=actor)
    code = found.policy.code
    still_open = select(PolicyProposal.id).where(
        PolicyProposal.code == code, PolicyProposal.state == PolicyState.PROPOSED.value
    )
    if session.scalars(still_open).first() is not None:
        raise Refusal(Code.POLICY_PROPOSED, policy=code)
    row = _row(session, draft_id, actor=actor)
    _write(row, found.policy, request, actor=actor, at=at)
    row.state, row.sha256 = PolicyState.PROPOSED.value, found.sha256
    session.flush()
    _tell(session, row, "propose", actor=actor, at=at)
    title = f"{row.title}（{row.document_no}）"
    waiting = Waiting(
        ProposalKind.POLICY,
        row.code,
        row.id,
        title,
        region_codes=(row.region_code,),
        where={"proposal": row.id},
    )
    tell_second(session, waiting, actor=actor, at=at)
    return Proposed(row.id, row.code, row.sha256)


def publish_version(
    session: Session, proposal_id: int, *, seen_sha256: str, actor: Actor, at: datetime
) -> Published:
    """Publish what somebody else proposed; makes its programme if it is the first.

    Refused: a proposal that is not there or not of the actor's region (`not_found`), one's own (`self_approval`; the
    database refuses it too), one that was published or withdrawn (`state_changed`), another sha256 than the one seen
    (`policy_changed`), and everything that `fit` refuses.
    """
    _one_at_a_time(session)
    row = _proposal(session, proposal_id, actor)
    following = next_state(PolicyState(row.state), Event.PUBLISH)
    if row.proposed_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL, policy=row.code)
    request = PublishRequest(
        text=row.text, fills=tuple(row.fills), document_text=row.document_text, book_code=row.book_code
    )
    found = fit(session, request, actor=actor)
    if not seen_sha256 == row.sha256 == found.sha256:
        raise Refusal(Code.POLICY_CHANGED, policy=row.code)
    programme_for(session, found)
    session.add(_version(row, found, actor=actor, at=at))
    session.flush()
    _end(session, found, actor=actor, at=at)
    row.state, row.decided_by, row.decided_at = following.value, actor.person_id, at
    session.flush()
    _tell(session, row, "publish", actor=actor, at=at)
    return Published(row.code, row.programme_code)


def withdraw_proposal(
    session: Session, proposal_id: int, *, reason: str, actor: Actor, at: datetime
) -> Proposed:
    """Take a proposal back: by whoever proposed it, or by the second person who will not publish it.

    Refused: not there or not of the actor's region (`not_found`), published or withdrawn already (`state_changed`),
    no reason (`reason_missing`).
    """
    row = _proposal(session, proposal_id, actor)
    following = next_state(PolicyState(row.state), Event.WITHDRAW)
    if not reason.strip():
        raise Refusal(Code.REASON_MISSING)
    row.state, row.decided_by, row.decided_at = following.value, actor.person_id, at
    row.reason = reason.strip()[:_LONGEST_REASON]
    session.flush()
    _tell(session, row, "withdraw", actor=actor, at=at)
    return Proposed(row.id, row.code, row.sha256)


def _row(session: Session, draft_id: int | None, *, actor: Actor) -> PolicyProposal:
    """A new row, or the author's own draft."""
    if draft_id is None:
        row = PolicyProposal(state=PolicyState.DRAFT.value, reason="")
        session.add(row)
        return row
    row = _proposal(session, draft_id, actor)
    if row.proposed_by != actor.person_id:
        raise Refusal(Code.NOT_FOUND, proposal=draft_id)
    next_state(PolicyState(row.state), Event.PROPOSE)
    return row


def _write(
    row: PolicyProposal, policy: Policy, request: PublishRequest, *, actor: Actor, at: datetime
) -> None:
    """What is said now."""
    row.code, row.programme_code, row.title = policy.code, policy.programme, policy.title
    row.document_no, row.region_code, row.book_code = (
        policy.document_no,
        policy.owner_region,
        request.book_code,
    )
    row.text, row.fills, row.document_text = request.text, list(request.fills), request.document_text
    row.sha256 = digest(request.text, request.fills, None)
    row.proposed_by, row.proposed_at = actor.person_id, at


def _one_at_a_time(session: Session) -> None:
    """Proposals and publications wait for each other: what is in force beside a version spans programmes and owners."""
    session.scalars(select(Region.code).where(Region.code == COUNTRY).with_for_update(key_share=True)).all()


def _version(row: PolicyProposal, found: Fit, *, actor: Actor, at: datetime) -> PolicyVersion:
    policy = found.policy
    return PolicyVersion(
        code=policy.code,
        programme_code=policy.programme,
        document_no=policy.document_no,
        text=row.text,
        fills=list(row.fills),
        sha256=row.sha256,
        effective_from=policy.effective_from,
        effective_to=policy.effective_to,
        state=PolicyState.PUBLISHED.value,
        parent_code=policy.parent,
        parent_sha256=found.parent_sha256,
        proposed_by=row.proposed_by,
        published_by=actor.person_id,
        published_at=at,
    )


def _end(session: Session, found: Fit, *, actor: Actor, at: datetime) -> None:
    """End what this version supersedes, and the children of that: once, and the database keeps it so."""
    policy = found.policy
    for each in found.ends:
        each.effective_to, each.superseded_by = policy.effective_from, policy.code
    facts: dict[str, Fact] = {
        "superseded_by": policy.code,
        "document_no": policy.document_no,
        "effective_to": str(policy.effective_from),
    }
    subjects = [(f"policy:{each.code}", facts) for each in found.ends]
    session.flush()
    record(session, actor, "policy.supersede", subjects, at=at)


def _proposal(session: Session, proposal_id: int, actor: Actor) -> PolicyProposal:
    """The proposal, locked, where the actor's regions cover its owner."""
    query = select(PolicyProposal).where(PolicyProposal.id == proposal_id).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    path = paths_of(session, [row.region_code]).get(row.region_code, "") if row is not None else ""
    if row is None or not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND, proposal=proposal_id)
    return row


def _tell(session: Session, row: PolicyProposal, deed: str, *, actor: Actor, at: datetime) -> None:
    facts: dict[str, Fact] = {
        "sha256": row.sha256,
        "document_no": row.document_no,
        "rule_version": row.code,
        "proposal": row.id,
    }
    record(session, actor, f"policy.{deed}", [(f"policy:{row.code}", facts)], at=at)
