"""The bureau's counter of two persons, and teams, in JSON."""

from __future__ import annotations

from marshmallow import fields

from voucher.schemas.api_fields import FlagField, PageAnswer, PageQuery, bounded, moment
from voucher.schemas.api_files import StoredBody
from voucher.schemas.api_joining import OneTimeCodeAnswer
from voucher.schemas.base import Body, ChoiceField, CodeField, PartyField, TextField
from voucher.terms import DeskKind, DeskState, HolderKind


class TeamBody(Body):
    """A team or founder; the leader's name comes first. No ID numbers."""

    kind = ChoiceField(HolderKind, required=True)
    name = TextField(required=True, maximum=120)
    region_code = CodeField(required=True, maximum=20)
    members = fields.List(TextField(maximum=40), required=True, validate=bounded(1, 100))


class RegisteredAnswer(Body):
    """The organisation, and its temporary id."""

    organisation_id = fields.Integer(required=True)
    ref = fields.String(required=True)


class TeamItem(Body):
    """A team or founder; `became` is the firm that it is now."""

    organisation_id = fields.Integer(required=True)
    ref = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    region_name = fields.String(required=True)
    members = fields.Integer(required=True)
    created_at = moment()
    became = fields.String(required=True, allow_none=True)


class TeamsAnswer(PageAnswer):
    """Teams and founders, newest first."""

    teams = fields.List(fields.Nested(TeamItem), required=True)


class DeskFactsBody(Body):
    """What is asked for: see `DeskBody`."""

    name = TextField(maximum=120)
    uscc = TextField(maximum=40)
    legal_representative = TextField(maximum=40)
    bank = TextField(maximum=120)
    account_no = CodeField(maximum=40)


class DeskBody(Body):
    """A case of the bureau's counter. `login` for a reset; in `facts` the name, and for a conversion the firm."""

    kind = ChoiceField(DeskKind, required=True)
    ref = PartyField(required=True, metadata={"type": "string"})
    login = CodeField(load_default="", maximum=40)
    facts = fields.Nested(DeskFactsBody, load_default=dict)
    papers = fields.List(fields.Nested(StoredBody), required=True, validate=bounded(1, 20))


class DeskQuery(PageQuery):
    """Which cases."""

    state = ChoiceField(DeskState)


class DeskItem(Body):
    """A case."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    ref = fields.String(required=True)
    organisation = fields.String(required=True)
    made_by = fields.String(required=True)
    made_at = moment()
    checked_by = fields.String(required=True, allow_none=True)
    checked_at = moment(none=True)


class DeskListAnswer(PageAnswer):
    """Cases, newest first."""

    cases = fields.List(fields.Nested(DeskItem), required=True)


class DeskPaperAnswer(Body):
    """A copy that was shown."""

    sha256 = fields.String(required=True)
    file_name = fields.String(required=True)


class DeskFileAnswer(Body):
    """A case with everything that the second person looks at."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    ref = fields.String(required=True)
    organisation = fields.String(required=True)
    login = fields.String(required=True, allow_none=True)
    facts = fields.Dict(required=True)
    made_by = fields.String(required=True)
    papers = fields.List(fields.Nested(DeskPaperAnswer), required=True)


class DeskDecisionBody(Body):
    """The second person's word; a reason where it is no."""

    approve = FlagField(required=True)
    reason = TextField(load_default="", minimum=0, maximum=200)


class DeskDecidedAnswer(Body):
    """What came of a case: a code to hand over, or the firm that a team became."""

    case_id = fields.Integer(required=True)
    state = fields.String(required=True)
    code = fields.Nested(OneTimeCodeAnswer, required=True, allow_none=True)
    firm_ref = fields.String(required=True, allow_none=True)
