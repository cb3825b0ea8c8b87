"""Files between a form and its sending: in the store already, and named by signed tickets.

A form with a wrong answer in it keeps its files: each field `name` has hidden inputs or checkboxes `kept_name` with
the tickets of what was sent before (templates/components/uploads.html writes them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO, Final, cast

from flask import Response, request, send_file
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from voucher.errors import Code, Refusal
from voucher.media import PHOTOS
from voucher.originals import joined, with_facts
from voucher.schemas.messages import sentence
from voucher.store import Stored, open_file, save, still_there
from voucher.web.access import current_actor
from voucher.web.entry import settings

MOST_FILES: Final = 20

Kept = tuple[str, Stored]


@dataclass(frozen=True, slots=True)
class Received:
    """The files of a form by field, each with its ticket, and sentences by field for what was refused."""

    files: dict[str, list[Kept]]
    errors: dict[str, list[str]]

    def stored(self, field: str) -> list[Stored]:
        """The files of one field, to be attached."""
        return [each for _, each in self.files.get(field, [])]


def received(fields: Mapping[str, bool]) -> Received:
    """Keep what the form of this request sends in these fields (field -> several allowed), after what it kept before.

    In a field for one file a new one takes the place of the old one. What is refused has its sentence in `errors`
    (`file_refused`); nothing is raised. A ticket is good for its person and field; one whose file is gone is an error.
    """
    files: dict[str, list[Kept]] = {}
    errors: dict[str, list[str]] = {}
    for field, several in fields.items():
        kept, gone = _kept_before(field)
        sent, wrong = _saved([each for each in request.files.getlist(field) if each.filename], len(kept))
        if not several and len(sent) > 1:
            wrong.append("这里只能上传一个文件。")
            sent = sent[:1]
        if sent and not several:
            kept = []
        files[field] = kept + [(_signer(field).dumps(asdict(each)), each) for each in sent]
        if gone or wrong:
            errors[field] = gone + wrong
    return Received(files, errors)


def attachment(digest: str, *, file_name: str, media_type: str) -> Response:
    """A stored file, always as a download that no browser runs. Refused (`not_found`) where it is not there.

    The caller has made sure, by its query, that the file belongs to a case of the actor.
    """
    try:
        stream = open_file(settings().files_dir, digest)
    except FileNotFoundError:
        raise Refusal(Code.NOT_FOUND, file=file_name) from None
    answer = send_file(stream, mimetype=media_type, as_attachment=True, download_name=file_name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _kept_before(field: str) -> tuple[list[Kept], list[str]]:
    kept: list[Kept] = []
    errors: list[str] = []
    for ticket in dict.fromkeys(request.form.getlist(f"kept_{field}")):
        stored = _read(ticket, field)
        if stored is None:
            continue
        if all(still_there(settings().files_dir, each.sha256) for each in (stored, *stored.parts)):
            kept.append((ticket, stored))
        else:
            errors.append(f"文件“{stored.file_name}”已经不在，请重新上传。")
    return kept[:MOST_FILES], errors


def _saved(uploads: Sequence[FileStorage], kept: int) -> tuple[list[Stored], list[str]]:
    """The uploads as stored: photos as one PDF, and with what their originals say; and why some are refused."""
    if kept + len(uploads) > MOST_FILES:
        return [], [f"最多上传 {MOST_FILES} 个文件，已有 {kept} 个，这次选了 {len(uploads)} 个。"]
    folder, stored, errors = settings().files_dir, list[Stored](), list[str]()
    for upload in uploads:
        try:
            stored.append(
                save(
                    cast(BinaryIO, upload.stream),
                    folder,
                    file_name=upload.filename or "",
                    max_bytes=settings().max_upload,
                )
            )
        except Refusal as refusal:
            errors.append(sentence(refusal))
    try:
        stored = joined(stored, folder, max_bytes=settings().max_upload)
    except Refusal as refusal:
        errors.append(sentence(refusal))
        stored = [each for each in stored if each.media_type not in PHOTOS]
    return [with_facts(each, folder) for each in stored], errors


def _read(ticket: str, field: str) -> Stored | None:
    """The file of a ticket that this person was given for this field; None for any other."""
    try:
        said = _signer(field).loads(ticket)
    except BadData:
        return None
    return _stored(said)


def _stored(said: Mapping[str, Any]) -> Stored:
    parts = tuple(_stored(part) for part in said["parts"])
    return replace(Stored(**{**said, "parts": ()}), parts=parts)


def _signer(field: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt=f"kept-{field}-{current_actor().person_id}")
