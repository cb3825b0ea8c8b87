"""Pledges, statements of pairs of books and remittances, as finance types them and as JSON says them."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.cofunding import Remittance
from voucher.queries.clearing import Direction, PledgeLine, Statement
from voucher.schemas.api_fields import CountField, amount, moment, state
from voucher.schemas.base import Body, CodeField, FenField, Form, TextField, YuanField
from voucher.terms import RemittanceState


class PledgeForm(Form):
    """A promise of a book; `step` says whether it was checked already."""

    step = fields.String(load_default="check")
    book_code = CodeField(required=True)
    programme_code = CodeField(required=True)
    agreement_code = CodeField(load_default="")
    year = CodeField(required=True, maximum=4)
    document_no = TextField(required=True, maximum=80)
    amount = YuanField(required=True)


class RemitForm(Form):
    """An amount to be sent to another book; `step` says whether it was checked already."""

    step = fields.String(load_default="check")
    document_no = TextField(required=True, maximum=80)
    amount = YuanField(required=True)


class ReceiptForm(Form):
    """The bank's receipt for money that has arrived."""

    receipt_no = TextField(required=True, maximum=80)


class PledgeBody(Body):
    """A promise of a book by a document."""

    book_code = CodeField(required=True)
    programme_code = CodeField(required=True)
    agreement_code = CodeField(load_default="")
    year = CountField(required=True, minimum=2000, maximum=2199)
    document_no = TextField(required=True, maximum=80)
    amount_fen = FenField(required=True)


class RemitBody(Body):
    """An amount that one book is to send to another."""

    from_code = CodeField(required=True)
    to_code = CodeField(required=True)
    document_no = TextField(required=True, maximum=80)
    amount_fen = FenField(required=True)


class ReceiptBody(Body):
    """The bank's receipt for money that has arrived."""

    receipt_no = TextField(required=True, maximum=80)


class PledgedAnswer(Body):
    """The pledge that the amount is on; `replayed`: this document had put it there already."""

    owner = fields.String(required=True)
    year = fields.Integer(required=True)
    replayed = fields.Boolean(required=True)


class PledgeAnswer(Body):
    """Where a pledge stands."""

    book_code = fields.String(required=True)
    owner = fields.String(required=True, metadata={"description": "项目，或“协议|项目”"})
    year = fields.Integer(required=True)
    pledged_fen = amount("承诺金额")
    reserved_fen = amount("锁定")
    taken_fen = amount("已承担")
    left_fen = amount("可用")


class PledgesAnswer(Body):
    """Every pledge of the reader's books."""

    pledges = fields.List(fields.Nested(PledgeAnswer), required=True)


class RemittanceAnswer(Body):
    """A remittance between two books."""

    number = fields.String(required=True)
    from_code = fields.String(required=True)
    to_code = fields.String(required=True)
    amount_fen = amount("金额")
    state = state(RemittanceState)
    state_label = fields.String(required=True)
    document_no = fields.String(required=True)
    receipt_no = fields.String(required=True)
    prepared_at = moment("制单时间")
    sent_at = moment("汇出时间", none=True)
    received_at = moment("收款时间", none=True)


class SettledAnswer(Body):
    """One order as both books say it."""

    order_no = fields.String(required=True)
    on = fields.String(required=True)
    payer_fen = amount("付方账")
    taker_fen = amount("收方账")


class DirectionAnswer(Body):
    """What one book owes the other."""

    payer_code = fields.String(required=True)
    taker_code = fields.String(required=True)
    settled_fen = amount("应付")
    sent_fen = amount("已汇出")
    received_fen = amount("对方已收")
    in_transit_fen = amount("在途")
    owed_fen = fields.Integer(required=True, metadata={"description": "未付（分），多付为负"})
    orders = fields.List(fields.Nested(SettledAnswer), required=True)


class PairStatementAnswer(Body):
    """The statement of a pair of books."""

    first_code = fields.String(required=True)
    second_code = fields.String(required=True)
    mirrors = fields.Boolean(required=True)
    in_transit_fen = amount("在途")
    directions = fields.List(fields.Nested(DirectionAnswer), required=True)
    remittances = fields.List(fields.Nested(RemittanceAnswer), required=True)


class PairsAnswer(Body):
    """The statements that there are for the reader's books."""

    statements = fields.List(fields.Nested(PairStatementAnswer), required=True)


def pledge_answer(line: PledgeLine) -> dict[str, Any]:
    """Where a pledge stands."""
    names = ("owner", "year", "pledged_fen", "reserved_fen", "taken_fen", "left_fen")
    return {"book_code": line.book.code, **{name: getattr(line, name) for name in names}}


def remittance_answer(row: Remittance, codes: dict[int, str]) -> dict[str, Any]:
    """A remittance, its books by their codes."""
    return {
        "number": row.number,
        "from_code": codes[row.from_book_id],
        "to_code": codes[row.to_book_id],
        "amount_fen": row.amount_fen,
        "state": row.state,
        "state_label": RemittanceState(row.state).label,
        "document_no": row.document_no,
        "receipt_no": row.receipt_no,
        "prepared_at": iso(row.prepared_at),
        "sent_at": iso(row.sent_at) if row.sent_at else None,
        "received_at": iso(row.received_at) if row.received_at else None,
    }


def statement_answer(found: Statement) -> dict[str, Any]:
    """A statement with its orders and remittances."""
    codes = {book.book_id: book.code for book in (found.first, found.second)}
    return {
        "first_code": found.first.code,
        "second_code": found.second.code,
        "mirrors": found.mirrors,
        "in_transit_fen": found.in_transit_fen,
        "directions": [_direction(each) for each in found.directions],
        "remittances": [remittance_answer(row, codes) for row in found.remittances],
    }


def _direction(each: Direction) -> dict[str, Any]:
    return {
        "payer_code": each.payer.code,
        "taker_code": each.taker.code,
        "settled_fen": each.payer_fen,
        "sent_fen": each.sent_fen,
        "received_fen": each.received_fen,
        "in_transit_fen": each.in_transit_fen,
        "owed_fen": each.owed_fen,
        "orders": [
            {
                "order_no": line.order_number,
                "on": line.on.isoformat(),
                "payer_fen": line.payer_fen,
                "taker_fen": line.taker_fen,
            }
            for line in each.lines
        ],
    }
