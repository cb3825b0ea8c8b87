"""Recognition agreements in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.models.agreements import AgreementListing
from voucher.queries.agreements import AgreementFile, AgreementLine
from voucher.rules.agreement import Agreement
from voucher.rules.policy import Problem
from voucher.schemas.api_fields import JsonDayField, JsonIdField, bounded, day, moment, state
from voucher.schemas.api_policies import PolicyProblemAnswer, plain
from voucher.schemas.base import Body, CodeField, TextField
from voucher.terms import AgreementState, AgreementStepKind

_LONGEST = 200_000
_LISTED = (
    "direction", "kinds", "services", "registry", "parties", "rate_lines", "funding_shares",
    "firm_ceiling_fen", "total_ceiling_fen", "payout_mode", "remit",
)  # fmt: skip


class AgreementBody(Body):
    """An agreement file, its fill-in files, and the text of its document."""

    text = TextField(required=True, maximum=_LONGEST, multiline=True)
    fills = fields.List(
        TextField(maximum=_LONGEST, multiline=True), load_default=list, validate=bounded(0, 10)
    )
    document_text = TextField(load_default=None, allow_none=True, maximum=_LONGEST, multiline=True)


class StepBody(Body):
    """Why a version is withdrawn, ended or revoked; `from_on` is the first day without orders of one that ends."""

    reason = TextField(load_default="", maximum=200)
    document_no = TextField(load_default="", maximum=200)
    from_on = JsonDayField(load_default=None, allow_none=True)


class ListingBody(Body):
    """A platform to be put on the registry."""

    platform_id = JsonIdField(required=True)
    document_no = TextField(required=True, maximum=200)
    from_on = JsonDayField(required=True)
    to_on = JsonDayField(load_default=None, allow_none=True)


class SuspensionBody(Body):
    """A platform that a region keeps from the agreement, or lets in again."""

    platform_id = JsonIdField(required=True)
    region_code = CodeField(required=True)
    reason = TextField(required=True, maximum=200)
    document_no = TextField(load_default="", maximum=200)


class TakeOffBody(Body):
    """Why a platform is taken off the registry."""

    reason = TextField(required=True, maximum=200)


class AgreementQuery(Body):
    """The day on which a platform has to stand on the registry to be listed."""

    on = JsonDayField(load_default=None)


class ProblemsAnswer(Body):
    """Every problem at once; none where the text is fit to publish."""

    problems = fields.List(fields.Nested(PolicyProblemAnswer), required=True)


class AgreementStateAnswer(Body):
    """A version and the state that it is in now."""

    version_id = fields.Integer(required=True)
    code = fields.String(required=True)
    agreement = fields.String(required=True)
    state = state(AgreementState)


class AgreementLineAnswer(AgreementStateAnswer):
    """A version: parties, document, days (`ended_on` is the first day without orders of one that was ended early)."""

    title = fields.String(required=True)
    document_no = fields.String(required=True)
    regions = fields.List(fields.String(), required=True)
    effective_from = day()
    effective_to = day(none=True)
    ended_on = day(none=True)


class AgreementsAnswer(Body):
    """The versions that anybody may read."""

    agreements = fields.List(fields.Nested(AgreementLineAnswer), required=True)


class RegistryEntryAnswer(Body):
    """A platform on the registry."""

    listing_id = fields.Integer(required=True)
    platform_id = fields.Integer(required=True)
    platform = fields.String(required=True)
    document_no = fields.String(required=True)
    from_on = day()
    to_on = day(none=True)


class SuspendedAnswer(Body):
    """A platform that a region keeps from the agreement."""

    platform_id = fields.Integer(required=True)
    platform = fields.String(required=True)
    region_code = fields.String(required=True)
    reason = fields.String(required=True)


class AgreementStepAnswer(Body):
    """A step of a version."""

    kind = state(AgreementStepKind)
    from_on = day(none=True)
    reason = fields.String(required=True)
    document_no = fields.String(required=True)
    done_at = moment()


class AgreementAnswer(AgreementLineAnswer):
    """A version with its parameters, the clauses they rest on, its steps and its registry."""

    sha256 = fields.String(required=True)
    parameters = fields.Dict(required=True)
    clauses = fields.Dict(required=True)
    steps = fields.List(fields.Nested(AgreementStepAnswer), required=True)
    registry = fields.List(fields.Nested(RegistryEntryAnswer), required=True)
    suspended = fields.List(fields.Nested(SuspendedAnswer), required=True)


def problems_answer(problems: tuple[Problem, ...]) -> dict[str, Any]:
    """A `ProblemsAnswer`."""
    return {
        "problems": [
            {name: getattr(each, name) for name in PolicyProblemAnswer().fields} for each in problems
        ]
    }


def line_answer(line: AgreementLine) -> dict[str, Any]:
    """An `AgreementLineAnswer`."""
    version = line.version
    return {
        "version_id": version.id,
        "code": version.code,
        "agreement": version.agreement_code,
        "state": line.state,
        "title": line.agreement.title,
        "document_no": version.document_no,
        "regions": list(line.regions),
        "effective_from": version.effective_from.isoformat(),
        "effective_to": plain(version.effective_to),
        "ended_on": plain(line.ended_on),
    }


def file_answer(file: AgreementFile, *, on: date | None = None) -> dict[str, Any]:
    """An `AgreementAnswer`; `on`: with the registry of that day."""
    agreement = file.line.agreement
    return line_answer(file.line) | {
        "sha256": file.line.version.sha256,
        "parameters": {name: plain(getattr(agreement, name)) for name in _LISTED},
        "clauses": {key: source.item for key, source in agreement.sources}
        | {fill.key: agreement.clause(fill.key) for fill in agreement.fills},
        "steps": [
            {
                "kind": deed.kind,
                "from_on": plain(deed.step.from_on),
                "reason": deed.step.reason,
                "document_no": deed.step.document_no,
                "done_at": iso(deed.step.done_at),
            }
            for deed in file.deeds
        ],
        "registry": [
            {
                "listing_id": entry.listing.id,
                "platform_id": entry.listing.platform_id,
                "platform": entry.platform,
                "document_no": entry.listing.document_no,
                "from_on": entry.listing.from_on.isoformat(),
                "to_on": plain(entry.listing.to_on),
            }
            for entry in file.entries
            if on is None or _stands(entry.listing, on)
        ],
        "suspended": [
            {
                "platform_id": each.suspension.platform_id,
                "platform": each.platform,
                "region_code": each.suspension.region_code,
                "reason": each.suspension.reason,
            }
            for each in file.away
        ],
    }


def _stands(listing: AgreementListing, on: date) -> bool:
    return listing.from_on <= on and (listing.to_on is None or on < listing.to_on)


class AdmittedAnswer(Body):
    """A service that an agreement admits at a platform of another region; whether the agreement has rates of its own."""

    service = fields.String(required=True)
    agreement_code = fields.String(required=True)
    document_no = fields.String(required=True)
    own_rates = fields.Boolean(required=True)


def admitted_answers(agreements: Mapping[str, Agreement]) -> list[dict[str, Any]]:
    """What `AdmittedAnswer` says of each service of a platform."""
    return [
        {
            "service": service,
            "agreement_code": each.code,
            "document_no": each.document_no,
            "own_rates": bool(each.rate_lines),
        }
        for service, each in sorted(agreements.items())
    ]
