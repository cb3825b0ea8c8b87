"""Review: the desk, defects, cases in hand, opinions, reports, signatures, recusals, stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, invalid, listed_page, numbered, operation
from voucher.api.entry import change, now, reading
from voucher.api.files import named_file
from voucher.clock import business_date
from voucher.errors import Code, Refusal, found
from voucher.operations import recuse as recusals
from voucher.operations import stand_in as stand_ins
from voucher.operations.cosign import SignRequest, cosign
from voucher.operations.opinions import (
    Invitation,
    OpinionRequest,
    ReportRequest,
    give_opinions,
    invite_experts,
    record_reports,
)
from voucher.operations.outcome import only
from voucher.operations.return_claim import Defect, ReturnRequest, return_claims
from voucher.operations.take_case import HandOver, hand_over, release_cases, take_cases
from voucher.queries.claims import claim_file
from voucher.queries.opinions import asked_of
from voucher.queries.review_desk import FIRM, US, DeskFilter, desk
from voucher.queries.review_file import rounds_of
from voucher.rules.permissions import Actor
from voucher.schemas import api_review as schemas
from voucher.schemas.api_fields import IdAnswer
from voucher.terms import Role

blueprint = Endpoints("reviews_v1", __name__, url_prefix="/api/v1", description="审核办理")

_BARRED: Final = (Code.NOT_FOUND, Code.SELF_APPROVAL, Code.RECUSED, Code.CASE_TAKEN, Code.STATE_CHANGED)
Work = Callable[[Session, datetime, Actor], list[Any]]


@blueprint.route("/cases", methods=["GET"])
@operation("审核待办", "reviewer:claim:read")
@blueprint.arguments(schemas.CaseDeskQuery, location="query")
@blueprint.response(200, schemas.DeskCasesAnswer)
def list_cases(query: dict[str, Any]) -> dict[str, Any]:
    """本地区的待办申请，按排队次序，每页 50 项；应当回避的不列出。时限按工作日计，等申请单位的时间不计。"""
    sides = {"us": US, "firm": FIRM}
    wanted = DeskFilter(
        states=sides.get(query["side"], US + FIRM),
        whose=query["whose"],
        overdue=bool(query["overdue"]),
        text=query["text"],
    )
    with reading() as session:
        page = desk(session, current_actor(), wanted, at=now(), page=query["page"])
        return listed_page(page, "cases", schemas.case_answer)


@blueprint.route("/claims/<number>/returns", methods=["GET"])
@operation("补正告知书", "reviewer:claim:read", "enterprise:claim:submit", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.RoundsAnswer)
def list_returns(number: str) -> dict[str, Any]:
    """一项申请历次退回的事项；没有重新提交（answered_at 为空）的，只有这些事项可以修改。"""
    with reading() as session:
        file = found(claim_file(session, current_actor(), numbered(number)))
        return {"rounds": [schemas.round_answer(each) for each in rounds_of(session, file.claim.id)]}


@blueprint.route("/claims/<number>/returns", methods=["POST"])
@operation(
    "退回补正",
    "reviewer:claim:decide",
    refuses=(*_BARRED, Code.REASON_MISSING, Code.TOLD_LATE),
    keyed=True,
)
@blueprint.arguments(schemas.ReturnBody)
@blueprint.response(201, schemas.RoundsAnswer)
def send_back(body: dict[str, Any], number: str) -> dict[str, Any]:
    """一次告知全部需要补正的事项。再次退回时，上一次没有提出的事项要说明原因。排队次序不变。"""
    defects = tuple(Defect(each["item"], each["text"]) for each in body["defects"])
    wanted = ReturnRequest(numbered(number), defects, body["contact"], body["late_reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(return_claims(session, [wanted], actor=current_actor(), at=at))
        file = found(claim_file(session, current_actor(), number))
        told = [schemas.round_answer(each) for each in rounds_of(session, file.claim.id)]
        for each in told:
            each["defects"] = [{"item": item["item"].value, "text": item["text"]} for item in each["defects"]]
        return {"rounds": told}

    return change(work, body=body)


@blueprint.route("/claims/<number>/take", methods=["POST"])
@operation("由我办理", "reviewer:claim:decide", refuses=_BARRED, keyed=True)
@blueprint.response(200, schemas.InHandAnswer)
def take(number: str) -> dict[str, Any]:
    """一件申请同时只由一人办理；代办人可以接手被代办人的申请。"""
    name = numbered(number)
    return _in_hand(lambda session, at, actor: list(take_cases(session, [name], actor=actor, at=at)), {})


@blueprint.route("/claims/<number>/release", methods=["POST"])
@operation("放回待办", "reviewer:claim:assign", refuses=(Code.NOT_FOUND, Code.CASE_TAKEN), keyed=True)
@blueprint.response(200, schemas.InHandAnswer)
def release(number: str) -> dict[str, Any]:
    """放回后任何审核人都可以办理。项目主管也可以放回他人手中的。"""
    name = numbered(number)
    return _in_hand(lambda session, at, actor: list(release_cases(session, [name], actor=actor, at=at)), {})


@blueprint.route("/claims/<number>/hand-over", methods=["POST"])
@operation(
    "转给同事",
    "reviewer:claim:assign",
    refuses=(Code.NOT_FOUND, Code.CASE_TAKEN, Code.STATE_CHANGED, Code.COLLEAGUE_UNFIT),
    keyed=True,
)
@blueprint.arguments(schemas.HandOverBody)
@blueprint.response(200, schemas.InHandAnswer)
def give(body: dict[str, Any], number: str) -> dict[str, Any]:
    """同事须是该地区的审核人，且不应回避。"""
    wanted = HandOver(numbered(number), body["colleague_id"], body["note"])
    return _in_hand(lambda session, at, actor: list(hand_over(session, [wanted], actor=actor, at=at)), body)


@blueprint.route("/claims/<number>/experts", methods=["POST"])
@operation("邀请专家", "reviewer:claim:decide", refuses=_BARRED, keyed=True)
@blueprint.arguments(schemas.InviteBody)
@blueprint.response(201, schemas.ClaimNumberAnswer)
def invite(body: dict[str, Any], number: str) -> dict[str, Any]:
    """专家只看到这一件申请。"""
    if body["due_on"] < business_date(now()):
        raise invalid("due_on", "期限不能早于今天。")
    wanted = Invitation(numbered(number), body["expert_id"], body["due_on"])
    return _worked(
        lambda session, at, actor: list(invite_experts(session, [wanted], actor=actor, at=at)), body
    )


@blueprint.route("/expert/claims", methods=["GET"])
@operation("请我评审的申请", "expert:opinion:give")
@blueprint.response(200, schemas.AskedListAnswer)
def list_asked() -> dict[str, Any]:
    """没有答复的在前。"""
    with reading() as session:
        return {"claims": [schemas.asked_answer(row) for row in asked_of(session, current_actor())]}


@blueprint.route("/claims/<number>/opinion", methods=["POST"])
@operation(
    "专家答复",
    "expert:opinion:give",
    refuses=(
        Code.NOT_FOUND,
        Code.SELF_APPROVAL,
        Code.STATE_CHANGED,
        Code.OPINION_GIVEN,
        Code.REASON_MISSING,
        Code.APPROVED_ABOVE_CLAIM,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.OpinionBody)
@blueprint.response(201, schemas.ClaimNumberAnswer)
def give_opinion(body: dict[str, Any], number: str) -> dict[str, Any]:
    """评审意见或回避声明，提交后不能更改。"""
    wanted = OpinionRequest(
        numbered(number), body["verdict"], body["amount_fen"], body["text"], body["conflict"]
    )
    return _worked(
        lambda session, at, actor: list(give_opinions(session, [wanted], actor=actor, at=at)), body
    )


@blueprint.route("/claims/<number>/reports", methods=["POST"])
@operation(
    "登记第三方报告",
    "reviewer:claim:decide",
    refuses=(*_BARRED, Code.ALREADY_REGISTERED, Code.FILE_REFUSED),
    keyed=True,
)
@blueprint.arguments(schemas.ReportBody)
@blueprint.response(201, schemas.ClaimNumberAnswer)
def file_report(body: dict[str, Any], number: str) -> dict[str, Any]:
    """文件先用 POST /files 上传。"""
    kept = named_file(body)
    wanted = ReportRequest(
        numbered(number),
        body["organisation"],
        body["report_no"],
        body["reported_on"],
        body["amount_fen"],
        kept,
        body["text"],
    )
    return _worked(
        lambda session, at, actor: list(record_reports(session, [wanted], actor=actor, at=at)), body
    )


@blueprint.route("/claims/<number>/signatures", methods=["POST"])
@operation(
    "会签",
    "reviewer:claim:cosign",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.RECUSED, Code.STATE_CHANGED, Code.REASON_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.SignBody)
@blueprint.response(201, schemas.ClaimNumberAnswer)
def sign(body: dict[str, Any], number: str) -> dict[str, Any]:
    """代表本部门同意或不同意；政策列出的部门全部同意后，申请才能通过。"""
    wanted = SignRequest(numbered(number), body["function"], body["agreed"], body["text"])
    return _worked(lambda session, at, actor: list(cosign(session, [wanted], actor=actor, at=at)), body)


@blueprint.route("/recusals", methods=["POST"])
@operation("登记回避", "reviewer:duty:write", refuses=(Code.NOT_FOUND, Code.REASON_MISSING), keyed=True)
@blueprint.arguments(schemas.RecusalBody)
@blueprint.response(201, schemas.RecusalAnswer)
def declare(body: dict[str, Any]) -> dict[str, Any]:
    """登记本人（项目主管也可以登记他人）与一家单位的利害关系；手中这家单位的申请放回待办。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        actor = current_actor()
        person_id = body["person_id"] or actor.person_id
        if person_id != actor.person_id and Role.PROGRAMME_OFFICER not in actor.roles:
            raise Refusal(Code.NOT_PERMITTED)
        wanted = recusals.RecusalRequest(person_id, body["uscc"], body["reason"])
        kept = only(recusals.recuse(session, [wanted], actor=actor, at=at))
        return {"id": kept.recusal_id, "organisation": kept.organisation, "given_back": kept.given_back}

    return change(work, body=body)


@blueprint.route("/recusals/<recusal_id>/end", methods=["POST"])
@operation("解除回避", "reviewer:duty:write", refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL), keyed=True)
@blueprint.response(200, IdAnswer)
def end_recusal(recusal_id: str) -> dict[str, Any]:
    """由他人解除，不能自己解除。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        ids = [identified(recusal_id)]
        return {"id": only(recusals.end_recusals(session, ids, actor=current_actor(), at=at))}

    return change(work, body={})


@blueprint.route("/stand-ins", methods=["POST"])
@operation("指定代办同事", "reviewer:duty:write", refuses=(Code.COLLEAGUE_UNFIT,), keyed=True)
@blueprint.arguments(schemas.StandInBody)
@blueprint.response(201, schemas.StandInAnswer)
def name_stand_in(body: dict[str, Any]) -> dict[str, Any]:
    """本人不在时由同事代办（AB 角）；期满或提前返岗时，未办结的交还。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        actor, until = current_actor(), body["last_on"] + timedelta(days=1)
        wanted = stand_ins.StandInRequest(actor.person_id, body["colleague_id"], body["from_on"], until)
        kept = only(stand_ins.name_stand_ins(session, [wanted], actor=actor, at=at))
        return {"id": kept.stand_in_id, "handed_back": kept.handed_back}

    return change(work, body=body)


@blueprint.route("/stand-ins/<stand_in_id>/end", methods=["POST"])
@operation("结束代办", "reviewer:duty:write", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.response(200, schemas.StandInAnswer)
def end_stand_in(stand_in_id: str) -> dict[str, Any]:
    """双方都可以结束；未办结的交还。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        ids = [identified(stand_in_id)]
        kept = only(stand_ins.end_stand_ins(session, ids, actor=current_actor(), at=at))
        return {"id": kept.stand_in_id, "handed_back": kept.handed_back}

    return change(work, body={})


def _in_hand(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    def one(session: Session, at: datetime) -> dict[str, Any]:
        kept = only(work(session, at, current_actor()))
        return {"claim_no": kept.claim_number, "person_id": kept.person_id}

    return change(one, body=body)


def _worked(work: Work, body: dict[str, Any]) -> dict[str, Any]:
    def one(session: Session, at: datetime) -> dict[str, Any]:
        return {"claim_no": only(work(session, at, current_actor()))}

    return change(one, body=body)
