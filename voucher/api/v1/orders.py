"""Orders from placing to reversal, for both sides; remote ones and those made at the counter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import allow, current_actor
from voucher.api.endpoint import Endpoints, listed_page, numbered, operation
from voucher.api.entry import change, reading
from voucher.api.files import named_file
from voucher.errors import Code, found
from voucher.operations.answer_order import AcceptRequest, DeclineRequest, accept_order, decline_order
from voucher.operations.cancel_order import CancelRequest, cancel_order
from voucher.operations.confirm_order import ConfirmRequest, confirm_order
from voucher.operations.deliver import DeliverRequest, deliver
from voucher.operations.file_contract import ContractRequest, file_contract
from voucher.operations.order_files import Given
from voucher.operations.outcome import only
from voucher.operations.place_order import PlaceRequest, place_order
from voucher.operations.reverse import ReverseRequest, reverse
from voucher.queries import orders
from voucher.rules.contracts import Part
from voucher.rules.permissions import permitted
from voucher.schemas import api_orders as schemas
from voucher.schemas.api_orders import order_answer, order_detail

blueprint = Endpoints(
    "orders_v1", __name__, url_prefix="/api/v1", description="服务订单：下单、接单、备案、交付、验收、冲正"
)

_MOVED: Final = (Code.NOT_FOUND, Code.STATE_CHANGED)
_ADMISSION: Final = (
    Code.NOT_FOUND,
    Code.VOUCHER_REVOKED,
    Code.VOUCHER_EXPIRED,
    Code.VOUCHER_NOT_USABLE,
    Code.POLICY_NOT_PUBLISHED,
    Code.PROVIDER_SUSPENDED,
    Code.CENTRE_NOT_CERTIFIED,
    Code.NOT_QUALIFIED,
    Code.SERVICE_NOT_CERTIFIED,
    Code.NOT_RECOGNISED,
    Code.AFFILIATED,
    Code.PARTY_BANNED,
)
_HOLD: Final = (Code.VOUCHER_EXHAUSTED, Code.CAP_EXCEEDED, Code.SUBSIDY_ZERO, Code.PERIOD_CLOSED)
_READ: Final = ("enterprise:order:read", "provider:order:read")


@blueprint.route("/orders", methods=["POST"])
@operation("下单", "enterprise:order:place", refuses=(*_ADMISSION, Code.ENTRY_WITHDRAWN), keyed=True)
@blueprint.arguments(schemas.PlaceBody)
@blueprint.response(201, schemas.OrderAnswer)
def place(body: dict[str, Any]) -> dict[str, Any]:
    """企业向服务平台下单。不动用资金；下单之日有效的政策版本适用到底。"""
    asked = PlaceRequest(
        body["voucher_no"],
        body["platform_id"],
        body["service"],
        body["description"],
        body["entry_id"],
        body["units"],
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(place_order(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders", methods=["GET"])
@operation("订单列表", *_READ)
@blueprint.arguments(schemas.OrdersQuery, location="query")
@blueprint.response(200, schemas.OrdersAnswer)
def list_orders(query: dict[str, Any]) -> dict[str, Any]:
    """本单位的订单，新的在前。企业看自己下的单，机构看自己平台的单。"""
    actor = current_actor()
    side = query.get("side") or ("holder" if permitted(actor, _READ[0]) else "platform")
    allow(_READ[0] if side == "holder" else _READ[1])
    wanted = orders.OrderFilter(
        state=str(query.get("state", "")),
        text=query.get("text", ""),
        voucher=query.get("voucher_no", ""),
        since_on=query.get("since_on"),
        until_on=query.get("until_on"),
    )
    listed = orders.holders_orders if side == "holder" else orders.platforms_orders
    with reading() as session:
        page = listed(session, actor=actor, wanted=wanted, page=query["page"], per_page=query["size"])
        return listed_page(page, "orders", order_detail)


@blueprint.route("/orders/<number>", methods=["GET"])
@operation("查看订单", *_READ, refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.OrderDetailAnswer)
def show(number: str) -> Any:
    """一笔订单。不是本单位的订单视同不存在。"""
    with reading() as session:
        return order_detail(
            found(orders.either_sides_order(session, numbered(number), actor=current_actor()))
        )


@blueprint.route("/orders/<number>/accept", methods=["POST"])
@operation("接单并报价", "provider:order:accept", refuses=_MOVED, keyed=True)
@blueprint.arguments(schemas.AcceptBody)
@blueprint.response(200, schemas.OrderAnswer)
def accept(body: dict[str, Any], number: str) -> dict[str, Any]:
    """机构接单：placed → accepted。"""
    asked = AcceptRequest(numbered(number), body["quote_fen"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(accept_order(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders/<number>/decline", methods=["POST"])
@operation("不接单", "provider:order:accept", refuses=_MOVED, keyed=True)
@blueprint.arguments(schemas.ReasonBody)
@blueprint.response(200, schemas.OrderAnswer)
def decline(body: dict[str, Any], number: str) -> dict[str, Any]:
    """机构不接单：placed → declined。"""
    asked = DeclineRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(decline_order(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders/<number>/contract", methods=["POST"])
@operation(
    "合同备案，锁定额度",
    "provider:order:file_contract",
    refuses=(
        Code.PARTY_BANNED,
        *_MOVED,
        Code.CONTRACT_DATE_INVALID,
        Code.CONTRACT_EXCEEDED,
        Code.CONTRACT_NO_INVALID,
        Code.CONTRACT_DIFFERS,
        Code.CONTRACT_ELSEWHERE,
        Code.INSTALMENTS_INVALID,
        Code.FILE_REFUSED,
        Code.VOUCHER_REVOKED,
        Code.VOUCHER_EXPIRED,
        Code.PROVIDER_SUSPENDED,
        Code.CENTRE_NOT_CERTIFIED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        *_HOLD,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ContractBody)
@blueprint.response(200, schemas.OrderAnswer)
def contract(body: dict[str, Any], number: str) -> dict[str, Any]:
    """合同备案：accepted → held。按政策计算补助并锁定；超出券余额、年度限额或合同上限的部分被减少，见 reductions。

    同一合同编号（不论写法）可用于多个订单，合计补助不超过按合同总额计算的补助。政策允许分期验收的可以分期。
    """
    said = body["file"]
    asked = ContractRequest(
        numbered(number),
        body["contract_no"],
        body["contract_on"],
        body["contract_fen"],
        whole_fen=body["whole_fen"],
        file=named_file(said) if said is not None else None,
        parts=tuple(Part(**each) for each in body["instalments"]),
    )

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(file_contract(session, [asked], actor=current_actor(), at=at)).order)

    return change(work, body=body)


@blueprint.route("/orders/<number>/deliver", methods=["POST"])
@operation(
    "交付",
    "provider:order:deliver",
    refuses=(*_MOVED, Code.EVIDENCE_MISSING, Code.FILE_REFUSED),
    keyed=True,
)
@blueprint.arguments(schemas.DeliverBody)
@blueprint.response(200, schemas.OrderAnswer)
def deliver_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """机构完成服务，或分期的下一期：held → delivered，等待企业验收。禁止上传涉密资料。"""
    files = tuple(Given(each["kind"], named_file(each)) for each in body["files"])
    asked = DeliverRequest(numbered(number), body["provider_ref"], body["note"], body["report_sha256"], files)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(deliver(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders/<number>/confirm", methods=["POST"])
@operation(
    "验收确认（核销）",
    "enterprise:order:confirm",
    refuses=(
        *_MOVED,
        Code.CAPTURE_ABOVE_HOLD,
        Code.ALREADY_RESOLVED,
        Code.VOUCHER_REVOKED,
        Code.PROVIDER_SUSPENDED,
        Code.CENTRE_NOT_CERTIFIED,
        Code.NOT_QUALIFIED,
        Code.SERVICE_NOT_CERTIFIED,
        Code.PERIOD_CLOSED,
    ),
    keyed=True,
)
@blueprint.arguments(schemas.ConfirmBody)
@blueprint.response(200, schemas.OrderAnswer)
def confirm(body: dict[str, Any], number: str) -> dict[str, Any]:
    """企业验收：delivered → captured，分期未完的回到 held。未核销的部分立即退回券、年度限额和合同上限。"""
    asked = ConfirmRequest(numbered(number), body["amount_fen"], body["part"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(confirm_order(session, [asked], actor=current_actor(), at=at)).order)

    return change(work, body=body)


@blueprint.route("/orders/<number>/cancel", methods=["POST"])
@operation(
    "取消订单",
    "enterprise:order:cancel",
    "provider:order:accept",
    refuses=(*_MOVED, Code.ALREADY_RESOLVED, Code.REASON_MISSING),
    keyed=True,
)
@blueprint.arguments(schemas.CancelBody)
@blueprint.response(200, schemas.OrderAnswer)
def cancel(body: dict[str, Any], number: str) -> dict[str, Any]:
    """核销之前任何一方可以取消，未核销的额度全部退回。政策要求双方同意的，接单后的第一次取消是请求（cancel_asked_by），对方再取消即为同意。"""
    asked = CancelRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(cancel_order(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)


@blueprint.route("/orders/<number>/reverse", methods=["POST"])
@operation(
    "冲正",
    "provider:order:reverse",
    refuses=(*_MOVED, Code.ALREADY_SETTLED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.ReasonBody)
@blueprint.response(200, schemas.OrderAnswer)
def reverse_(body: dict[str, Any], number: str) -> dict[str, Any]:
    """进入兑付批次之前，机构可以冲正误核销的订单；资金退回券，额度退回当初计入的年度。"""
    asked = ReverseRequest(numbered(number), body["reason"])

    def work(session: Session, at: datetime) -> dict[str, Any]:
        return order_answer(only(reverse(session, [asked], actor=current_actor(), at=at)))

    return change(work, body=body)
