"""The API's description: the document for programs, and a page to read and try it, from our own files alone."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, json, render_template
from flask.typing import ResponseReturnValue

from voucher.api.access import public

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")


@blueprint.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The OpenAPI 3.1 document."""
    document = current_app.extensions["voucher_api"].described()
    return Response(json.dumps(document, ensure_ascii=False), mimetype="application/json")


@blueprint.get("/docs")
@public
def docs() -> ResponseReturnValue:
    """The page."""
    return render_template("api/docs.html")
