"""Files of programs: sent first, then named by the ticket that whoever sent them was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, cast

from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import FileStorage

from voucher.api.access import current_actor
from voucher.api.entry import settings
from voucher.errors import Code, Refusal
from voucher.originals import joined, with_facts
from voucher.store import Stored, described, save


def keep_files_sent(sent: Sequence[FileStorage]) -> Stored:
    """Keep what was uploaded: one file, or photos that become one PDF, with what its original says.

    Refused as `file_refused`, with the reason; several files that are not all photos as `several`.
    """
    config = settings()
    files = [
        save(
            cast(BinaryIO, each.stream),
            config.files_dir,
            file_name=each.filename or "",
            max_bytes=config.max_upload,
        )
        for each in sent
    ]
    made = joined(files, config.files_dir, max_bytes=config.max_upload)
    if len(made) != 1:
        raise Refusal(Code.FILE_REFUSED, reason="several")
    return with_facts(made[0], config.files_dir)


def ticket_for(stored: Stored) -> str:
    """The ticket with which the sender of a file, and nobody else, may attach it: signed, and bound to the person.

    The parts that it was made of are in it, so nobody can name others.
    """
    parts = [[part.sha256, part.file_name] for part in stored.parts]
    return _signer().dumps([stored.sha256, parts])


def named_file(said: Mapping[str, Any]) -> Stored:
    """The stored file of a `StoredBody`, with what its original says; call it before the transaction begins.

    Refused as `file_refused`: a ticket that this person was not given (`ticket`: knowing a hash gives no right to
    somebody's file), and where the file or a part of it is no longer in the store (`missing`).
    """
    folder = settings().files_dir
    try:
        digest, made_of = _signer().loads(said["ticket"])
    except BadData:
        raise Refusal(Code.FILE_REFUSED, reason="ticket", file=said["file_name"]) from None
    whole = described(folder, digest, file_name=said["file_name"])
    parts = tuple(described(folder, part, file_name=name) for part, name in made_of)
    return with_facts(replace(whole, parts=parts), folder)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret_key, salt=f"sent-file-{current_actor().person_id}")
