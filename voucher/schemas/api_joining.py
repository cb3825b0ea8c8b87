"""Joining in JSON: codes, accounts, authorisations, the counter of two, teams, staff and counter devices."""

from __future__ import annotations

from marshmallow import fields
from marshmallow.validate import OneOf

from voucher.schemas.account import PasswordField
from voucher.schemas.api_claims import DocumentBody
from voucher.schemas.api_fields import (
    JsonDayField,
    JsonIdField,
    PageAnswer,
    PageQuery,
    RefusedAnswer,
    bounded,
    day,
    moment,
)
from voucher.schemas.api_files import StoredBody
from voucher.schemas.base import Body, ChoiceField, CodeField, PartyField, TextField
from voucher.schemas.joining import ACCOUNT_ROLES, OneTimeCodeField, PinField
from voucher.terms import Mandate, Role

_AS_ROLE = OneOf(list(ACCOUNT_ROLES), error="应为 approver、both 或 operator。")
_SECRET = {"type": "string"}


class JoinMeBody(Body):
    """A code, used by whoever the token belongs to."""

    uscc = PartyField(required=True, metadata=_SECRET)
    code = OneTimeCodeField(required=True, metadata=_SECRET)
    as_role = fields.String(load_default="approver", validate=_AS_ROLE)


class JoinBody(JoinMeBody):
    """A code, used by somebody without an account."""

    name = TextField(required=True, maximum=40)
    login = CodeField(required=True, maximum=40)
    password = PasswordField(required=True)


class ResetBody(Body):
    """A code for a lost password."""

    uscc = PartyField(required=True, metadata=_SECRET)
    code = OneTimeCodeField(required=True, metadata=_SECRET)
    password = PasswordField(required=True)


class EnterBody(Body):
    """A PIN on a counter device."""

    device_token = TextField(required=True, maximum=100)
    person_id = JsonIdField(required=True)
    pin = PinField(required=True, metadata=_SECRET)


class JoinedAnswer(Body):
    """For which organisation somebody acts now."""

    person_id = fields.Integer(required=True)
    organisation_id = fields.Integer(required=True)


class TextQuery(PageQuery):
    """Which page, and whose name or number holds a text."""

    text = TextField(maximum=60, load_default="")


class LettersBody(Body):
    """Who gets a letter."""

    organisation_ids = fields.List(JsonIdField(), required=True, validate=bounded(1, 500))


class OneTimeCodeAnswer(Body):
    """A one-time code. `digits` come with the first answer only, and are kept nowhere."""

    code_id = fields.Integer(required=True)
    organisation_id = fields.Integer(required=True)
    digits = fields.String(required=True, allow_none=True)
    expires_at = moment()


class LetterAnswer(Body):
    """One letter: the code, or why there is none."""

    organisation_id = fields.Integer(required=True)
    code = fields.Nested(OneTimeCodeAnswer, required=True, allow_none=True)
    refused = fields.Nested(RefusedAnswer, required=True, allow_none=True)


class LettersAnswer(Body):
    """A letter for each, in the order asked for."""

    letters = fields.List(fields.Nested(LetterAnswer), required=True)


class CodeSentAnswer(Body):
    """One code on its way, or why there is none. The digits are shown to nobody of the bureau."""

    organisation_id = fields.Integer(required=True)
    channel = fields.String(required=True, allow_none=True)
    expires_at = moment(none=True)
    refused = fields.Nested(RefusedAnswer, required=True, allow_none=True)


class CodesSentAnswer(Body):
    """A code for each, in the order asked for."""

    codes = fields.List(fields.Nested(CodeSentAnswer), required=True)


class UnjoinedItem(Body):
    """A holder without an account."""

    organisation_id = fields.Integer(required=True)
    ref = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    region_name = fields.String(required=True)
    code_until = moment(none=True)


class UnjoinedAnswer(PageAnswer):
    """Holders without an account."""

    holders = fields.List(fields.Nested(UnjoinedItem), required=True)


class AuthoriseBody(Body):
    """Somebody is to act for a firm. `to_on` is the first day on which they may no longer."""

    organisation_id = JsonIdField(required=True)
    name = TextField(required=True, maximum=40)
    role = ChoiceField(Role, required=True)
    mandates = fields.List(ChoiceField(Mandate), load_default=list, validate=bounded(0, len(Mandate)))
    from_on = JsonDayField(required=True)
    to_on = JsonDayField(required=True)
    letter = fields.Nested(StoredBody, required=True)


class AuthorisedAnswer(Body):
    """The authorisation, and the code to be handed over."""

    authorisation_id = fields.Integer(required=True)
    code = fields.Nested(OneTimeCodeAnswer, required=True)


class AuthorisationItem(Body):
    """An authorisation. Without `login` nobody took it up yet."""

    id = fields.Integer(required=True)
    organisation = fields.String(required=True)
    ref = fields.String(required=True)
    name = fields.String(required=True)
    login = fields.String(required=True, allow_none=True)
    role = fields.String(required=True)
    mandates = fields.List(fields.String(), required=True)
    from_on = day()
    to_on = day()
    granted_by = fields.String(required=True)
    granted_at = moment()
    ended_at = moment(none=True)


class AuthorisationsAnswer(PageAnswer):
    """Authorisations, newest first."""

    authorisations = fields.List(fields.Nested(AuthorisationItem), required=True)


class ColleagueItem(Body):
    """A role of somebody at a firm or platform."""

    place_id = fields.Integer(required=True)
    place = fields.String(required=True)
    person_id = fields.Integer(required=True)
    name = fields.String(required=True)
    login = fields.String(required=True)
    role = fields.String(required=True)
    mandates = fields.List(fields.String(), required=True)
    to_on = day(none=True)


class ColleaguesAnswer(Body):
    """Everybody who acts for one's firms, or works at one's platforms."""

    people = fields.List(fields.Nested(ColleagueItem), required=True)


class LeaveBody(Body):
    """From which firm somebody leaves, and who follows."""

    organisation_id = JsonIdField(required=True)
    successor_id = JsonIdField(load_default=None, allow_none=True)


class LeftAnswer(Body):
    """What was handed over: numbers by kind."""

    departure_id = fields.Integer(required=True)
    open_tasks = fields.Dict(required=True)


class PapersBody(Body):
    """Papers for the claim of an order."""

    papers = fields.List(fields.Nested(DocumentBody), required=True, validate=bounded(1, 50))


class DropBody(Body):
    """Prepared papers to be taken away."""

    paper_ids = fields.List(JsonIdField(), required=True, validate=bounded(1, 50))
