"""Which machine is asking, and may it: bearer tokens bound to a session version, and permissions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import current_app, g, request

from voucher.clock import wall_now
from voucher.db import Database
from voucher.errors import Code, Refusal
from voucher.operations.authenticate import token_hash
from voucher.queries.people import Standing, standing_of_token, token_made_at
from voucher.rules.permissions import PERMISSIONS, Actor, permitted

P = ParamSpec("P")
R = TypeVar("R")

_LONGEST_TOKEN: Final = 200
PROOF_LIFE: Final = timedelta(minutes=30)
"""How old a token may be for what asks for a fresh proof of the password (`permissions.PROVED`)."""


def permits(*permissions: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let an endpoint be used by those whose role carries one of the permissions.

    Refused: `not_signed_in` without a valid token, `not_permitted`. KeyError at import for a permission that is not
    in the table.
    """
    _ = [PERMISSIONS[permission] for permission in permissions]

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            allow(*permissions)
            return view(*args, **kwargs)

        guarded.permission = permissions[0]  # type: ignore[attr-defined]
        return guarded

    return guard


def allow(*permissions: str) -> Actor:
    """Whoever asks, if they have one of the permissions. Refused: `not_signed_in`, `not_permitted`."""
    actor = current_actor()
    if not any(permitted(actor, permission) for permission in permissions):
        raise Refusal(Code.NOT_PERMITTED)
    g.acting_for = permissions
    return current_actor()


def prove() -> None:
    """Refuse (`step_up_required`) a token that was not issued within the last half hour.

    A token is given for a password, so a fresh one is the proof that a page asks for.
    """
    database: Database = current_app.extensions["voucher_database"]
    with database.read() as session:
        made_at = token_made_at(session, token_hash(_token()))
    if made_at is None or wall_now() - made_at > PROOF_LIFE:
        raise Refusal(Code.STEP_UP_REQUIRED)


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark an endpoint that anybody may use."""
    view.public = True  # type: ignore[attr-defined]
    return view


def current_actor() -> Actor:
    """Whoever the request's token belongs to, with the regions, books and platforms of the roles it may use here.

    Refused (`not_signed_in`) without a valid one.
    """
    standing = current_standing()
    return standing.acting_for(g.acting_for) if "acting_for" in g else standing.actor


def current_standing() -> Standing:
    """The same, with the roles as they are shown. Read once for each request."""
    if "standing" not in g:
        g.standing = _standing()
        g.actor_ref = g.standing.actor.ref
    standing: Standing = g.standing
    return standing


def source() -> str:
    """The address that a request came from, as journal and lockout keep it."""
    return (request.remote_addr or "")[:64]


def _token() -> str:
    authorization: Any = request.authorization
    token = authorization.token if authorization is not None and authorization.type == "bearer" else None
    if not token or len(token) > _LONGEST_TOKEN:
        raise Refusal(Code.NOT_SIGNED_IN)
    return str(token)


def _standing() -> Standing:
    token = _token()
    database: Database = current_app.extensions["voucher_database"]
    with database.read() as session:
        standing = standing_of_token(session, token_hash(token), at=wall_now(), source=source())
    if standing is None:
        raise Refusal(Code.NOT_SIGNED_IN)
    return standing
