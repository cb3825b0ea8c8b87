"""Checks: findings of a claim and settling them, parties that are shut out, changes of bank accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, identified, listed_page, numbered, operation
from voucher.api.entry import change, now, reading
from voucher.clock import business_date
from voucher.errors import Code, found
from voucher.operations.affiliate import PayeeRequest
from voucher.operations.ban import BanRequest, LiftRequest, ban, lift
from voucher.operations.change_payee import DecideRequest, ask_changes, decide_changes
from voucher.operations.outcome import only
from voucher.operations.settle_finding import SettleRequest, settle_findings
from voucher.operations.state_relation import RelationRequest, state_relation
from voucher.queries.after_payment import after_payment
from voucher.queries.claims import claim_file
from voucher.queries.findings import bans, findings_of
from voucher.schemas import checks as schemas
from voucher.schemas.api_orders import ReasonBody

blueprint = Endpoints("checks_v1", __name__, url_prefix="/api/v1", description="自动核验、限制名单、账户变更")


@blueprint.route("/claims/<number>/findings", methods=["GET"])
@operation("申请的疑点", "reviewer:claim:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.FindingsAnswer)
def list_findings(number: str) -> dict[str, Any]:
    """自动核验最近一轮发现的疑点，较重的在前。"""
    with reading() as session:
        found(claim_file(session, current_actor(), numbered(number)))
        return {"findings": [schemas.finding_answer(line) for line in findings_of(session, number)]}


@blueprint.route("/claims/<number>/findings/<seq>/settle", methods=["POST"])
@operation(
    "处理疑点",
    "reviewer:claim:decide",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.RECUSED, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.SettleBody)
@blueprint.response(200, schemas.FindingsAnswer)
def settle(body: dict[str, Any], number: str, seq: str) -> dict[str, Any]:
    """写明核实的情况；记录后不能修改。"""
    wanted = SettleRequest(numbered(number), identified(seq), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        only(settle_findings(session, [wanted], actor=current_actor(), at=at))
        return {"findings": [schemas.finding_answer(line) for line in findings_of(session, number)]}

    return change(work, body=body)


@blueprint.route("/orders/<number>/relation", methods=["POST"])
@operation(
    "声明关联关系",
    "own:relation:state",
    refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED),
    keyed=True,
)
@blueprint.arguments(schemas.RelationBody)
@blueprint.response(201, schemas.RelationAnswer)
def state(body: dict[str, Any], number: str) -> dict[str, Any]:
    """订单的企业和服务机构各声明一次；声明有关联关系的，该订单不能使用券。"""
    wanted = RelationRequest(numbered(number), body.get("kind"))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = only(state_relation(session, [wanted], actor=current_actor(), at=at))
        return {"order_no": number, "related": row.related}

    return change(work, body=body)


@blueprint.route("/paid-invoices", methods=["GET"])
@operation("兑付后需要复查的发票", "reviewer:claim:read")
@blueprint.response(200, schemas.PaidInvoicesAnswer)
def paid_invoices() -> dict[str, Any]:
    """兑付后被红冲或作废的发票，以及兑付满 90 天还没有复查的发票。"""
    with reading() as session:
        rows = after_payment(session, current_actor(), on=business_date(now()))
    return {"invoices": [schemas.paid_invoice_answer(row) for row in rows]}


@blueprint.route("/bans", methods=["GET"])
@operation("限制名单", "reviewer:ban:write")
@blueprint.arguments(schemas.BansQuery, location="query")
@blueprint.response(200, schemas.BansAnswer)
def list_bans(query: dict[str, Any]) -> dict[str, Any]:
    """全部限制决定，后登记的在前，每页 50 项。"""
    with reading() as session:
        page = bans(session, text=query["text"], page=query["page"])
        return listed_page(page, "bans", schemas.ban_answer)


@blueprint.route("/bans", methods=["POST"])
@operation(
    "登记限制决定",
    "reviewer:ban:write",
    refuses=(Code.NOT_FOUND, Code.USCC_INVALID, Code.REASON_MISSING, Code.BAN_PERIOD),
    keyed=True,
)
@blueprint.arguments(schemas.BanBody)
@blueprint.response(201, schemas.BanIdAnswer)
def enter(body: dict[str, Any]) -> dict[str, Any]:
    """措施为暂停或限制参与的，从起始日起，该单位的申请、下单、备案、兑付都会停在下一个环节；其他措施只作记录或限制申报。

    同一决定再次提交，答复相同。
    """
    wanted = BanRequest(**body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(ban(session, [wanted], actor=current_actor(), at=at)).id}

    return change(work, body=body)


@blueprint.route("/bans/<ban_id>/lift", methods=["POST"])
@operation(
    "解除限制",
    "reviewer:ban:write",
    refuses=(Code.NOT_FOUND, Code.SELF_APPROVAL, Code.REASON_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(ReasonBody)
@blueprint.response(200, schemas.BanIdAnswer)
def lift_(body: dict[str, Any], ban_id: str) -> dict[str, Any]:
    """立即解除；决定仍留有记录。"""
    wanted = LiftRequest(identified(ban_id), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return {"id": only(lift(session, [wanted], actor=current_actor(), at=at)).id}

    return change(work, body=body)


@blueprint.route("/payee-changes", methods=["POST"])
@operation(
    "变更收款账户",
    "reviewer:payee:confirm",
    refuses=(Code.NOT_FOUND, Code.PAYEE_MISSING, Code.STATE_CHANGED),
    keyed=True,
)
@blueprint.arguments(schemas.PayeeBody)
@blueprint.response(201, schemas.ChangeAnswer)
def ask_change(body: dict[str, Any]) -> dict[str, Any]:
    """由主管部门代为提出；单位自己变更须在网页上再次验证密码。冷静期后由另一人复核生效。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = only(ask_changes(session, [PayeeRequest(**body)], actor=current_actor(), at=at))
        return schemas.change_answer(row)

    return change(work, body=body)


@blueprint.route("/payee-changes/<change_id>/decision", methods=["POST"])
@operation(
    "复核收款账户变更",
    "reviewer:payee:confirm",
    refuses=(
        Code.NOT_FOUND,
        Code.STATE_CHANGED,
        Code.SELF_APPROVAL,
        Code.PAYEE_COOLING,
        Code.REASON_MISSING,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.DecideChangeBody)
@blueprint.response(200, schemas.ChangeAnswer)
def decide_change(body: dict[str, Any], change_id: str) -> dict[str, Any]:
    """同意则启用新账户，未进批次的申请改付新账户；不同意须写明理由。"""
    wanted = DecideRequest(identified(change_id), body["agreed"], body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return schemas.change_answer(only(decide_changes(session, [wanted], actor=current_actor(), at=at)))

    return change(work, body=body)
