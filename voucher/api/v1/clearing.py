"""Pledges, statements of pairs of books, and money between them by two persons on each side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from voucher.api.access import current_actor
from voucher.api.endpoint import Endpoints, coded, numbered, operation
from voucher.api.entry import change, reading
from voucher.errors import Code, found
from voucher.models.cofunding import Remittance
from voucher.money import Fen
from voucher.operations import remit
from voucher.operations.outcome import Refused, only
from voucher.operations.pledge import PledgeRequest, pledge
from voucher.operations.remit import NoteRequest, RemitRequest
from voucher.queries.clearing import own_book, pairs, pledges, remittance_file, statement
from voucher.schemas import clearing as schemas

blueprint = Endpoints("clearing_v1", __name__, url_prefix="/api/v1", description="配套承诺与区域清算")

_MOVED: Final = (Code.NOT_FOUND, Code.STATE_CHANGED)


@blueprint.route("/pledges", methods=["GET"])
@operation("配套承诺", "finance:pledge:read")
@blueprint.response(200, schemas.PledgesAnswer)
def list_pledges() -> dict[str, Any]:
    """本级账簿的每项配套承诺，以及资金现在何处。"""
    with reading() as session:
        return {"pledges": [schemas.pledge_answer(line) for line in pledges(session, current_actor())]}


@blueprint.route("/pledges", methods=["POST"])
@operation(
    "登记配套承诺",
    "finance:pledge:add",
    refuses=(Code.NOT_FOUND, Code.ALREADY_REGISTERED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.arguments(schemas.PledgeBody)
@blueprint.response(201, schemas.PledgedAnswer)
def add_pledge(body: dict[str, Any]) -> dict[str, Any]:
    """为其他财政牵头的项目承诺一个年度的配套资金；同一文号只登记一次。"""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        book = found(own_book(session, current_actor(), body["book_code"]))
        asked = PledgeRequest(
            book.book_id,
            body["programme_code"],
            body["year"],
            Fen(body["amount_fen"]),
            body["document_no"],
            body["agreement_code"],
        )
        done = only(pledge(session, [asked], actor=current_actor(), at=at))
        return {"owner": done.owner, "year": done.year, "replayed": done.replayed}

    return change(work, body=body)


@blueprint.route("/clearing", methods=["GET"])
@operation("区域清算往来", "finance:clearing:read")
@blueprint.response(200, schemas.PairsAnswer)
def list_statements() -> dict[str, Any]:
    """本级账簿与其他账簿的每份对账单。"""
    actor = current_actor()
    with reading() as session:
        told = [statement(session, actor, own.code, other.code) for own, other in pairs(session, actor)]
        return {"statements": [schemas.statement_answer(each) for each in told if each is not None]}


@blueprint.route("/clearing/<own>/<other>", methods=["GET"])
@operation("对账单", "finance:clearing:read", refuses=(Code.NOT_FOUND,))
@blueprint.response(200, schemas.PairStatementAnswer)
def show_statement(own: str, other: str) -> dict[str, Any]:
    """两本账簿之间：已结算的订单、汇款、在途和未付；双方看到的相同。"""
    with reading() as session:
        told = found(statement(session, current_actor(), coded(own), coded(other)))
        return schemas.statement_answer(told)


@blueprint.route("/remittances", methods=["POST"])
@operation(
    "制作汇款单", "finance:clearing:prepare", refuses=(Code.NOT_FOUND, Code.CLEARING_EXCEEDED), keyed=True
)
@blueprint.arguments(schemas.RemitBody)
@blueprint.response(201, schemas.RemittanceAnswer)
def prepare(body: dict[str, Any]) -> dict[str, Any]:
    """把应付对方的一部分或全部制成汇款单；由另一人复核汇出。"""
    asked = RemitRequest(body["from_code"], body["to_code"], Fen(body["amount_fen"]), body["document_no"])
    return change(_step(remit.prepare, [asked]), body=body)


@blueprint.route("/remittances/<number>/send", methods=["POST"])
@operation(
    "复核汇出",
    "finance:clearing:approve",
    refuses=(*_MOVED, Code.SELF_APPROVAL, Code.CLEARING_EXCEEDED, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.response(200, schemas.RemittanceAnswer)
def send(number: str) -> dict[str, Any]:
    """复核人汇出；制单人不能复核。"""
    return change(_step(remit.send, [numbered(number)]), body={"number": number})


@blueprint.route("/remittances/<number>/withdraw", methods=["POST"])
@operation("撤回汇款单", "finance:clearing:prepare", refuses=_MOVED, keyed=True)
@blueprint.response(200, schemas.RemittanceAnswer)
def withdraw(number: str) -> dict[str, Any]:
    """撤回还没有汇出的汇款单。"""
    return change(_step(remit.withdraw, [numbered(number)]), body={"number": number})


@blueprint.route("/remittances/<number>/note", methods=["POST"])
@operation("登记收款", "finance:clearing:prepare", refuses=_MOVED, keyed=True)
@blueprint.arguments(schemas.ReceiptBody)
@blueprint.response(200, schemas.RemittanceAnswer)
def note(body: dict[str, Any], number: str) -> dict[str, Any]:
    """收方按银行回单登记收款；由另一人确认。"""
    asked = NoteRequest(numbered(number), body["receipt_no"])
    return change(_step(remit.note, [asked]), body={"number": number, **body})


@blueprint.route("/remittances/<number>/receive", methods=["POST"])
@operation(
    "确认收款",
    "finance:clearing:approve",
    refuses=(*_MOVED, Code.SELF_APPROVAL, Code.PERIOD_CLOSED),
    keyed=True,
)
@blueprint.response(200, schemas.RemittanceAnswer)
def receive(number: str) -> dict[str, Any]:
    """收方另一人确认收款入账。"""
    return change(_step(remit.receive, [numbered(number)]), body={"number": number})


def _step(
    act: Callable[..., list[Remittance | Refused]], asked: Sequence[Any]
) -> Callable[[Session, datetime], dict[str, Any]]:
    """One step of a remittance, answered with where it stands."""

    def work(session: Session, at: datetime) -> dict[str, Any]:
        row = only(act(session, asked, actor=current_actor(), at=at))
        told = found(remittance_file(session, current_actor(), row.number))
        codes = {book.book_id: book.code for book in (told.sender, told.taker)}
        return schemas.remittance_answer(told.row, codes)

    return work
