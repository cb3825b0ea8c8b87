"""Telling people: rows for the inbox and the outbox, in the transaction of the deed (domain 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, and_, false, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Fact
from voucher.models.messages import Contact, Message
from voucher.models.parties import Holder, Platform
from voucher.models.people import Person, RoleGrant
from voucher.models.regions import Region
from voucher.terms import MessageChannel, MessageEvent, MessageState, Role

_ENTERPRISE = (Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER)
_PROVIDER = (Role.PROVIDER_SCANNER, Role.PROVIDER_MANAGER)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell, and to whom: persons, an organisation's or holder's people, a platform's, a region's officials.

    `subject` is the number of the thing told of; the facts are what the sentence names (amounts `_fen`, days
    `_on`), never an ID number, telephone or account. The same event about the same subject with the same `once`
    is told a person one time only. `organisation_roles` says which of an organisation's people, `region_roles` which officials whose region covers `region_code`.
    """

    event: MessageEvent
    subject: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    person_ids: tuple[int, ...] = ()
    organisation_id: int | None = None
    platform_id: int | None = None
    region_code: str | None = None
    once: str = ""
    holder_id: int | None = None
    region_roles: tuple[Role, ...] = (Role.REVIEWER,)
    organisation_roles: tuple[Role, ...] = (Role.ENTERPRISE_OPERATOR, Role.ENTERPRISE_APPROVER)


def tell(session: Session, notes: Sequence[Note], *, at: datetime) -> int:
    """Write one message for each recipient and channel they asked for, the inbox always; gives the number written.

    Two statements for any number of notes (three where a region is told). Nobody is told twice: a message that is
    there already is passed over. Nothing is refused; a note that nobody is there to receive writes nothing.
    """
    if not notes:
        return 0
    people = _People(_people(session, notes, on=business_date(at)))
    paths = _paths(session, {note.region_code for note in notes if note.region_code})
    rows = [
        row
        for note in notes
        for person_id, contact in people.meant(note, paths).items()
        for row in _rows(note, person_id, contact, at)
    ]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    if not rows:
        return 0
    statement = dialect.insert(Message).on_conflict_do_nothing().returning(Message.id)
    return len(session.connection().execute(statement, rows).all())


def _people(session: Session, notes: Sequence[Note], *, on: date) -> Sequence[Row[Any]]:
    """Everybody who may be meant: a row for each valid role, and one for each person named directly."""
    platforms = {note.platform_id for note in notes if note.platform_id is not None}
    firms = {note.organisation_id for note in notes if note.organisation_id is not None}
    holders = {note.holder_id for note in notes if note.holder_id is not None}
    officials = {role for note in notes if note.region_code for role in note.region_roles}
    insiders = {role for note in notes if note.organisation_id for role in note.organisation_roles}
    owners = select(Holder.organisation_id).where(Holder.id.in_(holders))
    hosts = select(Platform.organisation_id).where(Platform.id.in_(platforms))
    meant = or_(
        and_(RoleGrant.role.in_(insiders), RoleGrant.organisation_id.in_(firms)) if firms else false(),
        and_(RoleGrant.role.in_(_ENTERPRISE), RoleGrant.organisation_id.in_(owners)) if holders else false(),
        and_(RoleGrant.role.in_(_PROVIDER), RoleGrant.platform_id.in_(platforms)) if platforms else false(),
        and_(RoleGrant.role.in_(_PROVIDER), RoleGrant.organisation_id.in_(hosts)) if platforms else false(),
        and_(RoleGrant.role.in_(officials), RoleGrant.region_code.is_not(None)) if officials else false(),
        Person.id.in_({person_id for note in notes for person_id in note.person_ids}),
    )
    place = and_(
        Platform.organisation_id == RoleGrant.organisation_id,
        RoleGrant.platform_id.is_(None),
        Platform.id.in_(platforms),
    )
    query = (
        select(Person.id, RoleGrant.role, RoleGrant.organisation_id, RoleGrant.region_code)
        .add_columns(
            RoleGrant.platform_id, Platform.id.label("hosted_id"), Holder.id.label("holder_id"), Contact
        )
        .outerjoin(
            RoleGrant,
            and_(
                RoleGrant.person_id == Person.id,
                RoleGrant.from_on <= on,
                or_(RoleGrant.to_on.is_(None), RoleGrant.to_on > on),
            ),
        )
        .outerjoin(Platform.__table__, place)
        .outerjoin(Holder, Holder.organisation_id == RoleGrant.organisation_id)
        .outerjoin(Contact, Contact.person_id == Person.id)
        .where(Person.disabled_at.is_(None), meant)
        .order_by(Person.id)
    )
    return session.execute(query).all()


def _paths(session: Session, codes: set[str]) -> dict[str, str]:
    if not codes:
        return {}
    query = select(Region.code, Region.path).where(Region.code.in_(codes))
    return {row.code: row.path for row in session.execute(query)}


class _People:
    """Everybody who may be meant, found by what a note names: looked through once, however many notes there are."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self._rows = rows
        self._places: dict[tuple[str, int | str | None], list[int]] = {}
        for place, row in enumerate(rows):
            keys: set[tuple[str, int | str | None]] = {("person", row.id)}
            if row.role in _ENTERPRISE:
                keys.add(("holder", row.holder_id))
            if row.role in _PROVIDER:
                keys |= {("platform", row.platform_id), ("platform", row.hosted_id)}
            if row.organisation_id is not None:
                keys.add((f"firm {row.role}", row.organisation_id))
            if row.region_code:
                keys.add((f"region {row.role}", row.region_code))
            for key in keys:
                self._places.setdefault(key, []).append(place)

    def meant(self, note: Note, paths: Mapping[str, str]) -> dict[int, Contact | None]:
        """Whom a note is for, in the order of their ids, and how to reach them."""
        named: list[tuple[str, int | str | None]] = [("person", each) for each in note.person_ids]
        whole = {"holder": note.holder_id, "platform": note.platform_id}
        named += [(kind, key) for kind, key in whole.items() if key is not None]
        if note.organisation_id is not None:
            named += [(f"firm {role.value}", note.organisation_id) for role in note.organisation_roles]
        above = paths.get(note.region_code or "", "").split("/")
        named += [(f"region {role.value}", code) for role in note.region_roles for code in above if code]
        places = {place for key in named for place in self._places.get(key, ())}
        return {self._rows[place].id: self._rows[place].Contact for place in sorted(places)}


def _rows(note: Note, person_id: int, contact: Contact | None, at: datetime) -> Iterator[dict[str, Any]]:
    wanted = [MessageChannel(value) for value in contact.channels] if contact else []
    for channel in (MessageChannel.INBOX, *wanted):
        inside = channel is MessageChannel.INBOX
        yield {
            "ref": uuid4().hex,
            "event": note.event.value,
            "subject": note.subject,
            "once": note.once,
            "person_id": person_id,
            "channel": channel.value,
            "facts": dict(note.facts),
            "state": (MessageState.SENT if inside else MessageState.WAITING).value,
            "told_at": at,
            "next_try_at": None if inside else at,
            "sent_at": at if inside else None,
        }
