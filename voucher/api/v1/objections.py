"""Objections to public notices: made, written down, followed, decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor, source
from voucher.api.endpoint import Endpoints, coded, listed_page, open_operation, operation
from voucher.api.entry import change, database, reading, settings
from voucher.errors import Code, Refusal, found
from voucher.models.notices import Objection
from voucher.operations.decide_objection import AnswerRequest, decide_objection
from voucher.operations.object_to import ObjectionRequest, look_up, object_publicly, record_objection
from voucher.operations.outcome import Refused, only
from voucher.queries import notices as queries
from voucher.rules.publicity import is_lookup_word, lookup_word
from voucher.schemas import api_objections as schemas
from voucher.terms import ObjectionState

blueprint = Endpoints("objections_v1", __name__, url_prefix="/api/v1", description="异议")

_ANYBODY, _READ = "own:account:read", "programme:notice:read"
_OBJECTED = (Code.NOT_FOUND, Code.NOTICE_OVER)


@blueprint.route("/notices/<number>/objections", methods=["POST"])
@operation("提出异议", _ANYBODY, refuses=(*_OBJECTED, Code.OBJECTION_LIMITED), keyed=True)
@blueprint.arguments(schemas.ObjectionBody)
@blueprint.response(201, schemas.ObjectionMadeAnswer)
def make_objection(body: dict[str, Any], number: str) -> dict[str, Any]:
    """对公示中的一笔提出异议；凭返回的编号和口令查询处理情况。"""
    asked = _objection(body, number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _made(object_publicly(session, asked, source=source(), at=at))

    return change(work, body=body)


@blueprint.route("/notices/<number>/recorded-objections", methods=["POST"])
@operation("登记异议", "programme:objection:record", refuses=_OBJECTED, keyed=True)
@blueprint.arguments(schemas.RecordedBody)
@blueprint.response(201, schemas.ObjectionMadeAnswer)
def record(body: dict[str, Any], number: str) -> dict[str, Any]:
    """登记电话或现场提出的异议。"""
    asked = [_objection(body, number)]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _made(only(record_objection(session, asked, via=body["via"], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/objections", methods=["GET"])
@operation("异议列表", _READ)
@blueprint.arguments(schemas.ObjectionsQuery, location="query")
@blueprint.response(200, schemas.ObjectionsAnswer)
def list_objections(query: dict[str, Any]) -> dict[str, Any]:
    """本人管辖地区公示收到的异议，新的在前。"""
    with reading() as session:
        page = queries.objections(session, current_actor(), state=query.get("state"), page=query["page"])
    return listed_page(page, "objections", schemas.objection_line)


@blueprint.route("/objections/<number>", methods=["GET"])
@operation("查看异议", _READ, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.ObjectionDetailAnswer)
def show_objection(number: str) -> dict[str, Any]:
    """一件异议：谁提出、内容、处理结果。"""
    with reading() as session:
        return schemas.objection_detail(
            found(queries.objection_file(session, current_actor(), coded(number)))
        )


@blueprint.route("/objections/<number>/decide", methods=["POST"])
@operation(
    "处理异议",
    "programme:objection:decide",
    refuses=(
        Code.NOT_FOUND, Code.STATE_CHANGED, Code.SELF_APPROVAL, Code.RECUSED, Code.ALREADY_SETTLED, Code.PERIOD_CLOSED,
    ),
    keyed=True,
)  # fmt: skip
@blueprint.arguments(schemas.ObjectionAnswerBody)
@blueprint.response(200, schemas.ObjectionDecidedAnswer)
def decide(body: dict[str, Any], number: str) -> dict[str, Any]:
    """异议成立则不予兑付、资金退回，不成立则继续公示；理由公开。"""
    asked = AnswerRequest(coded(number), body["verdict"] is ObjectionState.UPHELD, body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(decide_objection(session, [asked], actor=current_actor(), at=at))
        return {
            "number": done.objection_number,
            "state": done.state.value,
            "claim_state": done.claim_state.value,
            "given_back_fen": done.given_back_fen,
        }

    return change(work, body=body)


@blueprint.route("/objections/look-up", methods=["POST"])
@open_operation("凭口令查询异议", refuses=(Code.NOT_FOUND, Code.OBJECTION_LIMITED))
@blueprint.arguments(schemas.LookUpBody)
@blueprint.response(200, schemas.ObjectionStandingAnswer)
def follow(body: dict[str, Any]) -> dict[str, Any]:
    """凭提交时给出的编号和口令查询处理情况；口令错误会计数。只是查询，所以不需要 Idempotency-Key。"""
    number = body["number"].upper()
    right = is_lookup_word(settings().secret_key, number, body["word"])
    answer = database().transaction(
        lambda session, at: look_up(session, number, right_word=right, source=source(), at=at)
    )
    if isinstance(answer, Refused):
        raise Refusal(answer.code, **answer.facts)
    return schemas.objection_standing(answer)


def _objection(body: dict[str, Any], number: str) -> ObjectionRequest:
    return ObjectionRequest(coded(number), body["subject"], body["objector"], body["contact"], body["body"])


def _made(row: Objection) -> dict[str, Any]:
    return {"number": row.number, "word": lookup_word(settings().secret_key, row.number)}
