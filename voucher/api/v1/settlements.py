"""Finance: budget lines, settlement batches by maker and checker, payments, the bank's answers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, identified, listed_page, numbered, operation, outcome
from voucher.api.entry import change, reading
from voucher.clock import iso
from voucher.errors import Code, found
from voucher.operations import batch
from voucher.operations.fund import FundRequest, LineRequest, fund, open_lines
from voucher.operations.outcome import only
from voucher.operations.pay import PaymentOrder, RepayRequest, export, pay_again
from voucher.operations.reconcile import BankResult, Reconciled, reconcile
from voucher.operations.settle import ApprovalRequest, approve
from voucher.queries import batches, budgets
from voucher.schemas import api_budgets
from voucher.schemas import api_settlements as schemas
from voucher.schemas.api_settlements import batch_answer

blueprint = Endpoints("settlements_v1", __name__, url_prefix="/api/v1", description="预算与结算")

_MOVED: Final = (Code.NOT_FOUND, Code.STATE_CHANGED)
_BARRED: Final = (
    Code.AFFILIATED, Code.PARTY_BANNED, Code.NOT_QUALIFIED, Code.ALREADY_FUNDED, Code.INVOICE_USED,
)  # fmt: skip
_READ: Final = "finance:batch:read"
_MAKE: Final = "finance:batch:make"


@blueprint.route("/budgets", methods=["GET"])
@operation("预算指标", "finance:budget:read")
@blueprint.arguments(api_budgets.LinesQuery, location="query")
@blueprint.response(200, api_budgets.BudgetLinesAnswer)
def list_budgets(query: dict[str, Any]) -> dict[str, Any]:
    """本级账簿的每条指标，以及资金现在何处。"""
    with reading() as session:
        lines = budgets.budget_lines(session, current_actor(), year=query.get("year"))
        return {"budgets": [api_budgets.budget_answer(line) for line in lines]}


@blueprint.route("/budgets", methods=["POST"])
@operation(
    "新增预算指标", "finance:budget:fund", refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED), keyed=True
)
@blueprint.arguments(api_budgets.BudgetLineBody)
@blueprint.response(201, api_budgets.OpenedAnswer)
def open_budget(body: dict[str, Any]) -> dict[str, Any]:
    """为一个项目的一个年度新增一条指标；同样的指标再次新增，答复相同。"""
    asked = LineRequest(**body)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        line_id = only(open_lines(session, [asked], actor=current_actor(), at=at))
        return {"id": line_id, "code": asked.code}

    return change(work, body=body)


@blueprint.route("/budgets/<code>/fund", methods=["POST"])
@operation(
    "下达预算",
    "finance:budget:fund",
    refuses=(Code.NOT_FOUND, Code.PERIOD_CLOSED, Code.ALREADY_REGISTERED),
    keyed=True,
)
@blueprint.arguments(api_budgets.FundBody)
@blueprint.response(200, api_budgets.FundedAnswer)
def fund_(body: dict[str, Any], code: str) -> dict[str, Any]:
    """按指标文下达资金；同一文号对同一指标只下达一次。"""
    asked = FundRequest(coded(code), body["document_no"], body["amount_fen"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        funded = only(fund(session, [asked], actor=current_actor(), at=at))
        return {"code": funded.line_code, "replayed": funded.replayed}

    return change(work, body=body)


@blueprint.route("/batches", methods=["GET"])
@operation("兑付批次列表", _READ)
@blueprint.arguments(schemas.BatchesQuery, location="query")
@blueprint.response(200, schemas.BatchesAnswer)
def list_batches(query: dict[str, Any]) -> dict[str, Any]:
    """本级账簿的批次，新的在前，每页 50 个。"""
    wanted = batches.BatchFilter(query.get("state"), query.get("programme_code", ""))
    with reading() as session:
        page = batches.batches(session, current_actor(), wanted, page=query["page"])
        return listed_page(page, "batches", schemas.batch_line)


@blueprint.route("/batches/<number>", methods=["GET"])
@operation("查看批次", _READ, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.BatchDetailAnswer)
def show(number: str) -> dict[str, Any]:
    """一个批次和它的每笔支付。"""
    with reading() as session:
        return schemas.batch_detail(found(batches.batch_file(session, current_actor(), numbered(number))))


@blueprint.route("/batches", methods=["POST"])
@operation(
    "编制批次",
    _MAKE,
    refuses=(*_MOVED, *_BARRED, Code.NOTICE_REQUIRED, Code.FACTOR_REQUIRED, Code.PAYEE_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.BatchBody)
@blueprint.response(201, schemas.BatchAnswer)
def make(body: dict[str, Any]) -> dict[str, Any]:
    """以拟兑付的申请编制一个批次；编制人不能复核。"""
    asked = batch.BatchRequest(body["programme_code"], tuple(body["claim_nos"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(batch.make(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/batches/<number>/take-in", methods=["POST"])
@operation(
    "加入申请",
    _MAKE,
    refuses=(
        *_MOVED,
        *_BARRED,
        Code.NOTICE_REQUIRED,
        Code.FACTOR_REQUIRED,
        Code.NOT_PERMITTED,
        Code.PAYEE_MISSING,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ClaimNumbersBody)
@blueprint.response(200, schemas.BatchAnswer)
def take_in(body: dict[str, Any], number: str) -> dict[str, Any]:
    """把拟兑付的申请加入编制中的批次，全部加入或全部不加入。"""
    asked = batch.ChangeRequest(numbered(number), tuple(body["claim_nos"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(batch.take_in(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/batches/<number>/take-out", methods=["POST"])
@operation("移出申请", _MAKE, refuses=(*_MOVED, Code.NOT_PERMITTED), keyed=True)
@blueprint.arguments(schemas.ClaimNumbersBody)
@blueprint.response(200, schemas.BatchAnswer)
def take_out(body: dict[str, Any], number: str) -> dict[str, Any]:
    """从编制中的批次移出申请，回到拟兑付。"""
    asked = batch.ChangeRequest(numbered(number), tuple(body["claim_nos"]))

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(batch.take_out(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/batches/<number>/submit", methods=["POST"])
@operation("提交复核", _MAKE, refuses=(*_MOVED, Code.BATCH_EMPTY, Code.NOT_PERMITTED), keyed=True)
@blueprint.response(200, schemas.BatchAnswer)
def submit(number: str) -> dict[str, Any]:
    """提交复核，并取得内容指纹 content_sha256。"""
    asked = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(batch.submit(session, [asked], actor=current_actor(), at=at)))

    return change(work, body={})


@blueprint.route("/batches/<number>/send-back", methods=["POST"])
@operation("退回修改", "finance:batch:approve", refuses=_MOVED, keyed=True)
@blueprint.response(200, schemas.BatchAnswer)
def send_back(number: str) -> dict[str, Any]:
    """复核人退回，批次回到编制中。"""
    asked = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(batch.send_back(session, [asked], actor=current_actor(), at=at)))

    return change(work, body={})


@blueprint.route("/batches/<number>/approve", methods=["POST"])
@operation(
    "复核（结算）",
    "finance:batch:approve",
    refuses=(
        *_MOVED,
        *_BARRED,
        Code.SELF_APPROVAL,
        Code.BATCH_CHANGED,
        Code.ALREADY_SETTLED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ApproveBody)
@blueprint.response(200, schemas.BatchAnswer)
def approve_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """另一人复核看到的内容（以指纹为准），资金转为应付。"""
    asked = ApprovalRequest(numbered(number), body["content_sha256"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return batch_answer(only(approve(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/batches/<number>/export", methods=["POST"])
@operation("生成支付指令", "finance:payment:export", refuses=(*_MOVED, Code.BATCH_EMPTY), keyed=True)
@blueprint.response(200, schemas.PaymentsAnswer)
def export_(number: str) -> dict[str, Any]:
    """批次中尚未支付的各笔；再次生成时只含仍未支付的。"""
    asked = numbered(number)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return _payments(only(export(session, [asked], actor=current_actor(), at=at)))

    return change(work, body={})


@blueprint.route("/batches/<number>/reconcile", methods=["POST"])
@operation("银行对账", "finance:payment:reconcile", refuses=(*_MOVED, Code.PERIOD_CLOSED), keyed=True)
@blueprint.arguments(schemas.ReconcileBody)
@blueprint.response(200, schemas.ReconciledAnswer)
def reconcile_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """按银行回单逐笔登记已支付或退汇；某笔不能登记时，只有该笔的 refused 不为空。"""
    asked = [BankResult(numbered(number), **line) for line in body["lines"]]

    def work(session: Session, at: datetime) -> dict[str, Any]:
        results = reconcile(session, asked, actor=current_actor(), at=at)
        if len(results) == 1:
            only(results)
        return {
            "lines": [
                {"seq": line.seq, "state": None, **outcome(result, _reconciled)}
                for line, result in zip(asked, results, strict=True)
            ]
        }

    return change(work, body=body)


@blueprint.route("/batches/<number>/lines/<seq>/pay-again", methods=["POST"])
@operation(
    "退汇后重新支付",
    "finance:payment:repay",
    refuses=(*_MOVED, Code.PAYEE_MISSING, Code.SELF_APPROVAL),
    keyed=True,
)
@blueprint.arguments(schemas.PayAgainBody)
@blueprint.response(200, schemas.RequeuedAnswer)
def pay_again_(body: dict[str, Any], number: str, seq: str) -> dict[str, Any]:
    """退汇的一笔进入下一次支付指令；改到同一收款人的另一账户时，不能由登记退汇的人办理。"""
    asked = RepayRequest(numbered(number), _seq(seq), body["payee_account_id"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        requeued = only(pay_again(session, [asked], actor=current_actor(), at=at))
        return {"batch_no": requeued.batch_number, "seq": requeued.seq, "attempt": requeued.attempt}

    return change(work, body=body)


def _seq(text: str) -> int:
    """A line's place in its batch."""
    seq = identified(text)
    return found(seq if seq <= schemas.MOST_LINES else None)


def _payments(order: PaymentOrder) -> dict[str, Any]:
    instructions = [asdict(each) for each in order.instructions]
    for each in instructions:
        each["claim_no"], each["order_no"] = each.pop("claim_number"), each.pop("order_number")
    return {
        "batch_no": order.batch_number,
        "exported_at": iso(order.exported_at),
        "content_sha256": order.content_sha256,
        "total_fen": order.total_fen,
        "instructions": instructions,
    }


def _reconciled(line: Reconciled) -> dict[str, Any]:
    return {"state": line.state.value}
