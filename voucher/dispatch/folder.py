"""A folder in place of the world outside, for the demonstration: one file a message, named by its id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from voucher.dispatch.parcel import Parcel, Undelivered


@dataclass(frozen=True, slots=True)
class Folder:
    """Writes `<id>.json`; the same message again replaces its own file."""

    path: Path

    @property
    def repeatable(self) -> bool:
        return True

    def send(self, parcel: Parcel) -> None:
        """Write the file, whole or not at all. Raises Undelivered where the folder cannot be written."""
        said = {
            "id": parcel.ref,
            "channel": parcel.channel.value,
            "to": parcel.address,
            "title": parcel.title,
            "text": parcel.text,
        }
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            half = self.path / f".{parcel.ref}"
            half.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            half.replace(self.path / f"{parcel.ref}.json")
        except OSError as failure:
            raise Undelivered("folder_unwritable", final=False) from failure
