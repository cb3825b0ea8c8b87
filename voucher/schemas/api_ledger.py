"""The ledger in JSON, for reading."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.queries.account_reading import AccountFile, CapLine
from voucher.queries.ledger_reading import AccountName, PostingFile, PostingLine
from voucher.schemas.api_fields import (
    CountField,
    JsonDayField,
    PageAnswer,
    PageQuery,
    amount,
    day,
    moment,
    state,
)
from voucher.schemas.base import MAX_ID, Body, ChoiceField, CodeField, TextField
from voucher.terms import Phase, PostingKind, Unit


class PostingsQuery(Body):
    """Which postings, and from where on."""

    kind = ChoiceField(PostingKind)
    from_on = JsonDayField()
    to_on = JsonDayField()
    order_no = CodeField(maximum=24, load_default="")
    before = TextField(maximum=80, load_default="", metadata={"description": "上一页答复的 next"})
    size = CountField(maximum=100, text=True, load_default=50)


class EntriesQuery(Body):
    """From where on."""

    before = CountField(
        minimum=0, maximum=MAX_ID, text=True, load_default=0, metadata={"description": "上一页答复的 next"}
    )


class CapsQuery(PageQuery):
    """Which caps."""

    text = TextField(maximum=60, load_default="", metadata={"description": "持券单位名称或代码"})
    period = CountField(minimum=0, maximum=2100, text=True, metadata={"description": "年度；0 为整个政策期"})


class AccountNameAnswer(Body):
    """An account. Ids are texts: they do not fit the numbers of JavaScript."""

    id = fields.String(required=True)
    code = fields.String(required=True)
    owner = fields.String(required=True)
    period = fields.Integer(required=True)
    unit = state(Unit)


class PostingLineAnswer(Body):
    """A posting in a list."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = state(PostingKind)
    event_on = day()
    posted_at = moment()
    fiscal_year = fields.Integer(required=True)
    rule_version = fields.String(required=True)
    actor = fields.String(required=True)
    book = fields.String(required=True)
    money_fen = amount("资金分录合计")
    legs = fields.Integer(required=True)


class PostingsAnswer(Body):
    """Postings, newest first. `next`: pass it as `before` for older ones; empty at the end."""

    postings = fields.List(fields.Nested(PostingLineAnswer), required=True)
    next = fields.String(required=True)


class LegAnswer(Body):
    """One leg: value moves from debit to credit."""

    leg = fields.Integer(required=True)
    debit = fields.Nested(AccountNameAnswer, required=True)
    credit = fields.Nested(AccountNameAnswer, required=True)
    amount = fields.Integer(required=True, metadata={"description": "单位：分（TIMES 账户为次）"})
    phase = state(Phase)
    resolves = fields.String(required=True, allow_none=True, metadata={"format": "uuid"})
    expires_at = moment(none=True)


class PostingAnswer(Body):
    """A posting with its legs."""

    id = fields.String(required=True, metadata={"format": "uuid"})
    kind = state(PostingKind)
    event_on = day()
    posted_at = moment()
    fiscal_year = fields.Integer(required=True)
    rule_version = fields.String(required=True)
    actor = fields.String(required=True)
    book = fields.String(required=True)
    reverses = fields.String(required=True, allow_none=True, metadata={"format": "uuid"})
    reversed_by = fields.String(required=True, allow_none=True, metadata={"format": "uuid"})
    legs = fields.List(fields.Nested(LegAnswer), required=True)


class EntryAnswer(Body):
    """What one leg did to an account; no balance is kept for a free one."""

    posting_id = fields.String(required=True, metadata={"format": "uuid"})
    kind = state(PostingKind)
    posted_at = moment()
    event_on = day()
    amount = fields.Integer(required=True)
    pending_delta = fields.Integer(required=True)
    balance = fields.Integer(required=True, allow_none=True)


class AccountAnswer(Body):
    """An account with a page of its entries, newest first."""

    account = fields.Nested(AccountNameAnswer, required=True)
    book = fields.String(required=True)
    is_limited = fields.Boolean(required=True)
    available_fen = amount("可用", none=True)
    reserved_fen = amount("锁定", none=True)
    debits = fields.Integer(required=True)
    credits = fields.Integer(required=True)
    entries = fields.List(fields.Nested(EntryAnswer), required=True)
    next = fields.Integer(required=True)


class CapLineAnswer(Body):
    """A holder's cap in a period (0: the whole programme)."""

    book_code = fields.String(required=True)
    family = fields.String(required=True)
    holder_ref = fields.String(required=True)
    holder_name = fields.String(required=True)
    period = fields.Integer(required=True)
    opened_fen = amount("限额")
    used_fen = amount("已用")
    pending_fen = amount("锁定")
    left_fen = amount("还剩")


class CapsAnswer(PageAnswer):
    """A page of caps, the most used first."""

    caps = fields.List(fields.Nested(CapLineAnswer), required=True)


def posting_line(line: PostingLine) -> dict[str, Any]:
    """What `PostingLineAnswer` says of a posting."""
    return {
        "id": str(line.id),
        "kind": line.kind.value,
        "event_on": line.event_on.isoformat(),
        "posted_at": iso(line.posted_at),
        "fiscal_year": line.fiscal_year,
        "rule_version": line.rule_version,
        "actor": line.actor_name,
        "book": line.book_code,
        "money_fen": line.money_fen,
        "legs": line.legs,
    }


def posting_answer(file: PostingFile) -> dict[str, Any]:
    """What `PostingAnswer` says of a posting."""
    posting = file.posting
    return {
        "id": str(posting.id),
        "kind": file.kind.value,
        "event_on": posting.event_on.isoformat(),
        "posted_at": iso(posting.posted_at),
        "fiscal_year": posting.fiscal_year,
        "rule_version": posting.rule_version,
        "actor": file.actor_name,
        "book": file.book.code,
        "reverses": str(posting.reverses) if posting.reverses else None,
        "reversed_by": str(file.reversed_by) if file.reversed_by else None,
        "legs": [
            {
                "leg": leg.leg,
                "debit": _account(leg.debit),
                "credit": _account(leg.credit),
                "amount": leg.amount,
                "phase": leg.phase.value,
                "resolves": str(leg.resolves) if leg.resolves else None,
                "expires_at": iso(leg.expires_at) if leg.expires_at else None,
            }
            for leg in file.legs
        ],
    }


def account_answer(file: AccountFile) -> dict[str, Any]:
    """What `AccountAnswer` says of an account."""
    figures = file.figures
    return {
        "account": _account(file.name),
        "book": file.book.code,
        "is_limited": file.is_limited,
        "available_fen": figures.available_fen if figures else None,
        "reserved_fen": figures.reserved_fen if figures else None,
        "debits": file.debits,
        "credits": file.credits,
        "entries": [
            {
                "posting_id": str(entry.posting_id),
                "kind": entry.kind.value,
                "posted_at": iso(entry.posted_at),
                "event_on": entry.event_on.isoformat(),
                "amount": entry.amount,
                "pending_delta": entry.pending_delta,
                "balance": entry.balance,
            }
            for entry in file.entries
        ],
        "next": file.older,
    }


def cap_line(line: CapLine) -> dict[str, Any]:
    """What `CapLineAnswer` says of a cap."""
    return {name: getattr(line, name) for name in CapLineAnswer().fields}


def _account(name: AccountName) -> dict[str, Any]:
    return {
        "id": str(name.id),
        "code": name.code,
        "owner": name.owner,
        "period": name.period,
        "unit": name.unit,
    }
