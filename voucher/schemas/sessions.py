"""Forms of the counter."""

from __future__ import annotations

from voucher.schemas.base import CodeField, Form, IdField, TextField, UnitsField, YuanField


class OpenForm(Form):
    """Which voucher's code is to be shown."""

    voucher = CodeField(required=True)


class PlatformForm(Form):
    """For which of one's platforms the counter scans."""

    platform_id = IdField(required=True)


class ProposeForm(Form):
    """What was done at the counter, and its full price."""

    service = CodeField(required=True)
    gross = YuanField(required=True)
    units = UnitsField(load_default=1)
    contract_no = TextField(load_default="", maximum=60)
    whole = YuanField(load_default=None)
    provider_ref = TextField(load_default="", maximum=60)
    description = TextField(load_default="", maximum=200)


class EndForm(Form):
    """Why a session is rejected or called off; may stay empty."""

    reason = TextField(load_default="", maximum=200)


class PaperForm(Form):
    """The counter vouches for having seen the papers of whoever brought the printed voucher."""

    papers_seen = CodeField(required=True)


class PracticeForm(Form):
    """An amount to practise with."""

    gross = YuanField(required=True)
