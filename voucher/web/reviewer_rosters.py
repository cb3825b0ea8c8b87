"""Rosters and holders: a file is looked at before anything is imported; holders are qualified one by one or in bulk."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from voucher.clock import fiscal_year
from voucher.errors import Code, Refusal
from voucher.operations.import_roster import RosterFile, import_roster, preview
from voucher.queries.rosters import imports, roster_counts
from voucher.reports.sheets import MOST_BYTES, read_table, roster_rows
from voucher.schemas.base import load_form
from voucher.schemas.claims import RosterConfirmation, RosterForm
from voucher.schemas.messages import sentence
from voucher.store import plain_name
from voucher.web.access import current_actor, permits
from voucher.web.entry import change, form_body, form_key, now, reading, settings

blueprint = Blueprint("rosters", __name__, url_prefix="/reviewer/rosters")

SHOWN_ERRORS: Final = 200
SHOWN_ROWS: Final = 20
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FIELDS: Final = {"name": "企业名称", "uscc": "统一社会信用代码", "roster_no": "登记编号", "region": "地区"}


@blueprint.get("/")
@permits("reviewer:roster:import")
def index() -> ResponseReturnValue:
    """What was imported, and the form for another file."""
    return _index({}, {})


@blueprint.post("/preview")
@permits("reviewer:roster:import")
def show_preview() -> ResponseReturnValue:
    """Read an uploaded file and say what an import would do. Nothing is imported."""
    data, errors = load_form(RosterForm, request.form)
    upload = request.files.get("file")
    content = upload.stream.read(MOST_BYTES + 1) if upload else b""
    if not content:
        errors = {**errors, "file": ["请选择名单文件（.xlsx 或 .csv）。"]}
    if errors:
        return _index(request.form, errors)
    try:
        rows = roster_rows(read_table(content))
    except Refusal as refusal:
        return _index(request.form, {"file": [sentence(refusal)]})
    with reading() as session:
        found = preview(session, rows, data["year"], actor=current_actor())
    name = plain_name(upload.filename or "" if upload else "")
    return render_template(
        "reviewer/roster_preview.html",
        found=found,
        rows=len(rows),
        wrong_rows=len({error.line for error in found.errors}),
        fields=_FIELDS,
        shown_errors=found.errors[:SHOWN_ERRORS],
        shown_rows=found.entries[:SHOWN_ROWS],
        year=data["year"],
        file_name=name,
        sha256=_keep(content) if not found.errors else "",
    )


@blueprint.post("/import")
@permits("reviewer:roster:import")
def confirm_import() -> ResponseReturnValue:
    """Import the file that was previewed: all of it, or nothing."""
    data, errors = load_form(RosterConfirmation, request.form)
    if errors:
        return _index(request.form, errors)
    rows = roster_rows(read_table(_kept(data["sha256"])))
    file = RosterFile(plain_name(data["file_name"]), data["sha256"], data["year"], rows)

    def work(session: Session, at: datetime) -> dict[str, Any]:
        done = import_roster(session, file, actor=current_actor(), at=at)
        return {"rows": done.rows, "replayed": done.replayed}

    answer = change(work, key=form_key(), body=form_body())
    if answer["replayed"]:
        flash("这份文件以前已经导入过，本次没有改变任何数据。", "info")
    else:
        flash(f"已导入 {data['year']} 年名单，共 {answer['rows']} 行。", "success")
    return redirect(url_for("rosters.index"), 303)


def _index(form: Any, errors: dict[str, list[str]]) -> ResponseReturnValue:
    with reading() as session:
        page = render_template(
            "reviewer/rosters.html",
            imports=imports(session),
            counts=roster_counts(session, current_actor()),
            form=form,
            errors=errors,
            year=fiscal_year(now()),
        )
    return page, 422 if errors else 200


def _folder() -> Path:
    return settings().files_dir / "rosters"


def _keep(content: bytes) -> str:
    """Keep a previewed file under its sha256 until it is confirmed."""
    digest = sha256(content).hexdigest()
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    handle, waiting = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(waiting).replace(folder / digest)
    return digest


def _kept(digest: str) -> bytes:
    """The previewed file of this sha256, unchanged; refused `file_refused` where there is none."""
    place = _folder() / digest
    if not _SHA256.fullmatch(digest) or not place.is_file():
        raise Refusal(Code.FILE_REFUSED, reason="unreadable")
    content = place.read_bytes()
    if sha256(content).hexdigest() != digest:
        raise Refusal(Code.FILE_REFUSED, reason="unreadable")
    return content
