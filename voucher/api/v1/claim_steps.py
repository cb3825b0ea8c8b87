"""Steps of claims besides sending and deciding them: look first, confirm, mend, withdraw; post-subsidies; tax checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, invalid, numbered, operation
from voucher.api.entry import change, now, reading
from voucher.api.v1.claims import claim_request, given_document
from voucher.clock import business_date
from voucher.errors import Code, found
from voucher.operations.award import AwardRequest, apply_for_award
from voucher.operations.claim import claim
from voucher.operations.claim_papers import GivenPayment
from voucher.operations.confirm_claim import ClaimAnswer, confirm_claims
from voucher.operations.invoices import GivenInvoice
from voucher.operations.outcome import only
from voucher.operations.preview_claim import preview
from voucher.operations.resubmit import Mended, resubmit
from voucher.operations.revoke_award import RevokeRequest, revoke_awards
from voucher.operations.tax_checks import TaxResult, record_tax_checks
from voucher.operations.withdraw_claim import withdraw_claims
from voucher.queries import orders
from voucher.queries.tax_list import TaxListFilter, tax_list
from voucher.rules.invoices import InvoiceError, normalise
from voucher.schemas import api_claim_steps as schemas
from voucher.schemas.api_claims import ClaimedAnswer

blueprint = Endpoints(
    "claim_steps_v1", __name__, url_prefix="/api/v1", description="兑付申请的办理与发票查验"
)

_SUBMIT = ("enterprise:claim:submit", "provider:claim:submit")
_CONFIRM = ("enterprise:claim:confirm", "provider:claim:confirm")
_PAPERS = (
    Code.EVIDENCE_MISSING, Code.INVOICE_MISMATCH, Code.INVOICE_VOID, Code.PAYER_MISMATCH,
    Code.CHANNEL_NOT_ACCEPTED, Code.PAYEE_MISSING, Code.FILE_REFUSED,
)  # fmt: skip
_USES = (
    Code.INVOICE_USED, Code.INVOICE_EXCEEDED, Code.AFFILIATED, Code.PARTY_BANNED, Code.NOT_QUALIFIED,
    Code.ALREADY_FUNDED,
)  # fmt: skip


@blueprint.route("/claims/check", methods=["POST"])
@operation("试算兑付申请", *_SUBMIT, refuses=(Code.NOT_FOUND, *_PAPERS))
@blueprint.arguments(schemas.CheckBody)
@blueprint.response(200, schemas.CheckedAnswer)
def check(body: dict[str, Any]) -> dict[str, Any]:
    """提交前看：补助基数、比例、可申请的金额、为什么减少，以及与发票原件不一致之处。不写入任何内容。"""
    asked = claim_request(body)
    with reading() as session:
        order = found(orders.either_sides_order(session, asked.order_number, actor=current_actor()))
        judged, claimed_fen = preview(session, order, asked, at=now())
        return schemas.checked_answer(judged, claimed_fen)


@blueprint.route("/claims/together", methods=["POST"])
@operation(
    "一次申请几笔订单的兑付",
    *_SUBMIT,
    refuses=(Code.NOT_FOUND, Code.OTHER_SIDE_CLAIMS, Code.STATE_CHANGED, Code.CLAIM_LATE, *_PAPERS, *_USES),
    keyed=True,
)
@blueprint.arguments(schemas.TogetherBody)
@blueprint.response(201, schemas.TogetherAnswer)
def submit_together(body: dict[str, Any]) -> dict[str, Any]:
    """几笔已核销的订单一次提交，一张发票可以分摊到其中几笔（allocated_fen）；全部受理或全部不受理。"""
    asked = [claim_request(each) for each in body["claims"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = [only([each]) for each in claim(session, asked, actor=current_actor(), at=at)]
        told = [
            {"number": each.number, "base_fen": each.base_fen, "claimed_fen": each.claimed_fen}
            for each in made
        ]
        return {"claims": told}

    return change(work, body=body)


@blueprint.route("/claims/<number>/revoke-award", methods=["POST"])
@operation(
    "撤销后补助核定",
    "reviewer:award:revoke",
    refuses=(
        Code.NOT_FOUND,
        Code.REASON_MISSING,
        Code.SELF_APPROVAL,
        Code.RECUSED,
        Code.STATE_CHANGED,
        Code.ALREADY_SETTLED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.RevokeBody)
@blueprint.response(200, schemas.RevokedAnswer)
def revoke(body: dict[str, Any], number: str) -> dict[str, Any]:
    """未编入批次、不在公示期的后补助撤销核定：资金退回预算指标，限额恢复。不能由作出审核意见的人办理。"""
    wanted = RevokeRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = only(revoke_awards(session, [wanted], actor=current_actor(), at=at))
        return {"claim_no": done.claim_number, "given_back_fen": done.given_back_fen}

    return change(work, body=body)


@blueprint.route("/claims/<number>/answer", methods=["POST"])
@operation(
    "确认兑付申请",
    *_CONFIRM,
    refuses=(Code.NOT_FOUND, Code.NOT_PERMITTED, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.AnswerBody)
@blueprint.response(200, schemas.StepAnswer)
def answer(body: dict[str, Any], number: str) -> dict[str, Any]:
    """订单的另一方确认申请，或者写明原因不确认（申请退回）。期限过后自动退回。"""
    wanted = ClaimAnswer(numbered(number), body["agreed"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        state = only(confirm_claims(session, [wanted], actor=current_actor(), at=at))
        return schemas.step_answer(wanted.claim_number, state)

    return change(work, body=body)


@blueprint.route("/claims/<number>/withdrawal", methods=["POST"])
@operation(
    "撤回兑付申请",
    *_SUBMIT,
    refuses=(Code.NOT_FOUND, Code.OTHER_SIDE_CLAIMS, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.response(200, schemas.StepAnswer)
def withdraw(number: str) -> dict[str, Any]:
    """审核之前撤回申请：订单可以重新申请，发票可以另行使用。"""
    wanted = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        state = only(withdraw_claims(session, [wanted], actor=current_actor(), at=at))
        return schemas.step_answer(wanted, state)

    return change(work, body={"number": wanted})


@blueprint.route("/claims/<number>/mended", methods=["POST"])
@operation(
    "补正后重新提交",
    *_SUBMIT,
    refuses=(
        Code.NOT_FOUND,
        Code.OTHER_SIDE_CLAIMS,
        Code.STATE_CHANGED,
        Code.ITEM_NOT_OPEN,
        *_PAPERS,
        *_USES,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.MendBody)
@blueprint.response(200, ClaimedAnswer)
def mend(body: dict[str, Any], number: str) -> dict[str, Any]:
    """只能修改补正告知书列出的项目；不填的保持原样。排队次序不变。"""
    wanted = Mended(
        claim_number=numbered(number),
        contract_fen=body["contract_fen"],
        invoices=_all(GivenInvoice, body["invoices"]),
        payments=_all(GivenPayment, body["payments"]),
        payee_account_id=body["payee_account_id"],
        documents=tuple(given_document(each) for each in body["documents"]),
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(resubmit(session, [wanted], actor=current_actor(), at=at))
        return {"number": made.number, "base_fen": made.base_fen, "claimed_fen": made.claimed_fen}

    return change(work, body=body)


@blueprint.route("/awards", methods=["POST"])
@operation(
    "申请后补助",
    "enterprise:claim:submit",
    refuses=(
        Code.NOT_FOUND,
        Code.POLICY_NOT_PUBLISHED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        *_PAPERS,
        *_USES,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.AwardBody)
@blueprint.response(201, ClaimedAnswer)
def award(body: dict[str, Any]) -> dict[str, Any]:
    """没有券的后补助：服务已经完成、付款已经付清，按实际发生的费用申请。"""
    wanted = AwardRequest(
        **{
            **body,
            "invoices": _all(GivenInvoice, body["invoices"]),
            "payments": _all(GivenPayment, body["payments"]),
            "documents": tuple(given_document(each) for each in body["documents"]),
        }
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        made = only(apply_for_award(session, [wanted], actor=current_actor(), at=at))
        return {"number": made.number, "base_fen": made.base_fen, "claimed_fen": made.claimed_fen}

    return change(work, body=body)


@blueprint.route("/invoices", methods=["GET"])
@operation("待查验的发票", "finance:invoice:read")
@blueprint.arguments(schemas.TaxListQuery, location="query")
@blueprint.response(200, schemas.TaxListAnswer)
def due(query: dict[str, Any]) -> dict[str, Any]:
    """已核定（或已提交）的申请所用的发票，最多 20000 张；days 表示多少天内没有查验过。"""
    days = query["days"]
    since = business_date(now()) - timedelta(days=days) if days else None
    with reading() as session:
        lines = tax_list(session, current_actor(), TaxListFilter(since, not query["everything"]))
        return {"invoices": [schemas.tax_line(line) for line in lines]}


@blueprint.route("/invoices/checks", methods=["POST"])
@operation(
    "登记发票查验结果",
    "finance:invoice:check",
    refuses=(Code.NOT_FOUND, Code.INVOICE_MISMATCH),
    keyed=True,
)
@blueprint.arguments(schemas.TaxChecksBody)
@blueprint.response(200, schemas.TaxChecksAnswer)
def record(body: dict[str, Any]) -> dict[str, Any]:
    """登记在税务部门网站查验的结果：全部登记，或者全部不登记。已红冲、已作废的发票不能再用，其申请不能进入批次。"""
    results = [_result(each, place) for place, each in enumerate(body["results"])]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = record_tax_checks(session, results, actor=current_actor(), at=at)
        return {"recorded": {verdict.value: number for verdict, number in done.items()}}

    return change(work, body=body)


def _result(said: dict[str, Any], place: int) -> TaxResult:
    try:
        key = normalise(said["invoice"])
    except InvoiceError as unreadable:
        raise invalid(f"results.{place}.invoice", f"{unreadable.reason}。") from unreadable
    return TaxResult(key, said["verdict"], said["checked_on"], said["note"])


def _all(shape: Any, rows: list[dict[str, Any]] | None) -> Any:
    return None if rows is None else tuple(shape(**row) for row in rows)
