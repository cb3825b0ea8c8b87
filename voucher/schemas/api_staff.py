"""A platform's people and counter devices in JSON; and how the lines of joining are written."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from voucher.clock import iso
from voucher.queries.colleagues import ColleagueLine, DeviceLine
from voucher.queries.joining import AuthorisationLine, DeskFile, DeskLine, TeamLine, UnjoinedLine
from voucher.schemas.api_fields import JsonIdField, moment
from voucher.schemas.base import Body, ChoiceField, TextField
from voucher.schemas.joining import PinField
from voucher.terms import Role


class StaffBody(Body):
    """Somebody is to work at a platform."""

    platform_id = JsonIdField(required=True)
    role = ChoiceField(Role, required=True)


class EndStaffBody(Body):
    """Somebody no longer works at a platform."""

    platform_id = JsonIdField(required=True)
    person_id = JsonIdField(required=True)


class DeviceBody(Body):
    """A counter device of a platform."""

    platform_id = JsonIdField(required=True)
    name = TextField(required=True, maximum=60)


class DeviceAnswer(Body):
    """The device. `token` comes with the first answer only, and is kept nowhere."""

    device_id = fields.Integer(required=True)
    token = fields.String(required=True, allow_none=True)


class DeviceItem(Body):
    """A counter device."""

    id = fields.Integer(required=True)
    platform = fields.String(required=True)
    name = fields.String(required=True)
    registered_by = fields.String(required=True)
    registered_at = moment()
    last_used_at = moment(none=True)
    revoked_at = moment(none=True)


class DevicesAnswer(Body):
    """The devices of one's platforms, newest first."""

    devices = fields.List(fields.Nested(DeviceItem), required=True)


class PinBody(Body):
    """One's own PIN."""

    pin = PinField(required=True, metadata={"type": "string"})


class DoneAnswer(Body):
    """It is done."""

    done = fields.Boolean(required=True)


def colleague_item(line: ColleagueLine) -> dict[str, Any]:
    """What `ColleagueItem` says."""
    return {
        "place_id": line.place_id,
        "place": line.place,
        "person_id": line.person_id,
        "name": line.name,
        "login": line.login,
        "role": line.role.value,
        "mandates": [each for each in line.mandates.split(",") if each],
        "to_on": line.to_on.isoformat() if line.to_on else None,
    }


def device_item(line: DeviceLine) -> dict[str, Any]:
    """What `DeviceItem` says."""
    return {
        "id": line.id,
        "platform": line.platform,
        "name": line.name,
        "registered_by": line.registered_by,
        "registered_at": iso(line.registered_at),
        "last_used_at": iso(line.last_used_at) if line.last_used_at else None,
        "revoked_at": iso(line.revoked_at) if line.revoked_at else None,
    }


def unjoined_item(line: UnjoinedLine) -> dict[str, Any]:
    """What `UnjoinedItem` says."""
    return {
        "organisation_id": line.organisation_id,
        "ref": line.ref,
        "name": line.name,
        "kind": line.kind.value,
        "region_name": line.region_name,
        "code_until": iso(line.code_until) if line.code_until else None,
    }


def team_item(line: TeamLine) -> dict[str, Any]:
    """What `TeamItem` says."""
    return {
        "organisation_id": line.organisation_id,
        "ref": line.ref,
        "name": line.name,
        "kind": line.kind.value,
        "region_name": line.region_name,
        "members": line.members,
        "created_at": iso(line.created_at),
        "became": line.became,
    }


def authorisation_item(line: AuthorisationLine) -> dict[str, Any]:
    """What `AuthorisationItem` says."""
    return {
        "id": line.id,
        "organisation": line.organisation,
        "ref": line.ref,
        "name": line.name,
        "login": line.login,
        "role": line.role.value,
        "mandates": [each for each in line.mandates.split(",") if each],
        "from_on": line.from_on.isoformat(),
        "to_on": line.to_on.isoformat(),
        "granted_by": line.granted_by,
        "granted_at": iso(line.granted_at),
        "ended_at": iso(line.ended_at) if line.ended_at else None,
    }


def desk_item(line: DeskLine) -> dict[str, Any]:
    """What `DeskItem` says."""
    return {
        "id": line.id,
        "kind": line.kind.value,
        "state": line.state.value,
        "ref": line.ref,
        "organisation": line.organisation,
        "made_by": line.made_by,
        "made_at": iso(line.made_at),
        "checked_by": line.checked_by,
        "checked_at": iso(line.checked_at) if line.checked_at else None,
    }


def desk_file_answer(file: DeskFile) -> dict[str, Any]:
    """What `DeskFileAnswer` says."""
    return {
        "id": file.case.id,
        "kind": file.case.kind,
        "state": file.case.state,
        "ref": file.organisation.uscc,
        "organisation": file.organisation.name,
        "login": file.login,
        "facts": file.case.facts,
        "made_by": file.made_by,
        "papers": [{"sha256": each.sha256, "file_name": each.file_name} for each in file.papers],
    }
