"""A machine's way in: a token for a login, and who the token belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_standing, public, source
from voucher.api.endpoint import Endpoints, operation
from voucher.api.entry import database, reading, settings
from voucher.clock import iso
from voucher.errors import Refusal
from voucher.operations.authenticate import Attempt, issue_token, password_matches, presented, sign_in
from voucher.operations.outcome import Refused
from voucher.schemas.account import LoginBody, MeAnswer, TokenAnswer

blueprint = Endpoints("account_v1", __name__, url_prefix="/api/v1", description="登录")


@blueprint.route("/login", methods=["POST"])
@blueprint.doc(security=[], summary="登录，换取令牌", operationId="account.login")
@public
@blueprint.arguments(LoginBody)
@blueprint.response(200, TokenAnswer)
def login(body: dict[str, Any]) -> dict[str, str]:
    """换取令牌，有效 12 小时，密码更改后失效。

    401 `sign_in_failed`，429 `locked_out`；从任何入口登录失败都一并计数。
    """
    with reading() as session:
        kept = presented(session, body["login"])
    matches = password_matches(body["password"], kept.password_hash, profile=settings().argon2_profile)
    attempt = Attempt(body["login"], source(), matches, kept.session_version)

    def work(session: Session, at: datetime) -> Refused | tuple[str, datetime]:
        outcome = sign_in(session, attempt, at=at)
        return outcome if isinstance(outcome, Refused) else issue_token(session, outcome, at=at)

    answer = database().transaction(work)
    if isinstance(answer, Refused):
        raise Refusal(answer.code, **answer.facts)
    token, expires_at = answer
    return {"token": token, "expires_at": iso(expires_at)}


@blueprint.route("/me", methods=["GET"])
@operation("令牌属于谁", "own:account:read")
@blueprint.response(200, MeAnswer)
def me() -> dict[str, Any]:
    """本人，以及今天有效的每个角色。"""
    standing = current_standing()
    return {
        "ref": standing.actor.ref,
        "login": standing.login,
        "name": standing.actor.name,
        "roles": [
            {
                "role": grant.role.value,
                "label": grant.role.label,
                "scope": grant.scope,
                "from_on": grant.from_on.isoformat(),
                "to_on": grant.to_on.isoformat() if grant.to_on else None,
            }
            for grant in standing.grants
        ],
    }
