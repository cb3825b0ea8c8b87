"""Recognition agreements: anybody reads them; officers check, publish by two, end, revoke, and keep the registry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, identified, open_operation, operation
from voucher.api.entry import change, reading
from voucher.errors import Code, found
from voucher.operations import agreement_registry as registry
from voucher.operations import publish_agreement as publishing
from voucher.queries.agreements import agreement_file, agreements
from voucher.schemas import api_agreements as schemas
from voucher.schemas.api_fields import IdAnswer

blueprint = Endpoints("agreements_v1", __name__, url_prefix="/api/v1", description="互认协议")

_STEP_REFUSES = (Code.NOT_FOUND, Code.STATE_CHANGED, Code.REASON_MISSING)


@blueprint.route("/agreements", methods=["GET"])
@open_operation("互认协议")
@blueprint.response(200, schemas.AgreementsAnswer)
def list_agreements() -> dict[str, Any]:
    """已发布的互认协议版本，包括已终止和已撤销的。"""
    with reading() as session:
        lines = agreements(session, published_only=True)
        return {"agreements": [schemas.line_answer(line) for line in lines]}


@blueprint.route("/agreements/<version_id>", methods=["GET"])
@open_operation("一个互认协议版本", refuses=(Code.NOT_FOUND,))
@blueprint.arguments(schemas.AgreementQuery, location="query")
@blueprint.response(200, schemas.AgreementAnswer)
def read_agreement(query: dict[str, Any], version_id: str) -> dict[str, Any]:
    """已发布的一个版本：各项约定和依据、名录（给出 on 时只列当日在册的）、暂停的机构。"""
    with reading() as session:
        file = found(agreement_file(session, identified(version_id), published_only=True))
        return schemas.file_answer(file, on=query["on"])


@blueprint.route("/agreements/check", methods=["POST"])
@operation("检查协议文件", "programme:agreement:publish")
@blueprint.arguments(schemas.AgreementBody)
@blueprint.response(200, schemas.ProblemsAnswer)
def check_agreement(body: dict[str, Any]) -> dict[str, Any]:
    """一次列出全部问题，逐项写明行号、参数和依据；不写入任何内容。"""
    with reading() as session:
        return schemas.problems_answer(publishing.check_here(session, _given(body)))


@blueprint.route("/agreements", methods=["POST"])
@operation(
    "提请发布协议版本",
    "programme:agreement:publish",
    refuses=(Code.NOT_FOUND, Code.AGREEMENT_INVALID, Code.AGREEMENT_EXISTS, Code.AGREEMENT_OVERLAPS),
    keyed=True,
)
@blueprint.arguments(schemas.AgreementBody)
@blueprint.response(200, schemas.AgreementStateAnswer)
def propose(body: dict[str, Any]) -> dict[str, Any]:
    """提请发布，等另一名主管人员发布；发布前不生效。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _state(publishing.propose_agreement(session, _given(body), actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/agreements/<version_id>/publish", methods=["POST"])
@operation(
    "发布协议版本",
    "programme:agreement:publish",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.STATE_CHANGED, Code.AGREEMENT_OVERLAPS),
    keyed=True,
)
@blueprint.response(200, schemas.AgreementStateAnswer)
def publish(version_id: str) -> dict[str, Any]:
    """发布他人提请的版本；发布后不能修改。"""
    wanted = identified(version_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _state(publishing.publish_agreement(session, wanted, actor=current_actor(), at=at))

    return change(work, body={"version_id": wanted})


@blueprint.route("/agreements/<version_id>/withdraw", methods=["POST"])
@operation("撤回提请", "programme:agreement:publish", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.StepBody)
@blueprint.response(200, schemas.AgreementStateAnswer)
def withdraw(body: dict[str, Any], version_id: str) -> dict[str, Any]:
    """撤回还没有发布的版本。"""
    return _step(publishing.withdraw_agreement, version_id, body)


@blueprint.route("/agreements/<version_id>/end", methods=["POST"])
@operation("终止协议版本", "programme:agreement:publish", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.StepBody)
@blueprint.response(200, schemas.AgreementStateAnswer)
def end(body: dict[str, Any], version_id: str) -> dict[str, Any]:
    """从某一天起不再下单，已下的订单继续办完。"""
    return _step(publishing.end_agreement, version_id, body)


@blueprint.route("/agreements/<version_id>/revoke", methods=["POST"])
@operation("撤销协议版本", "programme:agreement:publish", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.StepBody)
@blueprint.response(200, schemas.AgreementStateAnswer)
def revoke(body: dict[str, Any], version_id: str) -> dict[str, Any]:
    """立即停止下单、锁定和核销。"""
    return _step(publishing.revoke_agreement, version_id, body)


@blueprint.route("/agreements/<code>/registry", methods=["POST"])
@operation(
    "列入互认机构名录",
    "programme:registry:write",
    refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED),
    keyed=True,
)
@blueprint.arguments(schemas.ListingBody)
@blueprint.response(200, IdAnswer)
def enter(body: dict[str, Any], code: str) -> dict[str, Any]:
    """把一个平台列入协议的名录。"""
    wanted = registry.ListRequest(agreement=coded(code), **body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": registry.list_platform(session, wanted, actor=current_actor(), at=at)}

    return change(work, body={"agreement": code, **body})


@blueprint.route("/agreements/registry/<listing_id>/take-off", methods=["POST"])
@operation("移出互认机构名录", "programme:registry:write", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.TakeOffBody)
@blueprint.response(200, IdAnswer)
def take_off(body: dict[str, Any], listing_id: str) -> dict[str, Any]:
    """立即移出名录，不再下单、锁定和核销。"""
    entry = identified(listing_id)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = registry.take_off(session, entry, reason=body["reason"], actor=current_actor(), at=at)
        return {"id": done}

    return change(work, body={"listing_id": entry, **body})


@blueprint.route("/agreements/<code>/suspensions", methods=["POST"])
@operation("暂停互认机构", "programme:registry:write", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.SuspensionBody)
@blueprint.response(200, IdAnswer)
def suspend(body: dict[str, Any], code: str) -> dict[str, Any]:
    """一方地区立即暂停一个平台在协议下收券。"""
    return _away(registry.suspend_platform, code, body)


@blueprint.route("/agreements/<code>/suspensions/lift", methods=["POST"])
@operation("恢复互认机构", "programme:registry:write", refuses=_STEP_REFUSES, keyed=True)
@blueprint.arguments(schemas.SuspensionBody)
@blueprint.response(200, IdAnswer)
def readmit(body: dict[str, Any], code: str) -> dict[str, Any]:
    """暂停的一方地区恢复该平台；另一方的暂停仍然有效。"""
    return _away(registry.readmit_platform, code, body)


def _given(body: dict[str, Any]) -> publishing.AgreementText:
    return publishing.AgreementText(
        text=body["text"], fills=tuple(body["fills"]), document_text=body["document_text"]
    )


def _state(done: publishing.VersionAnswer) -> dict[str, Any]:
    return {
        "version_id": done.version_id,
        "code": done.code,
        "agreement": done.agreement,
        "state": done.state.value,
    }


def _step(
    deed: Callable[..., publishing.VersionAnswer], version_id: str, body: dict[str, Any]
) -> dict[str, Any]:
    wanted = publishing.StepRequest(version_id=identified(version_id), **body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _state(deed(session, wanted, actor=current_actor(), at=at))

    return change(work, body={"version_id": wanted.version_id, **body})


def _away(deed: Callable[..., int], code: str, body: dict[str, Any]) -> dict[str, Any]:
    wanted = registry.SuspendRequest(agreement=coded(code), **body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": deed(session, wanted, actor=current_actor(), at=at)}

    return change(work, body={"agreement": code, **body})
