"""Files of a claim's form, by the kind of paper that they are: one field `file_<kind>` each."""

from __future__ import annotations

from voucher.operations.documents import GivenDocument, given_as
from voucher.terms import DocumentKind
from voucher.web import uploads


def received() -> tuple[list[tuple[str, GivenDocument]], dict[str, list[str]]]:
    """Every file of the form as (ticket, file), and errors by field for those refused."""
    fields = {kind: f"file_{kind.value}" for kind in DocumentKind}
    form = uploads.received(dict.fromkeys(fields.values(), True))
    files = [
        (ticket, given_as(kind, stored))
        for kind, field in fields.items()
        for ticket, stored in form.files[field]
    ]
    return files, form.errors


def by_field(files: list[tuple[str, GivenDocument]]) -> dict[str, list[tuple[str, GivenDocument]]]:
    """The files of a form under the names of their fields, for the form that is shown again."""
    fields: dict[str, list[tuple[str, GivenDocument]]] = {}
    for ticket, each in files:
        fields.setdefault(f"file_{each.kind.value}", []).append((ticket, each))
    return fields
