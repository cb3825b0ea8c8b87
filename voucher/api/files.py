"""Files of programs: sent first, then named by their hash in what they are attached to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, cast

from werkzeug.datastructures import FileStorage

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


def named_file(said: Mapping[str, Any]) -> Stored:
    """The stored file of a `StoredBody`, with what its original says; call it before the transaction begins.

    Refused as `file_refused` where it or a part of it is not in the store (`missing`).
    """
    folder = settings().files_dir
    whole = described(folder, said["sha256"], file_name=said["file_name"])
    parts = tuple(
        described(folder, part["sha256"], file_name=part["file_name"]) for part in said.get("made_of", ())
    )
    return with_facts(replace(whole, parts=parts), folder)
