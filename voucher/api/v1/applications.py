"""Applications: a firm's own, and the queue before those who decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, listed_page, numbered, operation, outcome
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code, found
from voucher.operations.applicant import applicant_of, own_holder
from voucher.operations.apply import Applied, ApplyRequest, MendRequest, apply, mend, withdraw
from voucher.operations.cap_room import CapOf, cap_room
from voucher.operations.decide_applications import Decided, DecisionRequest, decide
from voucher.operations.expire import TakeBackRequest, give_back
from voucher.operations.outcome import only
from voucher.queries import applications
from voucher.schemas import api_applied as shown
from voucher.schemas import api_applying as schemas
from voucher.schemas import api_applying_answers as answers
from voucher.schemas.messages import sentence

blueprint = Endpoints("applications_v1", __name__, url_prefix="/api/v1", description="申领")

_LIMITS = (
    Code.APPLICATION_CLOSED,
    Code.APPLICATION_OPEN,
    Code.NOT_QUALIFIED,
    Code.COUNT_EXCEEDED,
    Code.VOUCHER_IDLE,
    Code.HOLDING_EXCEEDED,
    Code.FACE_OUT_OF_RANGE,
    Code.UNDERTAKING_UNSIGNED,
    Code.POLICY_NOT_PUBLISHED,
)


@blueprint.route("/programmes/<code>/standing", methods=["GET"])
@operation(
    "本单位能否申领",
    "enterprise:application:read",
    refuses=(Code.NOT_FOUND, Code.POLICY_NOT_PUBLISHED),
)
@blueprint.arguments(schemas.StandingQuery, location="query")
@blueprint.response(200, shown.StandingAnswer)
def standing(query: dict[str, Any], code: str) -> dict[str, Any]:
    """填写申领之前：逐条条件是否符合、缺什么、到哪里办；要签署的承诺书全文；本年度上限还剩多少。"""
    at = now()
    with reading() as session:
        holder = own_holder(session, query["holder_ref"], actor=current_actor())
        asking = applicant_of(session, code, holder, at=at)
        whose = CapOf(asking.programme.book_id, code, holder, asking.holder_class.value)
        cap = cap_room(session, asking.policy, whose, on=business_date(at))
        return answers.standing_answer(asking, cap.left_fen if cap else None)


@blueprint.route("/applications", methods=["POST"])
@operation(
    "提交申领",
    "enterprise:application:submit",
    refuses=(Code.NOT_FOUND, *_LIMITS, Code.CAP_EXCEEDED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.ApplyBody)
@blueprint.response(201, shown.AppliedAnswer)
def submit(body: dict[str, Any]) -> dict[str, Any]:
    """申领一张券，取得排队号。政策规定自动发放的，预算有余额时当场发券，用完时候补。"""
    request = ApplyRequest(**body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _applied(only(apply(session, [request], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/applications/own", methods=["GET"])
@operation("本单位的申领", "enterprise:application:read")
@blueprint.response(200, shown.OwnApplicationsAnswer)
def list_own() -> dict[str, Any]:
    """本单位的全部申领，新的在前。"""
    with reading() as session:
        rows = applications.own_applications(session, current_actor())
        return {"applications": [answers.line_answer(each) for each in rows]}


@blueprint.route("/applications/<number>", methods=["GET"])
@operation(
    "查看申领",
    "enterprise:application:read",
    "reviewer:application:read",
    refuses=(Code.NOT_FOUND,),
)
@blueprint.response(200, shown.ApplicationAnswer)
def show(number: str) -> dict[str, Any]:
    """一件申领：排队号、前面还有多少件、结论和理由、券号、申诉。"""
    with reading() as session:
        file = found(applications.application_file(session, current_actor(), numbered(number)))
        return answers.file_answer(file)


@blueprint.route("/applications/<number>/mend", methods=["POST"])
@operation(
    "补正后重新提交",
    "enterprise:application:submit",
    refuses=(
        Code.NOT_FOUND,
        Code.STATE_CHANGED,
        Code.FACE_OUT_OF_RANGE,
        Code.HOLDING_EXCEEDED,
        Code.POLICY_NOT_PUBLISHED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ApplicationMendBody)
@blueprint.response(200, shown.AppliedAnswer)
def resubmit(body: dict[str, Any], number: str) -> dict[str, Any]:
    """退回补正的申领改好后重新提交，排队号不变。"""
    request = MendRequest(numbered(number), body["wanted_fen"], body["purpose"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _applied(only(mend(session, [request], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/applications/<number>/withdraw", methods=["POST"])
@operation(
    "撤回申领",
    "enterprise:application:submit",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.EmptyBody)
@blueprint.response(200, shown.AppliedAnswer)
def take_back(body: dict[str, Any], number: str) -> dict[str, Any]:
    """撤回还没有发券的申领。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _applied(only(withdraw(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/applications", methods=["GET"])
@operation("待审的申领", "reviewer:application:read")
@blueprint.arguments(schemas.ApplicationsQuery, location="query")
@blueprint.response(200, shown.ApplicationsAnswer)
def list_all(query: dict[str, Any]) -> dict[str, Any]:
    """本地区的申领，按排队号，每页 50 件。"""
    wanted = applications.ApplicationFilter(query["programme_code"], query["state"], query["text"])
    with reading() as session:
        page = applications.applications(session, current_actor(), wanted, page=query["page"])
        return listed_page(page, "applications", answers.line_answer)


@blueprint.route("/applications/decisions", methods=["POST"])
@operation(
    "审核申领",
    "reviewer:application:decide",
    refuses=(
        Code.NOT_FOUND,
        Code.SELF_APPROVAL,
        Code.RECUSED,
        Code.STATE_CHANGED,
        Code.REASON_MISSING,
        Code.APPROVED_ABOVE_CLAIM,
        Code.FACE_OUT_OF_RANGE,
        Code.NOT_QUALIFIED,
        Code.POLICY_NOT_PUBLISHED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.DecisionsBody)
@blueprint.response(200, shown.DecidedAnswer)
def decide_(body: dict[str, Any]) -> dict[str, Any]:
    """同意、退回补正或不予发放，一次 1 至 200 件，按排队号办理；同意的按排队号发券，预算不足的候补。只有一件时直接答复原因。"""
    requests = [DecisionRequest(**each) for each in body["decisions"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        results = decide(session, requests, actor=current_actor(), at=at)
        if len(results) == 1:
            only(results)
        empty = {"state": None, "voucher_no": None, "sent_back": None}
        return {
            "decisions": [
                {"number": each.number, **empty, **outcome(result, _decided)}
                for each, result in zip(requests, results, strict=True)
            ]
        }

    return change(work, body=body)


@blueprint.route("/vouchers/<number>/give-back", methods=["POST"])
@operation(
    "退券",
    "enterprise:voucher:give_back",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.VOUCHER_NOT_USABLE, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.GiveBackBody)
@blueprint.response(200, shown.GivenBackAnswer)
def give_back_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """退回没有用过的券，金额退回预算，发给候补的单位。"""
    request = TakeBackRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(give_back(session, [request], actor=current_actor(), at=at))
        return {"voucher_no": done.voucher_number, "amount_fen": done.amount_fen}

    return change(work, body=body)


def _applied(done: Applied) -> dict[str, Any]:
    return {
        "number": done.number,
        "queue_no": done.queue_no,
        "state": done.state.value,
        "voucher_no": done.voucher_number or None,
    }


def _decided(done: Decided) -> dict[str, Any]:
    return {
        "state": done.state.value,
        "voucher_no": done.voucher_number or None,
        "sent_back": sentence(done.sent_back) if done.sent_back else None,
    }
