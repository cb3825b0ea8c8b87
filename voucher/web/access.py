"""Who is asking, and may they: sessions bound to a session version, permissions, and proof of the password.

Every view says `@permits("scope:resource:action")` or `@public`; a guard walks all routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.orm import Session

from voucher.clock import business_date, wall_now
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.authenticate import SignedIn, token_hash
from voucher.operations.devices import IDLE, AtCounter
from voucher.queries.colleagues import device_at
from voucher.queries.people import Standing, standing_of
from voucher.rules.permissions import PERMISSIONS, Actor, permitted

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)

LONGEST_SESSION: Final = 12 * 3600
_PROVED: Final = "proved_at"
_BEGAN: Final = "began_at"
_DEVICE: Final = "counter_device"
_SEEN: Final = "counter_seen_at"
DEVICE_COOKIE: Final = "voucher_device"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is signed in, as Flask-Login wants it."""

    standing: Standing
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What the session keeps: person and session version."""
        return f"{self.standing.actor.person_id}.{self.standing.session_version}"


def register(app: Flask) -> None:
    """Load the visitor of each request from its session."""
    manager = LoginManager()
    manager.session_protection = None
    manager.user_loader(_visitor)
    manager.init_app(app)


def permits(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be used by those whose role carries the permission.

    A visitor who is not signed in is sent to the sign-in page and back; a request of a script gets 401. Others
    are refused with `not_permitted`. KeyError at import for a permission that is not in the table.
    """
    _ = PERMISSIONS[permission]

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_user.is_authenticated:
                return cast(R, _to_sign_in())
            if not permitted(current_actor(), permission):
                raise Refusal(Code.NOT_PERMITTED)
            g.acting_for = (permission,)
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that anybody may use."""
    view.public = True  # type: ignore[attr-defined]
    return view


def current_standing() -> Standing | None:
    """Whoever is signed in, with the roles as they are shown; None for a visitor."""
    return current_user.standing if current_user.is_authenticated else None


def current_actor() -> Actor:
    """Whoever acts in this request, with the regions, books and platforms of the roles that the view permits.

    Refused (`not_signed_in`) for a visitor.
    """
    standing = current_standing()
    if standing is None:
        raise Refusal(Code.NOT_SIGNED_IN)
    return standing.acting_for(g.acting_for) if "acting_for" in g else standing.actor


def begin_session(signed_in: SignedIn, *, proved_at: int | None = None) -> None:
    """Start a session of somebody who just proved the password; nothing of the one before is kept.

    `proved_at`: when the password was proved, for somebody who did so earlier (`proved_at()`).
    """
    database: Database = current_app.extensions["voucher_database"]
    session.clear()
    session.permanent = True
    session[_BEGAN] = session[_PROVED] = _seconds()
    if proved_at is not None:
        session[_PROVED] = proved_at
    with database.read() as reading:
        standing = standing_of(reading, signed_in.person_id, on=business_date(wall_now()), source=source())
    if standing is None or standing.session_version != signed_in.session_version:
        raise Refusal(Code.NOT_SIGNED_IN)
    login_user(Visitor(standing))


def begin_counter_session(entered: AtCounter) -> None:
    """Start a session of somebody who entered their PIN on this device: counter work, and no proof of a password."""
    begin_session(entered.signed_in)
    session[_DEVICE], session[_SEEN], session[_PROVED] = entered.device_id, _seconds(), 0


def end_session() -> None:
    """Sign out of this session."""
    logout_user()
    session.clear()


def proved() -> None:
    """Note that the password was just proved again."""
    session[_PROVED] = _seconds()


def proved_at() -> int:
    """When the password of this session was proved last, in seconds of the epoch; 0 where it never was."""
    return int(session.get(_PROVED, 0))


def stepped_up(minutes: int = 10) -> bool:
    """Whether the password was proved within the last minutes."""
    return 0 <= _seconds() - int(session.get(_PROVED, 0)) < minutes * 60


def require_step_up(minutes: int = 10) -> None:
    """Refuse (`step_up_required`) unless the password was proved within the last minutes.

    The answer is the page that asks for the password and comes back here.
    """
    if not stepped_up(minutes):
        raise Refusal(Code.STEP_UP_REQUIRED)


def source() -> str:
    """The address that a request came from, as journal and lockout keep it."""
    return (request.remote_addr or "")[:64]


def safe_path(target: str | None) -> str | None:
    """A path on this site to go on to; None for anything that a browser could read as another site."""
    if not target or len(target) > 2000 or not target.isprintable() or "\\" in target:
        return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return None
    return target


def came_from() -> str | None:
    """Where to come back to: this page, or for a form the page that it stood on, if that is ours."""
    if request.method in ("GET", "HEAD"):
        return safe_path(request.full_path.rstrip("?"))
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc != request.host:
        return None
    return safe_path(referrer.path + (f"?{referrer.query}" if referrer.query else ""))


def _to_sign_in() -> ResponseReturnValue:
    if request.accept_mimetypes.best == "application/json":
        abort(401)
    page = "counter_device.page" if DEVICE_COOKIE in request.cookies else "account.sign_in"
    return redirect(url_for(page, next=came_from()))


def _visitor(kept: str) -> Visitor | None:
    """The visitor of a session, unless it is too old, or the session version moved on."""
    person_id, _, version = kept.partition(".")
    if (
        not (person_id.isdecimal() and version.isdecimal())
        or _seconds() - int(session.get(_BEGAN, 0)) > LONGEST_SESSION
    ):
        return None
    database: Database = current_app.extensions["voucher_database"]
    with database.read() as reading:
        standing = standing_of(reading, int(person_id), on=business_date(wall_now()), source=source())
        if standing is not None and _DEVICE in session:
            standing = _at_counter(reading, standing)
    if standing is None or standing.session_version != int(version):
        return None
    g.actor_ref = standing.actor.ref
    return Visitor(standing)


def _at_counter(reading: Session, standing: Standing) -> Standing | None:
    """The standing of a counter session: on its own device, not ended, and not idle for five minutes.

    What a page fetches by itself is no sign of a person, so it does not count.
    """
    device = device_at(reading, token_hash(request.cookies.get(DEVICE_COOKIE, "")))
    idle = _seconds() - int(session.get(_SEEN, 0)) > IDLE.total_seconds()
    if device is None or device[0] != session[_DEVICE] or idle:
        return None
    if "text/html" in request.headers.get("Accept", ""):
        session[_SEEN] = _seconds()
    return standing.at_counter(device[1])


def _seconds() -> int:
    return int(wall_now().timestamp())
