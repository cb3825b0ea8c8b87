"""Disputes about orders, in JSON: one as it stands, and the authority's list."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.disputes import Dispute
from voucher.queries.disputes import DisputeLine
from voucher.schemas.api_fields import PageAnswer, PageQuery, amount, day, moment, state
from voucher.schemas.base import Body, ChoiceField
from voucher.terms import DisputeStanding, OrderSide


class DisputeAnswer(Body):
    """A dispute as it stands."""

    opened_side = state(OrderSide)
    reason = fields.String(required=True)
    opened_at = moment()
    settle_by = day(none=True)
    escalated_at = moment(none=True)
    offer_side = fields.String(required=True, allow_none=True)
    offer_outcome = fields.String(required=True, allow_none=True)
    offer_fen = amount("提议核销", none=True)
    outcome = fields.String(required=True, allow_none=True)
    amount_fen = amount("核销", none=True)
    agreed = fields.Boolean(required=True, allow_none=True)
    decision_reason = fields.String(required=True)
    decided_at = moment(none=True)


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


def dispute_answer(row: Dispute) -> dict[str, Any]:
    """What `DisputeAnswer` says."""
    names = (
        "opened_side",
        "reason",
        "offer_side",
        "offer_outcome",
        "offer_fen",
        "outcome",
        "amount_fen",
        "agreed",
    )
    return {
        **{name: getattr(row, name) for name in names},
        "decision_reason": row.decision_reason or "",
        "opened_at": iso(row.opened_at),
        "settle_by": row.settle_by.isoformat() if row.settle_by else None,
        "escalated_at": iso(row.escalated_at) if row.escalated_at else None,
        "decided_at": iso(row.decided_at) if row.decided_at else None,
    }


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
