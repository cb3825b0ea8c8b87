"""Amounts typed beside a list of tenants: one field each, `amount_` and the number; an empty one leaves it out."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request
from werkzeug.datastructures import MultiDict

from voucher.money import Fen, MoneyError, parse_yuan

PREFIX = "amount_"


def amounts(names: Sequence[str]) -> tuple[dict[str, Fen], dict[str, list[str]]]:
    """What was typed for each of these names, in fen, and sentences by field for what is no amount."""
    found: dict[str, Fen] = {}
    errors: dict[str, list[str]] = {}
    for name in names:
        typed = request.form.get(PREFIX + name, "").strip()
        if not typed:
            continue
        try:
            amount = parse_yuan(typed)
        except MoneyError:
            errors[PREFIX + name] = ["请填写金额，例如 1,000.00。"]
            continue
        if amount <= 0:
            errors[PREFIX + name] = ["金额应大于零。"]
        else:
            found[name] = amount
    return found, errors


def rest_of_form() -> MultiDict[str, str]:
    """The fields of the form that are not amounts, for its schema."""
    kept = [(name, value) for name, value in request.form.items(multi=True) if not name.startswith(PREFIX)]
    return MultiDict(kept)
