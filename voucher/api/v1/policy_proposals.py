"""Policy texts looked at, kept as drafts, proposed by one person and published by another."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, operation
from voucher.api.entry import change, reading
from voucher.errors import Code, found
from voucher.operations.fit_version import PublishRequest
from voucher.operations.publish import propose_version, publish_version, save_draft, withdraw_proposal
from voucher.queries.policy_sheets import proposal_file, proposals, sheet_of
from voucher.schemas import api_policies as schemas

blueprint = Endpoints("policy_proposals_v1", __name__, url_prefix="/api/v1", description="政策的检查和发布")

_FIT: Final = (
    Code.NOT_FOUND,
    Code.POLICY_INVALID,
    Code.POLICY_INCOMPLETE,
    Code.POLICY_EXISTS,
    Code.POLICY_OVERLAPS,
    Code.ALREADY_REGISTERED,
    Code.STATE_CHANGED,
)


@blueprint.route("/policy-checks", methods=["POST"])
@operation("检查政策文件", "programme:policy:propose")
@blueprint.arguments(schemas.PolicyTexts)
@blueprint.response(200, schemas.SheetAnswer)
def check(body: dict[str, Any]) -> dict[str, Any]:
    """一次列出全部问题、每项参数的出处，以及与前一版本相比的变化。不写入数据。"""
    with reading() as session:
        sheet = sheet_of(session, body["text"], tuple(body["fills"]), body["document_text"])
        return schemas.sheet_answer(sheet)


@blueprint.route("/policy-proposals", methods=["GET"])
@operation("草稿和提请", "programme:policy:read")
@blueprint.response(200, schemas.ProposalsAnswer)
def listing() -> dict[str, Any]:
    """本人所辖地区的草稿、待发布和已撤回的版本。"""
    with reading() as session:
        return {"proposals": [schemas.proposal_line(each) for each in proposals(session, current_actor())]}


@blueprint.route("/policy-proposals/<proposal_id>", methods=["GET"])
@operation("查看提请", "programme:policy:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.ProposalAnswer)
def show(proposal_id: str) -> dict[str, Any]:
    """一份草稿或提请：现在的问题、参数、变化和校验值。"""
    with reading() as session:
        return schemas.proposal_answer(
            found(proposal_file(session, current_actor(), identified(proposal_id)))
        )


@blueprint.route("/policy-drafts", methods=["POST"])
@operation(
    "保存草稿", "programme:policy:propose",
    refuses=(Code.NOT_FOUND, Code.POLICY_INVALID, Code.STATE_CHANGED), keyed=True,
)  # fmt: skip
@blueprint.arguments(schemas.ProposalBody)
@blueprint.response(200, schemas.ProposedAnswer)
def draft(body: dict[str, Any]) -> dict[str, Any]:
    """保存尚有问题的文件，以后再改；给出 draft_id 时改写自己的草稿。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted, actor = _request(body), current_actor()
        return asdict(save_draft(session, wanted, draft_id=body["draft_id"], actor=actor, at=at))

    return change(work, body=body)


@blueprint.route("/policy-proposals", methods=["POST"])
@operation("提请发布", "programme:policy:propose", refuses=(*_FIT, Code.POLICY_PROPOSED), keyed=True)
@blueprint.arguments(schemas.ProposalBody)
@blueprint.response(200, schemas.ProposedAnswer)
def propose(body: dict[str, Any]) -> dict[str, Any]:
    """提请另一人发布；给出的 sha256 由发布人核对。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        wanted, actor = _request(body), current_actor()
        return asdict(propose_version(session, wanted, draft_id=body["draft_id"], actor=actor, at=at))

    return change(work, body=body)


@blueprint.route("/policy-proposals/<proposal_id>/publish", methods=["POST"])
@operation(
    "发布政策版本", "programme:policy:publish",
    refuses=(*_FIT, Code.SELF_APPROVAL, Code.POLICY_CHANGED), keyed=True,
)  # fmt: skip
@blueprint.arguments(schemas.PublishBody)
@blueprint.response(200, schemas.PublishedAnswer)
def publish(body: dict[str, Any], proposal_id: str) -> dict[str, Any]:
    """发布他人提请的版本；发布后不能修改。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        number, seen = identified(proposal_id), body["sha256"]
        return asdict(publish_version(session, number, seen_sha256=seen, actor=current_actor(), at=at))

    return change(work, body=body)


@blueprint.route("/policy-proposals/<proposal_id>/withdraw", methods=["POST"])
@operation(
    "撤回提请", "programme:policy:propose",
    refuses=(Code.NOT_FOUND, Code.STATE_CHANGED, Code.REASON_MISSING), keyed=True,
)  # fmt: skip
@blueprint.arguments(schemas.WithdrawBody)
@blueprint.response(200, schemas.ProposedAnswer)
def withdraw(body: dict[str, Any], proposal_id: str) -> dict[str, Any]:
    """撤回草稿或提请，写明原因。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        number, reason = identified(proposal_id), body["reason"]
        return asdict(withdraw_proposal(session, number, reason=reason, actor=current_actor(), at=at))

    return change(work, body=body)


def _request(body: dict[str, Any]) -> PublishRequest:
    return PublishRequest(
        text=body["text"],
        fills=tuple(body["fills"]),
        document_text=body["document_text"],
        book_code=body["book_code"],
    )
