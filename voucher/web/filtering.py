"""Filters that stand in the address: read leniently, kept on every link, never a reason to fail."""

from __future__ import annotations

from typing import Any

from flask import request

from voucher.schemas.base import Form, load_form


def filters_of(schema: type[Form]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the address filters by, and the same as text for links and fields (without the page).

    A value that cannot be read is left out, as if it were not there.
    """
    given = {name: value for name, value in request.args.items() if name in schema().fields and value.strip()}
    data, errors = load_form(schema, given)
    while errors:
        given = {name: value for name, value in given.items() if name not in errors}
        data, errors = load_form(schema, given)
    return data, {name: value for name, value in given.items() if name not in ("page", "before")}
