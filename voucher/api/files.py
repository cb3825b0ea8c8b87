"""Files of programs: sent first, then named by their hash in what they are attached to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from werkzeug.datastructures import FileStorage

from voucher.api.entry import settings
from voucher.store import Stored, described, save


def keep_file(sent: FileStorage) -> Stored:
    """Keep an uploaded file. Refused as `file_refused`, with the reason."""
    return save(
        cast(BinaryIO, sent.stream),
        settings().files_dir,
        file_name=sent.filename or "",
        max_bytes=settings().max_upload,
    )


def named_file(said: Mapping[str, Any]) -> Stored:
    """The stored file of a `StoredBody`. Refused as `file_refused` where it is not in the store (`missing`)."""
    return described(settings().files_dir, said["sha256"], file_name=said["file_name"])
