"""`voucher files`: every file is hashed again, copied once, and swept when nothing names it."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.factories import person
from voucher.cli import main
from voucher.clock import wall_now
from voucher.db import Database
from voucher.models.claims import Invoice
from voucher.models.files import StoredFile
from voucher.operations.keep_files import ORDINARY, Care, keep_files
from voucher.rules.permissions import Actor
from voucher.store import Stored, place_of, save
from voucher.terms import Retention

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


class House:
    """A database and a store, and the command line on both."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.actor: Actor = database.transaction(lambda session, at: person(session))

    def saved(self, text: str) -> Stored:
        return save(
            io.BytesIO(PDF + text.encode()), self.folder, file_name=f"{text}.pdf", max_bytes=1_000_000
        )

    def keep(self, *files: Stored, care: Care = ORDINARY) -> None:
        self.database.transaction(
            lambda session, at: keep_files(session, files, actor=self.actor, at=at, care=care)
        )

    def row(self, file: Stored) -> StoredFile:
        with self.database.read() as session:
            row = session.get(StoredFile, file.sha256)
            assert row is not None
            return row

    def place(self, file: Stored) -> Path:
        return place_of(self.folder, file.sha256)

    def age(self, *files: Stored) -> None:
        """Make the files two days old."""
        for file in files:
            two_days_ago = wall_now().timestamp() - 2 * 24 * 60 * 60
            os.utime(self.place(file), (two_days_ago, two_days_ago))


@pytest.fixture
def house(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    folder = tmp_path / "files"
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("FILES_DIR", str(folder))
    return House(database, folder)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["files", *words])


def test_nothing_kept_is_sound(house: House) -> None:
    answer = run("verify")
    assert (answer.exit_code, answer.output) == (0, "全部完好：0 个文件，0 字节\n")


def test_files_as_they_were_kept_are_sound(house: House) -> None:
    one, two = house.saved("one"), house.saved("two")
    house.keep(one, two, two)
    answer = run("verify")
    assert answer.exit_code == 0
    assert f"2 个文件，{one.size_bytes + two.size_bytes:,} 字节" in answer.output


def test_a_changed_and_a_missing_file_are_named(house: House) -> None:
    changed, missing, sound = house.saved("changed"), house.saved("missing"), house.saved("sound")
    house.keep(changed, missing, sound)
    house.place(changed).chmod(0o640)
    house.place(changed).write_bytes(PDF + b"chbnged")
    house.place(missing).unlink()
    answer = run("verify")
    assert answer.exit_code == 1
    assert f"{changed.sha256}：内容变了" in answer.output
    assert f"{missing.sha256}：不见了" in answer.output
    assert sound.sha256 not in answer.output
    report = json.loads(run("verify", "--json").output)
    assert not report["sound"]
    assert {fault["sha256"]: fault["wrong"] for fault in report["faults"]} == {
        changed.sha256: "changed",
        missing.sha256: "missing",
    }


def test_without_the_store_nothing_can_be_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.keep(house.saved("one"))
    monkeypatch.setenv("FILES_DIR", str(house.folder.parent / "elsewhere"))
    for words in (["verify"], ["backup", str(house.folder.parent / "copy")]):
        answer = run(*words)
        assert answer.exit_code == 2
        assert "没有材料目录" in answer.stderr


def test_a_backup_copies_what_is_new_and_says_what_is_broken(house: House, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    one = house.saved("one")
    house.keep(one)
    assert "新复制 1 个，全部完好：1 个文件" in run("backup", str(copy)).output
    two, broken = house.saved("two"), house.saved("broken")
    house.keep(two, broken)
    house.place(broken).chmod(0o640)
    house.place(broken).write_bytes(b"other")
    house.place(one).chmod(0o640)
    house.place(one).write_bytes(b"spoiled after it was copied")
    answer = run("backup", str(copy))
    assert answer.exit_code == 1
    assert f"{broken.sha256}：内容变了" in answer.output
    copied = {path.name: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert copied == {one.sha256: PDF + b"one", two.sha256: PDF + b"two"}


def test_a_copy_can_be_checked_as_a_store(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.keep(house.saved("one"))
    run("backup", str(tmp_path / "copy"))
    monkeypatch.setenv("FILES_DIR", str(tmp_path / "copy"))
    assert run("verify").exit_code == 0


@pytest.mark.parametrize("inside", ["", "copy", ".."])
def test_a_copy_is_not_made_inside_the_store_or_around_it(house: House, inside: str) -> None:
    house.keep(house.saved("one"))
    assert run("backup", str(house.folder / inside)).exit_code == 2


def test_the_sweep_deletes_old_files_that_nothing_names_and_nothing_else(house: House) -> None:
    named, orphan, fresh = house.saved("named"), house.saved("orphan"), house.saved("fresh")
    house.keep(named)
    house.age(named, orphan)
    rosters = house.folder / "rosters"
    rosters.mkdir()
    for place in (rosters / ("a" * 64), rosters / ("b" * 64), house.folder / ".incoming-x"):
        place.write_bytes(b"x")
        if not place.name.startswith("b"):
            os.utime(place, (1, 1))
    answer = run("sweep")
    assert answer.exit_code == 0
    assert "无人引用的文件 1 个" in answer.output
    assert "没有传完的 1 个，名单预览 1 个" in answer.output
    assert house.place(named).is_file() and house.place(fresh).is_file()
    assert not house.place(orphan).exists()
    assert [place.name for place in rosters.iterdir()] == ["b" * 64]
    assert run("verify").exit_code == 0


def test_a_file_that_only_another_table_names_is_not_swept(house: House) -> None:
    """A row of any table that holds the hash keeps the file, even where it was not listed as it should be."""
    paper = house.saved("paper")
    invoice = Invoice(
        key="2" * 20,
        issued_on=date(2026, 5, 8),
        net_fen=1,
        buyer_uscc="",
        seller_uscc="",
        original_sha256=paper.sha256,
    )
    house.database.transaction(lambda session, at: session.add(invoice))
    house.age(paper)
    assert "无人引用的文件 0 个" in run("sweep").output
    assert house.place(paper).is_file()


def test_what_an_interrupted_sweep_took_aside_is_put_back(house: House) -> None:
    named = house.saved("named")
    house.keep(named)
    place = house.place(named)
    place.replace(place.with_name(f".sweeping-{named.sha256}"))
    assert run("verify").exit_code == 1
    run("sweep")
    assert run("verify").exit_code == 0


def test_the_worker_sweeps(house: House) -> None:
    orphan = house.saved("orphan")
    house.age(orphan)
    assert CliRunner().invoke(main, ["worker", "--once"]).exit_code == 0
    assert not house.place(orphan).exists()


def test_a_file_kept_again_stays_confidential_and_takes_the_stronger_retention(house: House) -> None:
    paper = house.saved("paper")
    house.keep(paper, care=Care(retention=Retention.PROCESS))
    first = house.row(paper)
    assert (first.confidential, first.retention) == (False, "process")
    house.keep(replace(paper, facts={"invoice": {"number": "1"}}), care=Care(confidential=True))
    house.keep(replace(paper, facts={"invoice": {"number": "2"}}), care=Care(retention=Retention.STANDING))
    row = house.row(paper)
    assert (row.confidential, row.retention, row.facts) == (True, "voucher", {"invoice": {"number": "1"}})
    assert row.uploaded_at == first.uploaded_at


def test_the_parts_of_a_file_are_kept_with_it(house: House) -> None:
    photos = (house.saved("one"), house.saved("two"))
    whole = replace(house.saved("whole"), parts=photos)
    house.keep(whole)
    assert house.row(whole).made_of == [photo.sha256 for photo in photos]
    house.age(*photos, whole)
    run("sweep")
    assert all(house.place(photo).is_file() for photo in photos)
