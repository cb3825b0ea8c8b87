"""Invoices as claims use them: each once over all programmes and regions, shared out within its net amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.codes import normalise_uscc
from voucher.errors import Code, Refusal
from voucher.ledger.bulk import is_postgresql
from voucher.models.claims import Claim, Invoice, InvoiceUse
from voucher.models.orders import Order
from voucher.models.parties import Holder
from voucher.money import Fen
from voucher.operations.outcome import Refused
from voucher.rules.invoices import Head, InvoiceError, normalise, recorded
from voucher.rules.permissions import Actor
from voucher.terms import TaxVerdict

_DEAD = (TaxVerdict.RED.value, TaxVerdict.VOID.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenInvoice:
    """An invoice as it is written into a claim; `code` is empty for a fully digital one. `net_fen`: without tax.

    `allocated_fen` is the part that belongs to the claim's order; None: the whole net amount.
    """

    number: str
    code: str = ""
    issued_on: date
    net_fen: Fen
    buyer_uscc: str
    seller_uscc: str
    buyer_name: str = ""
    seller_name: str = ""
    allocated_fen: Fen | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """An invoice of a claim that is not written yet: its key, what it says, and the part asked for, in fen.

    `original` is what was read from the file `original_sha256`, where one was handed in that could be read.
    """

    key: str
    head: Head
    names: tuple[str, str]
    allocated_fen: Fen
    original: Mapping[str, Any] | None = field(default=None, hash=False)
    original_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What one claim wants of invoices; `stacking`: programmes whose claims may share them with this one."""

    claim_id: int
    order_id: int
    programme_code: str
    stacking: tuple[str, ...]
    drafted: tuple[Drafted, ...]


@dataclass(frozen=True, slots=True)
class _Use:
    """A live use: how much, by which claim of which programme; the claim's number where the actor may know it."""

    fen: int
    programme_code: str
    claim_id: int
    claim_number: str


def drafted(given: Sequence[GivenInvoice]) -> tuple[Drafted, ...]:
    """The invoices of a claim under their keys.

    Refused as `invoice_mismatch`: no invoice at all, or one twice (`field` repeated), a number that is none
    (number), a part that is not above zero and within the net amount (amount).
    """
    rows = tuple(_drafted(each) for each in given)
    keys = {row.key for row in rows}
    if not rows or len(keys) != len(rows):
        raise Refusal(Code.INVOICE_MISMATCH, field="repeated" if rows else "number", expected="")
    return rows


def book(session: Session, asks: Sequence[Ask], actor: Actor) -> list[Refused | None]:
    """Judge what claims want of invoices, each claim alone and whole; None: it may be written by `write_uses`.

    The rows of the invoices are made where nobody has used them yet, and stay locked till the end of the
    transaction. Uses of the asking claim itself do not count. Refused: `invoice_void` (red or void by the latest
    tax check), `invoice_mismatch` (`field` recorded_…: another claim that uses it says otherwise), `invoice_used`
    (in a programme that may not be stacked, or nothing left), `invoice_exceeded` (less left than asked for).
    """
    made = _make(session, [each for ask in asks for each in ask.drafted])
    rows = locked(session, [each.key for ask in asks for each in ask.drafted])
    uses = _uses(session, rows, {ask.claim_id for ask in asks}, actor)
    answers: list[Refused | None] = []
    for ask in asks:
        found = next(filter(None, (_judge(ask, each, rows, uses) for each in ask.drafted)), None)
        answers.append(found)
        if found is None:
            for each in ask.drafted:
                if not uses[each.key]:
                    _describe(rows[each.key], each)
                uses[each.key].append(_Use(each.allocated_fen, ask.programme_code, ask.claim_id, ""))
    unused = [row.id for key, row in rows.items() if key in made and not uses[key]]
    if unused:
        session.flush()
        session.execute(delete(Invoice).where(Invoice.id.in_(unused)))
        for row in rows.values():
            if row.id in unused:
                session.expunge(row)
    return answers


def write_uses(session: Session, asks: Sequence[Ask], *, at: datetime) -> None:
    """Write what `book` allowed, in place of what these claims used before. The claims' rows must be there."""
    release(session, [ask.claim_id for ask in asks], at=at)
    keys = {each.key for ask in asks for each in ask.drafted}
    named = session.execute(select(Invoice.key, Invoice.id).where(Invoice.key.in_(keys)))
    ids = {row.key: row.id for row in named}
    values = [
        {
            "invoice_id": ids[each.key],
            "claim_id": ask.claim_id,
            "order_id": ask.order_id,
            "allocated_fen": each.allocated_fen,
        }
        for ask in asks
        for each in ask.drafted
    ]
    if values:
        session.connection().execute(insert(InvoiceUse), values)


def release(session: Session, claim_ids: Sequence[int], *, at: datetime) -> None:
    """Free what these claims used of invoices: it may be used again."""
    session.execute(
        update(InvoiceUse)
        .where(InvoiceUse.claim_id.in_(claim_ids), InvoiceUse.released_at.is_(None))
        .values(released_at=at)
    )


def _judge(
    ask: Ask, wanted: Drafted, rows: Mapping[str, Invoice], uses: Mapping[str, Sequence[_Use]]
) -> Refused | None:
    row, others = rows[wanted.key], uses[wanted.key]
    if row.verdict in _DEAD:
        return Refused(Code.INVOICE_VOID, {"invoice": row.key, "tax_verdict": row.verdict})
    if not others:
        return None
    before = Head(
        issued_on=row.issued_on,
        net_fen=row.net_fen,
        buyer_uscc=row.buyer_uscc,
        seller_uscc=row.seller_uscc,
    )
    finding = recorded(wanted.head, before)
    if finding is not None:
        return Refused(finding[0], {**finding[1], "invoice": row.key})
    taken = sum(use.fen for use in others)
    foreign = [use for use in others if use.programme_code not in (ask.programme_code, *ask.stacking)]
    if foreign or taken >= row.net_fen:
        claim = (foreign or list(others))[0].claim_number
        left = 0 if foreign else max(row.net_fen - taken, 0)
        facts = {"net_fen": row.net_fen, "used_fen": taken, "left_fen": left}
        return Refused(Code.INVOICE_USED, {"invoice": row.key, "claim": claim, **facts})
    if taken + wanted.allocated_fen > row.net_fen:
        facts = {"net_fen": row.net_fen, "used_fen": taken, "left_fen": row.net_fen - taken}
        return Refused(Code.INVOICE_EXCEEDED, {"invoice": row.key, **facts})
    return None


def _make(session: Session, wanted: Sequence[Drafted]) -> set[str]:
    """Rows for the invoices that have none; their keys. On PostgreSQL a rival's uncommitted row is waited for."""
    dialect = postgresql if is_postgresql(session) else sqlite
    ordered = sorted({each.key: each for each in reversed(wanted)}.values(), key=lambda each: each.key)
    values = [
        {
            "key": each.key,
            "issued_on": each.head.issued_on,
            "net_fen": each.head.net_fen,
            "buyer_uscc": each.head.buyer_uscc,
            "seller_uscc": each.head.seller_uscc,
            "buyer_name": "",
            "seller_name": "",
        }
        for each in ordered
    ]
    if not values:
        return set()
    session.flush()
    statement = dialect.insert(Invoice).on_conflict_do_nothing().returning(Invoice.key)
    return set(session.connection().execute(statement, values).scalars())


def locked(session: Session, keys: Sequence[str]) -> dict[str, Invoice]:
    """The invoices of these keys, locked in the order of their keys."""
    query = (
        select(Invoice)
        .where(Invoice.key.in_(set(keys)))
        .order_by(Invoice.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.key: row for row in session.scalars(query)}


def _uses(
    session: Session, rows: Mapping[str, Invoice], own: set[int], actor: Actor
) -> dict[str, list[_Use]]:
    """Who uses these invoices now, besides the asking claims themselves. Read after the rows are locked."""
    found: dict[str, list[_Use]] = {key: [] for key in rows}
    query = (
        select(Invoice.key, InvoiceUse.allocated_fen, InvoiceUse.claim_id, Order.programme_code)
        .add_columns(Claim.number, Holder.organisation_id, Order.platform_id)
        .join(InvoiceUse, InvoiceUse.invoice_id == Invoice.id)
        .join(Claim, Claim.id == InvoiceUse.claim_id)
        .join(Order, Order.id == Claim.order_id)
        .join(Holder, Holder.id == Order.holder_id)
        .where(Invoice.key.in_(rows.keys()), InvoiceUse.released_at.is_(None))
        .order_by(InvoiceUse.id)
    )
    for key, fen, claim_id, programme, number, firm_id, platform_id in session.execute(query):
        if claim_id not in own:
            mine = firm_id in actor.organisation_ids or platform_id in actor.platform_ids
            found[key].append(_Use(fen, programme, claim_id, number if mine else ""))
    return found


def _describe(row: Invoice, wanted: Drafted) -> None:
    """Nobody uses it: it is what this claim says it is. What was looked up counts for what was said then."""
    head = wanted.head
    before = (row.issued_on, row.net_fen, row.buyer_uscc, row.seller_uscc)
    if before != (head.issued_on, head.net_fen, head.buyer_uscc, head.seller_uscc):
        row.verdict = row.checked_on = None
    row.issued_on, row.net_fen = head.issued_on, head.net_fen
    row.buyer_uscc, row.seller_uscc = head.buyer_uscc, head.seller_uscc
    row.buyer_name, row.seller_name = wanted.names
    if wanted.original is not None:
        row.original, row.original_sha256 = dict(wanted.original), wanted.original_sha256


def _drafted(given: GivenInvoice) -> Drafted:
    try:
        key = normalise(given.number, given.code)
    except InvoiceError as unreadable:
        raise Refusal(Code.INVOICE_MISMATCH, field="number", expected="") from unreadable
    head = Head(
        issued_on=given.issued_on,
        net_fen=given.net_fen,
        buyer_uscc=normalise_uscc(given.buyer_uscc),
        seller_uscc=normalise_uscc(given.seller_uscc),
    )
    part = given.net_fen if given.allocated_fen is None else given.allocated_fen
    if not 0 < part <= given.net_fen:
        raise Refusal(Code.INVOICE_MISMATCH, field="amount", expected="")
    return Drafted(key, head, (given.buyer_name, given.seller_name), part)
