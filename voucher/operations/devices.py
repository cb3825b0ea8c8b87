"""Counter devices: a browser at a platform's counter, and the PIN with which its people take turns on it.

The PIN says who acts, on a device that the platform registered; alone it opens nothing. Five wrong tries in a row end
it until its owner sets a new one with their password, over all workers.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from voucher.clock import business_date
from voucher.errors import Code, Fact, Refusal
from voucher.models.joining import CounterDevice, CounterPin
from voucher.models.parties import Platform
from voucher.models.people import ApiToken, Person, RoleGrant
from voucher.operations.authenticate import SignedIn, token_hash
from voucher.operations.issue_codes import valid
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor, person_ref
from voucher.terms import Role

IDLE: Final = timedelta(minutes=5)
WRONG_TRIES: Final = 5
_PIN: Final = re.compile(r"[0-9]{6}", re.ASCII)
_ROW: Final = "01234567890123456789"
_STAFF: Final = (Role.PROVIDER_SCANNER.value, Role.PROVIDER_MANAGER.value)


@dataclass(frozen=True, slots=True)
class Registered:
    """A device, and its token: shown once, kept by the browser, here only as a hash."""

    device_id: int
    token: str


@dataclass(frozen=True, slots=True)
class PinAttempt:
    """Somebody at a device: the device's token, the person, whether the PIN matched the hash that was read.

    `set_at` is when that PIN was set: one set anew in between makes the attempt fail.
    """

    token: str
    person_id: int
    matches: bool
    set_at: datetime | None
    source: str


@dataclass(frozen=True, slots=True)
class PresentedPin:
    """What is kept of a person's PIN: nothing for somebody without one."""

    pin_hash: str | None = None
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AtCounter:
    """Who is at the counter now, on which device of which platform."""

    signed_in: SignedIn
    device_id: int
    platform_id: int


def register_device(
    session: Session, platform_id: int, name: str, *, actor: Actor, at: datetime
) -> Registered:
    """Make a browser a counter device of one of the actor's platforms. Refused: another's platform (`not_found`)."""
    if platform_id not in actor.platform_ids:
        raise Refusal(Code.NOT_FOUND, platform=platform_id)
    token = secrets.token_urlsafe(32)
    row = CounterDevice(
        platform_id=platform_id,
        name=name,
        token_hash=token_hash(token),
        registered_by=actor.person_id,
        registered_at=at,
    )
    session.add(row)
    session.flush()
    record(session, actor, "device.register", [(f"platform:{platform_id}", {"device": row.id})], at=at)
    return Registered(row.id, token)


def revoke_devices(
    session: Session, device_ids: Sequence[int], *, actor: Actor, at: datetime
) -> list[int | Refused]:
    """End devices at once: nobody can act on them any more, and the platform's counter tokens end. Refused one by one: another's (`not_found`)."""
    answers: list[int | Refused] = []
    for device_id in device_ids:
        row = session.scalars(
            select(CounterDevice).where(CounterDevice.id == device_id).with_for_update()
        ).one_or_none()
        if row is None or row.platform_id not in actor.platform_ids:
            answers.append(Refused(Code.NOT_FOUND, {"device": device_id}))
            continue
        row.revoked_at = row.revoked_at or at
        session.execute(delete(ApiToken).where(ApiToken.platform_id == row.platform_id))
        facts: dict[str, Fact] = {"device": row.id}
        record(session, actor, "device.revoke", [(f"platform:{row.platform_id}", facts)], at=at)
        answers.append(row.id)
    session.flush()
    return answers


def check_pin(pin: str) -> None:
    """Refuse (`pin_weak`) a PIN that others try first: one digit, two in turn, in a row, twice the same three, a date."""
    trivial = (
        _PIN.fullmatch(pin) is None
        or len(set(pin)) < 3
        or pin in _ROW
        or pin[::-1] in _ROW
        or pin[:3] == pin[3:]
        or pin[:3] == pin[:2:-1]
        or any(_is_day(part) for part in (pin, f"20{pin}", f"19{pin}"))
    )
    if trivial:
        raise Refusal(Code.PIN_WEAK)


def set_pin(session: Session, pin_hash: str, *, actor: Actor, at: datetime) -> None:
    """Keep the hash of the actor's own PIN, in place of the one before; wrong tries begin anew."""
    row = session.get(CounterPin, actor.person_id, with_for_update=True)
    if row is None:
        session.add(CounterPin(person_id=actor.person_id, pin_hash=pin_hash, set_at=at))
    else:
        row.pin_hash, row.set_at, row.wrong_tries = pin_hash, at, 0
    record(session, actor, "person.set_pin", [(actor.ref, {})], at=at)
    session.flush()


def presented_pin(session: Session, person_id: int) -> PresentedPin:
    """What is kept of somebody's PIN, for comparing outside the session."""
    row = session.get(CounterPin, person_id)
    return PresentedPin(row.pin_hash, row.set_at) if row else PresentedPin()


def enter_pin(session: Session, attempt: PinAttempt, *, at: datetime) -> AtCounter | Refused:
    """Decide who is at the counter, and write it down.

    Returned, to be committed: `pin_wrong` (fact `left`), also for somebody who has no PIN or does not work at the
    device's platform; `pin_ended` after five wrong ones in a row. Refused by exception: a device that is not registered
    or ended (`not_found`).
    """
    device = session.scalars(
        select(CounterDevice).where(
            CounterDevice.token_hash == token_hash(attempt.token), CounterDevice.revoked_at.is_(None)
        )
    ).one_or_none()
    if device is None:
        raise Refusal(Code.NOT_FOUND)
    pin = session.get(CounterPin, attempt.person_id, with_for_update=True, populate_existing=True)
    version = _staff(session, attempt.person_id, device.platform_id, on=business_date(at))
    if pin is None or version is None:
        return Refused(Code.PIN_WRONG)
    if pin.wrong_tries >= WRONG_TRIES:
        return Refused(Code.PIN_ENDED)
    if not attempt.matches or pin.set_at != attempt.set_at:
        pin.wrong_tries += 1
        session.flush()
        return Refused(Code.PIN_WRONG, {"left": WRONG_TRIES - pin.wrong_tries})
    pin.wrong_tries = 0
    device.last_used_at = at
    ref = person_ref(attempt.person_id)
    actor = Actor(attempt.person_id, ref, "", frozenset(), source=attempt.source)
    record(session, actor, "device.enter", [(f"platform:{device.platform_id}", {"device": device.id})], at=at)
    session.flush()
    return AtCounter(SignedIn(attempt.person_id, version), device.id, device.platform_id)


def issue_counter_token(session: Session, entered: AtCounter, *, at: datetime) -> tuple[str, datetime]:
    """A bearer token for the counter work of whoever just entered their PIN; it ends after five minutes."""
    token, ends = secrets.token_urlsafe(32), at + IDLE
    session.add(
        ApiToken(
            person_id=entered.signed_in.person_id,
            token_hash=token_hash(token),
            session_version=entered.signed_in.session_version,
            created_at=at,
            expires_at=ends,
            platform_id=entered.platform_id,
        )
    )
    session.flush()
    return token, ends


def _staff(session: Session, person_id: int, platform_id: int, *, on: date) -> int | None:
    """The session version of somebody who works at a platform, by a role for it or for its host; None for others."""
    host = select(Platform.organisation_id).where(Platform.id == platform_id).scalar_subquery()
    here = (RoleGrant.platform_id == platform_id) | (
        RoleGrant.platform_id.is_(None) & (RoleGrant.organisation_id == host)
    )
    query = (
        select(Person.session_version)
        .join(RoleGrant, RoleGrant.person_id == Person.id)
        .where(
            Person.id == person_id,
            Person.disabled_at.is_(None),
            RoleGrant.role.in_(_STAFF),
            RoleGrant.from_on <= on,
            valid(on),
            here,
        )
    )
    return session.scalars(query.limit(1)).first()


def _is_day(digits: str) -> bool:
    try:
        if len(digits) == 6:
            date(int(digits[:4]), int(digits[4:]), 1)
        else:
            date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1930 <= int(digits[:4]) <= 2030
