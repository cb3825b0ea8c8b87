"""A policy text as officials read it before it is published: what is wrong, every parameter, and what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.models.people import Person
from voucher.models.programmes import PolicyVersion
from voucher.models.regions import Region
from voucher.models.versions import PolicyProposal
from voucher.queries.policies import Parameter, parameters, policy_of
from voucher.rules import policy_check
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Policy, PolicyError, Problem
from voucher.rules.policy_reading import parent_of, read
from voucher.terms import PolicyState


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter of a version beside the same one of the version before; None where that has none."""

    before: Parameter | None
    after: Parameter | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A text as it would be published. `before` is the version that it is compared with; changes are against that."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    parameters: tuple[Parameter, ...]
    before: str | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A draft or proposal in the list."""

    id: int
    code: str
    title: str
    document_no: str
    state: PolicyState
    proposer: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class ProposalFile:
    """A draft or proposal with what it says, who proposed it and who decided."""

    row: PolicyProposal
    state: PolicyState
    proposer: str
    decider: str
    sheet: Sheet


def sheet_of(session: Session, text: str, fills: Sequence[str], document_text: str | None) -> Sheet:
    """A text looked at: every problem at once, its parameters where it can be read, and what it changes."""
    named = parent_of(text)
    parent = policy_of(session, named) if named and session.get(PolicyVersion, named[:60]) else None
    problems = policy_check.problems_of(text, fills, document_text=document_text, parent=parent)
    try:
        policy: Policy | None = read(text, fills, parent=parent)
    except PolicyError as unreadable:
        policy = unreadable.readable
    if policy is None:
        return Sheet(None, problems, (), None, ())
    before = _before(session, policy)
    return Sheet(
        policy, problems, parameters(policy), before.code if before else None, changes(before, policy)
    )


def changes(before: Policy | None, after: Policy) -> tuple[Change, ...]:
    """The parameters whose value, or what they rest on, is not the one of the version before; none without one."""
    if before is None:
        return ()
    told = {each.key: _own(each) for each in parameters(before)}
    pairs = [(told[each.key], each) for each in parameters(after)]
    return tuple(
        Change(old if old.value is not None else None, new if new.value is not None else None)
        for old, new in pairs
        if old.value != new.value
    )


def _own(parameter: Parameter) -> Parameter:
    """A last day that nobody wrote down came with the next version: it is no rule of the version itself."""
    return replace(parameter, value=None) if parameter.is_superseded else parameter


def _before(session: Session, policy: Policy) -> Policy | None:
    """The version that a policy is compared with: the last one of its programme before it, else its parent."""
    query = select(PolicyVersion.code).where(
        PolicyVersion.programme_code == policy.programme, PolicyVersion.code != policy.code
    )
    if policy.effective_from is not None:
        query = query.where(PolicyVersion.effective_from < policy.effective_from)
    code = session.scalars(query.order_by(PolicyVersion.effective_from.desc())).first()
    return policy.pinned if code is None else policy_of(session, code)


def proposals(session: Session, actor: Actor) -> list[ProposalLine]:
    """Drafts and proposals of the reader's regions that are still open, and what was withdrawn; newest first."""
    query = (
        select(PolicyProposal, Person.name, Region.path)
        .join(Person, Person.id == PolicyProposal.proposed_by)
        .join(Region, Region.code == PolicyProposal.region_code)
        .where(PolicyProposal.state != PolicyState.PUBLISHED.value)
        .order_by(PolicyProposal.proposed_at.desc(), PolicyProposal.id.desc())
    )
    return [
        ProposalLine(
            row.id, row.code, row.title, row.document_no, PolicyState(row.state), name, row.proposed_at
        )
        for row, name, path in session.execute(query)
        if covers_region(actor, path)
    ]


def proposal_file(session: Session, actor: Actor, proposal_id: int) -> ProposalFile | None:
    """A draft or proposal, looked at as it is now; None for one that is not there or not of the reader's regions."""
    row = session.get(PolicyProposal, proposal_id)
    if row is None or not covers_region(actor, session.get_one(Region, row.region_code).path):
        return None
    names = {each: session.get_one(Person, each).name for each in (row.proposed_by, row.decided_by) if each}
    sheet = sheet_of(session, row.text, tuple(row.fills), row.document_text)
    return ProposalFile(
        row, PolicyState(row.state), names[row.proposed_by], names.get(row.decided_by or 0, ""), sheet
    )
