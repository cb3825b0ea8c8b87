"""Forms about recognition agreements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from voucher.schemas.base import ChoiceField, CodeField, DayField, Form, IdField, TextField
from voucher.terms import RegistryDeed

_LONGEST: Final = 200_000


class AgreementForm(Form):
    """An agreement file and the text of its document, pasted."""

    text = TextField(required=True, maximum=_LONGEST, multiline=True)
    fill = TextField(load_default="", maximum=_LONGEST, multiline=True)
    document_text = TextField(load_default="", maximum=_LONGEST, multiline=True)


class AgreementStepForm(Form):
    """Why a version is withdrawn, ended or revoked, by which document, and from when."""

    reason = TextField(required=True, maximum=200)
    document_no = TextField(load_default="", maximum=200)
    from_on = DayField(load_default=None, allow_none=True)


class RegistryForm(Form):
    """What happens to a platform under an agreement; what each deed needs is asked for it."""

    deed = ChoiceField(RegistryDeed, required=True)
    platform_id = IdField(required=True)
    region_code = CodeField(load_default="")
    reason = TextField(load_default="", maximum=200)
    document_no = TextField(load_default="", maximum=200)
    from_on = DayField(load_default=None, allow_none=True)
    to_on = DayField(load_default=None, allow_none=True)

    @validates_schema
    def complete(self, data: Mapping[str, Any], **_: Any) -> None:
        """An entry has a document and its days in order; everything else has a reason, a suspension its region."""
        missing = {name: "请填写此项。" for name in _NEEDED[data["deed"]] if not data.get(name)}
        if missing:
            raise ValidationError({name: [said] for name, said in missing.items()})
        if data.get("to_on") and data.get("from_on") and data["to_on"] <= data["from_on"]:
            raise ValidationError("截止日期应晚于起始日期。", "to_on")


_NEEDED: Final = {
    RegistryDeed.LIST: ("document_no", "from_on"),
    RegistryDeed.TAKE_OFF: ("reason",),
    RegistryDeed.SUSPEND: ("region_code", "reason"),
    RegistryDeed.READMIT: ("region_code", "reason"),
}
