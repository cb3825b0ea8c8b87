"""Every route names the permission it asks for, or says that it is public."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask


def handlers(app: Flask) -> Iterator[tuple[str, Any]]:
    """Each function that answers a route; a class-based view has one for each method."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint.endswith(".static"):
            continue
        view = app.view_functions[rule.endpoint]
        view_class = getattr(view, "view_class", None)
        if view_class is None:
            yield f"{rule.rule} ({rule.endpoint})", view
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.rule} ({rule.endpoint})", getattr(view_class, method.lower())


def test_every_route_names_a_permission_or_is_public(app: Flask) -> None:
    found = list(handlers(app))
    assert len(found) > 20, "the routes were not found"
    without = [
        route for route, view in found if not hasattr(view, "permission") and not hasattr(view, "public")
    ]
    assert not without, "\n".join(without)


def test_no_route_is_both_public_and_permitted(app: Flask) -> None:
    both = [route for route, view in handlers(app) if hasattr(view, "permission") and hasattr(view, "public")]
    assert not both, "\n".join(both)


def test_every_named_permission_stands_in_the_table(app: Flask) -> None:
    from voucher.rules.permissions import PERMISSIONS

    unknown = [
        f"{route}: {view.permission}"
        for route, view in handlers(app)
        if hasattr(view, "permission") and view.permission not in PERMISSIONS
    ]
    assert not unknown, "\n".join(unknown)


def test_the_static_folder_is_the_only_route_that_is_not_looked_at(app: Flask) -> None:
    unseen = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.rsplit(".")[-1] == "static"}
    assert unseen <= {"static"}
