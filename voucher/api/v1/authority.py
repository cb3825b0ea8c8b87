"""Who acts for a firm: letters for those without an account, authorisations, leavers, prepared papers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.codes import Digits
from voucher.api.endpoint import Endpoints, identified, listed_page, numbered, operation, outcome
from voucher.api.entry import change, now, reading, settings
from voucher.api.files import named_file
from voucher.clock import business_date, iso
from voucher.dispatch.ways import open_channels
from voucher.errors import Code
from voucher.operations.authorise import (
    AuthorisationRequest,
    authorise,
    end_authorisations,
    hand_out_again,
)
from voucher.operations.documents import given_as
from voucher.operations.issue_codes import issue_letters, issue_resets
from voucher.operations.join_codes import join_key
from voucher.operations.leave import LeaveRequest, leave
from voucher.operations.outcome import only
from voucher.operations.prepare_papers import PrepareRequest, drop_papers, prepare_papers
from voucher.operations.send_codes import CodeSent, send_codes
from voucher.queries.colleagues import colleagues
from voucher.queries.joining import authorisations, unjoined
from voucher.schemas import api_joining as schemas
from voucher.schemas.api_fields import CountAnswer, IdAnswer, PageQuery
from voucher.schemas.api_staff import authorisation_item, colleague_item, unjoined_item

blueprint = Endpoints("authority_v1", __name__, url_prefix="/api/v1", description="单位账户与授权")

_GRANT: Final = "enterprise:authority:grant"


@blueprint.route("/unjoined", methods=["GET"])
@operation("未开通账户的单位", "reviewer:join:issue")
@blueprint.arguments(schemas.TextQuery, location="query")
@blueprint.response(200, schemas.UnjoinedAnswer)
def list_unjoined(query: dict[str, Any]) -> dict[str, Any]:
    """管辖地区内还没有审批人的持券单位。"""
    with reading() as session:
        page = unjoined(
            session,
            current_actor(),
            on=business_date(now()),
            text=query["text"],
            page=query["page"],
        )
    return listed_page(page, "holders", unjoined_item)


@blueprint.route("/letters", methods=["POST"])
@operation("签发开户验证码", "reviewer:join:issue", refuses=(Code.NOT_FOUND, Code.ACCOUNT_EXISTS), keyed=True)
@blueprint.arguments(schemas.LettersBody)
@blueprint.response(201, schemas.LettersAnswer)
def make_letters(body: dict[str, Any]) -> dict[str, Any]:
    """每个单位一个验证码，30 天有效，逐家答复。验证码只在第一次答复中出现。"""
    shown = Digits()

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key, ids = join_key(settings().secret_key), body["organisation_ids"]
        results = issue_letters(session, ids, key=key, actor=current_actor(), at=at)
        return {
            "letters": [
                {"organisation_id": each, "code": None, **outcome(result, lambda code: {"code": shown(code)})}
                for each, result in zip(ids, results, strict=True)
            ]
        }

    return shown.fill(change(work, body=body))


@blueprint.route("/join-codes", methods=["POST"])
@operation(
    "发送开户验证码",
    "reviewer:join:issue",
    refuses=(Code.NOT_FOUND, Code.ACCOUNT_EXISTS, Code.CONTACT_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.LettersBody)
@blueprint.response(201, schemas.CodesSentAnswer)
def send_codes_(body: dict[str, Any]) -> dict[str, Any]:
    """发到名单上的手机或邮箱，7 天有效，逐家答复；验证码不出现在答复中。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        ways, ids = (open_channels(settings()), join_key(settings().secret_key)), body["organisation_ids"]
        results = send_codes(session, ids, ways, actor=current_actor(), at=at)
        blank = {"channel": None, "expires_at": None}
        return {
            "codes": [
                {"organisation_id": each, **blank, **outcome(result, _sent)}
                for each, result in zip(ids, results, strict=True)
            ]
        }

    return change(work, body=body)


def _sent(code: CodeSent) -> dict[str, Any]:
    return {"channel": code.channel.value, "expires_at": iso(code.expires_at)}


@blueprint.route("/authorisations", methods=["GET"])
@operation("授权", "enterprise:authority:read", "reviewer:authority:read")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, schemas.AuthorisationsAnswer)
def list_authorisations(query: dict[str, Any]) -> dict[str, Any]:
    """本单位的授权；审核人和审计看管辖地区内的全部。"""
    with reading() as session:
        page = authorisations(session, current_actor(), page=query["page"])
    return listed_page(page, "authorisations", authorisation_item)


@blueprint.route("/authorisations", methods=["POST"])
@operation(
    "授权",
    _GRANT,
    refuses=(Code.NOT_FOUND, Code.ROLE_SCOPE_MISSING, Code.FILE_REFUSED, Code.AUTHORISATION_PERIOD),
    keyed=True,
)
@blueprint.arguments(schemas.AuthoriseBody)
@blueprint.response(201, schemas.AuthorisedAnswer)
def authorise_(body: dict[str, Any]) -> dict[str, Any]:
    """授权经办人或代账人员，须有盖章的授权书（先 POST /files）；对方用验证码接受后生效。"""
    shown = Digits()
    given = {**body, "mandates": frozenset(body["mandates"]), "letter": named_file(body["letter"])}
    wanted = AuthorisationRequest(**given)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key = join_key(settings().secret_key)
        done = only(authorise(session, [wanted], key=key, actor=current_actor(), at=at))
        return {"authorisation_id": done.authorisation_id, "code": shown(done.code)}

    return shown.fill(change(work, body=body))


@blueprint.route("/authorisations/<authorisation_id>/code", methods=["POST"])
@operation("重新签发授权验证码", _GRANT, refuses=(Code.NOT_FOUND, Code.STATE_CHANGED), keyed=True)
@blueprint.response(201, schemas.OneTimeCodeAnswer)
def code_again(authorisation_id: str) -> dict[str, Any]:
    """对方还没有接受的授权；此前的验证码失效。"""
    shown, wanted = Digits(), identified(authorisation_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key = join_key(settings().secret_key)
        return shown(only(hand_out_again(session, [wanted], key=key, actor=current_actor(), at=at)))

    return shown.fill(change(work, body={}))


@blueprint.route("/authorisations/<authorisation_id>/end", methods=["POST"])
@operation("终止授权", _GRANT, refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.response(200, IdAnswer)
def end(authorisation_id: str) -> dict[str, Any]:
    """立即终止：对方的角色、登录和未用的验证码一并失效。"""
    wanted = identified(authorisation_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(end_authorisations(session, [wanted], actor=current_actor(), at=at))}

    return change(work, body={})


@blueprint.route("/colleagues", methods=["GET"])
@operation("本单位人员", "enterprise:authority:read")
@blueprint.response(200, schemas.ColleaguesAnswer)
def list_colleagues() -> dict[str, Any]:
    """为本单位办事的每个人和角色。"""
    with reading() as session:
        lines = colleagues(session, current_actor(), on=business_date(now()))
    return {"people": [colleague_item(line) for line in lines]}


@blueprint.route("/colleagues/<person_id>/leave", methods=["POST"])
@operation(
    "办理离岗",
    _GRANT,
    refuses=(Code.NOT_FOUND, Code.LAST_IN_CHARGE, Code.SUCCESSOR_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.LeaveBody)
@blueprint.response(200, schemas.LeftAnswer)
def leave_(body: dict[str, Any], person_id: str) -> dict[str, Any]:
    """立即终止一个人在本单位的全部角色和授权；有未办结业务的须指定接手人。"""
    wanted = LeaveRequest(body["organisation_id"], identified(person_id), body["successor_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        left = only(leave(session, [wanted], actor=current_actor(), at=at))
        return {"departure_id": left.departure_id, "open_tasks": left.open_tasks}

    return change(work, body=body)


@blueprint.route("/colleagues/<person_id>/reset", methods=["POST"])
@operation("签发重设密码的验证码", _GRANT, refuses=(Code.NOT_FOUND, Code.OTHER_DUTIES), keyed=True)
@blueprint.response(201, schemas.OneTimeCodeAnswer)
def reset(person_id: str) -> dict[str, Any]:
    """同事忘记密码或换了手机；48 小时有效。"""
    shown, wanted = Digits(), identified(person_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        key = join_key(settings().secret_key)
        return shown(only(issue_resets(session, [wanted], key=key, actor=current_actor(), at=at)))

    return shown.fill(change(work, body={}))


@blueprint.route("/orders/<number>/papers", methods=["POST"])
@operation(
    "准备兑付材料",
    "enterprise:claim:prepare",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.FILE_REFUSED),
    keyed=True,
)
@blueprint.arguments(schemas.PapersBody)
@blueprint.response(201, CountAnswer)
def prepare(body: dict[str, Any], number: str) -> dict[str, Any]:
    """先 POST /files；提交兑付申请时自动带上。代账人员只能做到这一步。"""
    papers = tuple(given_as(each["kind"], named_file(each)) for each in body["papers"])
    wanted = PrepareRequest(numbered(number), papers)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": only(prepare_papers(session, [wanted], actor=current_actor(), at=at))}

    return change(work, body=body)


@blueprint.route("/orders/<number>/papers/drop", methods=["POST"])
@operation("撤下准备的材料", "enterprise:claim:prepare", refuses=(Code.NOT_FOUND,), keyed=True)
@blueprint.arguments(schemas.DropBody)
@blueprint.response(200, CountAnswer)
def drop(body: dict[str, Any], number: str) -> dict[str, Any]:
    """不再随兑付申请提交。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"count": drop_papers(session, wanted, body["paper_ids"], actor=current_actor(), at=at)}

    return change(work, body=body)
