"""Registers shared with others: what other programmes paid for, and hashes of invoices between regions (domain 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from voucher.codes import is_uscc, normalise_uscc
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.checks import ExchangeFile, ForeignUse, PaidElsewhere
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.operations import journal
from voucher.operations.bar_claim import salted
from voucher.operations.outcome import Refused, refused
from voucher.rules.contracts import contract_key
from voucher.rules.permissions import Actor

_BENEFIT = (
    "uscc", "programme", "contract_no", "contract_key", "service", "amount_fen", "paid_on", "source",
    "imported_by", "imported_at",
)  # fmt: skip
_DIGEST = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """A service of a firm that another public programme paid for; amount in fen."""

    uscc: str
    programme: str
    service: str
    contract_no: str = ""
    amount_fen: int | None = None
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An invoice that this and another region used: our claim, and the region."""

    claim_number: str
    invoice_key: str
    region: str


def import_benefits(
    session: Session, rows: Sequence[Benefit], *, source: str, actor: Actor, at: datetime
) -> list[bool | Refused]:
    """Enter items of the double-benefit register; True for a new one. Refused, alone: `uscc_invalid`, `contract_no_invalid`,
    no programme or service (`reason_missing`)."""
    answers: list[bool | Refused] = []
    for row in rows:
        try:
            uscc = normalise_uscc(row.uscc)
            if not is_uscc(uscc):
                raise Refusal(Code.USCC_INVALID, uscc=uscc[:32])
            if not row.programme.strip() or not row.service.strip():
                raise Refusal(Code.REASON_MISSING)
            number = row.contract_no.strip()
            key = contract_key(number) if number else ""
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        values = (
            uscc, row.programme.strip(), number, key, row.service.strip(), row.amount_fen, row.paid_on, source,
            actor.person_id, at,
        )  # fmt: skip
        answers.append(insert_missing(session, Rows(PaidElsewhere, _BENEFIT, [values])) == 1)
    facts: dict[str, Fact] = {"rows": len(rows), "new": answers.count(True)}
    journal.record(session, actor, "register.import_benefits", [(f"source:{source[:60]}", facts)], at=at)
    return answers


def used_invoices(session: Session, *, salt: str, actor: Actor) -> list[str]:
    """The salted hashes of all invoices that live claims of the actor's books use, in no telling order."""
    query = (
        select(Invoice.key)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .join(Claim, Claim.id == InvoiceUse.claim_id)
        .where(InvoiceUse.released_at.is_(None), Claim.book_id.in_(actor.book_ids))
        .distinct()
    )
    return sorted(salted(salt, key) for key in session.scalars(query))


@dataclass(frozen=True, slots=True)
class ForeignList:
    """Another region's list: its code, the salt that both agreed on, the file's own sha256, the hashes."""

    source: str
    salt: str
    sha256: str
    digests: Sequence[str]


def import_foreign(session: Session, given: ForeignList, *, actor: Actor, at: datetime) -> list[Match]:
    """Enter another region's hashes and give what both used; from then on such an invoice is refused (`invoice_used`).

    The same file again changes nothing and gives the same list. Refused: what is no list of sha256 (`file_refused`).
    """
    if not all(len(each) == _DIGEST and set(each) <= set("0123456789abcdef") for each in given.digests):
        raise Refusal(Code.FILE_REFUSED, reason="unreadable")
    before = select(ExchangeFile.id).where(
        ExchangeFile.source == given.source, ExchangeFile.sha256 == given.sha256
    )
    if session.scalars(before).first() is None:
        row = ExchangeFile(
            source=given.source,
            salt=given.salt,
            sha256=given.sha256,
            rows=len(given.digests),
            imported_by=actor.person_id,
            imported_at=at,
        )
        session.add(row)
        session.flush()
        rows = [(digest, given.source, row.id) for digest in sorted(set(given.digests))]
        if rows:
            insert_missing(session, Rows(ForeignUse, ("digest", "source", "file_id"), rows))
        facts: dict[str, Fact] = {"rows": len(rows), "sha256": given.sha256}
        journal.record(session, actor, "register.import_invoices", [(f"region:{given.source}", facts)], at=at)
    return _matches(session, given, actor)


def _matches(session: Session, given: ForeignList, actor: Actor) -> list[Match]:
    theirs = set(given.digests)
    query = (
        select(Claim.number, Invoice.key)
        .join(InvoiceUse, InvoiceUse.claim_id == Claim.id)
        .join(Invoice, Invoice.id == InvoiceUse.invoice_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(InvoiceUse.released_at.is_(None), Claim.book_id.in_(actor.book_ids))
        .order_by(Claim.number, Invoice.key)
    )
    return [
        Match(number, key, given.source)
        for number, key in session.execute(query)
        if salted(given.salt, key) in theirs
    ]
