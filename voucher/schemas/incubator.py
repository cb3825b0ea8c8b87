"""Forms of bases: their tenants, what they allot, and orders for tenants."""

from __future__ import annotations

from marshmallow import fields

from voucher.schemas.base import DayField, Form, IdField, TextField


class TenantForm(Form):
    """A startup that moves into a centre."""

    centre = IdField(required=True)
    ref = TextField(required=True, maximum=40)
    name = TextField(required=True, maximum=120)
    entered_on = DayField(required=True)
    left_on = DayField(load_default=None)


class CentreChoice(Form):
    """Which centre a list of tenants is for."""

    centre = IdField(required=True)


class TenantDayForm(Form):
    """The day on which a tenant graduated or left."""

    on = DayField(required=True)


class TenantListForm(Form):
    """Filters of the tenants' list."""

    text = TextField(load_default="", maximum=60)


class ObjectionForm(Form):
    """What a tenant says, or what the base answers."""

    body = TextField(required=True, maximum=500, multiline=True)


class YearForm(Form):
    """A year of grants."""

    year = fields.Integer(load_default=None, strict=False)


class GroupOrderForm(Form):
    """What is wanted for the tenants; the lines are read beside it."""

    description = TextField(required=True, maximum=200, multiline=True)
    step = fields.String(load_default="check")
