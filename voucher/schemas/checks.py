"""Forms and JSON of the checks: settling a finding, bans, changes of bank accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import NoneOf

from voucher.models.checks import PayeeChange
from voucher.queries.after_payment import PaidInvoice
from voucher.queries.findings import BanLine, FindingLine
from voucher.schemas.api_fields import FlagField, JsonDayField, PageQuery
from voucher.schemas.base import Body, ChoiceField, CodeField, DayField, Form, IdField, PartyField, TextField
from voucher.schemas.findings import said
from voucher.terms import AffiliationKind, BanKind, FindingKind, Measure


class RelationForm(Form):
    """Which tie there is between the two sides; nothing: none."""

    kind = ChoiceField(AffiliationKind, load_default=None)


class SettleForm(Form):
    """Which finding, by its number on the claim, and why it needs no more attention."""

    seq = IdField(required=True)
    reason = TextField(required=True, maximum=500, multiline=True)


ENTERED = NoneOf([Measure.REVOKE_CERT], error="摘牌在载体或平台的页面办理。")
"""What a decision may bring that somebody enters by hand: striking off is done where the certification is."""


class BanForm(Form):
    """A decision against a party. The last day is included, as people write it."""

    uscc = PartyField(required=True)
    kind = ChoiceField(BanKind, required=True)
    measure = ChoiceField(Measure, load_default=Measure.BAN, validate=ENTERED)
    region_code = CodeField(load_default=None, maximum=20)
    notified_on = DayField(load_default=None)
    objection_until = DayField(load_default=None)
    legal_basis = TextField(required=True, maximum=200)
    decision_no = TextField(required=True, maximum=80)
    from_on = DayField(required=True)
    to_on = DayField(load_default=None)
    source = TextField(load_default="", maximum=120)

    @validates_schema
    def in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        """It does not end before it begins."""
        if data["to_on"] is not None and data["to_on"] < data["from_on"]:
            raise ValidationError({"to_on": ["截止日期不能早于起始日期。"]})


class PayeeForm(Form):
    """Another bank account."""

    uscc = PartyField(required=True)
    account_name = TextField(required=True, maximum=120)
    bank = TextField(required=True, maximum=120)
    account_no = TextField(required=True, maximum=40)


class DecideChangeForm(Form):
    """The second officer's answer."""

    agreed = CodeField(load_default="")
    reason = TextField(load_default="", maximum=200)


class BansQuery(PageQuery):
    """Which bans."""

    text = TextField(load_default="", maximum=60)


class SettleBody(Body):
    """Why a finding needs no more attention."""

    reason = TextField(required=True, maximum=500, multiline=True, metadata={"description": "处理意见"})


class RelationBody(Body):
    """Which tie there is between the two sides; left out: none."""

    kind = ChoiceField(AffiliationKind)


class RelationAnswer(Body):
    """What was said of an order."""

    order_no = fields.String()
    related = fields.Boolean()


class BanBody(Body):
    """A decision against a party. `to_on` is the first day on which it no longer holds."""

    uscc = PartyField(required=True)
    kind = ChoiceField(BanKind, required=True)
    measure = ChoiceField(Measure, load_default=Measure.BAN, validate=ENTERED)
    region_code = CodeField(load_default=None, allow_none=True, maximum=20)
    notified_on = JsonDayField(load_default=None, allow_none=True)
    objection_until = JsonDayField(load_default=None, allow_none=True)
    legal_basis = TextField(required=True, maximum=200)
    decision_no = TextField(required=True, maximum=80)
    from_on = JsonDayField(required=True)
    to_on = JsonDayField(load_default=None, allow_none=True)
    source = TextField(load_default="", maximum=120)


class PayeeBody(Body):
    """Another bank account."""

    uscc = PartyField(required=True)
    account_name = TextField(required=True, maximum=120)
    bank = TextField(required=True, maximum=120)
    account_no = TextField(required=True, maximum=40)


class DecideChangeBody(Body):
    """The second officer's answer."""

    agreed = FlagField(required=True)
    reason = TextField(load_default="", maximum=200)


class FindingAnswer(Body):
    """One finding."""

    seq = fields.Integer()
    row_no = fields.Integer(metadata={"description": "核验规则序号"})
    kind = fields.String()
    weight = fields.Integer()
    title = fields.String()
    seen = fields.String()
    advice = fields.String()
    facts = fields.Dict(keys=fields.String())
    settled = fields.Boolean()
    settlement = fields.String()


class FindingsAnswer(Body):
    """The findings of a claim."""

    findings = fields.List(fields.Nested(FindingAnswer))


class BanAnswer(Body):
    """A ban."""

    id = fields.Integer()
    uscc = fields.String()
    kind = fields.String()
    measure = fields.String()
    region_code = fields.String(allow_none=True)
    notified_on = fields.Date(allow_none=True)
    objection_until = fields.Date(allow_none=True)
    legal_basis = fields.String()
    decision_no = fields.String()
    from_on = fields.Date()
    to_on = fields.Date(allow_none=True)
    lifted = fields.Boolean()


class BanIdAnswer(Body):
    """Which ban."""

    id = fields.Integer()


class BansAnswer(Body):
    """A page of bans."""

    page = fields.Integer()
    pages = fields.Integer()
    total = fields.Integer()
    bans = fields.List(fields.Nested(BanAnswer))


class PaidInvoiceAnswer(Body):
    """An invoice of a paid claim; amount in fen."""

    claim_no = fields.String()
    invoice = fields.String()
    amount_fen = fields.Integer()
    paid_at = fields.AwareDateTime()
    verdict = fields.String(allow_none=True)
    checked_on = fields.Date(allow_none=True)
    claim_back = fields.Boolean(metadata={"description": "已被红冲或作废，应追回补助"})


class PaidInvoicesAnswer(Body):
    """Invoices to look at again."""

    invoices = fields.List(fields.Nested(PaidInvoiceAnswer))


class ChangeAnswer(Body):
    """A change of an account: nothing of it but where it stands."""

    id = fields.Integer()
    state = fields.String()
    cools_until = fields.String(metadata={"format": "date"})


def finding_answer(line: FindingLine) -> dict[str, Any]:
    """A finding for JSON, in words and with its facts."""
    row = line.row
    words = said(FindingKind(row.kind), row.weight, row.facts)
    return {
        "seq": row.seq,
        "row_no": row.row_no,
        "kind": row.kind,
        "weight": row.weight,
        "title": words.title,
        "seen": words.seen,
        "advice": words.advice,
        "facts": dict(row.facts),
        "settled": row.settled_at is not None,
        "settlement": row.settlement,
    }


def ban_answer(line: BanLine) -> dict[str, Any]:
    """A ban for JSON."""
    row = line.row
    return {
        "id": row.id,
        "uscc": row.uscc,
        "kind": row.kind,
        "measure": row.measure,
        "region_code": row.region_code,
        "notified_on": row.notified_on,
        "objection_until": row.objection_until,
        "legal_basis": row.legal_basis,
        "decision_no": row.decision_no,
        "from_on": row.from_on,
        "to_on": row.to_on,
        "lifted": row.lifted_at is not None,
    }


def change_answer(row: PayeeChange) -> dict[str, Any]:
    """A change of an account for JSON, as plain values."""
    return {"id": row.id, "state": row.state, "cools_until": row.cools_until.isoformat()}


def paid_invoice_answer(row: PaidInvoice) -> dict[str, Any]:
    """An invoice of a paid claim for JSON."""
    return {
        "claim_no": row.claim_number,
        "invoice": row.key,
        "amount_fen": row.amount_fen,
        "paid_at": row.paid_at,
        "verdict": row.verdict.value if row.verdict is not None else None,
        "checked_on": row.checked_on,
        "claim_back": row.is_dead,
    }
