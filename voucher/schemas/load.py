"""The file of `voucher load`: every section and field, so that every error is named before anything is written."""

from __future__ import annotations

from marshmallow import fields

from voucher.schemas.account import PasswordField
from voucher.schemas.base import (
    Body,
    ChoiceField,
    CodeField,
    DayField,
    FenField,
    PartyField,
    TextField,
    UsccField,
)
from voucher.terms import AffiliationKind, Certifier, HolderClass, PlatformKind, Role, VoucherKind

_YEARS = range(2000, 3000)


class YearField(fields.Integer):
    """A year from 2000 to 2999, as a JSON integer."""

    def __init__(self) -> None:
        super().__init__(
            strict=True,
            required=True,
            validate=lambda year: year in _YEARS,
            error_messages={"invalid": "应为年份。", "validator_failed": "应为年份。"},
        )


class BookPart(Body):
    """The book of a funding authority."""

    code = CodeField(required=True)
    authority = TextField(required=True, maximum=80)


class RegionPart(Body):
    """A park or zone under a region."""

    parent_code = CodeField(required=True, maximum=20)
    suffix = fields.String(
        required=True,
        validate=lambda text: text.isascii() and text.isalnum() and text == text.upper() and len(text) <= 8,
        error_messages={"validator_failed": "应为一至八位大写字母或数字。"},
    )
    name = TextField(required=True, maximum=80)
    division_code = CodeField(maximum=6)


class OrganisationPart(Body):
    """A legal person; `holder` makes it a holder of vouchers too."""

    uscc = UsccField(required=True)
    name = TextField(required=True, maximum=120)
    region_code = CodeField(required=True, maximum=20)
    legal_representative = TextField(maximum=40, load_default="")
    holder = fields.Boolean(truthy={True}, falsy={False}, load_default=False)


class PlatformPart(Body):
    """A platform under its host."""

    host_uscc = UsccField(required=True)
    name = TextField(required=True, maximum=120)
    kind = ChoiceField(PlatformKind, required=True)
    region_code = CodeField(required=True, maximum=20)


class AffiliationPart(Body):
    """A tie of two organisations that bars business on vouchers between them, and where it is known from."""

    one_uscc = UsccField(required=True)
    other_uscc = UsccField(required=True)
    kind = ChoiceField(AffiliationKind, required=True)
    source = TextField(required=True, maximum=80)


class GrantPart(Body):
    """A role, and for what: an organisation (and one platform of it), a region, a book."""

    role = ChoiceField(Role, required=True)
    uscc = PartyField()
    platform = TextField(maximum=120)
    region_code = CodeField(maximum=20)
    book = CodeField()
    function = CodeField()


class PersonPart(Body):
    """Somebody who signs in."""

    login = CodeField(required=True)
    name = TextField(required=True, maximum=40)
    password = PasswordField(required=True)
    roles = fields.List(fields.Nested(GrantPart), load_default=list)


class ProgrammePart(Body):
    """A policy file and its fill-in files, by paths from the folder of the loaded file."""

    policy = TextField(required=True)
    fills = fields.List(TextField(), load_default=list)
    book = CodeField(required=True)


class CertificationPart(Body):
    """A certification of a platform, from a day until before another."""

    host_uscc = UsccField(required=True)
    platform = TextField(required=True, maximum=120)
    certifier = ChoiceField(Certifier, required=True)
    region_code = CodeField(required=True, maximum=20)
    kinds = fields.List(ChoiceField(VoucherKind), required=True)
    services = fields.List(CodeField(), required=True)
    document_no = TextField(required=True, maximum=80)
    from_on = DayField(required=True)
    to_on = DayField(load_default=None)


class DocumentPart(Body):
    """An appropriation document."""

    document_no = TextField(required=True, maximum=80)
    amount_fen = FenField(required=True)


class BudgetPart(Body):
    """A budget line and what was put on it."""

    code = CodeField(required=True, maximum=60)
    programme = CodeField(required=True)
    year = YearField()
    name = TextField(required=True, maximum=80)
    documents = fields.List(fields.Nested(DocumentPart), load_default=list)


class RosterPart(Body):
    """One entry of a year's roster of sci-tech SMEs."""

    year = YearField()
    uscc = UsccField(required=True)
    name = TextField(required=True, maximum=120)
    roster_no = TextField(required=True, maximum=40)
    region_code = CodeField(required=True, maximum=20)


class QualificationPart(Body):
    """A holder to be qualified for a programme."""

    programme = CodeField(required=True)
    holder = CodeField(required=True)
    holder_class = ChoiceField(HolderClass, load_default=HolderClass.TECH_SME)


class VoucherPart(Body):
    """A voucher to be issued from a budget line."""

    line = CodeField(required=True, maximum=60)
    holder = CodeField(required=True)
    face_fen = FenField(required=True)


class LoadFile(Body):
    """The whole file; every section may be left out, none other is known."""

    divisions = fields.Boolean(truthy={True}, falsy={False}, load_default=False)
    books = fields.List(fields.Nested(BookPart), load_default=list)
    regions = fields.List(fields.Nested(RegionPart), load_default=list)
    organisations = fields.List(fields.Nested(OrganisationPart), load_default=list)
    platforms = fields.List(fields.Nested(PlatformPart), load_default=list)
    affiliations = fields.List(fields.Nested(AffiliationPart), load_default=list)
    people = fields.List(fields.Nested(PersonPart), load_default=list)
    programmes = fields.List(fields.Nested(ProgrammePart), load_default=list)
    certifications = fields.List(fields.Nested(CertificationPart), load_default=list)
    budgets = fields.List(fields.Nested(BudgetPart), load_default=list)
    roster = fields.List(fields.Nested(RosterPart), load_default=list)
    qualifications = fields.List(fields.Nested(QualificationPart), load_default=list)
    vouchers = fields.List(fields.Nested(VoucherPart), load_default=list)
