"""What the business register says of organisations: who controls them, where they belong, how they are reached.

Numbers of persons are kept as keyed hashes only: equal ones can be found, and nothing can be read (domain 4, row 2).
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from voucher.codes import normalise_uscc
from voucher.errors import Code, Fact, Refusal
from voucher.ledger.bulk import Rows, insert_missing
from voucher.models.checks import PartyDirector, PartyMark
from voucher.models.parties import Affiliation, Holder, Organisation, Platform
from voucher.models.vouchers import Voucher
from voucher.operations import journal
from voucher.operations.outcome import Refused, refused
from voucher.operations.regions import paths_of
from voucher.rules.permissions import Actor, covers_region
from voucher.terms import AffiliationKind, PartyMarkKind

_HASHED: Final = frozenset({PartyMarkKind.PHONE, PartyMarkKind.CONTACT, PartyMarkKind.AGENT_PHONE})
_MARK: Final = ("organisation_id", "kind", "value", "source", "noted_at")
_DIRECTOR: Final = ("organisation_id", "person_key", "source", "noted_at")
_TIE: Final = ("first_id", "second_id", "kind", "source", "share_bp")
_NOISE: Final = re.compile(r"[\s\-_,，.。·()（）#＃号室]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryRow:
    """One organisation as the register has it; what is empty is not changed. `share_bp` of the shareholder's holding.

    `director_ids` is the whole board: whoever it no longer names is a director no more.
    `orders_a_day` is what the declared staff and machines of each of its platforms can do in one day.
    """

    uscc: str
    source: str
    parent_uscc: str = ""
    shareholder_uscc: str = ""
    share_bp: int | None = None
    controller_id: str = ""
    legal_rep_id: str = ""
    director_ids: Sequence[str] = ()
    phone: str = ""
    contact: str = ""
    email: str = ""
    address: str = ""
    agent_phone: str = ""
    orders_a_day: int | None = None


def note_registry(
    session: Session, rows: Sequence[RegistryRow], *, key: bytes, actor: Actor, at: datetime
) -> list[int | Refused]:
    """Note what the register says; gives the organisations' ids. A branch draws on its legal person's cap from then on.

    Refused, alone: an organisation, parent or shareholder that is not there, or outside the actor's regions
    (`not_found`), a branch that had a voucher before, or a circle of parents (`branch_too_late`).
    """
    usccs = {
        normalise_uscc(name) for row in rows for name in (row.uscc, row.parent_uscc, row.shareholder_uscc)
    }
    found = session.scalars(select(Organisation).where(Organisation.uscc.in_(usccs - {""})))
    known = {each.uscc: each for each in found}
    paths = paths_of(session, {each.region_code for each in known.values()})
    answers: list[int | Refused] = []
    notes: list[tuple[str, dict[str, Fact]]] = []
    for row in rows:
        try:
            owner = _known(known, row.uscc)
            if not covers_region(actor, paths[owner.region_code]):
                raise Refusal(Code.NOT_FOUND, uscc=owner.uscc)
            _note(session, owner, row, _Register(known, key, at))
        except Refusal as refusal:
            answers.append(refused(refusal))
            continue
        answers.append(owner.id)
        notes.append((f"organisation:{owner.id}", {"source": row.source, "parent": owner.parent_id}))
    session.flush()
    journal.record(session, actor, "organisation.note_registry", notes, at=at)
    return answers


def keyed(key: bytes, value: str) -> str:
    """The keyed hash of a person's number, telephone or name, whatever way it is written."""
    return hmac.new(key, _plain(value).encode(), "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class _Register:
    """The organisations that rows name, the key of the hashes, and when it is noted."""

    known: dict[str, Organisation]
    key: bytes
    at: datetime


def _note(session: Session, owner: Organisation, row: RegistryRow, register: _Register) -> None:
    known, key, at = register.known, register.key, register.at
    if row.parent_uscc:
        _make_branch(session, owner, _known(known, row.parent_uscc))
    if row.shareholder_uscc:
        _tie(session, owner, _known(known, row.shareholder_uscc), row)
    if row.orders_a_day is not None:
        session.execute(
            update(Platform).where(Platform.organisation_id == owner.id).values(orders_a_day=row.orders_a_day)
        )
    if row.controller_id:
        owner.controller_key = keyed(key, row.controller_id)
    if row.legal_rep_id:
        owner.legal_rep_key = keyed(key, row.legal_rep_id)
    _seat(session, owner, row, register)
    given = {
        PartyMarkKind.PHONE: row.phone,
        PartyMarkKind.CONTACT: row.contact,
        PartyMarkKind.AGENT_PHONE: row.agent_phone,
        PartyMarkKind.EMAIL_DOMAIN: row.email.rpartition("@")[2],
        PartyMarkKind.ADDRESS: row.address,
    }
    marks = [
        (owner.id, kind.value, keyed(key, value) if kind in _HASHED else _plain(value)[:120], row.source, at)
        for kind, value in given.items()
        if _plain(value)
    ]
    if marks:
        insert_missing(session, Rows(PartyMark, _MARK, marks))


def _seat(session: Session, owner: Organisation, row: RegistryRow, register: _Register) -> None:
    """The board as the register has it now, in place of the one noted before."""
    persons = sorted({keyed(register.key, each) for each in row.director_ids if _plain(each)})
    if not persons:
        return
    session.execute(delete(PartyDirector).where(PartyDirector.organisation_id == owner.id))
    board = [(owner.id, person, row.source, register.at) for person in persons]
    insert_missing(session, Rows(PartyDirector, _DIRECTOR, board))


def _make_branch(session: Session, owner: Organisation, parent: Organisation) -> None:
    if owner.parent_id == parent.id:
        return
    if parent.id == owner.id or parent.parent_id == owner.id:
        raise Refusal(Code.BRANCH_TOO_LATE)
    query = (
        select(Holder)
        .where(Holder.organisation_id.in_([owner.id, parent.id]))
        .order_by(Holder.id)
        .with_for_update()
    )
    holders = {each.organisation_id: each for each in session.scalars(query)}
    own = holders.get(owner.id)
    if own is not None:
        issued = session.scalars(select(Voucher.id).where(Voucher.holder_id == own.id).limit(1)).first()
        if issued is not None:
            raise Refusal(Code.BRANCH_TOO_LATE)
        above = holders.get(parent.id)
        own.cap_ref = above.cap_owner if above is not None else parent.uscc
    owner.parent_id = parent.id


def _tie(session: Session, owner: Organisation, shareholder: Organisation, row: RegistryRow) -> None:
    if owner.id == shareholder.id:
        raise Refusal(Code.AFFILIATED, relation="same_party")
    pair = (min(owner.id, shareholder.id), max(owner.id, shareholder.id))
    query = select(Affiliation).where(
        Affiliation.first_id == pair[0],
        Affiliation.second_id == pair[1],
        Affiliation.kind == AffiliationKind.SHAREHOLDING.value,
    )
    before = session.scalars(query).one_or_none()
    if before is not None:
        before.share_bp, before.source = row.share_bp, row.source
        return
    kind = AffiliationKind.SHAREHOLDING.value
    insert_missing(session, Rows(Affiliation, _TIE, [(*pair, kind, row.source, row.share_bp)]))


def _known(known: dict[str, Organisation], written: str) -> Organisation:
    uscc = normalise_uscc(written)
    if uscc not in known:
        raise Refusal(Code.NOT_FOUND, uscc=uscc[:32])
    return known[uscc]


def _plain(value: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", value)).upper()
