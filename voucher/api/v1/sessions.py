"""At the counter: the holder shows a code, the platform scans it and proposes, the holder confirms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import request
from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.codes import keys
from voucher.api.endpoint import Endpoints, coded, conditional, operation
from voucher.api.entry import change, now, reading, settings
from voucher.clock import micros
from voucher.codes import STEP_SECONDS, make_code, scan_code, session_word, step_of
from voucher.errors import Code, Refusal, found
from voucher.models.sessions import RedemptionSession
from voucher.operations.confirm_session import cancel_session, confirm_session, reject_session
from voucher.operations.open_session import open_session
from voucher.operations.outcome import Refused, only
from voucher.operations.propose import ProposeRequest, propose
from voucher.operations.scan import ScanRequest, scan
from voucher.queries import sessions
from voucher.schemas import api_sessions as schemas
from voucher.schemas.api_orders import order_answer
from voucher.schemas.api_sessions import session_answer, session_detail
from voucher.terms import SessionState

blueprint = Endpoints(
    "sessions_v1", __name__, url_prefix="/api/v1", description="现场核销：出示券码、扫码、提出金额、确认"
)

_LIVE: Final = (Code.NOT_FOUND, Code.VOUCHER_REVOKED, Code.VOUCHER_EXPIRED, Code.VOUCHER_NOT_USABLE)
_ENDED: Final = (Code.NOT_FOUND, Code.SESSION_CLOSED, Code.STATE_CHANGED)
_SEEN: Final = ("enterprise:session:open", "provider:session:scan")


@blueprint.route("/sessions", methods=["POST"])
@operation("出示券码", "enterprise:session:open", refuses=_LIVE, keyed=True)
@blueprint.arguments(schemas.OpenBody)
@blueprint.response(201, schemas.SessionAnswer)
def open_(body: dict[str, Any]) -> dict[str, Any]:
    """开始一次现场核销，15 分钟内有效。券码另取，每 30 秒变换。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        opened = open_session(session, body["voucher_no"], actor=current_actor(), at=at)
        return session_answer(opened, SessionState(opened.state))

    return change(work, body=body)


@blueprint.route("/sessions/<number>", methods=["GET"])
@operation("查看现场核销", *_SEEN, refuses=(Code.NOT_FOUND,))
@conditional
@blueprint.response(200, schemas.SessionDetailAnswer)
def show(number: str) -> dict[str, Any]:
    """双方轮询的状态（每 2 秒一次，带 If-None-Match 则无变化时为 304）。机构在扫码之后才能看到。"""
    with reading() as session:
        row = _seen(session, coded(number))
        word = session_word(settings().secret_key, row.number)
        return session_detail(row, sessions.state_at(row, now()), check_word=word)


@blueprint.route("/sessions/<number>/code", methods=["GET"])
@operation(
    "取当前券码", "enterprise:session:open", refuses=(Code.NOT_FOUND, Code.SESSION_CLOSED, Code.STATE_CHANGED)
)
@blueprint.response(200, schemas.CodeAnswer)
def code(number: str) -> dict[str, Any]:
    """等待扫码时应当显示的 20 位券码和二维码内容。扫过之后不再有券码。"""
    at = now()
    with reading() as session:
        row = found(sessions.holders_session(session, coded(number), actor=current_actor()))
        state = sessions.state_at(row, at)
    if state is not SessionState.OPEN:
        ended = state not in (SessionState.SCANNED, SessionState.PROPOSED)
        raise Refusal(Code.SESSION_CLOSED if ended else Code.STATE_CHANGED, state=state.value)
    digits = make_code(keys(), row.number, at)
    host = settings().public_host or request.host
    next_at = (step_of(at) + 1) * STEP_SECONDS * 1_000_000
    return {
        "digits": digits,
        "url": f"HTTPS://{host.upper()}/S/{digits}",
        "next_in_ms": -(-(next_at - micros(at)) // 1000),
    }


@blueprint.route("/sessions/<number>/confirm", methods=["POST"])
@operation(
    "确认（核销）",
    "enterprise:session:confirm",
    refuses=(
        *_ENDED,
        Code.VOUCHER_REVOKED,
        Code.PROVIDER_SUSPENDED,
        Code.CENTRE_NOT_CERTIFIED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        Code.ALREADY_RESOLVED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.response(200, schemas.CapturedAnswer)
def confirm(number: str) -> dict[str, Any]:
    """企业确认机构提出的金额：proposed → confirmed，锁定的金额被核销。已确认的再次确认，答复相同。"""
    asked = coded(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        captured = only(confirm_session(session, [asked], actor=current_actor(), at=at))
        return {"order": order_answer(captured.order), "captured_fen": captured.captured_fen}

    return change(work, body={})


@blueprint.route("/sessions/<number>/reject", methods=["POST"])
@operation("拒绝", "enterprise:session:confirm", refuses=_ENDED, keyed=True)
@blueprint.arguments(schemas.EndBody)
@blueprint.response(200, schemas.SessionAnswer)
def reject(body: dict[str, Any], number: str) -> dict[str, Any]:
    """企业拒绝：锁定的额度立即退回。"""
    asked = coded(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = reject_session(session, asked, reason=body["reason"], actor=current_actor(), at=at)
        return session_answer(row, SessionState(row.state))

    return change(work, body=body)


@blueprint.route("/sessions/<number>/cancel", methods=["POST"])
@operation("取消现场核销", *_SEEN, refuses=_ENDED, keyed=True)
@blueprint.arguments(schemas.EndBody)
@blueprint.response(200, schemas.SessionAnswer)
def cancel(body: dict[str, Any], number: str) -> dict[str, Any]:
    """任何一方取消：锁定的额度立即退回。"""
    asked = coded(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = cancel_session(session, asked, reason=body["reason"], actor=current_actor(), at=at)
        return session_answer(row, SessionState(row.state))

    return change(work, body=body)


@blueprint.route("/scans", methods=["POST"])
@operation(
    "扫码",
    "provider:session:scan",
    refuses=(
        Code.NOT_FOUND,
        Code.SCAN_RATE_LIMITED,
        Code.QR_INVALID,
        Code.VOUCHER_REVOKED,
        Code.PROVIDER_SUSPENDED,
        Code.QR_USED,
        Code.QR_EXPIRED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ScanBody)
@blueprint.response(201, schemas.SessionAnswer)
def scan_(body: dict[str, Any]) -> dict[str, Any]:
    """机构扫码：open → scanned，该码随即作废。券码连错五次，会话关闭；错误次数被记录并限制频率。"""
    read = scan_code(body["code"])
    if read is None:
        raise Refusal(Code.QR_INVALID)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        asked = ScanRequest(read, body["platform_id"], presented_at=at)
        outcome = scan(session, asked, keys(), actor=current_actor(), at=at)
        if isinstance(outcome, Refused):
            return {"refused": outcome.code.value, "facts": dict(outcome.facts)}
        return session_answer(outcome, SessionState(outcome.state))

    answer = change(work, body=body)
    if "refused" in answer:
        raise Refusal(Code(answer["refused"]), **answer["facts"])
    return answer


@blueprint.route("/sessions/<number>/propose", methods=["POST"])
@operation(
    "提出金额，锁定额度",
    "provider:session:propose",
    refuses=(
        *_ENDED,
        Code.QR_EXPIRED,
        Code.VOUCHER_REVOKED,
        Code.VOUCHER_EXPIRED,
        Code.VOUCHER_NOT_USABLE,
        Code.POLICY_NOT_PUBLISHED,
        Code.PROVIDER_SUSPENDED,
        Code.CENTRE_NOT_CERTIFIED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        Code.NOT_RECOGNISED,
        Code.AFFILIATED,
        Code.PARTY_BANNED,
        Code.VOUCHER_EXHAUSTED,
        Code.CAP_EXCEEDED,
        Code.CONTRACT_EXCEEDED,
        Code.CONTRACT_NO_INVALID,
        Code.CONTRACT_DIFFERS,
        Code.CONTRACT_ELSEWHERE,
        Code.SUBSIDY_ZERO,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ProposeBody)
@blueprint.response(200, schemas.HeldAnswer)
def propose_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """按服务总价和政策计算补助，以券余额和年度限额为限锁定 10 分钟；减少的金额见 order.reductions。"""
    asked = ProposeRequest(session_number=coded(number), **body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        held = only(propose(session, [asked], actor=current_actor(), at=at))
        return {"order": order_answer(held.order), "held_fen": held.held_fen}

    return change(work, body=body)


def _seen(session: Session, number: str) -> RedemptionSession:
    """A session of the actor's, on either side of the counter."""
    actor = current_actor()
    row = sessions.holders_session(session, number, actor=actor)
    return found(row or sessions.platforms_session(session, number, actor=actor))
