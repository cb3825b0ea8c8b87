"""Signing in: passwords, the lockout that holds over several workers, and the tokens of machines.

A sign-in goes in three steps, so that the slow hash is computed while no lock is held: `presented` reads what is
kept (read session), `password_matches` compares (no session), `sign_in` decides and writes (transaction). A failure
is a *returned* outcome: the entry point commits it, then shows it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Final, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from voucher.errors import Code
from voucher.models.people import ApiToken, Person, SignInFailure
from voucher.operations.journal import record
from voucher.operations.outcome import Refused
from voucher.rules.permissions import Actor, person_ref

Profile = Literal["full", "test"]

WINDOW: Final = timedelta(minutes=15)
TRIES_PER_LOGIN: Final = 5
TRIES_PER_SOURCE: Final = 50
TOKEN_LIFE: Final = timedelta(hours=12)
LONGEST_LOGIN: Final = 40


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in as asked for, and whether the password was found right against the hash read before.

    `session_version` is the one read with that hash: a password changed in between makes the attempt fail.
    """

    login: str
    source: str
    matches: bool
    session_version: int | None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and the session version that their session is bound to."""

    person_id: int
    session_version: int


@dataclass(frozen=True, slots=True)
class Presented:
    """What is kept of a login: nothing at all for an unknown one."""

    password_hash: str | None = None
    session_version: int | None = None


def hash_password(password: str, *, profile: Profile) -> str:
    """The argon2id hash that is kept of a password. Slow on purpose: call it outside any transaction."""
    return _hasher(profile).hash(password)


def password_matches(password: str, kept: str | None, *, profile: Profile) -> bool:
    """Whether the password is the one whose hash is kept; without one, as slow, and False."""
    try:
        _hasher(profile).verify(kept or _nobodys_hash(profile), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def presented(session: Session, login: str) -> Presented:
    """What is kept of a login, for comparing outside the session. Disabled people have nothing."""
    row = session.execute(
        select(Person.password_hash, Person.session_version).where(
            Person.login == login, Person.disabled_at.is_(None)
        )
    ).one_or_none()
    return Presented(row.password_hash, row.session_version) if row else Presented()


def sign_in(session: Session, attempt: Attempt, *, at: datetime) -> SignedIn | Refused:
    """Decide an attempt and write it down.

    Returned, to be committed: `locked_out` (fact `minutes`) after 5 failures of a login or 50 from one
    address within 15 minutes, also with the right password; `sign_in_failed`. Attempts on one login queue on its
    row, so that many at once cannot guess more often than one after the other.
    """
    person = session.scalars(
        select(Person)
        .where(Person.login == attempt.login, Person.disabled_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    until = _locked_until(session, attempt, at)
    if until is not None:
        return Refused(Code.LOCKED_OUT, {"minutes": -((at - until) // timedelta(minutes=1))})
    if person is None or not attempt.matches or person.session_version != attempt.session_version:
        session.add(
            SignInFailure(login=attempt.login[:LONGEST_LOGIN], source=attempt.source[:64], failed_at=at)
        )
        return Refused(Code.SIGN_IN_FAILED)
    session.execute(delete(SignInFailure).where(SignInFailure.login == attempt.login))
    session.execute(delete(SignInFailure).where(SignInFailure.failed_at < at - 2 * WINDOW))
    actor = Actor(person.id, person_ref(person.id), person.name, frozenset(), source=attempt.source)
    record(session, actor, "account.sign_in", [(actor.ref, {})], at=at)
    return SignedIn(person.id, person.session_version)


def issue_token(session: Session, signed_in: SignedIn, *, at: datetime) -> tuple[str, datetime]:
    """A bearer token for whoever just signed in, and when it ends; only its sha256 is kept.

    It ends too as soon as the person's session version is raised.
    """
    token = secrets.token_urlsafe(32)
    ends = at + TOKEN_LIFE
    session.add(
        ApiToken(
            person_id=signed_in.person_id,
            token_hash=token_hash(token),
            session_version=signed_in.session_version,
            created_at=at,
            expires_at=ends,
        )
    )
    return token, ends


def token_hash(token: str) -> str:
    """What is kept of a token: a machine's, or a counter device's."""
    return sha256(token.encode()).hexdigest()


def _locked_until(session: Session, attempt: Attempt, at: datetime) -> datetime | None:
    """When the next try is allowed, if login or address has used up its tries."""
    since = at - WINDOW
    ends = []
    for column, value, allowed in (
        (SignInFailure.login, attempt.login, TRIES_PER_LOGIN),
        (SignInFailure.source, attempt.source, TRIES_PER_SOURCE),
    ):
        count, first = session.execute(
            select(func.count(), func.min(SignInFailure.failed_at)).where(
                column == value, SignInFailure.failed_at > since
            )
        ).one()
        if count >= allowed:
            ends.append(first + WINDOW)
    return max(ends, default=None)


@cache
def _hasher(profile: Profile) -> PasswordHasher:
    if profile == "test":
        return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return PasswordHasher()


@cache
def _nobodys_hash(profile: Profile) -> str:
    """A hash that an unknown login is compared with, so that it takes as long as a known one."""
    return _hasher(profile).hash(secrets.token_urlsafe(32))
