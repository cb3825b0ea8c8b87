"""One-time codes and PINs in exchange for an account, a password or a token; no account is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor, public, source
from voucher.api.endpoint import Endpoints, invalid, operation
from voucher.api.entry import change, database, now, reading, settings
from voucher.clock import iso
from voucher.errors import Code, Refusal
from voucher.operations.authenticate import (
    SignedIn,
    hash_password,
    issue_token,
    password_matches,
)
from voucher.operations.devices import PinAttempt, enter_pin, issue_counter_token, presented_pin
from voucher.operations.join import Joined, Joiner, Newcomer, join, reset_password
from voucher.operations.join_codes import Presentation, join_key, refuse_locked_out
from voucher.operations.outcome import Refused
from voucher.schemas import api_joining as schemas
from voucher.schemas.account import TokenAnswer, password_fault
from voucher.schemas.joining import ACCOUNT_ROLES

blueprint = Endpoints("join_v1", __name__, url_prefix="/api/v1", description="开通账户、重设密码、柜台 PIN")

Entered = Refused | tuple[str, datetime]


@blueprint.route("/join", methods=["POST"])
@blueprint.doc(security=[], summary="用一次性验证码开通账户", operationId="join.join")
@public
@blueprint.arguments(schemas.JoinBody)
@blueprint.response(200, TokenAnswer)
def join_(body: dict[str, Any]) -> dict[str, str]:
    """开通单位账户、接受授权或加入平台，并换取令牌。验证码只能用一次，所以不需要 Idempotency-Key。

    422 `join_code_wrong`、`authorisation_period`，429 `locked_out`，409 `login_taken`、`self_approval`。任何人都可以用，不需要登录。
    """
    _check(body["password"], body["login"])
    password_hash = _hashed(body["password"])
    new = Newcomer(login=body["login"], name=body["name"], password_hash=password_hash)
    key = join_key(settings().secret_key)
    given = Presentation(body["uscc"], body["code"], source())
    joiner = Joiner(new, ACCOUNT_ROLES[body["as_role"]])

    def work(session: Session, at: datetime) -> Entered:
        return _token(session, join(session, given, joiner, key=key, at=at), at)

    return _answer(database().transaction(work))


@blueprint.route("/join/me", methods=["POST"])
@operation(
    "用一次性验证码增加角色",
    "own:account:read",
    refuses=(
        Code.JOIN_CODE_WRONG,
        Code.LOCKED_OUT,
        Code.SELF_APPROVAL,
        Code.AUTHORISATION_PERIOD,
        Code.DUTIES_SEPARATED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.JoinMeBody)
@blueprint.response(200, schemas.JoinedAnswer)
def join_me(body: dict[str, Any]) -> dict[str, Any]:
    """把验证码给的角色加到令牌的主人身上；此前的令牌随即失效，请重新登录。"""
    key = join_key(settings().secret_key)
    given = Presentation(body["uscc"], body["code"], source())
    joiner = Joiner(current_actor(), ACCOUNT_ROLES[body["as_role"]])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        joined = join(session, given, joiner, key=key, at=at)
        if isinstance(joined, Refused):
            return {"refused": joined.code.value, "facts": dict(joined.facts)}
        return {"person_id": joined.person_id, "organisation_id": joined.organisation_id}

    answer = change(work, body={"uscc": body["uscc"], "as_role": body["as_role"]})
    if "refused" in answer:
        raise Refusal(Code(answer["refused"]), **answer["facts"])
    return answer


@blueprint.route("/password-resets", methods=["POST"])
@blueprint.doc(security=[], summary="用一次性验证码重设密码", operationId="join.reset")
@public
@blueprint.arguments(schemas.ResetBody)
@blueprint.response(200, TokenAnswer)
def reset(body: dict[str, Any]) -> dict[str, str]:
    """任何人都可以用，不需要登录：设定新密码并换取令牌，此前的登录全部失效。

    422 `join_code_wrong`，429 `locked_out`。任何人都可以用，不需要登录。
    """
    _check(body["password"], body["code"])
    password_hash = _hashed(body["password"])
    given = Presentation(body["uscc"], body["code"], source())
    key = join_key(settings().secret_key)

    def work(session: Session, at: datetime) -> Entered:
        done = reset_password(session, given, password_hash=password_hash, key=key, at=at)
        return _token(session, done, at)

    return _answer(database().transaction(work))


@blueprint.route("/counter-tokens", methods=["POST"])
@blueprint.doc(security=[], summary="在柜台设备上用 PIN 换取令牌", operationId="join.enter")
@public
@blueprint.arguments(schemas.EnterBody)
@blueprint.response(200, TokenAnswer)
def enter(body: dict[str, Any]) -> dict[str, str]:
    """在登记的柜台设备上换取令牌，5 分钟有效，只能收券。

    401 `pin_wrong`，404 `not_found`，409 `pin_ended`。任何人都可以用，不需要登录。
    """
    with reading() as session:
        kept = presented_pin(session, body["person_id"])
    matches = password_matches(body["pin"], kept.pin_hash, profile=settings().argon2_profile)
    attempt = PinAttempt(body["device_token"], body["person_id"], matches, kept.set_at, source())

    def work(session: Session, at: datetime) -> Entered:
        entered = enter_pin(session, attempt, at=at)
        return entered if isinstance(entered, Refused) else issue_counter_token(session, entered, at=at)

    return _answer(database().transaction(work))


def _check(password: str, login: str) -> None:
    fault = password_fault(password, login=login, profile=settings().password_profile)
    if fault:
        raise invalid("password", fault)


def _hashed(password: str) -> str:
    """The hash to keep; refused (`locked_out`) before it is computed for an address that has used up its tries."""
    with reading() as session:
        refuse_locked_out(session, source(), at=now())
    return hash_password(password, profile=settings().argon2_profile)


def _token(session: Session, joined: Joined | Refused, at: datetime) -> Entered:
    if isinstance(joined, Refused):
        return joined
    return issue_token(session, SignedIn(joined.person_id, joined.session_version), at=at)


def _answer(entered: Entered) -> dict[str, str]:
    if isinstance(entered, Refused):
        raise Refusal(entered.code, **entered.facts)
    return {"token": entered[0], "expires_at": iso(entered[1])}
