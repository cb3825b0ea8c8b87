"""What anybody may see: the front page, and whether the system is alive and ready."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from voucher.errors import Refusal
from voucher.operations.probe import probe
from voucher.queries.health import log_lag
from voucher.web.access import public
from voucher.web.entry import database, reading

blueprint = Blueprint("public", __name__)


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """The front page."""
    return render_template("public/index.html")


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process is alive; nothing else is asked."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """The database takes writes (one is made and taken back), and how many postings the log lags behind."""
    try:
        database().transaction(lambda session, at: probe(session, at=at))
        with reading() as session:
            lag = log_lag(session)
    except (SQLAlchemyError, Refusal):
        return jsonify(status="unready", database="not writable"), 503
    return jsonify(status="ready", database="writable", log_lag=lag)
