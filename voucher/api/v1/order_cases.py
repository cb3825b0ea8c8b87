"""What both sides and reviewers do around an order: answers, extensions, supplements, disputes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, listed_page, numbered, operation
from voucher.api.entry import change, reading
from voucher.api.files import named_file
from voucher.errors import Code, found
from voucher.operations import dispute, extend_order, supplement
from voucher.operations.deliver import SendBackRequest, send_back
from voucher.operations.dispute import Statement
from voucher.operations.dispute_end import Outcome
from voucher.operations.order_files import Given
from voucher.operations.outcome import only
from voucher.queries.disputes import disputes
from voucher.queries.order_cases import case_of, seen_order
from voucher.schemas import api_order_cases as schemas
from voucher.schemas.api_disputes import (
    DisputeAnswer,
    DisputesAnswer,
    DisputesQuery,
    dispute_answer,
    dispute_line,
)
from voucher.schemas.api_order_cases import (
    case_answer,
    extension_answer,
    supplement_answer,
)
from voucher.schemas.api_orders import OrderAnswer, ReasonBody, order_answer

blueprint = Endpoints(
    "order_cases_v1", __name__, url_prefix="/api/v1", description="订单的验收答复、延期、补充协议与争议"
)

_MOVED: Final = (Code.NOT_FOUND, Code.STATE_CHANGED, Code.REASON_MISSING)
_SIDES: Final = ("sides:order:dispute",)
_MONEY: Final = (Code.CAPTURE_ABOVE_HOLD, Code.ALREADY_RESOLVED, Code.PERIOD_CLOSED)


@blueprint.route("/orders/<number>/case", methods=["GET"])
@operation(
    "订单的全部材料",
    "sides:order:read",
    refuses=(Code.NOT_FOUND,),
)
@blueprint.response(200, schemas.CaseAnswer)
def show(number: str) -> Any:
    """合同及其上限、分期、交付、延期、争议。企业、机构看本单位的，审核人看管辖地区的。"""
    with reading() as session:
        return case_answer(
            case_of(session, found(seen_order(session, numbered(number), actor=current_actor())))
        )


@blueprint.route("/orders/<number>/send-back", methods=["POST"])
@operation("退回重做", "enterprise:order:confirm", refuses=_MOVED, keyed=True)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, OrderAnswer)
def send_back_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """企业不接受交付：delivered → held，写明缺什么；额度保持锁定。"""
    asked = SendBackRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(send_back(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders/<number>/extensions", methods=["POST"])
@operation("申请延期", "provider:order:accept", refuses=(*_MOVED, Code.COMPLETE_BY_INVALID), keyed=True)
@blueprint.arguments(schemas.ExtensionBody)
@blueprint.response(201, schemas.ExtensionAnswered)
def ask_extension(body: dict[str, Any], number: str) -> dict[str, Any]:
    """机构申请延长完成期限，在政策允许的天数之内；企业同意后生效。"""
    asked = extend_order.ExtensionRequest(numbered(number), body["until_on"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return extension_answer(extend_order.ask_extension(session, asked, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/extensions/answer", methods=["POST"])
@operation("答复延期", "enterprise:order:confirm", refuses=(*_MOVED, Code.COMPLETE_BY_INVALID), keyed=True)
@blueprint.arguments(schemas.AskAnswerBody)
@blueprint.response(200, schemas.ExtensionAnswered)
def answer_extension(body: dict[str, Any], number: str) -> dict[str, Any]:
    """企业同意或不同意机构的延期申请。"""
    said = extend_order.ExtensionAnswer(numbered(number), body["granted"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return extension_answer(extend_order.answer_extension(session, said, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/supplements", methods=["POST"])
@operation(
    "提交补充协议",
    "provider:order:file_contract",
    refuses=(
        Code.NOT_FOUND,
        Code.REASON_MISSING,
        Code.CONTRACT_DATE_INVALID,
        Code.CONTRACT_DIFFERS,
        Code.FILE_REFUSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.SupplementBody)
@blueprint.response(201, schemas.SupplementAnswer)
def file_supplement(body: dict[str, Any], number: str) -> dict[str, Any]:
    """机构提交改变合同总额的补充协议；企业确认后生效。"""
    given = {**body, "file": named_file(body["file"]) if body["file"] is not None else None}
    asked = supplement.SupplementRequest(order_number=numbered(number), **given)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return supplement_answer(supplement.file_supplement(session, asked, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/supplements/answer", methods=["POST"])
@operation(
    "答复补充协议",
    "enterprise:order:confirm",
    refuses=(Code.NOT_FOUND, Code.REASON_MISSING, Code.CONTRACT_EXCEEDED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.AskAnswerBody)
@blueprint.response(200, schemas.SupplementAnswer)
def answer_supplement(body: dict[str, Any], number: str) -> dict[str, Any]:
    """企业确认后，合同总额和可补助的上限随即变更；已用的超过新上限时不能确认。"""
    said = supplement.SupplementAnswer(numbered(number), body["granted"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return supplement_answer(supplement.answer_supplement(session, said, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/disputes", methods=["GET"])
@operation("争议", "reviewer:dispute:read")
@blueprint.arguments(DisputesQuery, location="query")
@blueprint.response(200, DisputesAnswer)
def list_disputes(query: dict[str, Any]) -> dict[str, Any]:
    """本地区订单的争议，先提出的在前，每页 50 件；不写 standing 的，是未办结的全部。"""
    with reading() as session:
        page = disputes(session, current_actor(), standing=query["standing"], page=query["page"])
        return listed_page(page, "disputes", dispute_line)


@blueprint.route("/orders/<number>/dispute", methods=["POST"])
@operation("提出争议", *_SIDES, refuses=(*_MOVED, Code.FILE_REFUSED), keyed=True)
@blueprint.arguments(schemas.StatementBody)
@blueprint.response(201, DisputeAnswer)
def open_dispute(body: dict[str, Any], number: str) -> dict[str, Any]:
    """任何一方提出争议：held 或 delivered → disputed，办结前额度保持锁定，不会过期。"""
    said = _statement(number, body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return dispute_answer(dispute.open_dispute(session, said, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/dispute/statements", methods=["POST"])
@operation("争议陈述", *_SIDES, refuses=(Code.NOT_FOUND, Code.REASON_MISSING, Code.FILE_REFUSED), keyed=True)
@blueprint.arguments(schemas.StatementBody)
@blueprint.response(201, schemas.StatementAnswer)
def state_case(body: dict[str, Any], number: str) -> dict[str, Any]:
    """任何一方补充陈述和材料。"""
    said = _statement(number, body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = dispute.state_case(session, said, actor=current_actor(), at=at)
        return {"side": row.side, "body": row.body, "said_at": at.isoformat(), "files": []}

    return change(work, body=body)


@blueprint.route("/orders/<number>/dispute/offer", methods=["POST"])
@operation("提出和解办法", *_SIDES, refuses=(Code.NOT_FOUND, Code.CAPTURE_ABOVE_HOLD), keyed=True)
@blueprint.arguments(schemas.OutcomeBody)
@blueprint.response(200, DisputeAnswer)
def offer(body: dict[str, Any], number: str) -> dict[str, Any]:
    """任何一方提出办法；对方同意即办结。"""
    order_no, wanted = numbered(number), _outcome(body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return dispute_answer(dispute.offer(session, order_no, wanted, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/dispute/agree", methods=["POST"])
@operation(
    "同意和解办法",
    *_SIDES,
    refuses=(
        Code.NOT_FOUND,
        Code.STATE_CHANGED,
        Code.VOUCHER_REVOKED,
        Code.PROVIDER_SUSPENDED,
        Code.CENTRE_NOT_CERTIFIED,
        Code.NOT_QUALIFIED,
        *_MONEY,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.OutcomeBody)
@blueprint.response(200, DisputeAnswer)
def agree(body: dict[str, Any], number: str) -> dict[str, Any]:
    """同意对方提出的办法，须与其内容一致。"""
    order_no, wanted = numbered(number), _outcome(body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return dispute_answer(dispute.agree(session, order_no, wanted, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/orders/<number>/dispute/decision", methods=["POST"])
@operation(
    "裁定争议",
    "reviewer:dispute:decide",
    refuses=(
        Code.NOT_FOUND,
        Code.STATE_CHANGED,
        Code.REASON_MISSING,
        Code.SELF_APPROVAL,
        Code.RECUSED,
        *_MONEY,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.OutcomeBody)
@blueprint.response(200, DisputeAnswer)
def decide(body: dict[str, Any], number: str) -> dict[str, Any]:
    """审核人写明理由，裁定继续履行、核销一部分或全部退回。"""
    order_no, wanted = numbered(number), _outcome(body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return dispute_answer(dispute.decide_dispute(session, order_no, wanted, actor=current_actor(), at=at))

    return change(work, body=body)


def _statement(number: str, body: dict[str, Any]) -> Statement:
    files = tuple(Given(each["kind"], named_file(each)) for each in body["files"])
    return Statement(numbered(number), body["body"], files)


def _outcome(body: dict[str, Any]) -> Outcome:
    return Outcome(body["outcome"], body["amount_fen"], body["reason"])
