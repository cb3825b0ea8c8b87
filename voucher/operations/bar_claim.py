"""What stops a claim, asked where it is handed in and again before its money leaves (domain 4, what is marked B)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Refusal
from voucher.models.checks import ClaimMark, ExchangeFile, ForeignUse, PaidElsewhere
from voucher.models.claims import Claim, Document, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.models.vouchers import Voucher
from voucher.operations.check_subject import subjects_of
from voucher.operations.outcome import Refused, refused
from voucher.operations.places import Places, places, tenants_outside
from voucher.operations.policies import policies_of
from voucher.operations.relations import Known, known
from voucher.rules.contracts import contract_key
from voucher.rules.policy import Policy
from voucher.terms import ClaimMarkKind, ClaimState, DocumentKind

_ENDED = (ClaimState.REJECTED.value, ClaimState.WITHDRAWN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A claim as far as it can be barred: its order and sides, the invoices and invoice files that it rests on."""

    order: Order
    holder: Holder
    host_id: int | None
    policy: Policy
    invoice_keys: tuple[str, ...] = ()
    invoice_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Evidence:
    known: Known
    funded: dict[tuple[str, str], PaidElsewhere]
    abroad: dict[str, str]
    files: dict[str, int]
    classes: dict[int | None, str]
    places: Places
    outside: dict[int, str]


def bars(session: Session, wanted: Sequence[Wanted], *, at: datetime) -> list[Refused | None]:
    """For each claim why it may not go on, or None; nothing is written. At most nine statements.

    In this order: `affiliated` (one legal person, a registered or declared tie), `party_banned` (a decision in force
    against firm or provider), `not_qualified` (reason roster: the firm is not on the roster of the order's year any
    more), `centre_not_certified` or `not_qualified` (the centre that the policy asks for), `tenancy_invalid` (a tenant of a
    group order was not inside on the order's day), `already_funded` (the contract is another public programme's), `invoice_used` (another region's list holds
    the invoice, or another firm handed in the same invoice file).
    """
    if not wanted:
        return []
    evidence = _evidence(session, wanted, at)
    answers: list[Refused | None] = []
    for each in wanted:
        try:
            _pass(each, evidence)
            answers.append(None)
        except Refusal as refusal:
            answers.append(refused(refusal))
    return answers


def bars_of_claims(session: Session, claim_ids: Sequence[int], *, at: datetime) -> dict[int, Refused]:
    """The claims, of those that are written already, that may not go on, and why: asked again before a batch."""
    if not claim_ids:
        return {}
    subjects = subjects_of(session, list(claim_ids))
    policies = policies_of(session, {each.order.policy_code for each in subjects})
    keys: dict[int, list[str]] = {}
    uses = (
        select(InvoiceUse.claim_id, Invoice.key)
        .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
        .where(InvoiceUse.claim_id.in_(claim_ids), InvoiceUse.released_at.is_(None))
    )
    for claim_id, key in session.execute(uses):
        keys.setdefault(claim_id, []).append(key)
    files: dict[int, list[str]] = {}
    handed_in = select(Document.claim_id, Document.sha256).where(
        Document.claim_id.in_(claim_ids),
        Document.kind == DocumentKind.INVOICE.value,
        Document.dropped_at.is_(None),
    )
    for claim_id, digest in session.execute(handed_in):
        files.setdefault(claim_id, []).append(digest)
    wanted = [
        Wanted(
            order=each.order,
            holder=each.holder,
            host_id=each.host_id or None,
            policy=policies[each.order.policy_code],
            invoice_keys=tuple(keys.get(each.claim.id, ())),
            invoice_files=tuple(files.get(each.claim.id, ())),
        )
        for each in subjects
    ]
    answers = bars(session, wanted, at=at)
    return {
        subject.claim.id: answer
        for subject, answer in zip(subjects, answers, strict=True)
        if answer is not None
    }


def refuse_barred(session: Session, claim_ids: Sequence[int], *, at: datetime) -> None:
    """Refused with the first claim's bar, and that claim's number as `claim`, where one of them may not go on."""
    barred = bars_of_claims(session, claim_ids, at=at)
    if barred:
        first = min(barred)
        number = session.execute(select(Claim.number).where(Claim.id == first)).scalar_one()
        raise Refusal(barred[first].code, **{**barred[first].facts, "claim": number})


def _pass(wanted: Wanted, evidence: _Evidence) -> None:
    owner_id, order = wanted.holder.organisation_id, wanted.order
    own = wanted.policy.own_services and order.beneficiaries
    if owner_id is not None and wanted.host_id is not None and not own:
        evidence.known.refuse_related(wanted.policy, owner_id, wanted.host_id)
    evidence.known.refuse_banned(owner_id, wanted.host_id)
    if owner_id is not None:
        held = evidence.classes.get(order.voucher_id, order.holder_class or "")
        evidence.known.refuse_off_roster(wanted.policy, owner_id, business_date(order.placed_at), held=held)
    evidence.places.refuse(wanted.policy, wanted.holder, business_date(order.placed_at), past=True)
    if order.id in evidence.outside:
        ref = evidence.outside[order.id]
        raise Refusal(Code.TENANCY_INVALID, reason="outside", holder=ref)
    contract = contract_key(order.contract_no) if order.contract_no.strip() else ""
    paid = evidence.funded.get((wanted.holder.ref, contract)) if contract else None
    if paid is not None:
        raise Refusal(Code.ALREADY_FUNDED, programme=paid.programme, contract_no=paid.contract_no)
    for key in wanted.invoice_keys:
        if key in evidence.abroad:
            raise Refusal(Code.INVOICE_USED, invoice=key, region=evidence.abroad[key])
    for digest in wanted.invoice_files:
        if evidence.files.get(digest, wanted.holder.id) != wanted.holder.id:
            raise Refusal(Code.INVOICE_USED, file=digest[:16])


def _evidence(session: Session, wanted: Sequence[Wanted], at: datetime) -> _Evidence:
    owners = {each.holder.organisation_id for each in wanted} - {None}
    parties = known(
        session,
        {*filter(None, owners)},
        {each.host_id for each in wanted if each.host_id is not None},
        years={business_date(each.order.placed_at).year for each in wanted},
        on=business_date(at),
    )
    usccs = {each.holder.ref for each in wanted}
    query = select(PaidElsewhere).where(PaidElsewhere.uscc.in_(usccs), PaidElsewhere.contract_key != "")
    funded = {(row.uscc, row.contract_key): row for row in session.scalars(query)}
    keys = {key for each in wanted for key in each.invoice_keys}
    digests = {digest for each in wanted for digest in each.invoice_files}
    classes = _classes(session, [each for each in wanted if _off_roster(each, parties)])
    around = places(session, [each.policy for each in wanted], [each.holder for each in wanted])
    outside = tenants_outside(session, [each.order for each in wanted])
    return _Evidence(
        parties, funded, _abroad(session, keys), _files(session, digests), classes, around, outside
    )


def _off_roster(wanted: Wanted, parties: Known) -> bool:
    years = parties.rosters.get(wanted.holder.organisation_id or 0, set())
    return business_date(wanted.order.placed_at).year not in years


def _classes(session: Session, wanted: Sequence[Wanted]) -> dict[int | None, str]:
    """The classes of the vouchers of those who stand on no roster: a team's voucher needs none."""
    ids = {each.order.voucher_id for each in wanted} - {None}
    if not ids:
        return {}
    query = select(Voucher.id, Voucher.holder_class).where(Voucher.id.in_(ids))
    return dict(session.execute(query).all())


def salted(salt: str, invoice_key: str) -> str:
    """How regions name an invoice to each other without saying its number."""
    return sha256(f"{salt}|{invoice_key}".encode()).hexdigest()


def _abroad(session: Session, keys: set[str]) -> dict[str, str]:
    """Which of these invoices another region says it used, and the region."""
    salts = set(session.scalars(select(ExchangeFile.salt).distinct())) if keys else set()
    hashed = {salted(salt, key): key for salt in salts for key in keys}
    if not hashed:
        return {}
    query = select(ForeignUse.digest, ForeignUse.source).where(ForeignUse.digest.in_(hashed))
    return {hashed[digest]: source for digest, source in session.execute(query)}


def _files(session: Session, digests: set[str]) -> dict[str, int]:
    """The holder whose live claim handed in each of these invoice files first."""
    if not digests:
        return {}
    query = (
        select(ClaimMark.value, ClaimMark.holder_id)
        .join(Claim, Claim.id == ClaimMark.claim_id)
        .where(
            ClaimMark.kind == ClaimMarkKind.INVOICE_FILE.value,
            ClaimMark.value.in_(digests),
            Claim.state.not_in(_ENDED),
        )
        .order_by(ClaimMark.id.desc())
    )
    return dict(session.execute(query).all())
