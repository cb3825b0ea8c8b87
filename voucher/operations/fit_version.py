"""Is a policy file fit to be published: by itself, in its programme, and beside what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from voucher.errors import Code, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.ledger import Book
from voucher.models.programmes import PolicyVersion, Programme
from voucher.operations.regions import paths_of
from voucher.rules import policy_check
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Policy, PolicyError, Problem
from voucher.rules.policy_reading import placed, read


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishRequest:
    """A policy file's text, the authority's fill-in files, the stored document, and the book that pays."""

    text: str
    fills: tuple[str, ...]
    document_text: str | None
    book_code: str


@dataclass(frozen=True, slots=True)
class Fit:
    """A policy that nothing speaks against, the book that pays for it, and the sha256 of what was judged."""

    policy: Policy
    book_id: int
    sha256: str


def check(text: str, fills: Sequence[str], *, document_text: str | None) -> tuple[Problem, ...]:
    """Everything that speaks against publishing these texts; nothing where they are fit. Writes nothing."""
    try:
        found = policy_check.check(read(text, fills), document_text)
    except PolicyError as unreadable:
        found = policy_check.check_rest(unreadable, document_text)
    return placed(found, text, fills)


def fit(session: Session, request: PublishRequest, *, actor: Actor) -> Fit:
    """The policy of a request, judged whole. Writes nothing.

    Refused: a text that cannot be read, contradicts itself or quotes what the document does not say
    (`policy_invalid`, first `key`; `check` names all), unset parameters (`policy_incomplete`, `missing`), a book
    or owner region that is not the actor's (`not_found`), the programme in another book or of another kind
    (`already_registered`), a version of this code (`policy_exists`), another version in force on the same days
    (`policy_overlaps`, both document numbers).
    """
    policy = _sound(request)
    book_id = session.scalars(select(Book.book_id).where(Book.code == request.book_code)).one_or_none()
    path = paths_of(session, [policy.owner_region]).get(policy.owner_region, "")
    if book_id is None or book_id not in actor.book_ids or not covers_region(actor, path):
        raise Refusal(Code.NOT_FOUND, book=request.book_code, region=policy.owner_region)
    programme = session.get(Programme, policy.programme)
    if programme is not None:
        _same(programme, policy, book_id)
    _refuse_overlap(session, policy)
    return Fit(policy, book_id, digest_of(request))


def digest_of(request: PublishRequest) -> str:
    """What the second person must see: the text and its fill-ins."""
    return sha256("\0".join((request.text, *request.fills)).encode()).hexdigest()


def programme_for(session: Session, found: Fit) -> None:
    """The programme's row, made where it is missing and locked, so that two versions come one by one."""
    policy = found.policy
    row = (policy.programme, policy.title, _kind(policy), policy.owner_region, found.book_id)
    insert_missing(session, Rows(Programme, ("code", "name", "kind", "region_code", "book_id"), [row]))
    query = select(Programme).where(Programme.code == policy.programme)
    _same(session.scalars(query.with_for_update(key_share=True)).one(), policy, found.book_id)


def _sound(request: PublishRequest) -> Policy:
    try:
        policy = read(request.text, request.fills)
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


def _kind(policy: Policy) -> str:
    return policy.kind.value if policy.kind else ""


def _same(programme: Programme, policy: Policy, book_id: int) -> None:
    held = (programme.kind, programme.region_code, programme.book_id)
    if held != (_kind(policy), policy.owner_region, book_id):
        raise Refusal(Code.ALREADY_REGISTERED, subject=programme.code)


def _refuse_overlap(session: Session, policy: Policy) -> None:
    if session.get(PolicyVersion, policy.code) is not None:
        raise Refusal(Code.POLICY_EXISTS, policy=policy.code)
    query = select(PolicyVersion).where(
        PolicyVersion.programme_code == policy.programme,
        or_(PolicyVersion.effective_to.is_(None), PolicyVersion.effective_to > policy.effective_from),
    )
    if policy.effective_to is not None:
        query = query.where(PolicyVersion.effective_from < policy.effective_to)
    other = session.scalars(query.order_by(PolicyVersion.effective_from)).first()
    if other is not None:
        raise Refusal(
            Code.POLICY_OVERLAPS,
            document_no=policy.document_no,
            other_document_no=other.document_no,
            policy=policy.code,
            other_policy=other.code,
        )
