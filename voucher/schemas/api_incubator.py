"""Bases and their tenants in JSON: stays, allotments, orders for tenants, attendance, the table of use."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from marshmallow.validate import Length

from voucher.models.tenancies import Allotment, OrderBeneficiary, Tenancy
from voucher.queries.incubator import AllotmentLine, TenantLine
from voucher.queries.startup_use import VoucherUse
from voucher.schemas.api_fields import MOST_REQUESTS, CountField, JsonDayField, JsonIdField
from voucher.schemas.api_files import StoredBody
from voucher.schemas.base import Body, CodeField, FenField, TextField


class TenantBody(Body):
    """A startup that moves into a centre; a firm that nobody knows is registered with this name."""

    ref = TextField(required=True, maximum=40, metadata={"description": "统一社会信用代码或临时编号"})
    name = TextField(required=True, maximum=120)
    entered_on = JsonDayField(required=True)
    left_on = JsonDayField(load_default=None, allow_none=True)


class TenantsBody(Body):
    """Tenants of one centre."""

    centre_id = JsonIdField(required=True)
    tenants = fields.List(fields.Nested(TenantBody), required=True, validate=Length(1, MOST_REQUESTS))


class DayBody(Body):
    """A day."""

    on = JsonDayField(required=True)


class AllotBody(Body):
    """An amount for one tenant."""

    tenancy_id = JsonIdField(required=True)
    amount_fen = FenField(required=True)


class AllotmentsBody(Body):
    """What is allotted of a voucher: all of it or nothing."""

    allotments = fields.List(fields.Nested(AllotBody), required=True, validate=Length(1, MOST_REQUESTS))


class TakeBackBody(Body):
    """How much is taken back; null: all that is free."""

    amount_fen = FenField(load_default=None, allow_none=True)


class TenantLineBody(Body):
    """A tenant by its allotment, and its part of the price."""

    allotment_number = CodeField(required=True)
    amount_fen = FenField(required=True)


class TenantOrderBody(Body):
    """An order that a base places for tenants."""

    voucher_number = CodeField(required=True)
    platform_id = JsonIdField(required=True)
    service = CodeField(required=True)
    description = TextField(load_default="", maximum=200, multiline=True)
    lines = fields.List(fields.Nested(TenantLineBody), required=True, validate=Length(1, MOST_REQUESTS))


class AttendanceBody(Body):
    """The signed list: the positions of the lines that attended, and the file."""

    present = fields.List(CountField(maximum=MOST_REQUESTS), required=True)
    file = fields.Nested(StoredBody, required=True)


class CheckInBody(Body):
    """The 20 digits on the screen."""

    code = TextField(required=True, maximum=40)


class WordsBody(Body):
    """What is said."""

    body = TextField(required=True, maximum=500, multiline=True)


class UseQuery(Body):
    """The year of the grants."""

    year = CountField(minimum=2000, maximum=2999, text=True, load_default=None)


class TenantAnswer(Body):
    """A tenancy."""

    tenancy_id = fields.Integer(required=True)
    centre_id = fields.Integer(required=True)
    ref = fields.String(required=True)
    name = fields.String(required=True)
    entered_on = fields.String(required=True)
    graduated_on = fields.String(required=True, allow_none=True)
    left_on = fields.String(required=True, allow_none=True)
    state = fields.String()
    allotted_fen = fields.Integer()
    free_fen = fields.Integer()
    spent_fen = fields.Integer()
    returned_fen = fields.Integer()


class TenantsAnswer(Body):
    """Tenancies."""

    tenants = fields.List(fields.Nested(TenantAnswer), required=True)


class AllotmentAnswer(Body):
    """An allotment; amounts in fen."""

    number = fields.String(required=True)
    voucher_number = fields.String(required=True)
    tenancy_id = fields.Integer(required=True)
    name = fields.String(required=True)
    state = fields.String(required=True)
    allotted_fen = fields.Integer(required=True)
    moved_fen = fields.Integer()
    free_fen = fields.Integer()
    held_fen = fields.Integer()
    spent_fen = fields.Integer()


class AllotmentsAnswer(Body):
    """Allotments."""

    allotments = fields.List(fields.Nested(AllotmentAnswer), required=True)


class TenantLineAnswer(Body):
    """A line of an order for tenants; amounts in fen."""

    position = fields.Integer(required=True)
    allotment_number = fields.String(required=True)
    name = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    held_fen = fields.Integer()
    captured_fen = fields.Integer()
    attended = fields.Boolean(required=True, allow_none=True)
    shown_by = fields.String(required=True)
    objection = fields.String(allow_none=True)
    answer = fields.String(allow_none=True)


class TenantLinesAnswer(Body):
    """The lines of an order."""

    order_number = fields.String(required=True)
    lines = fields.List(fields.Nested(TenantLineAnswer), required=True)


class CheckInAnswer(Body):
    """An open check-in: the code changes every 30 seconds; ask again for the next."""

    order_number = fields.String(required=True)
    code = fields.String(required=True)
    closes_at = fields.String(required=True)


class PresentAnswer(Body):
    """How many attended."""

    present = fields.Integer(required=True)


class ObjectionAnswer(Body):
    """An objection."""

    objection_id = fields.Integer(required=True)
    body = fields.String(required=True)
    answer = fields.String(required=True)


class UseAnswer(Body):
    """创业券使用表."""

    year = fields.Integer(required=True)
    vouchers = fields.List(fields.Dict(), required=True)


def tenancy_answer(row: Tenancy, **more: Any) -> dict[str, Any]:
    """A tenancy in JSON."""
    return {
        "tenancy_id": row.id,
        "centre_id": row.centre_id,
        "ref": row.holder.ref,
        "name": row.holder.name,
        "entered_on": row.entered_on.isoformat(),
        "graduated_on": row.graduated_on.isoformat() if row.graduated_on else None,
        "left_on": row.left_on.isoformat() if row.left_on else None,
        **more,
    }


def tenant_answer(line: TenantLine) -> dict[str, Any]:
    """A tenancy with its figures."""
    return tenancy_answer(
        line.tenancy,
        state=line.state.value,
        allotted_fen=line.allotted_fen,
        free_fen=line.free_fen,
        spent_fen=line.spent_fen,
    )


def allotment_answer(row: Allotment, **more: Any) -> dict[str, Any]:
    """An allotment in JSON."""
    return {
        "number": row.number,
        "voucher_number": row.voucher.number,
        "tenancy_id": row.tenancy_id,
        "name": row.tenancy.holder.name,
        "state": row.state,
        "allotted_fen": row.allotted_fen,
        **more,
    }


def allotment_line(line: AllotmentLine) -> dict[str, Any]:
    """An allotment with its figures."""
    figures = {"free_fen": line.free_fen, "held_fen": line.held_fen, "spent_fen": line.spent_fen}
    return allotment_answer(line.allotment, **figures)


def line_answer(line: OrderBeneficiary, **more: Any) -> dict[str, Any]:
    """A line of an order in JSON."""
    return {
        "position": line.position,
        "allotment_number": line.allotment.number,
        "name": line.allotment.tenancy.holder.name,
        "amount_fen": line.amount_fen,
        "attended": line.attended,
        "shown_by": line.shown_by,
        **more,
    }


def use_answer(use: VoucherUse) -> dict[str, Any]:
    """A line of the table of use."""
    return {
        "base": use.base,
        "certifier": use.certifier,
        "voucher_number": use.voucher_no,
        "grant_fen": use.grant_fen,
        "served": use.served,
        "spent_fen": use.spent_fen,
        "held_fen": use.held_fen,
        "remaining_fen": use.remaining_fen,
        "tenants": [
            {
                "name": each.name,
                "entered_on": each.entered_on.isoformat(),
                "left_on": each.left_on.isoformat() if each.left_on else None,
                "state": each.state,
                "allotted_fen": each.allotted_fen,
                "spent_fen": each.spent_fen,
                "services": dict(each.services),
            }
            for each in use.tenants
        ],
    }
