"""Files of a claim between the form and its sending: in the store already, and named by signed tickets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, BinaryIO, cast

from flask import Response, request, send_file
from itsdangerous import BadData, URLSafeSerializer

from voucher.errors import Code, Refusal, found
from voucher.models.claims import Document
from voucher.operations.documents import GivenDocument
from voucher.schemas.messages import sentence
from voucher.store import open_file, save
from voucher.terms import DocumentKind
from voucher.web.access import current_actor
from voucher.web.entry import settings


def received() -> tuple[list[tuple[str, GivenDocument]], dict[str, list[str]]]:
    """Every file of the form as (ticket, file), kept ones first, and errors by field for those refused."""
    kept = [(ticket, each) for ticket in request.form.getlist("document") if (each := _read(ticket))]
    errors: dict[str, list[str]] = {}
    for kind in DocumentKind:
        field = f"file_{kind.value}"
        for upload in request.files.getlist(field):
            if not upload.filename:
                continue
            try:
                stored = save(
                    cast(BinaryIO, upload.stream),
                    settings().files_dir,
                    file_name=upload.filename,
                    max_bytes=settings().max_upload,
                )
            except Refusal as refusal:
                errors.setdefault(field, []).append(sentence(refusal))
                continue
            given = GivenDocument(kind=kind, **_plain(stored))
            kept.append((_signer().dumps({**asdict(given), "kind": kind.value}), given))
    return kept, errors


def download(document: Document | None) -> Response:
    """A file of a claim, always as a download. Refused (`not_found`) where it is not there."""
    row = found(document)
    try:
        stream = open_file(settings().files_dir, row.sha256)
    except FileNotFoundError:
        raise Refusal(Code.NOT_FOUND, document=row.id) from None
    answer = send_file(stream, mimetype=row.media_type, as_attachment=True, download_name=row.file_name)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _plain(stored: Any) -> dict[str, Any]:
    return {name: getattr(stored, name) for name in ("sha256", "size_bytes", "media_type", "file_name")}


def _read(ticket: str) -> GivenDocument | None:
    """The file of a ticket that this person was given; None for any other."""
    try:
        said = _signer().loads(ticket)
    except BadData:
        return None
    return GivenDocument(**{**said, "kind": DocumentKind(said["kind"])})


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt=f"claim-file-{current_actor().person_id}")
