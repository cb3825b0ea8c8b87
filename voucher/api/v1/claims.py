"""Claims: files, the claim of a redeemed order, the reviewers' queue and decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, invalid, listed_page, numbered, operation
from voucher.api.entry import change, reading
from voucher.api.files import keep_files_sent, named_file, ticket_for
from voucher.errors import Code, found
from voucher.operations.claim import ClaimRequest, claim
from voucher.operations.claim_papers import GivenPayment
from voucher.operations.decision_basis import Minutes
from voucher.operations.documents import GivenDocument, given_as
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import only
from voucher.operations.payees import payee_of
from voucher.operations.review import ReviewRequest, review
from voucher.queries import batches, claims, orders, policies
from voucher.schemas import api_claims as schemas
from voucher.schemas.api_files import StoredAnswer, stored_answer

blueprint = Endpoints("claims_v1", __name__, url_prefix="/api/v1", description="兑付申请与审核")

_READ = ("reviewer:claim:read", "enterprise:claim:submit", "provider:order:read")
_FILE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "array",
                        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "minItems": 1,
                        "maxItems": 20,
                        "description": "一个文件；或者几张照片，合成一个 PDF",
                    }
                },
            }
        }
    },
}


@blueprint.route("/files", methods=["POST"])
@blueprint.doc(requestBody=_FILE)
@operation(
    "上传文件",
    "enterprise:claim:submit",
    "enterprise:claim:prepare",
    "enterprise:authority:grant",
    "provider:order:deliver",
    "reviewer:claim:read",
    refuses=(Code.FILE_REFUSED,),
)
@blueprint.response(201, StoredAnswer)
def upload() -> dict[str, Any]:
    """保存一个 PDF、OFD、电子发票 XML、PNG、JPEG 或 HEIC 文件，以 sha256 为名；几张照片合成一个 PDF，原照片一并保留。

    电子发票的内容随即读出（invoice）。同样的内容只存一份，所以不需要 Idempotency-Key。禁止上传涉密资料。
    """
    sent = request.files.getlist("file")
    if not sent:
        raise invalid("file", "请选择文件。")
    kept = keep_files_sent(sent)
    return stored_answer(kept, ticket_for(kept))


@blueprint.route("/orders/<number>/payee-accounts", methods=["GET"])
@operation(
    "可以收款的账户",
    "enterprise:claim:submit",
    "provider:claim:submit",
    refuses=(Code.NOT_FOUND, Code.PAYEE_MISSING),
)
@blueprint.response(200, schemas.PayeeAccountsAnswer)
def payee_accounts(number: str) -> dict[str, Any]:
    """按政策的兑付方式，该订单的补助可以付到哪些账户。"""
    with reading() as session:
        order = found(orders.either_sides_order(session, numbered(number), actor=current_actor()))
        policy = policies.policy_of(session, order.rule_code)
        payee = payee_of(session, policy, holder=order.holder, platform=order.platform)
        return {"accounts": batches.payee_options(session, payee.uscc)}


@blueprint.route("/claims", methods=["POST"])
@operation(
    "申请兑付",
    "enterprise:claim:submit",
    "provider:claim:submit",
    refuses=(
        Code.NOT_FOUND,
        Code.OTHER_SIDE_CLAIMS,
        Code.INVOICE_EXCEEDED,
        Code.INVOICE_VOID,
        Code.PAYER_MISMATCH,
        Code.CHANNEL_NOT_ACCEPTED,
        Code.STATE_CHANGED,
        Code.CLAIM_LATE,
        Code.EVIDENCE_MISSING,
        Code.INVOICE_MISMATCH,
        Code.INVOICE_USED,
        Code.AFFILIATED,
        Code.PARTY_BANNED,
        Code.NOT_QUALIFIED,
        Code.ALREADY_FUNDED,
        Code.PAYEE_MISSING,
        Code.FILE_REFUSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ClaimBody)
@blueprint.response(201, schemas.ClaimedAnswer)
def submit(body: dict[str, Any]) -> dict[str, Any]:
    """为一笔已核销的订单申请兑付：合同、发票、付款、成果。材料先用 POST /files 上传；订单中已有的合同和成果不用再传。

    一张发票可以分摊到几笔订单（allocated_fen），每笔订单一件申请。通兑模式由机构申请，其他由企业申请。
    """
    asked = claim_request(body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(claim(session, [asked], actor=current_actor(), at=at))
        return {"number": made.number, "base_fen": made.base_fen, "claimed_fen": made.claimed_fen}

    return change(work, body=body)


@blueprint.route("/claims", methods=["GET"])
@operation("兑付申请列表", *_READ)
@blueprint.arguments(schemas.ClaimsQuery, location="query")
@blueprint.response(200, schemas.ClaimsAnswer)
def list_claims(query: dict[str, Any]) -> dict[str, Any]:
    """审核人看本地区的申请，企业看本单位的申请；先提交的在前，每页 50 项。"""
    wanted = claims.ClaimFilter(
        query.get("state"), query.get("text", ""), query.get("from_on"), query.get("to_on")
    )
    with reading() as session:
        page = claims.claims(session, current_actor(), wanted, page=query["page"])
        return listed_page(page, "claims", schemas.claim_line)


@blueprint.route("/claims/<number>", methods=["GET"])
@operation("查看兑付申请", *_READ, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.ClaimAnswer)
def show(number: str) -> dict[str, Any]:
    """一项申请及其材料。"""
    with reading() as session:
        return schemas.claim_answer(found(claims.claim_file(session, current_actor(), numbered(number))))


@blueprint.route("/claims/<number>/decision", methods=["POST"])
@operation(
    "审核",
    "reviewer:claim:decide",
    refuses=(
        Code.NOT_FOUND,
        Code.SELF_APPROVAL,
        Code.RECUSED,
        Code.CASE_TAKEN,
        Code.REASON_MISSING,
        Code.APPROVED_ABOVE_CLAIM,
        Code.APPROVED_ABOVE_AUDIT,
        Code.AUDIT_MISSING,
        Code.SUBSIDY_ZERO,
        Code.OPINION_MISSING,
        Code.COSIGN_MISSING,
        Code.MINUTES_MISSING,
        Code.STATE_CHANGED,
        Code.ALREADY_SETTLED,
        Code.BUDGET_EXCEEDED,
        Code.CAP_EXCEEDED,
        Code.PERIOD_CLOSED,
        Code.FILE_REFUSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.DecisionBody)
@blueprint.response(200, schemas.ReviewedAnswer)
def decide(body: dict[str, Any], number: str) -> dict[str, Any]:
    """同意、核减（写明金额和理由）或不同意（写明理由）。未核定的部分立即退回券，额度退回当初计入的年度。"""
    said = body["minutes"]
    cited = Minutes(said["number"], said["on"], named_file(said)) if said is not None else None
    asked = ReviewRequest(
        numbered(number),
        body["verdict"],
        body["approved_fen"],
        body["reason"],
        body["cause"],
        cited,
        body["budget_line"],
        body["audited_fen"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        reviewed = only(review(session, [asked], actor=current_actor(), at=at))
        return {
            "claim_no": reviewed.claim_number,
            "verdict": reviewed.verdict.value,
            "approved_fen": reviewed.approved_fen,
            "given_back_fen": reviewed.given_back_fen,
        }

    return change(work, body=body)


def claim_request(body: dict[str, Any]) -> ClaimRequest:
    """A claim as it was sent; its files must be in the store."""
    return ClaimRequest(
        order_number=body["order_no"],
        contract_fen=body["contract_fen"],
        invoices=tuple(GivenInvoice(**invoice) for invoice in body["invoices"]),
        payments=tuple(GivenPayment(**payment) for payment in body["payments"]),
        documents=tuple(given_document(document) for document in body["documents"]),
        payee_account_id=body["payee_account_id"],
    )


def given_document(said: dict[str, Any]) -> GivenDocument:
    """A file that was sent before, as a paper."""
    return given_as(said["kind"], named_file(said))
