"""Parties in JSON: rosters, qualified holders, platforms and their certifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import OneOf

from voucher.clock import iso
from voucher.operations.import_roster import RowError
from voucher.queries.certifications import CertificationLine, PlatformFile
from voucher.queries.holders import HolderLine
from voucher.schemas.api_fields import (
    CountField,
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    PartyAnswer,
    RefusedAnswer,
    SizedQuery,
    bounded,
    day,
    moment,
    state,
)
from voucher.schemas.base import Body, ChoiceField, CodeField, TextField
from voucher.terms import CertificationState, Certifier, HolderClass, RosterFault, VoucherKind

MOST_ROWS = 5_000


class RosterRowBody(Body):
    """A firm on the roster."""

    name = TextField(required=True, minimum=0, maximum=200)
    uscc = TextField(required=True, minimum=0, maximum=40)
    roster_no = TextField(required=True, minimum=0, maximum=80)
    region = TextField(required=True, minimum=0, maximum=80, metadata={"description": "行政区划代码或名称"})


class RosterBody(Body):
    """The roster of sci-tech SMEs of a year."""

    year = CountField(required=True, minimum=2000, maximum=2100)
    file_name = TextField(maximum=120, load_default="api.json")
    rows = fields.List(fields.Nested(RosterRowBody), required=True, validate=bounded(1, MOST_ROWS))


class QualifyItemBody(Body):
    """A holder, and the class that it asks to be qualified as; without one a team as a team, else as a sci-tech SME."""

    holder_ref = CodeField(required=True)
    holder_class = ChoiceField(HolderClass, load_default=None)


class QualifyBody(Body):
    """Holders to be qualified for this year."""

    programme_code = CodeField(required=True)
    holders = fields.List(fields.Nested(QualifyItemBody), required=True, validate=bounded())


class CertifyBody(Body):
    """A platform's certification."""

    platform_id = JsonIdField(required=True)
    certifier = ChoiceField(Certifier, required=True)
    region_code = CodeField(required=True, maximum=12)
    kinds = fields.List(ChoiceField(VoucherKind), required=True, validate=bounded(1, len(VoucherKind)))
    services = fields.List(CodeField(), required=True, validate=bounded(1, 50))
    document_no = TextField(required=True, maximum=80)
    from_on = JsonDayField(required=True)
    to_on = JsonDayField(load_default=None, metadata={"description": "到该日之前有效"})

    @validates_schema
    def dates_fit(self, data: Mapping[str, Any], **_: Any) -> None:
        """It ends after it begins."""
        if data["to_on"] is not None and data["to_on"] <= data["from_on"]:
            raise ValidationError("应晚于开始日期。", "to_on")


class HoldersQuery(SizedQuery):
    """Which holders."""

    programme_code = CodeField(required=True)
    year = CountField(required=True, minimum=2000, maximum=2100, text=True)
    text = TextField(maximum=60)
    standing = fields.String(
        load_default="",
        validate=OneOf(["roster", "open", "qualified"], error="应为 roster、open 或 qualified。"),
    )


class OffersQuery(SizedQuery):
    """Which platforms, under the policy of which programme."""

    programme_code = CodeField(required=True)
    service = CodeField(load_default="")
    text = TextField(maximum=60, load_default="")


class CertifiedQuery(PageQuery):
    """Which certifications."""

    state = ChoiceField(CertificationState)
    text = TextField(maximum=60, load_default="")


class ImportedAnswer(Body):
    """The import that stands; `replayed`: the same rows stood already."""

    import_id = fields.Integer(required=True)
    rows = fields.Integer(required=True)
    replayed = fields.Boolean(required=True)


class RowErrorAnswer(Body):
    """What is wrong with a row (counted from 1)."""

    row = fields.Integer(required=True)
    field = fields.String(required=True)
    fault = state(RosterFault)
    message = fields.String(required=True)
    value = fields.String(required=True)


class PreviewAnswer(Body):
    """What an import would do: new and known firms, and every error."""

    new = fields.Integer(required=True)
    known = fields.Integer(required=True)
    errors = fields.List(fields.Nested(RowErrorAnswer), required=True)


class QualifiedItemAnswer(Body):
    """A holder's qualification, or why it was refused."""

    holder_ref = fields.String(required=True)
    qualification_id = fields.Integer(required=True, allow_none=True)
    year = fields.Integer(required=True, allow_none=True)
    refused = fields.Nested(RefusedAnswer, required=True, allow_none=True)


class QualifiedAnswer(Body):
    """Every request in its order."""

    holders = fields.List(fields.Nested(QualifiedItemAnswer), required=True)


class HolderLineAnswer(Body):
    """A holder in a list."""

    ref = fields.String(required=True)
    name = fields.String(required=True)
    region_name = fields.String(required=True)
    roster_no = fields.String(required=True, allow_none=True)
    holder_class = fields.String(required=True, allow_none=True)
    qualified_at = moment(none=True)


class HoldersAnswer(PageAnswer):
    """A page of holders."""

    holders = fields.List(fields.Nested(HolderLineAnswer), required=True)


class ChangedAnswer(Body):
    """A certification and the state that it is in now."""

    certification_id = fields.Integer(required=True)
    platform_id = fields.Integer(required=True)
    state = state(CertificationState)


class CertifiedLineAnswer(Body):
    """A platform with one of its certifications."""

    platform_id = fields.Integer(required=True)
    name = fields.String(required=True)
    host = fields.Nested(PartyAnswer, required=True)
    region_name = fields.String(required=True)
    state = fields.String(required=True, allow_none=True)
    document_no = fields.String(required=True, allow_none=True)


class CertifiedAnswer(PageAnswer):
    """A page of platforms."""

    certifications = fields.List(fields.Nested(CertifiedLineAnswer), required=True)


class CertificationAnswer(Body):
    """A certification; `is_own`: in one's regions, to be changed."""

    id = fields.Integer(required=True)
    certifier = state(Certifier)
    region_name = fields.String(required=True)
    kinds = fields.List(fields.String(), required=True)
    services = fields.List(fields.String(), required=True)
    document_no = fields.String(required=True)
    from_on = day()
    to_on = day(none=True)
    state = state(CertificationState)
    state_reason = fields.String(required=True)
    is_own = fields.Boolean(required=True)


class PlatformAnswer(Body):
    """A platform with all of its certifications."""

    platform_id = fields.Integer(required=True)
    name = fields.String(required=True)
    host = fields.Nested(PartyAnswer, required=True)
    region_name = fields.String(required=True)
    certifications = fields.List(fields.Nested(CertificationAnswer), required=True)


def row_error(error: RowError) -> dict[str, Any]:
    """What `RowErrorAnswer` says of a fault."""
    return {
        "row": error.line,
        "field": error.field,
        "fault": error.fault.value,
        "message": error.fault.label,
        "value": error.value,
    }


def holder_line(line: HolderLine) -> dict[str, Any]:
    """What `HolderLineAnswer` says of a holder."""
    return {
        "ref": line.ref,
        "name": line.name,
        "region_name": line.region_name,
        "roster_no": line.roster_no,
        "holder_class": line.holder_class.value if line.holder_class else None,
        "qualified_at": iso(line.qualified_at) if line.qualified_at else None,
    }


def platform_answer(file: PlatformFile) -> dict[str, Any]:
    """What `PlatformAnswer` says of a platform."""
    host = file.platform.organisation
    return {
        "platform_id": file.platform.id,
        "name": file.platform.name,
        "host": {"ref": host.uscc, "name": host.name},
        "region_name": file.region_name,
        "certifications": [_certification(line) for line in file.certifications],
    }


def _certification(line: CertificationLine) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.id,
        "certifier": line.certifier.value,
        "region_name": line.region_name,
        "kinds": row.kinds,
        "services": row.services,
        "document_no": row.document_no,
        "from_on": row.from_on.isoformat(),
        "to_on": row.to_on.isoformat() if row.to_on else None,
        "state": line.state.value,
        "state_reason": row.state_reason,
        "is_own": line.is_own,
    }
