"""What anybody may ask: offers and queues. And what an authority publishes, and appeals against its decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, identified, listed_page, open_operation, operation
from voucher.api.entry import change, now, reading
from voucher.clock import fiscal_year
from voucher.errors import Code, Refusal, found
from voucher.models.programmes import Programme
from voucher.money import Fen
from voucher.operations.appeal import AppealDecision, Appealed, AppealRequest, decide_appeals, lodge
from voucher.operations.offers import Question, offer_of
from voucher.operations.outcome import only
from voucher.operations.windows import (
    CloseRequest,
    UndertakingRequest,
    WindowRequest,
    close_windows,
    publish_undertakings,
    publish_windows,
)
from voucher.queries import appeals
from voucher.queries.applications import public_queue
from voucher.rules.permissions import permitted
from voucher.schemas import api_applied as shown
from voucher.schemas import api_applying as schemas
from voucher.schemas import api_applying_answers as answers
from voucher.terms import AppealChannel

blueprint = Endpoints(
    "offers_v1", __name__, url_prefix="/api/v1", description="申领：可得额度、排队、申领期、申诉"
)


@blueprint.route("/programmes", methods=["GET"])
@open_operation("项目")
@blueprint.response(200, shown.ProgrammesAnswer)
def list_programmes() -> dict[str, Any]:
    """全部项目的代码和名称。"""
    with reading() as session:
        rows = appeals.all_programmes(session)
        return {"programmes": [{"code": each.code, "name": each.name} for each in rows]}


@blueprint.route("/programmes/<code>/offer", methods=["GET"])
@open_operation(
    "能领多少，先付多少",
    refuses=(
        Code.NOT_FOUND,
        Code.POLICY_NOT_PUBLISHED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        Code.FACE_OUT_OF_RANGE,
    ),
)
@blueprint.arguments(schemas.OfferQuery, location="query")
@blueprint.response(200, shown.BenefitAnswer)
def offer(query: dict[str, Any], code: str) -> dict[str, Any]:
    """单张券最高多少、用满要多大的合同、一份合同补助多少、先付多少、以后退还多少、要什么材料。"""
    asked = Question(
        holder_class=query["holder_class"],
        service=query["service"],
        contract_fen=None if query["contract_fen"] is None else Fen(query["contract_fen"]),
        voucher_fen=None if query["voucher_fen"] is None else Fen(query["voucher_fen"]),
        applicant_region=query["applicant_region"],
        provider_region=query["provider_region"],
    )
    with reading() as session:
        return answers.offer_answer(offer_of(session, coded(code), asked, at=now()))


@blueprint.route("/programmes/<code>/queue", methods=["GET"])
@open_operation("申领排队", refuses=(Code.NOT_FOUND,))
@blueprint.arguments(schemas.QueueQuery, location="query")
@blueprint.response(200, shown.QueueAnswer)
def queue(query: dict[str, Any], code: str) -> dict[str, Any]:
    """一个项目一年的排队，名称已遮盖，不含代码。"""
    year = query["year"] or fiscal_year(now())
    with reading() as session:
        programme = found(session.get(Programme, coded(code)))
        page = public_queue(session, programme.code, year, page=query["page"])
        return {"year": year, **listed_page(page, "queue", answers.queue_answer)}


@blueprint.route("/application-windows", methods=["GET"])
@operation("申领期", "programme:window:publish")
@blueprint.response(200, shown.WindowsAnswer)
def list_windows() -> dict[str, Any]:
    """本级账簿各项目已公布的申领期，新的在前。"""
    with reading() as session:
        rows = appeals.windows(session, current_actor())
        return {"windows": [answers.window_answer(each) for each in rows]}


@blueprint.route("/application-windows", methods=["POST"])
@operation(
    "公布申领期",
    "programme:window:publish",
    refuses=(Code.NOT_FOUND, Code.PERIOD_CLOSED, Code.WINDOW_OVERLAPS),
    keyed=True,
)
@blueprint.arguments(schemas.WindowBody)
@blueprint.response(201, shown.WindowAnswer)
def publish_window(body: dict[str, Any]) -> dict[str, Any]:
    """公布一个项目的申领期：从哪条指标发券、起止时间、文号；不写截止时间表示长期受理。"""
    request = WindowRequest(**body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(publish_windows(session, [request], actor=current_actor(), at=at)).id}

    return change(work, body=body)


@blueprint.route("/application-windows/<window_id>/close", methods=["POST"])
@operation(
    "公布申领期的截止时间",
    "programme:window:publish",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.WINDOW_OVERLAPS),
    keyed=True,
)
@blueprint.arguments(schemas.CloseWindowBody)
@blueprint.response(200, shown.WindowAnswer)
def close_window(body: dict[str, Any], window_id: str) -> dict[str, Any]:
    """提前或定期截止；已经提交的申领不受影响。"""
    request = CloseRequest(identified(window_id), body["closes_at"], body["document_no"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(close_windows(session, [request], actor=current_actor(), at=at)).id}

    return change(work, body=body)


@blueprint.route("/undertakings", methods=["POST"])
@operation("公布承诺书", "programme:window:publish", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.arguments(schemas.UndertakingBody)
@blueprint.response(201, shown.VersionAnswer)
def publish_undertaking(body: dict[str, Any]) -> dict[str, Any]:
    """公布承诺书的新版本；此后的申领都要签署新版本，已公布的版本不能修改。"""
    request = UndertakingRequest(body["programme_code"], body["text"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(publish_undertakings(session, [request], actor=current_actor(), at=at))
        return {"version": made.version}

    return change(work, body=body)


@blueprint.route("/appeals", methods=["POST"])
@operation(
    "提出申诉",
    "enterprise:appeal:lodge",
    "provider:appeal:lodge",
    "reviewer:appeal:decide",
    refuses=(
        Code.NOT_FOUND,
        Code.OTHER_SIDE_CLAIMS,
        Code.STATE_CHANGED,
        Code.REASON_MISSING,
        Code.APPEAL_LATE,
        Code.APPEAL_MADE,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.AppealBody)
@blueprint.response(201, shown.AppealedAnswer)
def lodge_(body: dict[str, Any]) -> dict[str, Any]:
    """对不予发放的申领或不予兑付的申请，由提交的一方提出申诉；电话、窗口提出的由主管部门登记。"""
    page, actor = body["channel"] is AppealChannel.PAGE, current_actor()
    wanted = ("enterprise:appeal:lodge", "provider:appeal:lodge") if page else ("reviewer:appeal:decide",)
    if not any(permitted(actor, each) for each in wanted):
        raise Refusal(Code.NOT_PERMITTED)
    request = AppealRequest(body["subject"], body["text"], body["channel"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _appealed(only(lodge(session, [request], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/appeals", methods=["GET"])
@operation("申诉", "reviewer:appeal:read")
@blueprint.arguments(schemas.AppealsQuery, location="query")
@blueprint.response(200, shown.AppealsAnswer)
def list_appeals(query: dict[str, Any]) -> dict[str, Any]:
    """本地区的申诉，先到的在前，每页 50 件。"""
    with reading() as session:
        page = appeals.appeals(session, current_actor(), state=query["state"], page=query["page"])
        return listed_page(page, "appeals", answers.appeal_answer)


@blueprint.route("/appeals/<number>", methods=["GET"])
@operation(
    "查看申诉",
    "enterprise:application:read",
    "provider:order:read",
    "reviewer:appeal:read",
    refuses=(Code.NOT_FOUND,),
)
@blueprint.response(200, shown.AppealDetailAnswer)
def show_appeal(number: str) -> dict[str, Any]:
    """一件申诉的内容和结果。"""
    with reading() as session:
        return answers.appeal_file_answer(found(appeals.appeal_file(session, current_actor(), coded(number))))


@blueprint.route("/appeals/<number>/decide", methods=["POST"])
@operation(
    "处理申诉",
    "reviewer:appeal:decide",
    refuses=(
        Code.NOT_FOUND,
        Code.SELF_APPROVAL,
        Code.RECUSED,
        Code.STATE_CHANGED,
        Code.REASON_MISSING,
        Code.NOT_OWN_PROGRAMME,
        Code.VOUCHER_EXHAUSTED,
        Code.ALLOTMENT_EXHAUSTED,
        Code.BUDGET_EXCEEDED,
        Code.CAP_EXCEEDED,
        Code.QUOTA_EXCEEDED,
        Code.CONTRACT_EXCEEDED,
        Code.COUNT_EXCEEDED,
        Code.PLEDGE_EXCEEDED,
        Code.INVOICE_USED,
        Code.INVOICE_EXCEEDED,
        Code.INVOICE_VOID,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.AppealDecisionBody)
@blueprint.response(200, shown.AppealedAnswer)
def decide_appeal(body: dict[str, Any], number: str) -> dict[str, Any]:
    """申诉成立或不成立，由原决定人以外的人处理；成立的按原排队位置重新审核：兑付申请的额度重新锁定，由其他审核人决定。"""
    request = AppealDecision(coded(number), body["is_upheld"], body["result"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _appealed(only(decide_appeals(session, [request], actor=current_actor(), at=at)))

    return change(work, body=body)


def _appealed(done: Appealed) -> dict[str, Any]:
    return {
        "number": done.number,
        "subject": done.subject,
        "state": done.state.value,
        "held_fen": done.held_fen,
    }
