"""The work on all files of the store, in parts: no transaction is held while files are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from voucher.db import Database
from voucher.operations.check_files import (
    CHANGED,
    MISSING,
    PART,
    FileFault,
    Listed,
    listed,
    unnamed,
    with_names,
    wrong_with,
)
from voucher.store import copy_to, discard, place_of, unused

_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class FileReport:
    """What was looked at, and what is wrong; `copied` of a backup: how many were not there before."""

    files: int = 0
    size_bytes: int = 0
    copied: int = 0
    faults: list[FileFault] = field(default_factory=list)


@dataclass(slots=True)
class Swept:
    """What was deleted: files that nothing names, unfinished uploads, and roster files that were only looked at."""

    files: int = 0
    size_bytes: int = 0
    unfinished: int = 0
    previews: int = 0


def a_day_before(at: datetime) -> float:
    """The moment, in seconds of the epoch, before which an unnamed file must have been asked for to be swept."""
    return (at - _DAY).timestamp()


def verify_all(store: Database, folder: Path) -> FileReport:
    """Hash every file that has to be there again. Raises FileNotFoundError where there is no store at all."""
    report = FileReport()
    for file in _all_listed(store, folder):
        report.files += 1
        report.size_bytes += file.size_bytes
        wrong = wrong_with(file, folder)
        if wrong is not None:
            report.faults.append(FileFault(file.sha256, wrong))
    _name_faults(store, report)
    return report


def back_up_all(store: Database, folder: Path, target: Path) -> FileReport:
    """Copy every file that the target lacks, hashed on the way; what is there already is left as it is.

    Raises FileNotFoundError where there is no store at all.
    """
    report = FileReport()
    for file in _all_listed(store, folder):
        report.files += 1
        report.size_bytes += file.size_bytes
        try:
            report.copied += copy_to(folder, file.sha256, target)
        except FileNotFoundError:
            report.faults.append(FileFault(file.sha256, MISSING))
        except ValueError:
            report.faults.append(FileFault(file.sha256, CHANGED))
    _name_faults(store, report)
    return report


def sweep_all(store: Database, folder: Path, *, unused_since: float) -> Swept:
    """Delete what nothing in the database names and nobody asked for since that moment (seconds of the epoch)."""
    done = Swept()
    waiting: list[str] = []
    for digest in unused(folder, unused_since=unused_since):
        waiting.append(digest)
        if len(waiting) == PART:
            _discard(store, folder, waiting, done, unused_since=unused_since)
            waiting = []
    _discard(store, folder, waiting, done, unused_since=unused_since)
    done.unfinished = _delete_old(folder, ".incoming-*", unused_since)
    done.previews = _delete_old(folder / "rosters", "*", unused_since)
    return done


def _discard(store: Database, folder: Path, digests: list[str], done: Swept, *, unused_since: float) -> None:
    with store.read() as session:
        orphans = unnamed(session, digests) if digests else []
    for digest in orphans:
        size = place_of(folder, digest).stat().st_size
        if discard(folder, digest, unused_since=unused_since):
            done.files += 1
            done.size_bytes += size


def _delete_old(folder: Path, pattern: str, unused_since: float) -> int:
    """Delete the files of a folder that were last written before that moment; how many."""
    gone = 0
    for place in folder.glob(pattern):
        if place.is_file() and place.stat().st_mtime <= unused_since:
            place.unlink(missing_ok=True)
            gone += 1
    return gone


def _all_listed(store: Database, folder: Path) -> Iterator[Listed]:
    after = ""
    while True:
        with store.read() as session:
            part = listed(session, after=after)
        if not part:
            return
        if not folder.is_dir():
            raise FileNotFoundError(f"没有材料目录 {folder}")
        yield from part
        after = part[-1].sha256


def _name_faults(store: Database, report: FileReport) -> None:
    if report.faults:
        with store.read() as session:
            report.faults = with_names(session, report.faults)
