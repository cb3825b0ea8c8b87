"""Agreement versions: one officer proposes, another publishes; later they are ended or revoked. Nothing is edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.agreements import AgreementStep, AgreementVersion, RecognitionAgreement
from voucher.models.ledger import Book
from voucher.models.regions import Region
from voucher.operations.agreements import Published, agreement_of, published, steps_of
from voucher.operations.journal import record
from voucher.operations.regions import paths_of
from voucher.operations.tell_second import Waiting, tell_second
from voucher.rules import agreement_check
from voucher.rules.agreement import Agreement, state_of
from voucher.rules.agreement_overlap import overlap
from voucher.rules.agreement_reading import read
from voucher.rules.permissions import Actor, covers_region
from voucher.rules.policy import Problem
from voucher.rules.policy_reading import placed
from voucher.terms import AgreementState, AgreementStepKind, ProposalKind

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementText:
    """An agreement file's text, fill-in files, and the stored document (None: there is none)."""

    text: str
    fills: tuple[str, ...] = ()
    document_text: str | None = None


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A version and the state that it is in now."""

    version_id: int
    code: str
    agreement: str
    state: AgreementState


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """What is to become of a version, and why; `from_on` is the first day without orders of one that is ended."""

    version_id: int
    reason: str = ""
    document_no: str = ""
    from_on: date | None = None


def check(given: AgreementText) -> tuple[Problem, ...]:
    """Everything that speaks against publishing; nothing where it is fit. Writes nothing, reads no database."""
    return agreement_check.problems_of(given.text, given.fills, document_text=given.document_text)


def check_here(session: Session, given: AgreementText) -> tuple[Problem, ...]:
    """What `check` tells; of a text that is fit otherwise, the parties whose region or book is not here. Writes nothing."""
    return check(given) or _unknown(session, read(given.text, given.fills), given)


def propose_agreement(session: Session, given: AgreementText, *, actor: Actor, at: datetime) -> VersionAnswer:
    """Put a version down for another officer to publish. It recognises nobody yet.

    Refused: a text with any problem, or with a party whose region or book is not here (`agreement_invalid`, first
    `key`; `check` names all), an officer of none of its regions (`not_found`), a version of this code that was not
    withdrawn (`agreement_exists`), what `publish_agreement` would refuse as an overlap.
    """
    version = _fit(session, given)
    spoken_for = _spoken_for(session, version, actor)
    row = (version.agreement, version.title, at)
    insert_missing(session, Rows(RecognitionAgreement, ("code", "title", "created_at"), [row]))
    _lock(session, version.agreement)
    _refuse_known(session, version)
    _refuse_overlap(session, version)
    made = AgreementVersion(
        code=version.code,
        agreement_code=version.agreement,
        document_no=version.document_no,
        text=given.text,
        fills=list(given.fills),
        sha256=sha256("\0".join((given.text, *given.fills)).encode()).hexdigest(),
        effective_from=version.effective_from,
        effective_to=version.effective_to,
        proposed_for=sorted(spoken_for),
        proposed_by=actor.person_id,
        proposed_at=at,
    )
    session.add(made)
    session.flush()
    facts: dict[str, Fact] = {"sha256": made.sha256, "document_no": made.document_no, "version": made.id}
    record(session, actor, "agreement.propose", [(f"agreement:{version.code}", facts)], at=at)
    told = {party.region for party in version.parties} - spoken_for or spoken_for
    what = ProposalKind.AGREEMENT, made.code, made.id, version.title, told, None, {"version": made.id}
    tell_second(session, Waiting(*what), actor=actor, at=at)
    return VersionAnswer(made.id, made.code, made.agreement_code, AgreementState.PROPOSED)


def publish_agreement(session: Session, version_id: int, *, actor: Actor, at: datetime) -> VersionAnswer:
    """Publish what another officer proposed: it recognises from its first day on, for orders of its days.

    Both together speak for every party: nobody binds a region of which no officer took part (`partner_missing`, the
    regions). Refused: not there or of none of the actor's regions (`not_found`), one's own proposal (`self_approval`), no longer
    proposed (`state_changed`), two agreements for the same regions, kind, service and day (`agreement_overlaps`, both
    document numbers).
    """
    version, agreement, state = _locked(session, version_id, actor)
    if version.proposed_by == actor.person_id:
        raise Refusal(Code.SELF_APPROVAL)
    _refuse_unless(state, AgreementState.PROPOSED, AgreementStepKind.PUBLISH)
    _refuse_silent(session, version, agreement, actor)
    _refuse_overlap(session, agreement)
    deed = AgreementStepKind.PUBLISH, StepRequest(version_id=version_id)
    return _step(session, version, deed, actor=actor, at=at)


def withdraw_agreement(
    session: Session, request: StepRequest, *, actor: Actor, at: datetime
) -> VersionAnswer:
    """Take a proposal back. Refused: not there (`not_found`), published or withdrawn already (`state_changed`)."""
    version, _, state = _locked(session, request.version_id, actor)
    _refuse_unless(state, AgreementState.PROPOSED, AgreementStepKind.WITHDRAW)
    return _step(session, version, (AgreementStepKind.WITHDRAW, request), actor=actor, at=at)


def end_agreement(session: Session, request: StepRequest, *, actor: Actor, at: datetime) -> VersionAnswer:
    """End a version early: from `from_on` (default: today) no order is placed under it; those placed go on.

    Refused: not there (`not_found`), not in force (`state_changed`), without a reason (`reason_missing`), a day before
    today or after the version's own end (`state_changed`, event `end`).
    """
    version, _, state = _locked(session, request.version_id, actor)
    _refuse_unless(state, AgreementState.PUBLISHED, AgreementStepKind.END)
    first, today = request.from_on or business_date(at), business_date(at)
    if first < today or (version.effective_to is not None and first >= version.effective_to):
        raise Refusal(Code.STATE_CHANGED, state=state.value, event="end", on=first.isoformat())
    ending = StepRequest(
        version_id=version.id,
        reason=_reason(request),
        document_no=request.document_no,
        from_on=first,
    )
    return _step(session, version, (AgreementStepKind.END, ending), actor=actor, at=at)


def revoke_agreement(session: Session, request: StepRequest, *, actor: Actor, at: datetime) -> VersionAnswer:
    """Revoke a version with immediate effect: nothing is ordered, held or captured under it any more.

    Waits for captures under way, which hold the agreement FOR SHARE. What is held goes back when its order is released.
    Refused: not there (`not_found`), neither published nor ended (`state_changed`), without a reason
    (`reason_missing`).
    """
    version, _, state = _locked(session, request.version_id, actor)
    if state is not AgreementState.ENDED:
        _refuse_unless(state, AgreementState.PUBLISHED, AgreementStepKind.REVOKE)
    _reason(request)
    return _step(session, version, (AgreementStepKind.REVOKE, request), actor=actor, at=at)


def _fit(session: Session, given: AgreementText) -> Agreement:
    problems = check_here(session, given)
    if problems:
        first = problems[0]
        raise Refusal(Code.AGREEMENT_INVALID, problems=len(problems), key=first.key, line=first.line)
    return read(given.text, given.fills)


def _unknown(session: Session, version: Agreement, given: AgreementText) -> tuple[Problem, ...]:
    """The parties whose region or book is not here."""
    regions = {party.region for party in version.parties}
    books = {party.book for party in version.parties}
    there = set(session.scalars(select(Region.code).where(Region.code.in_(regions))))
    kept = set(session.scalars(select(Book.code).where(Book.code.in_(books))))
    found = [
        Problem(None, f"parties[{number}].{field}", None, message)
        for number, party in enumerate(version.parties)
        for field, is_there, message in (
            ("region", party.region in there, f"没有地区 {party.region}"),
            ("book", party.book in kept, f"没有账簿 {party.book}"),
        )
        if not is_there
    ]
    return placed(found, given.text, given.fills)


def _spoken_for(session: Session, version: Agreement, actor: Actor) -> set[str]:
    """The parties that lie in the actor's regions; `not_found` where there is none."""
    paths = paths_of(session, [party.region for party in version.parties])
    found = {region for region, path in paths.items() if covers_region(actor, path)}
    if not found:
        raise Refusal(Code.NOT_FOUND, agreement=version.agreement)
    return found


def _refuse_silent(session: Session, row: AgreementVersion, version: Agreement, actor: Actor) -> None:
    """`partner_missing` for parties of which neither who proposed nor who publishes is an officer."""
    spoken = _spoken_for(session, version, actor) | set(row.proposed_for)
    silent = [party.region for party in version.parties if party.region not in spoken]
    if silent:
        query = select(Region.name).where(Region.code.in_(silent)).order_by(Region.code)
        raise Refusal(Code.PARTNER_MISSING, regions="、".join(session.scalars(query)))


def _lock(session: Session, agreement_code: str) -> None:
    query = select(RecognitionAgreement.code).where(RecognitionAgreement.code == agreement_code)
    session.execute(query.with_for_update()).all()


def _locked(
    session: Session, version_id: int, actor: Actor
) -> tuple[AgreementVersion, Agreement, AgreementState]:
    """A version of one of the actor's regions, its agreement locked; refused `not_found`."""
    row = session.get(AgreementVersion, version_id)
    if row is None:
        raise Refusal(Code.NOT_FOUND, version=version_id)
    agreement = agreement_of(session, row)
    _spoken_for(session, agreement, actor)
    _lock(session, row.agreement_code)
    return row, agreement, state_of(steps_of(session).get(row.id, {}))


def _refuse_unless(state: AgreementState, wanted: AgreementState, event: AgreementStepKind) -> None:
    if state is not wanted:
        raise Refusal(Code.STATE_CHANGED, state=state.value, event=event.value)


def _refuse_known(session: Session, version: Agreement) -> None:
    query = select(AgreementVersion.id).where(AgreementVersion.code == version.code)
    steps = steps_of(session)
    for version_id in session.scalars(query):
        if state_of(steps.get(version_id, {})) is not AgreementState.WITHDRAWN:
            raise Refusal(Code.AGREEMENT_EXISTS, agreement=version.code)


def _refuse_overlap(session: Session, version: Agreement) -> None:
    """Every published agreement is locked first, so that two that overlap do not come at once."""
    query = select(RecognitionAgreement.code).order_by(RecognitionAgreement.code)
    session.execute(query.with_for_update()).all()
    others: Sequence[Published] = [each for each in published(session) if not each.is_revoked]
    for other in others:
        regions = overlap(version, other.agreement, other_ends_on=other.ended_on)
        if regions is None:
            continue
        names = dict(session.execute(select(Region.code, Region.name).where(Region.code.in_(regions))).all())
        raise Refusal(
            Code.AGREEMENT_OVERLAPS,
            document_no=version.document_no,
            other_document_no=other.agreement.document_no,
            agreement=version.code,
            other_agreement=other.agreement.code,
            home_name=names.get(regions[0], regions[0]),
            certifying_name=names.get(regions[1], regions[1]),
        )


def _reason(request: StepRequest) -> str:
    if not request.reason.strip():
        raise Refusal(Code.REASON_MISSING)
    return request.reason


def _step(
    session: Session,
    version: AgreementVersion,
    deed: tuple[AgreementStepKind, StepRequest],
    *,
    actor: Actor,
    at: datetime,
) -> VersionAnswer:
    kind, request = deed
    session.add(
        AgreementStep(
            version_id=version.id,
            proposed_by=version.proposed_by,
            kind=kind.value,
            from_on=request.from_on,
            reason=request.reason.strip()[:_LONGEST_REASON],
            document_no=request.document_no.strip(),
            done_by=actor.person_id,
            done_at=at,
        )
    )
    session.flush()
    facts: dict[str, Fact] = {"document_no": version.document_no, "reason": request.reason.strip()}
    record(session, actor, f"agreement.{kind.value}", [(f"agreement:{version.code}", facts)], at=at)
    state = state_of(steps_of(session)[version.id])
    return VersionAnswer(version.id, version.code, version.agreement_code, state)
