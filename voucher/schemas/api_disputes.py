"""The authority's list of disputes about orders, in JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.queries.disputes import DisputeLine
from voucher.schemas.api_fields import PageAnswer, PageQuery, amount, day, moment, state
from voucher.schemas.base import Body, ChoiceField
from voucher.terms import DisputeStanding, OrderSide


class DisputesQuery(PageQuery):
    """Which disputes; without a standing all that are open."""

    standing = ChoiceField(DisputeStanding, load_default=None)


class DisputeLineAnswer(Body):
    """A dispute in a list."""

    order = fields.String(required=True)
    holder_name = fields.String(required=True)
    platform_name = fields.String(required=True, allow_none=True)
    standing = state(DisputeStanding)
    opened_side = state(OrderSide)
    opened_at = moment()
    settle_by = day(none=True)
    escalated_at = moment(none=True)
    held_fen = amount("锁定")
    outcome = fields.String(required=True, allow_none=True)


class DisputesAnswer(PageAnswer):
    """A page of disputes."""

    disputes = fields.List(fields.Nested(DisputeLineAnswer), required=True)


def dispute_line(line: DisputeLine) -> dict[str, Any]:
    """What `DisputeLineAnswer` says."""
    return {
        "order": line.order_number,
        "holder_name": line.holder_name,
        "platform_name": line.platform_name,
        "standing": line.standing.value,
        "opened_side": line.opened_side.value,
        "opened_at": iso(line.opened_at),
        "settle_by": line.settle_by.isoformat() if line.settle_by else None,
        "escalated_at": iso(line.escalated_at) if line.escalated_at else None,
        "held_fen": line.held_fen,
        "outcome": line.outcome,
    }
