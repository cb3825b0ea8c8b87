"""The larger forms about orders: a contract with its instalments and file, a delivery with its results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from flask import request

from voucher.operations.order_files import Given
from voucher.rules.contracts import Part
from voucher.schemas.base import load_form
from voucher.schemas.orders import ContractForm, DeliverForm, PartForm
from voucher.terms import OrderFileKind
from voucher.web import uploads

MOST_PARTS: Final = 12
DELIVERED: Final = {
    "result": OrderFileKind.RESULT,
    "cover": OrderFileKind.COVER,
    "conclusion": OrderFileKind.CONCLUSION,
}
_PART: Final = ("title", "amount", "due")


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent: what it says, the files of its fields, and the sentences of its errors."""

    data: dict[str, Any]
    files: dict[str, list[uploads.Kept]]
    errors: dict[str, list[str]]
    parts: list[Part] = field(default_factory=list)


def contract_form() -> Filled:
    """The contract of an order. An instalment of which nothing is filled in is passed over."""
    files = uploads.received({"file": False})
    data, errors = load_form(ContractForm, plain(files))
    parts: list[Part] = []
    for place in range(1, MOST_PARTS + 1):
        given = {name: request.form.get(f"part_{name}_{place}", "") for name in _PART}
        if not any(value.strip() for value in given.values()):
            continue
        said, wrong = load_form(PartForm, given)
        errors |= {f"part_{name}_{place}": sentences for name, sentences in wrong.items()}
        if not wrong:
            parts.append(Part(said["title"], said["amount"], said["due"]))
    return Filled(data, files.files, errors | files.errors, parts)


def delivery_form() -> tuple[Filled, tuple[Given, ...]]:
    """A delivery, and its files by what they are."""
    files = uploads.received({"result": True, "cover": False, "conclusion": False})
    data, errors = load_form(DeliverForm, plain(files))
    given = tuple(Given(kind, stored) for name, kind in DELIVERED.items() for stored in files.stored(name))
    return Filled(data, files.files, errors | files.errors), given


def plain(files: uploads.Received) -> dict[str, Any]:
    """The fields of the form beside its files and instalments."""
    kept = {f"kept_{name}" for name in files.files} | set(files.files)
    return {
        name: value
        for name, value in request.form.items()
        if name not in kept and not name.startswith("part_")
    }
