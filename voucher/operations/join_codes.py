"""One-time codes: twelve digits that let somebody act for an organisation, once (issue 3, item 1).

The first four digits say which code is meant, the last eight are the secret: a stranger who knows the organisation's
public number cannot end a code by trying, for a wrong try counts against the code that it names. Only a keyed hash
is kept; whoever reads the database can use none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from voucher.errors import Code, Fact, Refusal
from voucher.models.joining import JoinCode
from voucher.models.parties import Organisation
from voucher.models.people import SignInFailure
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor
from voucher.terms import CodePurpose, Role

LETTER_LIFE: Final = timedelta(days=30)
MESSAGE_LIFE: Final = timedelta(days=7)
HAND_LIFE: Final = timedelta(hours=48)
DESK_LIFE: Final = timedelta(minutes=30)
WRONG_TRIES: Final = 5
WINDOW: Final = timedelta(minutes=15)
TRIES_PER_SOURCE: Final = 20
MOST_LIVE: Final = 200
"""Codes of one organisation that can be used at a time: the more there are, the easier one is guessed."""
_SELECTOR: Final = 4
_DIGITS: Final = 12
_LOGIN: Final = "join:"
"""What wrong tries are counted under; no login holds a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequest:
    """A code for an organisation: what it is for, and how long it lives."""

    organisation_id: int
    purpose: CodePurpose
    life: timedelta
    role: Role | None = None
    platform_id: int | None = None
    authorisation_id: int | None = None
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class MadeCode:
    """A fresh code. `digits` are shown once and kept nowhere."""

    code_id: int
    organisation_id: int
    digits: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Presentation:
    """A code as somebody gives it: the organisation's normalised number, the digits, from which address."""

    ref: str
    digits: str
    source: str


def join_key(secret_key: str) -> bytes:
    """The key of the hashes, derived from the installation's secret; a new secret ends all codes."""
    return hmac.digest(secret_key.encode(), b"join-code", hashlib.sha256)


def sealed(key: bytes, ref: str, digits: str) -> str:
    """The digits as they wait to be sent with the message of this id: nobody reads them there without the key."""
    return f"{(int(digits) + _pad(key, ref)) % 10**_DIGITS:0{_DIGITS}d}"


def unsealed(key: bytes, ref: str, waiting: str) -> str:
    """The digits that `sealed` made unreadable."""
    return f"{(int(waiting) - _pad(key, ref)) % 10**_DIGITS:0{_DIGITS}d}"


def _pad(key: bytes, ref: str) -> int:
    return int.from_bytes(hmac.digest(key, f"SEAL1|{ref}".encode(), hashlib.sha256)) % 10**_DIGITS


def make_codes(
    session: Session, requests: Sequence[CodeRequest], *, key: bytes, actor: Actor, at: datetime
) -> list[MadeCode]:
    """Make codes. One for the same thing (account, authorisation, person) from before ends at once, and so do the
    oldest of an organisation that has more than `MOST_LIVE`.

    The caller has checked that the actor may. Organisations are locked in id order. Nothing is refused.
    """
    ids = sorted({request.organisation_id for request in requests})
    session.execute(
        select(Organisation.id)
        .where(Organisation.id.in_(ids))
        .order_by(Organisation.id)
        .with_for_update(key_share=True)
    )
    _end_expired(session, ids, at)
    taken = _selectors(session, ids)
    made: list[MadeCode] = []
    for request in requests:
        _end_earlier(session, request, at)
        _end_oldest(session, request.organisation_id, at)
        digits = _digits(taken.setdefault(request.organisation_id, set()))
        row = JoinCode(
            organisation_id=request.organisation_id,
            purpose=request.purpose.value,
            selector=digits[:_SELECTOR],
            code_hash=_hash(key, request.organisation_id, digits),
            role=request.role.value if request.role else None,
            platform_id=request.platform_id,
            authorisation_id=request.authorisation_id,
            person_id=request.person_id,
            issued_by=actor.person_id,
            issued_at=at,
            expires_at=at + request.life,
        )
        session.add(row)
        session.flush()
        made.append(MadeCode(row.id, request.organisation_id, digits, row.expires_at))
    facts: list[tuple[str, dict[str, Fact]]] = [
        (f"organisation:{request.organisation_id}", {"code": code.code_id, "purpose": request.purpose.value})
        for request, code in zip(requests, made, strict=True)
    ]
    record(session, actor, "join.issue_code", facts, at=at)
    return made


def present(
    session: Session, given: Presentation, purposes: Collection[CodePurpose], *, key: bytes, at: datetime
) -> JoinCode | Refused:
    """The code that was given, locked and still to be used up with `use`.

    Returned, to be committed: `join_code_wrong` for everything that is not a live code of one of these purposes (the
    fifth wrong try ends a code), `locked_out` (fact `minutes`) after 20 wrong ones from an address in 15 minutes.
    """
    until = _locked_until(session, given.source, at)
    if until is not None:
        return Refused(Code.LOCKED_OUT, {"minutes": _minutes(until, at)})
    row = session.scalars(
        select(JoinCode)
        .join(Organisation, Organisation.id == JoinCode.organisation_id)
        .where(
            Organisation.uscc == given.ref,
            JoinCode.selector == given.digits[:_SELECTOR],
            JoinCode.ended_at.is_(None),
            JoinCode.purpose.in_([purpose.value for purpose in purposes]),
        )
        .with_for_update(of=JoinCode)
        .execution_options(populate_existing=True)
    ).one_or_none()
    expected = row.code_hash if row else _hash(key, 0, given.digits)
    said = _hash(key, row.organisation_id if row else -1, given.digits)
    if hmac.compare_digest(expected, said) and row is not None and at < row.expires_at:
        return row
    if row is not None:
        row.wrong_tries += 1
        row.ended_at = at if row.wrong_tries >= WRONG_TRIES else None
    session.add(SignInFailure(login=_LOGIN, source=given.source[:64], failed_at=at))
    return Refused(Code.JOIN_CODE_WRONG)


def refuse_locked_out(session: Session, source: str, *, at: datetime) -> None:
    """Refuse (`locked_out`) an address that has used up its tries.

    For the entry point, before it computes the slow hash of a password: nobody makes the server work for codes that
    are not looked at any more. `present` decides.
    """
    until = _locked_until(session, source, at)
    if until is not None:
        raise Refusal(Code.LOCKED_OUT, minutes=_minutes(until, at))


def use(row: JoinCode, person_id: int, *, at: datetime) -> None:
    """Use a presented code up."""
    row.ended_at, row.used_by = at, person_id


def end_codes(session: Session, organisation_id: int, *, authorisation_id: int, at: datetime) -> None:
    """End the codes of an authorisation that is over."""
    session.execute(
        update(JoinCode)
        .where(
            JoinCode.organisation_id == organisation_id,
            JoinCode.authorisation_id == authorisation_id,
            JoinCode.ended_at.is_(None),
        )
        .values(ended_at=at)
    )


def end_codes_about(
    session: Session, person_ids: Collection[int], *, made_for: Collection[int] = (), at: datetime
) -> None:
    """End the codes that would reset the passwords of these people, and those that they made for these organisations.

    What somebody does changes with every role: nobody holds a key to it who was to have one only before.
    """
    made = JoinCode.issued_by.in_(person_ids) & JoinCode.organisation_id.in_(made_for)
    meant = or_(JoinCode.person_id.in_(person_ids), made)
    session.execute(update(JoinCode).where(meant, JoinCode.ended_at.is_(None)).values(ended_at=at))


def _locked_until(session: Session, source: str, at: datetime) -> datetime | None:
    count, first = session.execute(
        select(func.count(), func.min(SignInFailure.failed_at)).where(
            SignInFailure.login == _LOGIN,
            SignInFailure.source == source[:64],
            SignInFailure.failed_at > at - WINDOW,
        )
    ).one()
    return first + WINDOW if count >= TRIES_PER_SOURCE else None


def _minutes(until: datetime, at: datetime) -> int:
    return -((at - until) // timedelta(minutes=1))


def _end_expired(session: Session, organisation_ids: Sequence[int], at: datetime) -> None:
    session.execute(
        update(JoinCode)
        .where(
            JoinCode.organisation_id.in_(organisation_ids),
            JoinCode.ended_at.is_(None),
            JoinCode.expires_at <= at,
        )
        .values(ended_at=at)
    )


def _end_earlier(session: Session, request: CodeRequest, at: datetime) -> None:
    if request.purpose is CodePurpose.STAFF:
        return
    session.execute(
        update(JoinCode)
        .where(
            JoinCode.organisation_id == request.organisation_id,
            JoinCode.purpose == request.purpose.value,
            JoinCode.authorisation_id.is_not_distinct_from(request.authorisation_id),
            JoinCode.person_id.is_not_distinct_from(request.person_id),
            JoinCode.ended_at.is_(None),
        )
        .values(ended_at=at)
    )


def _end_oldest(session: Session, organisation_id: int, at: datetime) -> None:
    live = (JoinCode.organisation_id == organisation_id) & JoinCode.ended_at.is_(None)
    newest = select(JoinCode.id).where(live).order_by(JoinCode.id.desc()).limit(MOST_LIVE - 1)
    session.execute(update(JoinCode).where(live, JoinCode.id.not_in(newest)).values(ended_at=at))


def _selectors(session: Session, organisation_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    query = select(JoinCode.organisation_id, JoinCode.selector).where(
        JoinCode.organisation_id.in_(organisation_ids), JoinCode.ended_at.is_(None)
    )
    for organisation_id, selector in session.execute(query):
        found.setdefault(organisation_id, set()).add(selector)
    return found


def _digits(taken: set[str]) -> str:
    while True:
        digits = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        if digits[:_SELECTOR] not in taken:
            taken.add(digits[:_SELECTOR])
            return digits


def _hash(key: bytes, organisation_id: int, digits: str) -> str:
    return hmac.new(key, f"JOIN1|{organisation_id}|{digits}".encode(), hashlib.sha256).hexdigest()
