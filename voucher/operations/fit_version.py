"""Is a policy file fit to be published: by itself, in its programme, and beside what is in force.

A version that names another as the one that it supersedes ends it on its own first day, and with it the children that
hang on it; every other version on the same days is an error that names both documents (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.ledger import Book
from voucher.models.programmes import PolicyVersion, Programme
from voucher.operations.policies import policy_of
from voucher.operations.regions import paths_of
from voucher.rules import policy_check
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Policy, PolicyError, Problem
from voucher.rules.policy_reading import parent_of, placed, read
from voucher.rules.policy_versions import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """A policy file's text, the authority's fill-in files, the stored document, and the book that pays."""

    text: str
    fills: tuple[str, ...]
    document_text: str | None
    book_code: str


@dataclass(frozen=True, slots=True)
class Fit:
    """A policy that nothing speaks against, the book that pays for it, and the sha256 of what was judged.

    `ends` are the versions that end on its first day.
    """

    policy: Policy
    book_id: int
    sha256: str
    parent_sha256: str | None
    ends: tuple[PolicyVersion, ...]


def parent_for(session: Session, text: str) -> Policy | None:
    """The published version that a text names as its parent; None where it names none, or none is published."""
    named = parent_of(text)
    if named is None or session.get(PolicyVersion, named[:60]) is None:
        return None
    return policy_of(session, named)


def fit(session: Session, request: PublishRequest, *, actor: Actor) -> Fit:
    """The policy of a request, judged whole. Writes nothing.

    Refused: a text that cannot be read, contradicts itself or quotes what the document does not say
    (`policy_invalid`, first `key`; `problems_of` names all), unset parameters (`policy_incomplete`, `missing`), a book
    or owner region that is not the actor's (`not_found`), the programme in another book or of another kind
    (`already_registered`), a version of this code (`policy_exists`), another version in force on the same days
    (`policy_overlaps`, both document numbers), a superseded version that is none (`policy_invalid`). What carries out a
    parent's programme is paid by the parent's book, whoever owns that; another one is `policy_invalid`.
    """
    parent = parent_for(session, request.text)
    policy = _sound(request, parent)
    book_id = _book(session, policy, request, actor)
    programme = session.get(Programme, policy.programme)
    if programme is not None:
        _same(programme, policy, book_id)
    if session.get(PolicyVersion, policy.code) is not None:
        raise Refusal(Code.POLICY_EXISTS, policy=policy.code)
    ends = _superseded(session, policy)
    _refuse_overlap(session, policy, beside=ends)
    pinned = session.get_one(PolicyVersion, parent.code).sha256 if parent is not None else None
    return Fit(policy, book_id, digest(request.text, request.fills, pinned), pinned, ends)


def headed(session: Session, request: PublishRequest, *, actor: Actor) -> Policy:
    """The policy of a text that may still have problems, where its head is sound and its region the actor's."""
    try:
        policy = read(request.text, request.fills, parent=parent_for(session, request.text))
    except PolicyError as unreadable:
        if unreadable.readable is None:
            raise _invalid(unreadable.problems) from unreadable
        policy = unreadable.readable
    path = paths_of(session, [policy.owner_region]).get(policy.owner_region, "")
    if not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND, region=policy.owner_region)
    return policy


def programme_for(session: Session, found: Fit) -> None:
    """The programme's row, made where it is missing and locked, so that two versions come one by one."""
    policy = found.policy
    row = (policy.programme, policy.title, _kind(policy), policy.owner_region, found.book_id)
    insert_missing(session, Rows(Programme, ("code", "name", "kind", "region_code", "book_id"), [row]))
    query = select(Programme).where(Programme.code == policy.programme)
    _same(session.scalars(query.with_for_update(key_share=True)).one(), policy, found.book_id)


def _sound(request: PublishRequest, parent: Policy | None) -> Policy:
    try:
        policy = read(request.text, request.fills, parent=parent)
    except PolicyError as unreadable:
        raise _invalid(unreadable.problems) from unreadable
    unset = policy_check.unset(policy)
    if unset:
        raise Refusal(Code.POLICY_INCOMPLETE, missing=",".join(problem.key for problem in unset))
    problems = policy_check.check(policy, request.document_text)
    if problems:
        raise _invalid(placed(problems, request.text, request.fills))
    return policy


def _invalid(problems: tuple[Problem, ...]) -> Refusal:
    return Refusal(Code.POLICY_INVALID, problems=len(problems), key=problems[0].key, line=problems[0].line)


def _book(session: Session, policy: Policy, request: PublishRequest, actor: Actor) -> int:
    """The book that pays: one of the actor's, or that of the programme that is carried out."""
    book_id = session.scalars(select(Book.book_id).where(Book.code == request.book_code)).one_or_none()
    path = paths_of(session, [policy.owner_region]).get(policy.owner_region, "")
    carried = policy.pinned if policy.home_region != policy.owner_region else None
    if carried is not None:
        of_parent = session.get_one(Programme, carried.programme).book_id
        if book_id is not None and book_id != of_parent:
            problem = Problem(None, "policy.parent", None, "执行上级项目的，由上级的账簿出资")
            raise _invalid(placed([problem], request.text, request.fills))
        allowed = book_id == of_parent
    else:
        allowed = book_id in actor.book_ids
    if book_id is None or not allowed or not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND, book=request.book_code, region=policy.owner_region)
    return book_id


def _kind(policy: Policy) -> str:
    return policy.kind.value if policy.kind else ""


def _same(programme: Programme, policy: Policy, book_id: int) -> None:
    held = (programme.kind, programme.region_code, programme.book_id)
    if held != (_kind(policy), policy.owner_region, book_id):
        raise Refusal(Code.ALREADY_REGISTERED, subject=programme.code)


def _superseded(session: Session, policy: Policy) -> tuple[PolicyVersion, ...]:
    """The version that this one ends, and the children that end with it; none where it names none."""
    if policy.supersedes is None or policy.effective_from is None:
        return ()
    before = session.get(PolicyVersion, policy.supersedes)
    if (
        before is None
        or before.programme_code != policy.programme
        or before.superseded_by is not None
        or before.effective_from >= policy.effective_from
        or (before.effective_to is not None and before.effective_to <= policy.effective_from)
    ):
        told = f"被替代的版本 {policy.supersedes} 不是本项目在施行日期之前开始、当时仍有效的版本"
        raise _invalid((Problem(None, "policy.supersedes", None, told),))
    return (before, *_children(session, [before.code], policy.effective_from))


def _children(session: Session, codes: Sequence[str], day: date) -> list[PolicyVersion]:
    """The versions below these, at any depth, that would still be in force on a day."""
    found: list[PolicyVersion] = []
    while codes:
        query = select(PolicyVersion).where(
            PolicyVersion.parent_code.in_(codes),
            PolicyVersion.superseded_by.is_(None),
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > day),
        )
        below = list(session.scalars(query.order_by(PolicyVersion.code)))
        found += below
        codes = [each.code for each in below]
    return found


def _refuse_overlap(session: Session, policy: Policy, *, beside: Sequence[PolicyVersion]) -> None:
    """No other version of the programme, nor of the owner's kind and cap family, on the same days."""
    query = (
        select(PolicyVersion)
        .join(Programme, Programme.code == PolicyVersion.programme_code)
        .where(
            Programme.region_code == policy.owner_region,
            Programme.kind == _kind(policy),
            PolicyVersion.code.not_in([each.code for each in beside]),
            or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > policy.effective_from),
        )
    )
    if policy.effective_to is not None:
        query = query.where(PolicyVersion.effective_from < policy.effective_to)
    for other in session.scalars(query.order_by(PolicyVersion.effective_from)):
        of_programme = other.programme_code == policy.programme
        if of_programme or policy_of(session, other.code).cap_family == policy.cap_family:
            raise Refusal(
                Code.POLICY_OVERLAPS,
                document_no=policy.document_no,
                other_document_no=other.document_no,
                policy=policy.code,
                other_policy=other.code,
            )
