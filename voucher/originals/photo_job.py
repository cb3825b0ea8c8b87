"""The job that joins photos: `photo_job FILE...` writes one PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from voucher.originals.apart import answer
from voucher.originals.photos import photo_pdf


def _join(arguments: Sequence[str]) -> bytes:
    return photo_pdf([Path(each) for each in arguments])


if __name__ == "__main__":
    answer(_join)
